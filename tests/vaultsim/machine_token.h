/*
 * Shared by IMDS, Arc and App Service: which identity is asked for, and the token itself.
 *
 * Any thread; keeps nothing. Each service words its own refusals.
 */
#ifndef VAULTSIM_MACHINE_TOKEN_H
#define VAULTSIM_MACHINE_TOKEN_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "answer.h"
#include "identities.h"
#include "request.h"

enum machine_error {
    MACHINE_OK,
    MACHINE_NO_RESOURCE,
    MACHINE_UNKNOWN_RESOURCE,
    MACHINE_UNKNOWN_IDENTITY,
    MACHINE_AMBIGUOUS,
    MACHINE_SEVERAL_SELECTORS,
};

/* A sentence about the refusal; NULL for MACHINE_OK. */
const char *machine_error_text(enum machine_error error);
/* Chooses the identity and returns a new or cached token: an object with access_token, resource,
 * token_type, expires_on and expires_in, numbers as strings. */
enum machine_error machine_token(const struct request *request,
                                 const struct identity_selector *selector,
                                 struct identity *identity, cJSON **json);

#endif
