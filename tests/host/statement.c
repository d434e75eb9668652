#include "statement.h"

#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "memory.h"
#include "report.h"

static const struct statement_kind *const tables[] = {
    statements_asymmetric, statements_backup,    statements_credential, statements_database,
    statements_encryption, statements_login,     statements_provider,   statements_select,
    statements_server,     statements_symmetric, statements_table,      statements_unplayed};

struct compiled {
    const struct statement_kind *kind;
    struct pattern_match match;
    int line;
};

/* Reads the statement at *at. After a failure *at is the token at fault. */
static bool compile_one(const struct token *tokens, size_t *at, struct compiled *out)
{
    out->match.furthest = *at;
    out->line = tokens[*at].line;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        for (out->kind = tables[i]; out->kind->pattern; out->kind++) {
            if (pattern_try(out->kind->pattern, tokens, *at, &out->match)) {
                *at = out->match.end;
                return true;
            }
        }
    }
    *at = out->match.furthest;
    return false;
}

static bool syntax_error(struct connection *connection, const struct token_list *list, size_t at)
{
    const struct token *token = &list->items[at];
    if (token->kind == TOKEN_END && at > 0)
        token = &list->items[at - 1];
    connection->line = token->line;
    return connection_raise(connection, 102, 0, token->text);
}

/* All or nothing: *count statements, to be freed, or false after the message. */
static bool statement_compile(struct connection *connection, const struct token_list *list,
                              struct compiled **statements, size_t *count)
{
    size_t at = 0;
    for (;;) {
        while (token_is(&list->items[at], ";"))
            at++;
        if (list->items[at].kind == TOKEN_END)
            return true;
        *statements = memory_grow(*statements, (*count + 1) * sizeof **statements);
        if (!compile_one(list->items, &at, &(*statements)[*count]))
            return syntax_error(connection, list, at);
        ++*count;
    }
}

static void statement_execute(struct connection *connection, const struct compiled *statement)
{
    struct instance *instance = connection->instance;
    connection->line = statement->line;
    instance->statements++;
    uint64_t start_ns = platform_clock_ns();
    int errors = instance->errors;
    statement->kind->run(connection, &statement->match);
    report_statement(start_ns, instance->errors > errors);
    if (instance->options.reload)
        access_reload(connection);
    if (!catalog_save(&instance->catalog))
        connection_raise(connection, 50000, 0, "The catalog cannot be written.");
    fflush(connection->out);
}

void statement_run_batch(struct connection *connection, const char *text)
{
    struct token_list list = token_split(text);
    struct compiled *statements = NULL;
    size_t count = 0;
    if (list.error) {
        connection->line = list.error_line;
        connection_raise(connection, list.error, 0, list.error_near);
    } else if (statement_compile(connection, &list, &statements, &count)) {
        for (size_t i = 0; i < count; i++) {
            if (connection->batch_over || connection->instance->shut_down)
                break;
            statement_execute(connection, &statements[i]);
        }
    }
    connection_end_batch(connection);
    free(statements);
    token_free(&list);
    fflush(connection->out);
}
