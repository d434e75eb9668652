/*
 * Tables of user databases: a JSON document that storage keeps on encrypted pages.
 *
 * Enough to show that data survive: CREATE TABLE, INSERT, SELECT. On the thread of the script.
 */
#ifndef EKMHOST_TABLES_H
#define EKMHOST_TABLES_H

#include <stdbool.h>

#include "connection.h"
#include "rowset.h"

/* All rows of a table of the connection's database; 208 if there is none. */
bool tables_read(struct connection *connection, const char *name, struct rowset *rows,
                 struct failure *failure);
/* `types` has one entry for each column. */
bool tables_create(struct connection *connection, const char *name, const struct rowset *columns,
                   const struct value_type *types, struct failure *failure);
bool tables_drop(struct connection *connection, const char *name, struct failure *failure);
/* Rows of as many cells as the table has columns; they are converted to the columns' types. */
bool tables_insert(struct connection *connection, const char *name, const struct rowset *rows,
                   struct failure *failure);

#endif
