/*
 * Databases as a whole: made, attached, dropped, and many at once for storms.
 *
 * Keeps catalog entry, files and the engine's list in step. On the script's thread.
 */
#ifndef EKMHOST_DATABASE_H
#define EKMHOST_DATABASE_H

#include <stdbool.h>

#include "connection.h"

/* Makes an entry of the catalog and of the engine; files and recovery are the caller's next steps.
 */
struct open_database *database_register(struct connection *connection, const char *name,
                                        const char *base);
void database_forget(struct connection *connection, cJSON *entry);
/* DIR/<name>, with signs that no file name should have replaced. To be freed. */
char *database_base(const struct connection *connection, const char *name);

/* N databases storm1..stormN, each with a row of data, encrypted under the server asymmetric key.
 */
bool database_make_many(struct connection *connection, int count, const char *key_name);

#endif
