/*
 * Expressions of T-SQL: literals, variables, columns, functions, +, comparisons, AND, OR, NOT, IS
 * NULL.
 *
 * Evaluated directly from the tokens, once for each row; there is no tree. Built-in functions are
 * in a table. One thread.
 */
#ifndef EKMHOST_EXPRESSION_H
#define EKMHOST_EXPRESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "message.h"
#include "rowset.h"
#include "token.h"
#include "value.h"

struct connection;

struct expression {
    struct connection *connection;
    const struct token *tokens; /* end with TOKEN_END */
    size_t at; /* the next token; after the evaluation the first one after the expression */
    const struct rowset *rows; /* the values of columns; NULL if there are none */
    size_t row;
    struct failure *failure;
};

/* The value at `at`. False: the failure is set. Conditions give the numbers 1 and 0, or NULL. */
bool expression_evaluate(struct expression *expression, struct value *out);
/* A type name with its size at `at`. */
bool expression_type(struct expression *expression, struct value_type *type);
/* Steps over `word`, or sets 102. */
bool expression_expect(struct expression *expression, const char *word);
/* Steps over `word` if it is there. */
bool expression_accept(struct expression *expression, const char *word);
bool expression_syntax_error(struct expression *expression);

#endif
