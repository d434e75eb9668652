/*
 * Vaults and keys as JSON for the state file, private parts included, and back.
 *
 * keystore_from_json once at the start; keystore_to_json from any thread.
 */
#ifndef VAULTSIM_KEYSTORE_SAVE_H
#define VAULTSIM_KEYSTORE_SAVE_H

#include <cjson/cJSON.h>

cJSON *keystore_to_json(void);
void keystore_from_json(const cJSON *json);

#endif
