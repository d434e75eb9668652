/* SELECT: items, one source, WHERE, ORDER BY. No joins, and no grouping except COUNT(*). */
#include <stdlib.h>
#include <string.h>

#include "connection_state.h"
#include "expression.h"
#include "memory.h"
#include "statement.h"
#include "tables.h"
#include "views.h"

struct item {
    size_t at;      /* first token of the expression */
    const char *as; /* NULL: the column's own name */
    const char *variable;
    bool star, count;
};

struct select {
    struct expression expression;
    struct failure failure;
    struct rowset source, result;
    struct item items[32];
    size_t item_count;
    size_t where; /* token, 0 if absent */
    size_t end;
    long top; /* -1 all */
    bool has_from;
};

static const struct token *statements_select_now(const struct select *select)
{
    return &select->expression.tokens[select->expression.at];
}

static bool at_item_end(const struct select *select)
{
    return select->expression.at >= select->end || token_is(statements_select_now(select), ",") ||
           token_is(statements_select_now(select), "FROM");
}

static void skip_expression(struct select *select)
{
    int depth = 0;
    for (; select->expression.at < select->end; select->expression.at++) {
        if (depth == 0 && (at_item_end(select) || token_is(statements_select_now(select), "AS")))
            return;
        depth += token_is(statements_select_now(select), "(")   ? 1
                 : token_is(statements_select_now(select), ")") ? -1
                                                                : 0;
    }
}

static bool parse_item(struct select *select)
{
    struct expression *expression = &select->expression;
    if (select->item_count == sizeof select->items / sizeof *select->items)
        return expression_syntax_error(expression);
    struct item *item = &select->items[select->item_count++];
    *item = (struct item){0};
    const struct token *first = statements_select_now(select);
    if (first->kind == TOKEN_VARIABLE && token_is(first + 1, "=")) {
        item->variable = first->text;
        expression->at += 2;
    }
    item->at = expression->at;
    item->star = expression_accept(expression, "*");
    item->count = token_is(first, "COUNT") && token_is(first + 1, "(") && token_is(first + 2, "*");
    if (at_item_end(select) && !item->star)
        return expression_syntax_error(expression);
    skip_expression(select);
    if (expression_accept(expression, "AS")) {
        item->as = statements_select_now(select)->text;
        expression->at++;
    }
    return at_item_end(select) || expression_syntax_error(expression);
}

static bool fill_source(struct select *select, const char *schema, const char *name)
{
    struct expression *expression = &select->expression;
    struct value arguments[4] = {{0}};
    size_t count = 0;
    bool good = true;
    if (expression_accept(expression, "(") && !expression_accept(expression, ")")) {
        do {
            good = count < 4 ? expression_evaluate(expression, &arguments[count++])
                             : expression_syntax_error(expression);
        } while (good && expression_accept(expression, ","));
        good = good && expression_expect(expression, ")");
    }
    struct view_request request = {expression->connection, arguments, count};
    if (good && strcmp(schema, "sys") == 0)
        good = views_fill(name, &request, &select->source, &select->failure);
    else if (good)
        good = tables_read(expression->connection, name, &select->source, &select->failure);
    for (size_t i = 0; i < count; i++)
        value_free(&arguments[i]);
    return good;
}

static bool parse_source(struct select *select)
{
    struct expression *expression = &select->expression;
    const char *schema = "";
    if (!token_is_name(statements_select_now(select)))
        return expression_syntax_error(expression);
    const char *name = statements_select_now(select)->text;
    expression->at++;
    while (expression_accept(expression, ".")) {
        schema = name;
        name = statements_select_now(select)->text;
        expression->at++;
    }
    if (!fill_source(select, schema, name))
        return false;
    expression_accept(expression, "AS");
    if (token_is_name(statements_select_now(select)) &&
        !token_is(statements_select_now(select), "WHERE") &&
        !token_is(statements_select_now(select), "ORDER") && expression->at < select->end)
        expression->at++; /* an alias; columns are found by their last part */
    return true;
}

static bool statements_select_parse(struct select *select)
{
    struct expression *expression = &select->expression;
    select->top = -1;
    if (expression_accept(expression, "TOP")) {
        bool parenthesis = expression_accept(expression, "(");
        select->top = strtol(statements_select_now(select)->text, NULL, 10);
        expression->at++;
        if (parenthesis && !expression_expect(expression, ")"))
            return false;
    }
    do {
        if (!parse_item(select))
            return false;
    } while (expression_accept(expression, ","));
    select->has_from = expression->at < select->end && expression_accept(expression, "FROM");
    if (select->has_from && !parse_source(select))
        return false;
    if (!select->has_from)
        rowset_add_column(&select->source, ""); /* one row without columns of its own */
    return true;
}

