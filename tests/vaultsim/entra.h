/*
 * Entra's token endpoint, v2.0 form, client_credentials with a secret.
 *
 * Any thread.
 */
#ifndef VAULTSIM_ENTRA_H
#define VAULTSIM_ENTRA_H

#include "answer.h"
#include "request.h"

void entra_serve(const struct request *request, struct answer *answer);

#endif
