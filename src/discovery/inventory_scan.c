#include "discovery/inventory_scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "discovery/inventory_parts.h"

static bool is_due(const struct inventory *inventory, size_t place, int64_t *created_s)
{
    if (inventory->stage == OTHER_VERSIONS) {
        const struct seen_version *version = &inventory->versions[place];
        *created_s = version->created_s;
        return version->status == TO_BE_SEEN && version->listed && version->enabled;
    }
    const struct seen_key *key = &inventory->keys[place];
    *created_s = key->created_s;
    return key->listed &&
           (inventory->stage == NEWEST_VERSIONS ? !key->newest_seen : !key->versions_listed);
}

static void name_place(const struct inventory *inventory, size_t place, struct key_id *out)
{
    bool is_version = inventory->stage == OTHER_VERSIONS;
    size_t key = is_version ? inventory->versions[place].key : place;
    memset(out, 0, sizeof *out);
    (void)text_copy(out->name, sizeof out->name, inventory->keys[key].name);
    if (is_version) {
        (void)text_copy(out->version, sizeof out->version, inventory->versions[place].version);
    }
}

size_t inventory_scan_next(const struct inventory *inventory, struct key_id *names, size_t *places,
                           size_t cap)
{
    size_t count = 0, all = inventory->stage == OTHER_VERSIONS ? inventory->version_count
                                                               : inventory->key_count;
    int64_t ages[INVENTORY_NEXT_MAX] = {0};
    if (cap > INVENTORY_NEXT_MAX) {
        cap = INVENTORY_NEXT_MAX;
    }
    plat_mutex_lock(&inventory_lock);
    for (size_t i = 0; cap > 0 && i < all; i++) {
        int64_t created_s = 0;
        if (!is_due(inventory, i, &created_s) || (count == cap && created_s <= ages[count - 1])) {
            continue;
        }
        size_t at = count < cap ? count++ : cap - 1;
        for (; at > 0 && ages[at - 1] < created_s; at--) {
            ages[at] = ages[at - 1];
            places[at] = places[at - 1];
        }
        ages[at] = created_s;
        places[at] = i;
    }
    for (size_t i = 0; i < count; i++) {
        name_place(inventory, places[i], &names[i]);
    }
    plat_mutex_unlock(&inventory_lock);
    return count;
}

/* Makes room for one more item of `size` bytes; *items is unchanged if there is none. */
static bool inventory_reserve(void **items, size_t count, size_t *cap, size_t size, size_t most)
{
    if (count < *cap) {
        return true;
    }
    size_t more = *cap == 0 ? 32 : 2 * *cap < most ? 2 * *cap : most;
    void *grown = realloc(*items, more * size);
    if (grown != NULL) {
        *items = grown;
        *cap = more;
    }
    return grown != NULL;
}

static bool add_key(struct inventory *inventory, const struct vault_key *item)
{
    size_t i = 0;
    while (i < inventory->key_count && !text_equal_nocase(inventory->keys[i].name, item->id.name)) {
        i++;
    }
    if (i == inventory->key_count && i == INVENTORY_KEYS) {
        inventory->full = true;
        return true;
    }
    if (i == inventory->key_count) {
        if (!inventory_reserve((void **)&inventory->keys, i, &inventory->key_cap,
                               sizeof *inventory->keys, INVENTORY_KEYS)) {
            return false;
        }
        memset(&inventory->keys[i], 0, sizeof inventory->keys[i]);
        (void)text_copy(inventory->keys[i].name, sizeof inventory->keys[i].name, item->id.name);
        inventory->key_count++;
    }
    struct seen_key *key = &inventory->keys[i];
    key->created_s = item->created_s;
    /* Newest version already known: skip the GET, because the list of versions reveals newer
     * ones. */
    key->newest_seen = key->known || !item->enabled;
    key->versions_listed = false;
    key->listed = true;
    return true;
}

/* The place of this version; NULL: no memory, or full. */
static struct seen_version *version_place(struct inventory *inventory, size_t key,
                                          const struct vault_key *item)
{
    size_t i = 0;
    while (i < inventory->version_count &&
           (inventory->versions[i].key != key ||
            !text_equal_nocase(inventory->versions[i].version, item->id.version))) {
        i++;
    }
    if (i == inventory->version_count) {
        inventory->full |= i == INVENTORY_VERSIONS;
        if (i == INVENTORY_VERSIONS ||
            !inventory_reserve((void **)&inventory->versions, i, &inventory->version_cap,
                               sizeof *inventory->versions, INVENTORY_VERSIONS)) {
            return NULL;
        }
        memset(&inventory->versions[i], 0, sizeof inventory->versions[i]);
        (void)text_copy(inventory->versions[i].version, sizeof inventory->versions[i].version,
                        item->id.version);
        inventory->versions[i].key = key;
        inventory->version_count++;
    }
    struct seen_version *version = &inventory->versions[i];
    version->created_s = item->created_s;
    version->enabled = item->enabled;
    version->listed = true;
    return version;
}

bool inventory_scan_add_key(struct inventory *inventory, const struct vault_key *item)
{
    plat_mutex_lock(&inventory_lock);
    bool done = add_key(inventory, item);
    plat_mutex_unlock(&inventory_lock);
    return done;
}

bool inventory_scan_add_version(struct inventory *inventory, size_t key,
                                const struct vault_key *item)
{
    plat_mutex_lock(&inventory_lock);
    bool done = version_place(inventory, key, item) != NULL || inventory->full;
    plat_mutex_unlock(&inventory_lock);
    return done;
}

static bool note_version(struct inventory *inventory, size_t key, const struct vault_key *found,
                         const struct thumbprint *thumbprint)
{
    struct seen_version *version = version_place(inventory, key, found);
    if (version != NULL) {
        version->status = thumbprint->len == 0 ? USELESS : KNOWN;
        memcpy(version->thumbprint, thumbprint->bytes, THUMBPRINT_BYTES);
        inventory->keys[key].known = true;
    }
    return version != NULL || inventory->full;
}

bool inventory_scan_note(struct inventory *inventory, size_t place, const struct vault_key *key)
{
    struct thumbprint thumbprint = {.len = 0};
    bool done = true;
    if (key != NULL && key->is_rsa && key->usable_size &&
        rsa_public_thumbprint(&key->public, &thumbprint) != EKM_OK) {
        return false;
    }
    plat_mutex_lock(&inventory_lock);
    switch (inventory->stage) {
    case NEWEST_VERSIONS:
        done = key == NULL || note_version(inventory, place, key, &thumbprint);
        inventory->keys[place].newest_seen = done;
        break;
    case LISTING_VERSIONS:
        inventory->keys[place].versions_listed = true;
        break;
    case OTHER_VERSIONS:
        inventory->versions[place].status = PASSED_OVER;
        done = key == NULL ||
               note_version(inventory, inventory->versions[place].key, key, &thumbprint);
        break;
    case LISTING_KEYS:
    case ROUND_DONE:
        break;
    }
    plat_mutex_unlock(&inventory_lock);
    return done;
}
