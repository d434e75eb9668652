/*
 * What is added to one vault's inventory, and what of it is due to be looked at.
 *
 * Owns nothing: the inventory belongs to the thread that took it (inventory.h).
 */
#ifndef AKVEKM_DISCOVERY_INVENTORY_SCAN_H
#define AKVEKM_DISCOVERY_INVENTORY_SCAN_H

#include "discovery/inventory.h"

/* What is due in this stage, newest first: at most `cap` and INVENTORY_NEXT_MAX. */
size_t inventory_scan_next(const struct inventory *inventory, struct key_id *names, size_t *places,
                           size_t cap);
/* Items of the lists. False: no memory. */
bool inventory_scan_add_key(struct inventory *inventory, const struct vault_key *item);
bool inventory_scan_add_version(struct inventory *inventory, size_t key,
                                const struct vault_key *item);
/* What came of a place: `key` NULL if there is nothing to be had of it. False: no memory. */
bool inventory_scan_note(struct inventory *inventory, size_t place, const struct vault_key *key);

#endif
