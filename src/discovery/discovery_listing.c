#include "discovery/discovery_listing.h"

#include <string.h>

#include "base/text.h"
#include "discovery/inventory_scan.h"
#include "vault/vault_batch.h"

/* The context of the functions that read the vault's responses. */
struct walk {
    struct search *search;
    struct inventory *inventory;
    struct key_id names[VAULT_BATCH_MAX];
    size_t places[VAULT_BATCH_MAX];
    bool found, no_memory;
};

static enum ekm_rc discovery_check_memory(const struct walk *walk)
{
    if (walk->no_memory) {
        return call_fail(walk->search->call, EKM_OUT_OF_MEMORY, "no memory to search the vault");
    }
    return EKM_OK;
}

static bool take_key(void *context, const struct vault_key *item)
{
    struct walk *walk = context;
    walk->no_memory = !inventory_scan_add_key(walk->inventory, item);
    return !walk->no_memory;
}

/* The result of one page, with the link to the next. */
enum page { PAGE_MORE, PAGE_LAST, PAGE_REFUSED, PAGE_AGAIN, PAGE_FAILED };

/* A malformed page ends the list, unless it still has a link to the next page. The keys listed so
 * far are examined, and the rest is asked for again in the next round. */
static enum page discovery_judge_page(struct search *search, struct inventory_link *link,
                                      enum ekm_rc rc, bool resumed)
{
    bool is_answered = rc == EKM_REQUEST_REFUSED || rc == EKM_KEY_NOT_FOUND;
    if (resumed && is_answered) {
        buf_clear(&link->next);
        return PAGE_AGAIN;
    }
    if (rc == EKM_FORBIDDEN && link->pages == 0) {
        search->list_refused = true;
        (void)discovery_search_judge(search, rc);
        return PAGE_REFUSED;
    }
    if (rc != EKM_OK) {
        /* JSON, but not a page. If it is not JSON, the link is unchanged. */
        bool is_odd = rc == EKM_KEY_NOT_JSON && link->pages > 0 && link->next.len == 0;
        if (!is_odd && discovery_search_judge(search, rc) != EKM_NOT_FOUND) {
            return PAGE_FAILED;
        }
        search->list_odd = true;
        call_log(search->call, LEVEL_INFO, "page %u of the vault's list of keys: %s%s%s",
                 link->pages + 1, ekm_text(rc), search->call->error.note[0] != '\0' ? ": " : "",
                 search->call->error.note);
        if (is_answered || rc == EKM_UNEXPECTED_STATUS || rc == EKM_FORBIDDEN) {
            buf_clear(&link->next); /* the response was not a page */
        }
    }
    if (link->next.len > 0 && vault_link_repeats(&link->next, ++link->pages, &link->mark)) {
        call_log(search->call, LEVEL_INFO, "the vault's list of keys goes round");
        search->list_odd = true;
        return PAGE_LAST;
    }
    return link->next.len > 0 && link->pages < VAULT_PAGES_MAX ? PAGE_MORE : PAGE_LAST;
}

static enum ekm_rc discovery_list_page(struct walk *walk, struct buf *next)
{
    const struct search *search = walk->search;
    enum ekm_rc rc = vault_list_keys_page(search->call, search->vault, take_key, walk, next);
    if (rc != EKM_OK) {
        return rc;
    }
    return discovery_check_memory(walk);
}

/* The list continues where the last call stopped, or starts again if the vault no longer knows that
 * place. */
static enum ekm_rc list_keys(struct walk *walk)
{
    struct search *search = walk->search;
    struct inventory_link *link = inventory_link(walk->inventory);
    bool resumed = link->next.len > 0;
    enum page page = PAGE_MORE;
    enum ekm_rc rc = EKM_OK;
    while (page == PAGE_MORE || page == PAGE_AGAIN) {
        rc = discovery_list_page(walk, &link->next);
        page = discovery_judge_page(search, link, rc, resumed);
        resumed = false;
    }
    if (page == PAGE_LAST && !search->list_odd) {
        inventory_advance(walk->inventory);
    } else if (page == PAGE_LAST) {
        inventory_end_list(walk->inventory);
    }
    return page == PAGE_LAST ? EKM_OK : page == PAGE_REFUSED ? EKM_NOT_FOUND : rc;
}

