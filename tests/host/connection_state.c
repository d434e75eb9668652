#include "connection_state.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>

#include "connection.h"
#include "memory.h"

struct variable *connection_variable(const struct connection *connection, const char *name)
{
    for (size_t i = 0; i < connection->variable_count; i++) {
        if (strcasecmp(connection->variables[i].name, name) == 0)
            return &connection->variables[i];
    }
    return NULL;
}

void connection_declare(struct connection *connection, const char *name,
                        const struct value_type *type)
{
    size_t count = connection->variable_count++;
    connection->variables =
        memory_grow(connection->variables, (count + 1) * sizeof *connection->variables);
    connection->variables[count] = (struct variable){.name = memory_text(name), .type = *type};
}

void connection_end_batch(struct connection *connection)
{
    for (size_t i = 0; i < connection->variable_count; i++) {
        free(connection->variables[i].name);
        value_free(&connection->variables[i].value);
    }
    free(connection->variables);
    connection->variables = NULL;
    connection->variable_count = 0;
    connection->batch_over = false;
}

struct opened_key *connection_opened_key(const struct connection *connection, int key_id)
{
    for (size_t i = 0; i < connection->key_count; i++) {
        if (connection->keys[i].key_id == key_id)
            return &connection->keys[i];
    }
    return NULL;
}

void connection_add_key(struct connection *connection, int key_id, const uint8_t *key, size_t len)
{
    struct opened_key opened = {.key_id = key_id, .len = len};
    memcpy(opened.key, key, len);
    struct opened_key *keys = memory_take((connection->key_count + 1) * sizeof *keys);
    if (connection->key_count)
        memcpy(keys, connection->keys, connection->key_count * sizeof *keys);
    if (connection->keys)
        OPENSSL_cleanse(connection->keys, connection->key_count * sizeof *keys);
    free(connection->keys);
    keys[connection->key_count++] = opened;
    connection->keys = keys;
    OPENSSL_cleanse(&opened, sizeof opened);
}

void connection_drop_key(struct connection *connection, struct opened_key *key)
{
    struct opened_key *last = &connection->keys[--connection->key_count];
    *key = *last;
    OPENSSL_cleanse(last, sizeof *last);
}
