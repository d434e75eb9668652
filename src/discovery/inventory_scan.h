/*
 * Adds to one vault's inventory, and chooses what to fetch next.
 *
 * Owns nothing: the inventory belongs to the thread that took it (inventory.h).
 */
#ifndef AKVEKM_DISCOVERY_INVENTORY_SCAN_H
#define AKVEKM_DISCOVERY_INVENTORY_SCAN_H

#include "discovery/inventory.h"

/* Lists what to fetch next in this stage, newest first: at most `cap` and INVENTORY_NEXT_MAX.
 * Returns the number. */
size_t inventory_scan_next(const struct inventory *inventory, struct key_id *names, size_t *places,
                           size_t cap);
/* Adds items of the lists. False: no memory. */
bool inventory_scan_add_key(struct inventory *inventory, const struct vault_key *item);
bool inventory_scan_add_version(struct inventory *inventory, size_t key,
                                const struct vault_key *item);
/* Records the result for a place: `key` is NULL if the vault does not show it. False: no memory. */
bool inventory_scan_note(struct inventory *inventory, size_t place, const struct vault_key *key);

#endif
