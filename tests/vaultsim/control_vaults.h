/*
 * The /vaults part of the control endpoint: add, remove, shut off, fail over.
 *
 * Any thread. `json` is the request's body, never NULL.
 */
#ifndef VAULTSIM_CONTROL_VAULTS_H
#define VAULTSIM_CONTROL_VAULTS_H

#include <cjson/cJSON.h>

#include "answer.h"

void control_vaults_list(struct answer *answer);
void control_vaults_add(const cJSON *json, struct answer *answer);
void control_vaults_remove(const char *host, struct answer *answer);
/* rest: HOST/firewall or HOST/failover */
void control_vaults_change(const char *rest, const cJSON *json, struct answer *answer);

#endif
