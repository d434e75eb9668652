/*
 * The memory of one vault's inventory, for inventory.c (the table of vaults and their rounds) and
 * inventory_scan.c (adding to one of them).
 *
 * inventory_lock guards all of it; only the holder adds and removes.
 */
#ifndef AKVEKM_DISCOVERY_INVENTORY_PARTS_H
#define AKVEKM_DISCOVERY_INVENTORY_PARTS_H

#include "discovery/inventory.h"
#include "platform/thread.h"

struct seen_key {
    char name[KEY_NAME_MAX + 1];
    int64_t created_s; /* of its newest version */
    size_t moves_to;   /* used while gone keys are removed */
    bool listed;       /* in this round */
    bool newest_seen, versions_listed;
    bool known; /* one of its versions is known */
};

/* A version never changes, except that the vault may refuse to show it. */
enum version_status { TO_BE_SEEN, KNOWN, USELESS, PASSED_OVER };

struct seen_version {
    int64_t created_s;
    size_t key;
    enum version_status status;
    bool enabled, listed;
    char version[KEY_VERSION_MAX + 1];
    uint8_t thumbprint[THUMBPRINT_BYTES]; /* if it is known */
};

struct inventory {
    char host[TEXT_HOST_CAP], client_id[37];
    bool held, full;
    bool is_cut; /* the list of keys ended too early */
    uint64_t used_ms, ended_ms;
    enum inventory_stage stage;
    struct inventory_link link;
    struct seen_key *keys;
    size_t key_count, key_cap;
    struct seen_version *versions;
    size_t version_count, version_cap;
};

extern struct plat_mutex inventory_lock;

#endif
