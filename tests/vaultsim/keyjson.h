/*
 * Key bundles, list items and attributes as JSON, and back.
 *
 * Pure functions over struct key_view; any thread.
 */
#ifndef VAULTSIM_KEYJSON_H
#define VAULTSIM_KEYJSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "keystore.h"

/* The bit of a key_ops word in key_view.ops; 0: unknown word. */
unsigned keyjson_op(const char *word);
#define KEYJSON_OPS_DEFAULT 63u /* encrypt decrypt sign verify wrapKey unwrapKey */

/* All three add only members that the api-version knows (NULL: all members). */
cJSON *keyjson_bundle(const struct key_view *view, const char *api_version);
cJSON *keyjson_item(const struct key_view *view, bool with_version, const char *api_version);
cJSON *keyjson_deleted(const struct key_view *view, const char *api_version, bool is_item);
void keyjson_kid(const struct key_view *view, bool with_version, char *out, size_t cap);

/* Reads enabled, nbf, exp from an attributes object, key_ops from `json`, and the tags, if present.
 * An empty list of key_ops changes nothing. NULL: success; else the problem. */
const char *keyjson_take(const cJSON *json, const cJSON *attributes, const cJSON *tags,
                         struct key_view *view);
int keyjson_days(const struct key_view *view); /* how long a deleted key can be recovered */

#endif
