#include "expression.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "connection.h"
#include "connection_state.h"
#include "functions.h"
#include "memory.h"

static const struct token *token_now(const struct expression *expression)
{
    return &expression->tokens[expression->at];
}

bool expression_syntax_error(struct expression *expression)
{
    return failure_set(expression->failure, 102, 0, token_now(expression)->text);
}

bool expression_accept(struct expression *expression, const char *word)
{
    if (!token_is(token_now(expression), word))
        return false;
    expression->at++;
    return true;
}

bool expression_expect(struct expression *expression, const char *word)
{
    return expression_accept(expression, word) || expression_syntax_error(expression);
}

bool expression_type(struct expression *expression, struct value_type *type)
{
    const struct token *name = token_now(expression);
    memset(type, 0, sizeof *type);
    if (!token_is_name(name) || name->len >= sizeof type->name)
        return expression_syntax_error(expression);
    for (size_t i = 0; i < name->len; i++)
        type->name[i] = (char)tolower((unsigned char)name->text[i]);
    expression->at++;
    if (!expression_accept(expression, "("))
        return true;
    const struct token *size = token_now(expression);
    if (token_is(size, "MAX"))
        type->size = -1;
    else if (size->kind == TOKEN_NUMBER)
        type->size = strtol(size->text, NULL, 10);
    else
        return expression_syntax_error(expression);
    expression->at++;
    return expression_expect(expression, ")");
}

/* CONVERT(type, value [, style]) and CAST(value AS type): `at` is after the parenthesis. */
static bool evaluate_conversion(struct expression *expression, bool cast, struct value *out)
{
    struct value_type type = {0};
    int style = 0;
    if (cast) {
        if (!expression_evaluate(expression, out) || !expression_expect(expression, "AS") ||
            !expression_type(expression, &type))
            return false;
    } else {
        if (!expression_type(expression, &type) || !expression_expect(expression, ",") ||
            !expression_evaluate(expression, out))
            return false;
        if (expression_accept(expression, ",")) {
            struct value number = value_null();
            if (!expression_evaluate(expression, &number))
                return false;
            style = (int)number.number;
            value_free(&number);
        }
    }
    return expression_expect(expression, ")") &&
           value_convert(out, &type, style, expression->failure);
}

static bool evaluate_call(struct expression *expression, const char *name, struct value *out)
{
    struct value arguments[FUNCTION_MAX_ARGUMENTS] = {{0}};
    size_t count = 0;
    bool good = true;
    if (!expression_accept(expression, ")")) {
        do {
            good = count < FUNCTION_MAX_ARGUMENTS
                       ? expression_evaluate(expression, &arguments[count++])
                       : expression_syntax_error(expression);
        } while (good && expression_accept(expression, ","));
        good = good && expression_expect(expression, ")");
    }
    good = good &&
           function_call(expression->connection, name, arguments, count, out, expression->failure);
    for (size_t i = 0; i < count; i++)
        value_free(&arguments[i]);
    return good;
}

static bool evaluate_column(struct expression *expression, struct value *out)
{
    const struct token *name = token_now(expression);
    expression->at++;
    while (expression_accept(expression, ".")) /* alias.column: only the last part counts */
        name = &expression->tokens[expression->at++];
    size_t column = expression->rows ? rowset_column(expression->rows, name->text) : 0;
    if (!expression->rows || column == expression->rows->column_count)
        return failure_set(expression->failure, 207, 0, name->text);
    *out = value_copy(&rowset_row(expression->rows, expression->row)[column]);
    return true;
}

static bool evaluate_name(struct expression *expression, struct value *out)
{
    const struct token *name = token_now(expression);
    if (token_is(name, "NULL")) {
        expression->at++;
        return true;
    }
    if (!token_is(&expression->tokens[expression->at + 1], "("))
        return evaluate_column(expression, out);
    expression->at += 2;
    if (token_is(name, "CONVERT") || token_is(name, "CAST"))
        return evaluate_conversion(expression, token_is(name, "CAST"), out);
    return evaluate_call(expression, name->text, out);
}

static bool evaluate_variable(struct expression *expression, struct value *out)
{
    const char *name = token_now(expression)->text;
    expression->at++;
    if (strncmp(name, "@@", 2) == 0)
        return function_call(expression->connection, name, NULL, 0, out, expression->failure);
    const struct variable *variable = connection_variable(expression->connection, name);
    if (!variable)
        return failure_set(expression->failure, 137, 0, name);
    *out = value_copy(&variable->value);
    return true;
}

