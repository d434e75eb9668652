/*
 * From a script to handlers: batches, compilation of a batch by the table of statements, execution.
 *
 * A batch with a syntax error does not start. An error of one statement ends that statement and,
 * for some numbers, the batch. Handlers are in statements_<subject>.c, each with its own part of
 * the table. One thread.
 */
#ifndef EKMHOST_STATEMENT_H
#define EKMHOST_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "connection.h"
#include "pattern.h"

/* True if the statement succeeded; false after connection_fail or connection_raise. */
typedef bool statement_handler(struct connection *connection, const struct pattern_match *match);

struct statement_kind {
    const char *pattern; /* NULL ends a table */
    statement_handler *run;
};

extern const struct statement_kind statements_asymmetric[];
extern const struct statement_kind statements_backup[];
extern const struct statement_kind statements_credential[];
extern const struct statement_kind statements_database[];
extern const struct statement_kind statements_encryption[];
extern const struct statement_kind statements_login[];
extern const struct statement_kind statements_provider[];
extern const struct statement_kind statements_select[];
extern const struct statement_kind statements_server[];
extern const struct statement_kind statements_symmetric[];
extern const struct statement_kind statements_unplayed[];
extern const struct statement_kind statements_table[];

/* One batch, without GO. */
void statement_run_batch(struct connection *connection, const char *text);
#endif
