/*
 * Entra's token endpoint, v2.0 form, client_credentials with a secret.
 *
 * Any thread.
 */
#ifndef VAULTSIM_ENTRA_H
#define VAULTSIM_ENTRA_H

#include <stdbool.h>

#include "answer.h"
#include "request.h"

/* True for all but the discovery documents: counted as token. */
bool entra_is_token_request(const struct request *request);
void entra_serve(const struct request *request, struct answer *answer);

#endif
