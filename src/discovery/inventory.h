/*
 * What this process has seen of the vaults that it had to look through: keys, versions, their
 * thumbprints, and how far it has come.
 *
 * Owns that, for at most INVENTORY_VAULTS vaults, at most 5 MB each. One thread at a time holds a
 * vault's inventory and adds to it; any thread may ask for a thumbprint meanwhile.
 */
#ifndef AKVEKM_DISCOVERY_INVENTORY_H
#define AKVEKM_DISCOVERY_INVENTORY_H

#include "vault/vault.h"

#define INVENTORY_VAULTS   4
#define INVENTORY_KEYS     10000
#define INVENTORY_VERSIONS 30000
#define INVENTORY_FRESH_MS 60000 /* so long after its end a round is not repeated */
#define INVENTORY_NEXT_MAX 32

/* clang-format off */
/* A round goes through these in order. */
enum inventory_stage { LISTING_KEYS, NEWEST_VERSIONS, LISTING_VERSIONS, OTHER_VERSIONS, ROUND_DONE };
/* clang-format on */

struct inventory;
struct inventory_count {
    size_t keys, versions, passed_over;
    bool full; /* there is more than fits */
};
struct inventory_link { /* where the list of keys goes on; the holder's */
    struct buf next;
    unsigned pages;
    uint64_t mark; /* see vault_link_repeats */
};

/* One for each credential: what one is refused another may get. NULL: all are held, or no memory. A
 * round that ended long enough ago begins anew. */
struct inventory *inventory_take(const char *host, const char *client_id, bool *no_memory);
void inventory_give(struct inventory *inventory);
enum inventory_stage inventory_stage(const struct inventory *inventory);
void inventory_count(const struct inventory *inventory, struct inventory_count *out);
struct inventory_link *inventory_link(struct inventory *inventory);
/* On to the next stage; at the round's end, what the vault does not list any more is forgotten. */
void inventory_advance(struct inventory *inventory);
/* The list of keys leads no further: on with those that it gave, and none is forgotten now. */
void inventory_end_list(struct inventory *inventory);
/* A version with this thumbprint, in either byte order, that is not `except` (may be NULL). */
bool inventory_find(const char *host, const struct thumbprint *thumbprint,
                    const struct key_id *except, struct key_id *out);
void inventory_forget(const char *host, const struct key_id *id);
void inventory_clear(void);

#endif
