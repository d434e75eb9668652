/*
 * Shared by the commands about the map.
 *
 * Owns nothing. One thread, with the provider started.
 */
#ifndef AKVEKM_TOOL_MAP_H
#define AKVEKM_TOOL_MAP_H

#include "keymap/keymap_store.h"
#include "tool/connection.h"

/* The current map; keymap_table_free must follow. */
enum plat_io map_load(struct keymap_table *table);

/* What is wrong with the entry, NULL if nothing is; the key that it names. */
const char *map_judge_entry(const struct keymap_entry *entry, struct key_id *key);

/* Whether the vault still has that key, and the thumbprint is its own; else why not. *ends_s: when
 * the key ends, 0 for never or not known. */
bool map_ask_vault(const struct connection *connection, const struct keymap_entry *entry, char *why,
                   size_t cap, int64_t *ends_s);

#endif
