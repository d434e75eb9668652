#include <string.h>

#include "base/text.h"
#include "keymap/discovery_search.h"
#include "keymap/inventory.h"
#include "vault/vault_batch.h"

#define WAIT_SLICE_MS 250

/* What the visitors of the vault's answers need. */
struct walk {
    struct search *search;
    struct inventory *inventory;
    struct key_id names[VAULT_BATCH_MAX];
    size_t places[VAULT_BATCH_MAX];
    bool found, no_memory;
};

static enum ekm_rc discovery_walk_outcome(const struct walk *walk, enum ekm_rc rc)
{
    return rc == EKM_OK && walk->no_memory
               ? call_fail(walk->search->call, EKM_OUT_OF_MEMORY, "looking through the vault")
               : rc;
}

static bool take_key(void *context, const struct vault_key *item)
{
    struct walk *walk = context;
    walk->no_memory = !inventory_add_key(walk->inventory, item);
    return !walk->no_memory;
}

/* The list goes on where the call before stopped, or from its start, if the vault does not know
 * that place any more. */
static enum ekm_rc list_keys(struct walk *walk)
{
    struct search *search = walk->search;
    struct inventory_link *link = inventory_link(walk->inventory);
    bool resumed = link->next.len > 0;
    for (;;) {
        enum ekm_rc rc = discovery_walk_outcome(
            walk, vault_list_keys_page(search->call, search->vault, take_key, walk, &link->next));
        if (resumed && (rc == EKM_REQUEST_REFUSED || rc == EKM_KEY_NOT_FOUND)) {
            resumed = false;
            buf_clear(&link->next);
            continue;
        }
        search->list_refused = rc == EKM_FORBIDDEN;
        if (rc != EKM_OK) {
            return discovery_judge(search, rc);
        }
        if (link->next.len == 0 || ++link->pages >= VAULT_PAGES_MAX) {
            inventory_advance(walk->inventory);
            return EKM_OK;
        }
    }
}

static bool take_version(void *context, size_t index, enum ekm_rc rc, const struct vault_key *item)
{
    struct walk *walk = context;
    size_t place = walk->places[index];
    if (item == NULL) {
        (void)discovery_judge(walk->search, rc);
        walk->no_memory = !inventory_note(walk->inventory, place, NULL);
    } else if (text_equal_nocase(item->id.name, walk->names[index].name) &&
               item->id.version[0] != '\0') {
        walk->no_memory = !inventory_add_version(walk->inventory, place, item);
    }
    return !walk->no_memory;
}

static bool take_answer(void *context, size_t index, enum ekm_rc rc, const struct vault_key *key)
{
    struct walk *walk = context;
    struct search *search = walk->search;
    bool answered = discovery_judge(search, rc) == EKM_OK;
    walk->no_memory = !inventory_note(walk->inventory, walk->places[index], answered ? key : NULL);
    walk->found = answered && key->is_rsa && key->usable_size && key->enabled &&
                  rsa_public_matches(&key->public, search->thumbprint) &&
                  (search->missing == NULL || !key_id_equal(&key->id, search->missing));
    if (walk->found) {
        search->found = *key;
    }
    return !walk->found && !walk->no_memory;
}

static enum ekm_rc look_at_due(struct walk *walk, enum inventory_stage stage)
{
    struct search *search = walk->search;
    size_t count = inventory_next(walk->inventory, walk->names, walk->places, VAULT_BATCH_MAX);
    if (count == 0) {
        inventory_advance(walk->inventory);
        return EKM_OK;
    }
    enum ekm_rc rc =
        stage == LISTING_VERSIONS
            ? vault_list_all_versions(search->call, search->vault, walk->names, count, take_version,
                                      walk)
            : vault_get_keys(search->call, search->vault, walk->names, count, take_answer, walk);
    return walk->found ? EKM_OK : discovery_walk_outcome(walk, rc);
}

static void discovery_log_walk(const struct walk *walk, const char *what)
{
    struct inventory_count count;
    inventory_count(walk->inventory, &count);
    call_log(walk->search->call, LEVEL_INFO,
             "%s: %zu keys, %zu versions, of which %zu are disabled or were refused%s", what,
             count.keys, count.versions, count.passed_over,
             count.full ? "; the vault holds more than is looked through" : "");
}

static enum ekm_rc go_through(struct walk *walk)
{
    enum inventory_stage stage;
    enum ekm_rc rc = EKM_OK;
    while (rc == EKM_OK && !walk->found &&
           (stage = inventory_stage(walk->inventory)) != ROUND_DONE) {
        rc = stage == LISTING_KEYS ? list_keys(walk) : look_at_due(walk, stage);
        if (rc == EKM_OK && stage == OTHER_VERSIONS &&
            inventory_stage(walk->inventory) == ROUND_DONE) {
            discovery_log_walk(walk, "looked through the whole vault");
        }
    }
    if (rc == EKM_OK) {
        return walk->found ? EKM_OK : EKM_NOT_FOUND;
    }
    if (rc != EKM_NOT_FOUND) {
        discovery_log_walk(walk, "the search through the vault goes on with the next call; so far");
    }
    return rc;
}

/* Other vaults' searches may hold all the places there are. */
static enum ekm_rc take_inventory(struct search *search, struct inventory **out)
{
    for (;;) {
        bool no_memory = false;
        *out = inventory_take(search->vault->address.host, &no_memory);
        if (no_memory) {
            return call_fail(search->call, EKM_OUT_OF_MEMORY, "looking through the vault");
        }
        if (*out != NULL) {
            return EKM_OK;
        }
        enum ekm_rc rc = call_check(search->call);
        if (rc == EKM_OK) {
            rc = call_sleep(search->call, WAIT_SLICE_MS);
        }
        if (rc != EKM_OK) {
            return rc;
        }
    }
}

enum ekm_rc discovery_by_listing(struct search *search)
{
    struct walk walk;
    memset(&walk, 0, sizeof walk);
    walk.search = search;
    /* Thumbprints of another length are of another rule, which no public key gives. */
    if (search->thumbprint->len != THUMBPRINT_BYTES) {
        return EKM_NOT_FOUND;
    }
    enum ekm_rc rc = take_inventory(search, &walk.inventory);
    if (rc == EKM_OK) {
        rc = go_through(&walk);
        inventory_give(walk.inventory);
    }
    return rc;
}
