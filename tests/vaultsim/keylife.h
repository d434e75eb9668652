/*
 * Backup and restore of keys, their rotation, and rotation policies.
 *
 * Any thread. Policies are kept under a lock of their own; whoever changes one saves the state.
 */
#ifndef VAULTSIM_KEYLIFE_H
#define VAULTSIM_KEYLIFE_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "answer.h"
#include "service.h"

bool keylife_has(enum operation operation);
void keylife_serve(const struct service_call *call, struct answer *answer);
/* Writes the policies for the state file, and reads them back. */
cJSON *keylife_to_json(void);
void keylife_from_json(const cJSON *json);

#endif
