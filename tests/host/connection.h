/*
 * One connection: a login that runs one script, its database, variables, opened symmetric keys and
 * provider sessions.
 *
 * Owns everything that ends with the connection. Prints errors and notices as sqlcmd does, and
 * counts them. One thread.
 */
#ifndef EKMHOST_CONNECTION_H
#define EKMHOST_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "instance.h"
#include "value.h"

struct provider_session;

struct variable;
struct opened_key;
struct user_session;

struct connection {
    struct instance *instance;
    const char *login;
    int spid;
    int database_id;
    FILE *out;
    int line;        /* of the current statement */
    bool batch_over; /* an error ended the batch */
    bool over;       /* an exception in a provider ended the session */
    struct variable *variables;
    size_t variable_count;
    struct opened_key *keys;
    size_t key_count;
    struct user_session *sessions;
    size_t session_count;
};

void connection_open(struct connection *connection, struct instance *instance, FILE *out);
void connection_close(struct connection *connection);

/* Prints and counts. Always false, so that a handler can return it. */
bool connection_fail(struct connection *connection, const struct failure *failure);
bool connection_raise(struct connection *connection, int number, int state, ...);
/* A message of severity 10 or less: only its text. Always true. */
bool connection_notice(struct connection *connection, int number, ...);

struct catalog *connection_catalog(const struct connection *connection);
cJSON *connection_database(const struct connection *connection);
cJSON *connection_login(const struct connection *connection); /* NULL if it was never created */

/* Variables exist for one batch. */
void connection_end_batch(struct connection *connection);

#endif
