/* CREATE TABLE, DROP TABLE, INSERT, CHECKPOINT. */
#include <string.h>

#include "engine_ask.h"
#include "expression.h"
#include "statement.h"
#include "tables.h"

enum { MAX_COLUMNS = 16 };

/* Column options that change nothing here. */
static void skip_options(struct expression *expression)
{
    static const char *const options[] = {"NOT", "NULL", "PRIMARY", "KEY"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        expression_accept(expression, options[i]);
}

static bool parse_columns(struct expression *expression, struct rowset *columns,
                          struct value_type *types)
{
    do {
        const struct token *name = &expression->tokens[expression->at];
        if (!token_is_name(name) || columns->column_count == MAX_COLUMNS)
            return expression_syntax_error(expression);
        expression->at++;
        if (!expression_type(expression, &types[columns->column_count]))
            return false;
        rowset_add_column(columns, name->text);
        skip_options(expression);
    } while (expression_accept(expression, ","));
    return expression_expect(expression, ")");
}

static bool statements_table_run_create(struct connection *connection,
                                        const struct pattern_match *match)
{
    struct failure failure;
    struct rowset columns = {0};
    struct value_type types[MAX_COLUMNS];
    struct expression expression = {.connection = connection,
                                    .tokens = pattern_token(match, "columns"),
                                    .at = 1,
                                    .failure = &failure};
    bool good = parse_columns(&expression, &columns, types) &&
                tables_create(connection, pattern_text(match, "table"), &columns, types, &failure);
    rowset_free(&columns);
    return good || connection_fail(connection, &failure);
}

static bool statements_table_run_drop(struct connection *connection,
                                      const struct pattern_match *match)
{
    struct failure failure;
    return tables_drop(connection, pattern_text(match, "table"), &failure) ||
           connection_fail(connection, &failure);
}

/* One (...) of VALUES; the first one decides how many cells a row has. */
static bool parse_row(struct expression *expression, struct rowset *rows)
{
    struct value cells[MAX_COLUMNS] = {{0}};
    size_t count = 0;
    bool good = expression_expect(expression, "(");
    while (good && count < MAX_COLUMNS) {
        good = expression_evaluate(expression, &cells[count++]);
        if (!good || !expression_accept(expression, ","))
            break;
    }
    good = good && expression_expect(expression, ")");
    while (good && rows->row_count == 0 && rows->column_count < count)
        rowset_add_column(rows, "");
    if (good && count != rows->column_count)
        good = failure_set(expression->failure, 213, 0);
    if (good)
        memcpy(rowset_add_row(rows), cells, count * sizeof *cells);
    for (size_t i = 0; i < count && !good; i++)
        value_free(&cells[i]);
    return good;
}

static bool run_insert(struct connection *connection, const struct pattern_match *match)
{
    struct failure failure;
    struct rowset rows = {0};
    bool good = true;
    struct expression expression = {
        .connection = connection, .tokens = pattern_token(match, "rows"), .failure = &failure};
    do {
        good = parse_row(&expression, &rows);
    } while (good && expression_accept(&expression, ","));
    if (good && expression.at != pattern_count(match, "rows"))
        good = expression_syntax_error(&expression);
    good = good && tables_insert(connection, pattern_text(match, "table"), &rows, &failure);
    if (good)
        fprintf(connection->out, "\n(%zu rows affected)\n", rows.row_count);
    rowset_free(&rows);
    return good || connection_fail(connection, &failure);
}

/* Stands for a long log: begins the next log segment, as happens by itself after many writes. */
static bool run_checkpoint(struct connection *connection, const struct pattern_match *match)
{
    (void)match;
    struct failure failure;
    struct open_database *database = engine_current(connection, &failure);
    if (!database)
        return connection->database_id == ENGINE_MASTER_ID || connection_fail(connection, &failure);
    return engine_new_segment(connection->instance, database, &failure) ||
           connection_fail(connection, &failure);
}

const struct statement_kind statements_table[] = {
    {"CREATE TABLE {table:n} {columns:p}", statements_table_run_create},
    {"CREATE TABLE dbo . {table:n} {columns:p}", statements_table_run_create},
    {"DROP TABLE {table:n}", statements_table_run_drop},
    {"INSERT INTO {table:n} VALUES {rows:*}", run_insert},
    {"INSERT INTO dbo . {table:n} VALUES {rows:*}", run_insert},
    {"INSERT {table:n} VALUES {rows:*}", run_insert},
    {"CHECKPOINT", run_checkpoint},
    {NULL, NULL}};
