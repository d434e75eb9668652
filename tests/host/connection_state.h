/*
 * The state of a connection between statements: variables and opened symmetric keys.
 *
 * Ends with the connection (variables with the batch). One thread.
 */
#ifndef EKMHOST_CONNECTION_STATE_H
#define EKMHOST_CONNECTION_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "value.h"

struct connection;
struct provider_session;

struct variable {
    char *name;
    struct value_type type;
    struct value value;
};

struct opened_key { /* a symmetric key after OPEN SYMMETRIC KEY */
    int key_id;
    uint8_t key[32];
    size_t len;
};

struct user_session {
    int provider_id;
    struct provider_session *session;
};

struct variable *connection_variable(const struct connection *connection, const char *name);
void connection_declare(struct connection *connection, const char *name,
                        const struct value_type *type);

struct opened_key *connection_opened_key(const struct connection *connection, int key_id);
void connection_add_key(struct connection *connection, int key_id, const uint8_t *key, size_t len);
void connection_drop_key(struct connection *connection, struct opened_key *key);

#endif
