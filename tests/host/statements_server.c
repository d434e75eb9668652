/* The instance and the connection: sp_configure, USE, PRINT, variables, SHUTDOWN. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <openssl/crypto.h>

#include "connection_state.h"
#include "engine_ask.h"
#include "expression.h"
#include "memory.h"
#include "platform.h"
#include "statement.h"

static bool run_configure(struct connection *connection, const struct pattern_match *match)
{
    struct catalog *catalog = connection_catalog(connection);
    const char *name = pattern_text(match, "option");
    const char *value = pattern_text(match, "value");
    if (!name || !value)
        return connection_raise(connection, 15600, 0, "sp_configure");
    cJSON *setting = catalog_find(catalog, "configuration", name);
    bool advanced = setting && strcasecmp(name, "show advanced options") != 0;
    if (!setting || (advanced && !catalog_setting(catalog, "show advanced options")))
        return connection_raise(connection, 15123, 0, name);
    int number = atoi(value);
    if (number != 0 && number != 1)
        return connection_raise(connection, 15129, 0, number, name);
    int old = catalog_number(setting, "value");
    catalog_set_number(catalog, setting, "value", number);
    return connection_notice(connection, 15457, catalog_text(setting, "name"), old, number);
}

static bool run_reconfigure(struct connection *connection, const struct pattern_match *match)
{
    (void)match;
    struct catalog *catalog = connection_catalog(connection);
    cJSON *setting = NULL;
    cJSON_ArrayForEach(setting, catalog_list(catalog, "configuration"))
        catalog_set_number(catalog, setting, "value_in_use", catalog_number(setting, "value"));
    return true;
}

static bool run_use(struct connection *connection, const struct pattern_match *match)
{
    const char *name = pattern_text(match, "database");
    cJSON *database = catalog_find(connection_catalog(connection), "databases", name);
    if (!database)
        return connection_raise(connection, 911, 0, name);
    struct failure failure;
    if (!engine_usable(connection, database, &failure))
        return connection_fail(connection, &failure);
    connection->database_id = catalog_id(database);
    return connection_notice(connection, 5701, catalog_text(database, "name"));
}

/* No captured token may follow those that were understood. */
static bool at_end(struct expression *expression, const struct pattern_match *match,
                   const char *name)
{
    return expression->at == pattern_count(match, name) || expression_syntax_error(expression);
}

static bool run_print(struct connection *connection, const struct pattern_match *match)
{
    struct failure failure;
    struct value value;
    struct expression expression = {
        .connection = connection, .tokens = pattern_token(match, "value"), .failure = &failure};
    bool good = expression_evaluate(&expression, &value) && at_end(&expression, match, "value");
    char *text = value.kind == VALUE_NULL ? memory_text("") : value_display(&value);
    if (good)
        fprintf(connection->out, "%s\n", text);
    free(text);
    value_free(&value);
    return good || connection_fail(connection, &failure);
}

static bool statements_server_assign(struct connection *connection, struct variable *variable,
                                     struct expression *expression, struct failure *failure)
{
    struct value value;
    if (!expression_evaluate(expression, &value) ||
        !value_convert(&value, &variable->type, 0, failure)) {
        value_free(&value);
        return connection_fail(connection, failure);
    }
    value_free(&variable->value);
    variable->value = value;
    return true;
}

static bool run_declare(struct connection *connection, const struct pattern_match *match)
{
    struct failure failure;
    struct expression expression = {
        .connection = connection, .tokens = pattern_token(match, "list"), .failure = &failure};
    do {
        const struct token *name = &expression.tokens[expression.at++];
        struct value_type type;
        if (name->kind != TOKEN_VARIABLE)
            return connection_raise(connection, 102, 0, name->text);
        if (connection_variable(connection, name->text))
            return connection_raise(connection, 134, 0, name->text);
        expression_accept(&expression, "AS");
        if (!expression_type(&expression, &type))
            return connection_fail(connection, &failure);
        connection_declare(connection, name->text, &type);
        if (expression_accept(&expression, "=") &&
            !statements_server_assign(connection, connection_variable(connection, name->text),
                                      &expression, &failure))
            return false;
    } while (expression_accept(&expression, ","));
    return at_end(&expression, match, "list") || connection_fail(connection, &failure);
}