static bool evaluate_primary(struct expression *expression, struct value *out)
{
    const struct token *token = token_now(expression);
    switch (token->kind) {
    case TOKEN_STRING:
        *out = value_text_n(token->text, token->len);
        out->wide = token->wide;
        break;
    case TOKEN_NUMBER:
        *out = value_number(strtoll(token->text, NULL, 10));
        break;
    case TOKEN_BINARY:
        *out = *token->text ? value_hex(token->text) : value_binary("", 0);
        break;
    case TOKEN_VARIABLE:
        return evaluate_variable(expression, out);
    case TOKEN_WORD:
    case TOKEN_NAME:
        return evaluate_name(expression, out);
    default:
        if (expression_accept(expression, "("))
            return expression_evaluate(expression, out) && expression_expect(expression, ")");
        if (!expression_accept(expression, "-"))
            return expression_syntax_error(expression);
        if (!evaluate_primary(expression, out))
            return false;
        out->number = -out->number;
        return true;
    }
    expression->at++;
    return true;
}

static struct value add_values(const struct value *a, const struct value *b)
{
    if (a->kind == VALUE_NULL || b->kind == VALUE_NULL)
        return value_null();
    if (a->kind == VALUE_NUMBER && b->kind == VALUE_NUMBER)
        return value_number(a->number + b->number);
    char *left = a->kind == VALUE_NUMBER ? value_display(a) : NULL;
    char *right = b->kind == VALUE_NUMBER ? value_display(b) : NULL;
    size_t left_len = left ? strlen(left) : a->len;
    size_t right_len = right ? strlen(right) : b->len;
    struct value sum = {.kind = a->kind == VALUE_BINARY ? VALUE_BINARY : VALUE_TEXT,
                        .data = memory_take(left_len + right_len + 1),
                        .len = left_len + right_len,
                        .wide = a->wide || b->wide};
    memcpy(sum.data, left ? left : a->data, left_len);
    memcpy(sum.data + left_len, right ? right : b->data, right_len);
    free(left);
    free(right);
    return sum;
}

static bool evaluate_sum(struct expression *expression, struct value *out)
{
    if (!evaluate_primary(expression, out))
        return false;
    while (expression_accept(expression, "+")) {
        struct value right = value_null();
        bool good = evaluate_primary(expression, &right);
        struct value sum = good ? add_values(out, &right) : value_null();
        value_free(out);
        value_free(&right);
        *out = sum;
        if (!good)
            return false;
    }
    return true;
}

static bool expression_holds(const char *sign, int order)
{
    if (strcmp(sign, "=") == 0)
        return order == 0;
    if (strcmp(sign, "<>") == 0 || strcmp(sign, "!=") == 0)
        return order != 0;
    if (*sign == '<')
        return order < 0 || (sign[1] == '=' && order == 0);
    return order > 0 || (sign[1] == '=' && order == 0);
}

static bool evaluate_comparison(struct expression *expression, struct value *out)
{
    if (expression_accept(expression, "NOT")) {
        bool good = evaluate_comparison(expression, out);
        out->number = !out->number;
        return good;
    }
    if (!evaluate_sum(expression, out))
        return false;
    if (expression_accept(expression, "IS")) {
        bool negated = expression_accept(expression, "NOT");
        bool null = out->kind == VALUE_NULL;
        value_free(out);
        *out = value_number(null != negated);
        return expression_expect(expression, "NULL");
    }
    const struct token *sign = token_now(expression);
    if (sign->kind != TOKEN_SIGN || !strchr("=<>!", sign->text[0]))
        return true;
    expression->at++;
    struct value right = value_null();
    bool good = evaluate_sum(expression, &right);
    struct value truth = value_null();
    if (good && out->kind != VALUE_NULL && right.kind != VALUE_NULL)
        truth = value_number(expression_holds(sign->text, value_compare(out, &right)));
    value_free(out);
    value_free(&right);
    *out = truth;
    return good;
}

static bool evaluate_and(struct expression *expression, struct value *out)
{
    if (!evaluate_comparison(expression, out))
        return false;
    while (expression_accept(expression, "AND")) {
        struct value right = value_null();
        bool good = evaluate_comparison(expression, &right);
        bool truth = out->number && right.number;
        value_free(out);
        value_free(&right);
        *out = value_number(truth);
        if (!good)
            return false;
    }
    return true;
}

bool expression_evaluate(struct expression *expression, struct value *out)
{
    *out = value_null();
    if (!evaluate_and(expression, out))
        return false;
    while (expression_accept(expression, "OR")) {
        struct value right = value_null();
        bool good = evaluate_and(expression, &right);
        bool truth = out->number || right.number;
        value_free(out);
        value_free(&right);
        *out = value_number(truth);
        if (!good)
            return false;
    }
    return true;
}
