/*
 * Creates, attaches and drops databases, and makes many at once for storms.
 *
 * Keeps catalog entry, files and the list of the engine consistent. On the thread of the script.
 */
#ifndef EKMHOST_DATABASE_H
#define EKMHOST_DATABASE_H

#include <stdbool.h>

#include "connection.h"

/* Makes the entries in the catalog and in the engine. The caller makes or recovers the files. */
struct open_database *database_register(struct connection *connection, const char *name,
                                        const char *base);
void database_forget(struct connection *connection, cJSON *entry);
/* DIR/<name>, without characters that are unsafe in a file name. To be freed. */
char *database_base(const struct connection *connection, const char *name);

/* N databases storm1..stormN, each with a row of data, encrypted under the server asymmetric key.
 */
bool database_make_many(struct connection *connection, int count, const char *key_name);

#endif