static bool run_set(struct connection *connection, const struct pattern_match *match)
{
    const struct token *tokens = pattern_token(match, "assignment");
    if (tokens[0].kind != TOKEN_VARIABLE) /* SET NOCOUNT ON and the like change nothing here */
        return tokens[0].kind == TOKEN_WORD || connection_raise(connection, 102, 0, tokens[0].text);
    struct variable *variable = connection_variable(connection, tokens[0].text);
    if (!variable)
        return connection_raise(connection, 137, 0, tokens[0].text);
    struct failure failure;
    struct expression expression = {
        .connection = connection, .tokens = tokens, .at = 1, .failure = &failure};
    if (!expression_expect(&expression, "="))
        return connection_fail(connection, &failure);
    return statements_server_assign(connection, variable, &expression, &failure) &&
           (at_end(&expression, match, "assignment") || connection_fail(connection, &failure));
}

/* Reads every page, and asks the provider for the key as SQL Server does. */
static bool run_check(struct connection *connection, const struct pattern_match *match)
{
    const char *name = pattern_text(match, "database");
    const cJSON *entry = name ? catalog_find(connection_catalog(connection), "databases", name)
                              : connection_database(connection);
    struct failure failure;
    char why[256];
    uint8_t *data = NULL;
    size_t len = 0;
    if (!entry)
        return connection_raise(connection, 911, 0, name);
    name = catalog_text(entry, "name");
    struct open_database *database = engine_database(connection->instance, catalog_id(entry));
    bool good = engine_usable(connection, entry, &failure);
    if (good && database) {
        good = engine_ask(connection->instance, database, &failure) &&
               (storage_read(database->storage, &data, &len, why) ||
                failure_set(&failure, 5120, 0, storage_base(database->storage), why));
        if (data)
            OPENSSL_cleanse(data, len);
        free(data);
    }
    return good ? connection_notice(connection, 2592, name) : connection_fail(connection, &failure);
}

static bool run_wait(struct connection *connection, const struct pattern_match *match)
{
    (void)connection;
    int hours = 0;
    int minutes = 0;
    double seconds = 0;
    if (sscanf(pattern_text(match, "time"), "%d:%d:%lf", &hours, &minutes, &seconds) < 2)
        return connection_raise(connection, 102, 0, pattern_text(match, "time"));
    seconds += 60 * minutes + 3600 * hours;
    platform_sleep_ms((uint64_t)(seconds * 1e3));
    return true;
}

static bool run_shutdown(struct connection *connection, const struct pattern_match *match)
{
    (void)match;
    fprintf(connection->out, "Server shut down by request from login %s.\n", connection->login);
    connection->instance->shut_down = true;
    return true;
}

const struct statement_kind statements_server[] = {
    {"EXEC sp_configure [ {option:s} [ , {value:i} ] ]", run_configure},
    {"EXECUTE sp_configure [ {option:s} [ , {value:i} ] ]", run_configure},
    {"sp_configure [ {option:s} [ , {value:i} ] ]", run_configure},
    {"RECONFIGURE [ WITH OVERRIDE ]", run_reconfigure},
    {"USE {database:n}", run_use},
    {"PRINT {value:*}", run_print},
    {"DECLARE {list:*}", run_declare},
    {"SET {assignment:*}", run_set},
    {"DBCC CHECKDB [ ( {database:v} ) ]", run_check},
    {"WAITFOR DELAY {time:s}", run_wait},
    {"SHUTDOWN [ WITH NOWAIT ]", run_shutdown},
    {NULL, NULL}};
