/*
 * The catalog and management views: a table of names, columns and the functions that fill them.
 *
 * Most views read the catalog; the provider views call the provider (ekm-abi.md section 5). One
 * thread.
 */
#ifndef EKMHOST_VIEWS_H
#define EKMHOST_VIEWS_H

#include <stdbool.h>
#include <stddef.h>

#include "connection.h"
#include "rowset.h"

struct view_request {
    struct connection *connection;
    const struct value *arguments; /* of a view that is a function */
    size_t argument_count;
};

typedef bool view_fill(const struct view_request *request, struct rowset *rows,
                       struct failure *failure);

struct view {
    const char *name; /* without sys. */
    const char *columns;
    view_fill *fill;
};

extern const struct view views_provider[]; /* end with a NULL name */

/* 208 for an unknown name. */
bool views_fill(const char *name, const struct view_request *request, struct rowset *rows,
                struct failure *failure);

#endif
