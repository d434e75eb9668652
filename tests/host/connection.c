#include "connection.h"

#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "connection_state.h"

void connection_open(struct connection *connection, struct instance *instance, FILE *out)
{
    *connection = (struct connection){.instance = instance,
                                      .login = instance->options.login,
                                      .spid = instance->next_spid++,
                                      .database_id = 1,
                                      .out = out};
}

void connection_close(struct connection *connection)
{
    connection_end_batch(connection);
    while (connection->key_count > 0)
        connection_drop_key(connection, &connection->keys[0]);
    free(connection->keys);
    access_end(connection);
    memset(connection, 0, sizeof *connection);
}

bool connection_fail(struct connection *connection, const struct failure *failure)
{
    if (failure->severity <= 10) {
        fprintf(connection->out, "%s\n", failure->text);
        return failure->severity > 0;
    }
    if (failure->notice[0])
        fprintf(connection->out, "%s\n", failure->notice);
    fprintf(connection->out, "Msg %d, Level %d, State %d, Line %d\n%s\n",
            message_number(failure->number, connection->instance->options.engine),
            failure->severity, failure->state, connection->line, failure->text);
    connection->instance->errors++;
    connection->over = connection->over || failure->number == 33055;
    connection->batch_over = connection->batch_over || failure->ends_batch || connection->over;
    return false;
}

bool connection_raise(struct connection *connection, int number, int state, ...)
{
    struct failure failure;
    va_list arguments;
    va_start(arguments, state);
    failure_set_list(&failure, number, state, arguments);
    va_end(arguments);
    return connection_fail(connection, &failure);
}

bool connection_notice(struct connection *connection, int number, ...)
{
    struct failure failure;
    va_list arguments;
    va_start(arguments, number);
    failure_set_list(&failure, number, 0, arguments);
    va_end(arguments);
    fprintf(connection->out, "%s\n", failure.text);
    return true;
}

struct catalog *connection_catalog(const struct connection *connection)
{
    return &connection->instance->catalog;
}

cJSON *connection_database(const struct connection *connection)
{
    return catalog_find_number(connection_catalog(connection), "databases", "id",
                               connection->database_id);
}

cJSON *connection_login(const struct connection *connection)
{
    return catalog_find(connection_catalog(connection), "logins", connection->login);
}
