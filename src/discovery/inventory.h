/*
 * The keys of vaults that this process had to search: keys, versions, thumbprints, and the progress
 * of each search.
 *
 * Owns the inventories of at most INVENTORY_VAULTS vaults, of at most 5 MB each. One thread at a
 * time holds a vault's inventory and adds to it. Any thread may look up a thumbprint meanwhile.
 */
#ifndef AKVEKM_DISCOVERY_INVENTORY_H
#define AKVEKM_DISCOVERY_INVENTORY_H

#include "vault/vault.h"

#define INVENTORY_VAULTS   4
#define INVENTORY_KEYS     10000
#define INVENTORY_VERSIONS 30000
#define INVENTORY_FRESH_MS 60000 /* how long after its end a round is not repeated */
#define INVENTORY_CUT_MS   5000  /* the same after a list that was cut: the next may be whole */
#define INVENTORY_NEXT_MAX 32

/* clang-format off */
/* The stages of a round, in this order. */
enum inventory_stage { LISTING_KEYS, NEWEST_VERSIONS, LISTING_VERSIONS, OTHER_VERSIONS, ROUND_DONE };
/* clang-format on */

struct inventory;
struct inventory_count {
    size_t keys, versions, passed_over;
    bool full; /* the vault has more than fit */
};
struct inventory_link { /* where the list of keys continues; only the holder uses it */
    struct buf next;
    unsigned pages;
    uint64_t mark; /* see vault_link_repeats */
};

/* There is one for each credential, because another credential may have more permissions. NULL: all
 * are held, or no memory. If the last round ended long enough ago, a new one begins. */
struct inventory *inventory_take(const char *host, const char *client_id, bool *no_memory);
void inventory_give(struct inventory *inventory);
enum inventory_stage inventory_stage(const struct inventory *inventory);
void inventory_count(const struct inventory *inventory, struct inventory_count *out);
struct inventory_link *inventory_link(struct inventory *inventory);
/* Goes to the next stage. At the end of the round, forgets what the vault no longer lists. */
void inventory_advance(struct inventory *inventory);
/* The list of keys is malformed from here on. Continues with the keys before, and forgets none
 * now. */
void inventory_end_list(struct inventory *inventory);
bool inventory_is_cut(const struct inventory *inventory);
/* Finds a version with this thumbprint, in either byte order, except `except` (may be NULL). */
bool inventory_find(const char *host, const struct thumbprint *thumbprint,
                    const struct key_id *except, struct key_id *out);
void inventory_forget(const char *host, const struct key_id *id);
void inventory_clear(void);

#endif
