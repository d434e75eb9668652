/*
 * Columns and rows in memory, and their output.
 *
 * A view fills one, SELECT filters one into another. The output is that of sqlcmd: names, dashes,
 * rows, an empty line, the count. Belongs to one thread.
 */
#ifndef EKMHOST_ROWSET_H
#define EKMHOST_ROWSET_H

#include <stddef.h>
#include <stdio.h>

#include "value.h"

struct rowset {
    char **columns;
    size_t column_count;
    struct value *cells; /* row by row */
    size_t row_count;
};

/* Names separated by blanks; only while there are no rows. */
void rowset_add_columns(struct rowset *rows, const char *names);
void rowset_add_column(struct rowset *rows, const char *name);
/* A new row of NULLs: column_count cells, valid until the next one is added. */
struct value *rowset_add_row(struct rowset *rows);
struct value *rowset_row(const struct rowset *rows, size_t row);
/* The column's index, column_count if there is none of this name. */
size_t rowset_column(const struct rowset *rows, const char *name);
void rowset_sort(struct rowset *rows, size_t column, bool descending);
void rowset_print(const struct rowset *rows, FILE *out);
void rowset_free(struct rowset *rows);

#endif
