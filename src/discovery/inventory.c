#include "discovery/inventory.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "discovery/inventory_parts.h"
#include "platform/system.h"

struct plat_mutex inventory_lock = PLAT_MUTEX_INIT;
static struct inventory *table[INVENTORY_VAULTS];

static void inventory_dispose(struct inventory *inventory)
{
    if (inventory != NULL) {
        buf_free(&inventory->link.next);
        free(inventory->keys);
        free(inventory->versions);
    }
    free(inventory);
}

static void begin_round(struct inventory *inventory)
{
    inventory->stage = LISTING_KEYS;
    inventory->full = inventory->is_cut = false;
    inventory->link.mark = 0;
    buf_clear(&inventory->link.next);
    inventory->link.pages = 0;
    for (size_t i = 0; i < inventory->key_count; i++) {
        inventory->keys[i].listed = false;
    }
    for (size_t i = 0; i < inventory->version_count; i++) {
        struct seen_version *version = &inventory->versions[i];
        version->listed = false;
        version->status = version->status == PASSED_OVER ? TO_BE_SEEN : version->status;
    }
}

static bool inventory_is_of(const struct inventory *inventory, const char *host)
{
    return inventory != NULL && strcmp(inventory->host, host) == 0;
}

static struct inventory **inventory_find_place(const char *host, const char *client_id)
{
    for (size_t i = 0; i < INVENTORY_VAULTS; i++) {
        if (inventory_is_of(table[i], host) && strcmp(table[i]->client_id, client_id) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

/* A free place, else that of the vault whose search is longest ago. */
static struct inventory **find_place(void)
{
    struct inventory **place = NULL;
    for (size_t i = 0; i < INVENTORY_VAULTS; i++) {
        if (table[i] == NULL) {
            return &table[i];
        }
        if (!table[i]->held && (place == NULL || table[i]->used_ms < (*place)->used_ms)) {
            place = &table[i];
        }
    }
    return place;
}

static struct inventory *inventory_make(const char *host, const char *client_id, bool *no_memory)
{
    struct inventory **place = find_place();
    struct inventory *made = place != NULL ? calloc(1, sizeof *made) : NULL;
    *no_memory = place != NULL && made == NULL;
    if (made != NULL) {
        (void)text_copy(made->host, sizeof made->host, host);
        (void)text_copy(made->client_id, sizeof made->client_id, client_id);
        made->link.next = (struct buf)BUF_EMPTY(VAULT_LINK_MAX);
        inventory_dispose(*place);
        *place = made;
    }
    return made;
}

struct inventory *inventory_take(const char *host, const char *client_id, bool *no_memory)
{
    uint64_t now_ms = plat_now_ms();
    *no_memory = false;
    plat_mutex_lock(&inventory_lock);
    struct inventory **place = inventory_find_place(host, client_id);
    struct inventory *inventory = place == NULL     ? inventory_make(host, client_id, no_memory)
                                  : !(*place)->held ? *place
                                                    : NULL;
    if (inventory != NULL) {
        inventory->held = true;
        inventory->used_ms = now_ms;
        uint64_t fresh_ms = inventory->is_cut ? INVENTORY_CUT_MS : INVENTORY_FRESH_MS;
        if (inventory->stage == ROUND_DONE && now_ms - inventory->ended_ms >= fresh_ms) {
            begin_round(inventory);
        }
    }
    plat_mutex_unlock(&inventory_lock);
    return inventory;
}

void inventory_give(struct inventory *inventory)
{
    plat_mutex_lock(&inventory_lock);
    inventory->held = false;
    plat_mutex_unlock(&inventory_lock);
}

enum inventory_stage inventory_stage(const struct inventory *inventory)
{
    return inventory->stage;
}

void inventory_count(const struct inventory *inventory, struct inventory_count *out)
{
    plat_mutex_lock(&inventory_lock);
    *out = (struct inventory_count){inventory->key_count, inventory->version_count, 0,
                                    inventory->full};
    for (size_t i = 0; i < inventory->version_count; i++) {
        const struct seen_version *version = &inventory->versions[i];
        out->passed_over += !version->enabled || version->status == PASSED_OVER;
    }
    plat_mutex_unlock(&inventory_lock);
}

struct inventory_link *inventory_link(struct inventory *inventory)
{
    return &inventory->link;
}

/* Removes keys that the vault no longer has, with their versions. */
static void take_out_unlisted(struct inventory *inventory)
{
    size_t keys = 0, versions = 0;
    for (size_t i = 0; i < inventory->key_count; i++) {
        struct seen_key *key = &inventory->keys[i];
        key->moves_to = key->listed ? keys : SIZE_MAX;
        if (key->listed) {
            keys++;
        }
    }
    for (size_t i = 0; i < inventory->version_count; i++) {
        struct seen_version *version = &inventory->versions[i];
        version->key = inventory->keys[version->key].moves_to;
        if (version->key != SIZE_MAX) {
            inventory->versions[versions++] = *version;
        }
    }
    for (size_t i = 0; i < inventory->key_count; i++) {
        if (inventory->keys[i].listed) {
            inventory->keys[inventory->keys[i].moves_to] = inventory->keys[i];
        }
    }
    inventory->key_count = keys;
    inventory->version_count = versions;
}

void inventory_advance(struct inventory *inventory)
{
    uint64_t now_ms = plat_now_ms();
    plat_mutex_lock(&inventory_lock);
    inventory->stage++;
    if (inventory->stage == ROUND_DONE) {
        inventory->ended_ms = now_ms;
        if (!inventory->full && !inventory->is_cut) {
            take_out_unlisted(inventory);
        }
    }
    plat_mutex_unlock(&inventory_lock);
}

bool inventory_is_cut(const struct inventory *inventory)
{
    return inventory->is_cut;
}

void inventory_end_list(struct inventory *inventory)
{
    plat_mutex_lock(&inventory_lock);
    inventory->is_cut = true;
    buf_clear(&inventory->link.next);
    plat_mutex_unlock(&inventory_lock);
    inventory_advance(inventory);
}

/* Under the lock. */
static bool inventory_find_in(const struct inventory *inventory,
                              const struct thumbprint *thumbprint, const struct key_id *except,
                              struct key_id *out)
{
    bool found = false;
    for (size_t i = 0; !found && i < inventory->version_count; i++) {
        const struct seen_version *version = &inventory->versions[i];
        struct thumbprint seen = {.len = THUMBPRINT_BYTES};
        memcpy(seen.bytes, version->thumbprint, THUMBPRINT_BYTES);
        if (version->status != KNOWN || !version->enabled || !thumbprint_same(&seen, thumbprint)) {
            continue;
        }
        memset(out, 0, sizeof *out);
        (void)text_copy(out->name, sizeof out->name, inventory->keys[version->key].name);
        (void)text_copy(out->version, sizeof out->version, version->version);
        found = except == NULL || !key_id_equal(out, except);
    }
    return found;
}

bool inventory_find(const char *host, const struct thumbprint *thumbprint,
                    const struct key_id *except, struct key_id *out)
{
    bool found = false;
    plat_mutex_lock(&inventory_lock);
    for (size_t i = 0; !found && i < INVENTORY_VAULTS; i++) {
        found =
            inventory_is_of(table[i], host) && inventory_find_in(table[i], thumbprint, except, out);
    }
    plat_mutex_unlock(&inventory_lock);
    return found;
}

static void inventory_forget_in(struct inventory *inventory, const struct key_id *id)
{
    for (size_t i = 0; i < inventory->version_count; i++) {
        struct seen_version *version = &inventory->versions[i];
        if (text_equal_nocase(version->version, id->version) &&
            text_equal_nocase(inventory->keys[version->key].name, id->name)) {
            version->status = PASSED_OVER;
        }
    }
}

void inventory_forget(const char *host, const struct key_id *id)
{
    plat_mutex_lock(&inventory_lock);
    for (size_t i = 0; i < INVENTORY_VAULTS; i++) {
        if (inventory_is_of(table[i], host)) {
            inventory_forget_in(table[i], id);
        }
    }
    plat_mutex_unlock(&inventory_lock);
}

void inventory_clear(void)
{
    plat_mutex_lock(&inventory_lock);
    for (size_t i = 0; i < INVENTORY_VAULTS; i++) {
        inventory_dispose(table[i]);
        table[i] = NULL;
    }
    plat_mutex_unlock(&inventory_lock);
}
