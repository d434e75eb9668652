/*
 * Client assertions at the token endpoint: by certificate here, federated ones in federation.h.
 *
 * Any thread; remembers, under its own lock, which jti of which application was used.
 */
#ifndef VAULTSIM_ASSERTION_H
#define VAULTSIM_ASSERTION_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "answer.h"
#include "jwt.h"
#include "request.h"

struct assertion {
    const struct request *request;
    const char *client_id; /* as the form says */
    const char *tenant;    /* of the path */
    const char *text;
    const cJSON *client; /* of clients_get */
};

/* False: the answer holds the refusal. */
bool assertion_check(const struct assertion *assertion, struct answer *answer);
/* Compares nbf and exp with the service's clock; five minutes of difference are allowed. */
bool assertion_check_times(const struct assertion *assertion, const struct jwt *jwt,
                           struct answer *answer);

#endif