static bool take_version(void *context, size_t index, enum ekm_rc rc, const struct vault_key *item)
{
    struct walk *walk = context;
    size_t place = walk->places[index];
    if (item == NULL) {
        (void)discovery_search_judge(walk->search, rc);
        if (rc == EKM_OTHER_KEY || rc == EKM_ANSWER_TOO_BIG) {
            call_log(walk->search->call, LEVEL_INFO, "the list of versions of %s ends early: %s",
                     walk->names[index].name, walk->search->call->error.note);
        }
        walk->no_memory = !inventory_scan_note(walk->inventory, place, NULL);
    } else if (text_equal_nocase(item->id.name, walk->names[index].name) &&
               item->id.version[0] != '\0') {
        walk->no_memory = !inventory_scan_add_version(walk->inventory, place, item);
    }
    return !walk->no_memory;
}

static bool discovery_take_response(void *context, size_t index, enum ekm_rc rc,
                                    const struct vault_key *key)
{
    struct walk *walk = context;
    struct search *search = walk->search;
    bool answered = discovery_search_judge(search, rc) == EKM_OK;
    walk->no_memory =
        !inventory_scan_note(walk->inventory, walk->places[index], answered ? key : NULL);
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
    size_t count = inventory_scan_next(walk->inventory, walk->names, walk->places, VAULT_BATCH_MAX);
    if (count == 0) {
        inventory_advance(walk->inventory);
        return EKM_OK;
    }
    enum ekm_rc rc = stage == LISTING_VERSIONS
                         ? vault_list_all_versions(search->call, search->vault, walk->names, count,
                                                   take_version, walk)
                         : vault_get_keys(search->call, search->vault, walk->names, count,
                                          discovery_take_response, walk);
    if (walk->found) {
        return EKM_OK;
    }
    if (rc != EKM_OK) {
        return rc;
    }
    return discovery_check_memory(walk);
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
    while (!walk->found && (stage = inventory_stage(walk->inventory)) != ROUND_DONE) {
        enum ekm_rc rc = stage == LISTING_KEYS ? list_keys(walk) : look_at_due(walk, stage);
        if (rc == EKM_NOT_FOUND) {
            return rc;
        }
        if (rc != EKM_OK) {
            discovery_log_walk(
                walk, "out of time: the next call continues the search of the vault; so far");
            return rc;
        }
        if (stage == OTHER_VERSIONS && inventory_stage(walk->inventory) == ROUND_DONE) {
            discovery_log_walk(walk, "searched the whole vault");
        }
    }
    return walk->found ? EKM_OK : EKM_NOT_FOUND;
}

/* Waits for a free place, because searches of other vaults may use all of them. */
static enum ekm_rc take_inventory(struct search *search, struct inventory **out)
{
    for (;;) {
        bool no_memory = false;
        *out = inventory_take(search->vault->address.host, discovery_search_client(search->vault),
                              &no_memory);
        if (no_memory) {
            return call_fail(search->call, EKM_OUT_OF_MEMORY, "no memory to search the vault");
        }
        if (*out != NULL) {
            return EKM_OK;
        }
        enum ekm_rc rc = call_check(search->call);
        if (rc != EKM_OK) {
            return rc;
        }
        rc = call_sleep(search->call, CALL_SLICE_MS);
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
    /* A thumbprint of another length follows another rule, so no public key gives it. */
    if (search->thumbprint->len != THUMBPRINT_BYTES) {
        return EKM_NOT_FOUND;
    }
    enum ekm_rc rc = take_inventory(search, &walk.inventory);
    if (rc != EKM_OK) {
        return rc;
    }
    rc = go_through(&walk);
    search->list_odd = inventory_is_cut(walk.inventory); /* by this call or an earlier one */
    inventory_give(walk.inventory);
    return rc;
}
