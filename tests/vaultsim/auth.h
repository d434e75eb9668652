/*
 * Authentication of a call to a vault: the bearer token, the challenge.
 *
 * Any thread; keeps nothing.
 */
#ifndef VAULTSIM_AUTH_H
#define VAULTSIM_AUTH_H

#include <stdbool.h>

#include "answer.h"
#include "request.h"

/* True: the token is valid here, and client_id is set. False: the answer holds the refusal. */
bool auth_check(const struct request *request, struct answer *answer, char client_id[37]);
/* 401 with the challenge, as if the token had expired. */
void auth_refuse_expired(const struct request *request, struct answer *answer);
/* The 401 that the service sometimes sends to valid tokens: AKV10046. */
void auth_refuse_unresolved(const struct request *request, struct answer *answer);
/* False: the bearer token was sent to a host that is not under its audience. */
bool auth_is_at_home(const struct request *request);
/* True if the request has no bearer token: counted as a challenge. */
bool auth_is_bare(const struct request *request);

#endif
