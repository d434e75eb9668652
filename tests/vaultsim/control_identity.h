/*
 * The part of the control endpoint about managed identities and the OIDC issuer.
 *
 * Any thread. `json` is the request's body, never NULL.
 */
#ifndef VAULTSIM_CONTROL_IDENTITY_H
#define VAULTSIM_CONTROL_IDENTITY_H

#include <cjson/cJSON.h>

#include "answer.h"

void control_identity_list(struct answer *answer);
void control_identity_change(const cJSON *json, struct answer *answer);
void control_identity_remove(const char *client_id, struct answer *answer);
/* A new secret for the header of App Service. */
void control_identity_rotate(struct answer *answer);
void control_identity_mint(const cJSON *json, struct answer *answer);

#endif
