/*
 * The /keys part of the control endpoint: make, import, change, delete and show keys without a
 * token.
 *
 * Any thread. `json` is the body of the request, never NULL; query values may be NULL.
 */
#ifndef VAULTSIM_CONTROL_KEYS_H
#define VAULTSIM_CONTROL_KEYS_H

#include <cjson/cJSON.h>

#include "answer.h"

/* Many keys that can only be read: they have no private half. */
void control_keys_fill(const cJSON *json, struct answer *answer);
void control_keys_add(const cJSON *json, struct answer *answer);
void control_keys_change(const cJSON *json, struct answer *answer);
void control_keys_delete(const cJSON *json, struct answer *answer);
/* Every version, in the order of creation. */
void control_keys_list(const char *vault, struct answer *answer);
void control_keys_pem(const char *vault, const char *name, const char *version,
                      struct answer *answer);

#endif
