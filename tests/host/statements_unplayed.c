/* Certificates and master keys: a provider's key may protect them, but no public page shows by
 * which statement. They are refused with these words, not as a syntax error. */
#include "connection_state.h"
#include "statement.h"

static bool run_unplayed(struct connection *connection, const struct pattern_match *match)
{
    (void)match;
    return connection_raise(connection, 50000, 0,
                            "ekmhost plays no certificates and no master keys.");
}

const struct statement_kind statements_unplayed[] = {
    {"CREATE CERTIFICATE {rest:*}", run_unplayed},
    {"ALTER CERTIFICATE {rest:*}", run_unplayed},
    {"DROP CERTIFICATE {rest:*}", run_unplayed},
    {"BACKUP CERTIFICATE {rest:*}", run_unplayed},
    {"CREATE MASTER KEY [ {rest:*} ]", run_unplayed},
    {"ALTER MASTER KEY {rest:*}", run_unplayed},
    {"OPEN MASTER KEY {rest:*}", run_unplayed},
    {"CLOSE MASTER KEY", run_unplayed},
    {"DROP MASTER KEY", run_unplayed},
    {"BACKUP MASTER KEY {rest:*}", run_unplayed},
    {"CREATE SYMMETRIC KEY {key:n} WITH #(ALGORITHM:w,KEY_SOURCE:s,IDENTITY_VALUE:s) ENCRYPTION BY "
     "CERTIFICATE {by:n}",
     run_unplayed},
    {"CREATE DATABASE ENCRYPTION KEY WITH ALGORITHM = {algorithm:w} ENCRYPTION BY SERVER "
     "CERTIFICATE {by:n}",
     run_unplayed},
    {"ALTER DATABASE ENCRYPTION KEY ENCRYPTION BY SERVER CERTIFICATE {by:n}", run_unplayed},
    {NULL, NULL}};
