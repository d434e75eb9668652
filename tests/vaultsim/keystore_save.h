/*
 * Vaults and keys as JSON for the state file, private parts included, and back.
 *
 * keystore_from_json once at the start; keystore_to_json from any thread.
 */
#ifndef VAULTSIM_KEYSTORE_SAVE_H
#define VAULTSIM_KEYSTORE_SAVE_H

#include <cjson/cJSON.h>
#include <stdbool.h>

cJSON *keystore_to_json(void);
void keystore_from_json(const cJSON *json);

/* All versions of one key, for its backup; and back into a vault, under the name in the backup.
 * False: no backup of ours. */
cJSON *keystore_key_to_json(const char *host, const char *name);
bool keystore_key_from_json(const char *host, const cJSON *versions);

#endif