/* Keeps the rows of the source for which WHERE holds. */
static bool statements_select_filter(struct select *select)
{
    struct expression *expression = &select->expression;
    if (!select->has_from) {
        rowset_add_row(&select->source);
        return true;
    }
    if (expression->at >= select->end || !expression_accept(expression, "WHERE"))
        return true;
    struct rowset *source = &select->source;
    size_t where = expression->at;
    size_t kept = 0;
    for (size_t row = 0; row < source->row_count; row++) {
        struct value truth;
        expression->at = where;
        expression->row = row;
        bool good = expression_evaluate(expression, &truth);
        bool keep = good && truth.number;
        value_free(&truth);
        if (!good)
            return false;
        struct value *cells = rowset_row(source, row);
        for (size_t i = 0; i < source->column_count; i++) {
            struct value *target = &rowset_row(source, kept)[i];
            if (!keep || kept == row)
                continue;
            value_free(target);
            *target = cells[i];
            cells[i] = value_null();
        }
        kept += keep;
    }
    for (size_t i = kept * source->column_count; i < source->row_count * source->column_count; i++)
        value_free(&source->cells[i]);
    if (source->row_count == 0) { /* nothing is evaluated: only finds the end of the condition */
        while (expression->at < select->end && !token_is(statements_select_now(select), "ORDER"))
            expression->at++;
    }
    source->row_count = kept;
    return true;
}

static bool statements_select_sort(struct select *select)
{
    struct expression *expression = &select->expression;
    if (expression->at >= select->end)
        return true;
    if (!expression_expect(expression, "ORDER") || !expression_expect(expression, "BY"))
        return false;
    const struct token *name = statements_select_now(select);
    size_t column = rowset_column(&select->source, name->text);
    if (column == select->source.column_count)
        return failure_set(&select->failure, 207, 0, name->text);
    expression->at++;
    bool descending = expression_accept(expression, "DESC");
    if (!descending)
        expression_accept(expression, "ASC");
    rowset_sort(&select->source, column, descending);
    return expression->at >= select->end || expression_syntax_error(expression);
}

static bool name_columns(struct select *select)
{
    const struct token *tokens = select->expression.tokens;
    for (size_t i = 0; i < select->item_count; i++) {
        const struct item *item = &select->items[i];
        const struct token *first = &tokens[item->at];
        bool call = token_is(first + 1, "(");
        if (item->star) {
            for (size_t column = 0; column < select->source.column_count; column++)
                rowset_add_column(&select->result, select->source.columns[column]);
        } else if (item->as || !token_is_name(first) || call || token_is(first, "NULL")) {
            rowset_add_column(&select->result, item->as ? item->as : "");
        } else {
            while (token_is(first + 1, "."))
                first += 2;
            if (rowset_column(&select->source, first->text) == select->source.column_count)
                return failure_set(&select->failure, 207, 0, first->text);
            rowset_add_column(&select->result, first->text);
        }
    }
    return true;
}

static bool project_item(struct select *select, const struct item *item, struct value *out)
{
    struct expression *expression = &select->expression;
    if (item->count) {
        *out = value_number((long long)select->source.row_count);
        return true;
    }
    expression->at = item->at;
    if (!expression_evaluate(expression, out))
        return false;
    return expression->at >= select->end || at_item_end(select) ||
           token_is(statements_select_now(select), "AS") || expression_syntax_error(expression);
}

static bool project_row(struct select *select, size_t row)
{
    struct value *cells = rowset_add_row(&select->result);
    select->expression.row = row;
    for (size_t i = 0; i < select->item_count; i++) {
        const struct item *item = &select->items[i];
        if (item->star) {
            for (size_t column = 0; column < select->source.column_count; column++)
                *cells++ = value_copy(&rowset_row(&select->source, row)[column]);
        } else if (!project_item(select, item, cells++)) {
            return false;
        }
    }
    return true;
}

static bool statements_select_project(struct select *select)
{
    bool counting = select->items[0].count;
    size_t rows = counting ? 1 : select->source.row_count;
    if (select->top >= 0 && rows > (size_t)select->top)
        rows = (size_t)select->top;
    if (!name_columns(select))
        return false;
    for (size_t row = 0; row < rows; row++) {
        if (!project_row(select, row))
            return false;
    }
    return true;
}

/* SELECT @x = ...: takes the last row, as SQL Server does, and prints nothing. */
static bool statements_select_assign(struct select *select)
{
    struct connection *connection = select->expression.connection;
    for (size_t i = 0; i < select->item_count && select->result.row_count > 0; i++) {
        struct variable *variable = connection_variable(connection, select->items[i].variable);
        if (!variable)
            return failure_set(&select->failure, 137, 0, select->items[i].variable);
        value_free(&variable->value);
        variable->value = value_copy(&rowset_row(&select->result, select->result.row_count - 1)[i]);
        if (!value_convert(&variable->value, &variable->type, 0, &select->failure))
            return false;
    }
    return true;
}

static bool run_select(struct connection *connection, const struct pattern_match *match)
{
    struct select *select = memory_take(sizeof *select);
    select->expression = (struct expression){.connection = connection,
                                             .tokens = pattern_token(match, "list"),
                                             .rows = &select->source,
                                             .failure = &select->failure};
    select->end = pattern_count(match, "list");
    bool good = statements_select_parse(select) && statements_select_filter(select) &&
                statements_select_sort(select) && statements_select_project(select);
    if (good && select->items[0].variable)
        good = statements_select_assign(select);
    else if (good)
        rowset_print(&select->result, connection->out);
    if (!good)
        connection_fail(connection, &select->failure);
    rowset_free(&select->source);
    rowset_free(&select->result);
    free(select);
    return good;
}

const struct statement_kind statements_select[] = {{"SELECT {list:*}", run_select}, {NULL, NULL}};
