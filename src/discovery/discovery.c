#include "discovery/discovery.h"

#include <string.h>

#include "base/codec.h"
#include "base/text.h"
#include "discovery/discovery_listing.h"
#include "discovery/discovery_search.h"
#include "discovery/inventory.h"
#include "keymap/keycache.h"
#include "keymap/keymap.h"
#include "keymap/old_rule.h"
#include "platform/system.h"
#include "platform/thread.h"

#define TURNS_MAX     64
#define FRUITLESS_MAX 256
#define ELSEWHERE_MAX 16

struct fruitless {
    char host[TEXT_HOST_CAP];
    char client_id[37]; /* another credential may have more permissions */
    struct thumbprint thumbprint;
    uint64_t until_ms;
    const char *reason;
    bool undecided; /* true for this wrapped key only; another may decide */
    uint64_t trial_hash;
};

static struct plat_mutex lock = PLAT_MUTEX_INIT;
static struct plat_cond changed = PLAT_COND_INIT;
static char turns[TURNS_MAX]
                 [TEXT_HOST_CAP]; /* hosts that are being searched; "" for a free place */
static struct fruitless fruitless[FRUITLESS_MAX];
static size_t fruitless_next;

/* The place of `host`, else a free one, else NULL. The caller holds the lock. */
static char *turn_place(const char *host)
{
    char *place = NULL;
    for (size_t i = 0; i < TURNS_MAX; i++) {
        if (strcmp(turns[i], host) == 0) {
            return turns[i];
        }
        if (turns[i][0] == '\0') {
            place = turns[i];
        }
    }
    return place;
}

static bool turn_try(const char *host)
{
    char *place = turn_place(host);
    if (place == NULL || place[0] != '\0') {
        return false;
    }
    return text_copy(place, sizeof turns[0], host);
}

static void turn_give(const char *host)
{
    plat_mutex_lock(&lock);
    char *place = turn_place(host);
    if (place != NULL) {
        place[0] = '\0';
    }
    plat_cond_broadcast(&changed);
    plat_mutex_unlock(&lock);
}

/* Distinguishes wrapped keys well enough for a minute; 0 for none. */
static uint64_t hash_trial(const struct discovery_trial *trial)
{
    return trial != NULL ? fnv_add(FNV_START, trial->wrapped, trial->len) : 0;
}

/* Why the same search found nothing within the last minute; NULL: there was none. */
static const char *was_fruitless(const struct search *search)
{
    const char *reason = NULL;
    uint64_t now_ms = plat_now_ms(), trial_hash = hash_trial(search->trial);
    plat_mutex_lock(&lock);
    for (size_t i = 0; i < FRUITLESS_MAX && reason == NULL; i++) {
        const struct fruitless *past = &fruitless[i];
        bool same = past->until_ms > now_ms &&
                    strcmp(past->host, search->vault->address.host) == 0 &&
                    strcmp(past->client_id, discovery_search_client(search->vault)) == 0 &&
                    thumbprint_equal(&past->thumbprint, search->thumbprint) &&
                    (!past->undecided || past->trial_hash == trial_hash);
        reason = same ? past->reason : NULL;
    }
    plat_mutex_unlock(&lock);
    return reason;
}

static const char *reason_of(const struct search *search)
{
    return search->list_refused ? "the vault refuses to list its keys: the application lacks the "
                                  "permission to list"
           : search->refused    ? "the vault refuses to show the candidates"
           : search->list_odd
               ? "the vault's list of keys is malformed and could not be read to its end"
           : search->undecided ? "the key that the old thumbprint rule names does not open this"
                               : "no key of this vault has this thumbprint";
}

static void note_fruitless(const struct search *search)
{
    uint64_t until_ms =
        plat_now_ms() + (search->list_odd ? INVENTORY_CUT_MS : DISCOVERY_FRUITLESS_MS);
    plat_mutex_lock(&lock);
    struct fruitless *place = &fruitless[fruitless_next];
    fruitless_next = (fruitless_next + 1) % FRUITLESS_MAX;
    (void)text_copy(place->host, sizeof place->host, search->vault->address.host);
    (void)text_copy(place->client_id, sizeof place->client_id,
                    discovery_search_client(search->vault));
    place->thumbprint = *search->thumbprint;
    place->reason = reason_of(search);
    place->undecided = search->undecided;
    place->trial_hash = hash_trial(search->trial);
    place->until_ms = until_ms;
    plat_mutex_unlock(&lock);
}

void discovery_clear(void)
{
    plat_mutex_lock(&lock);
    memset(fruitless, 0, sizeof fruitless);
    fruitless_next = 0;
    plat_mutex_unlock(&lock);
    inventory_clear();
}

static enum ekm_rc look_at(struct search *search, const struct key_id *candidate)
{
    enum ekm_rc rc = discovery_search_judge(
        search, vault_get_key(search->call, search->vault, candidate, &search->found));
    if (rc != EKM_OK) {
        return rc;
    }
    bool same = search->missing != NULL && key_id_equal(&search->found.id, search->missing);
    bool usable = search->found.is_rsa && search->found.usable_size && !same;
    return usable && search->found.id.version[0] != '\0' ? EKM_OK : EKM_NOT_FOUND;
}

/* Whether exactly this version opens the wrapped key. RSA1_5 proves nothing, because it may "open"
 * anything. */
static enum ekm_rc try_to_open(struct search *search)
{
    static const enum rsa_algorithm algorithms[] = {RSA_OAEP_256, RSA_OAEP};
    struct buf plain = BUF_EMPTY(RSA_MAX_BYTES);
    enum ekm_rc rc = EKM_UNWRAP_REFUSED;
    for (size_t i = 0; search->trial != NULL && rc == EKM_UNWRAP_REFUSED && i < 2; i++) {
        rc = vault_unwrap(search->call, search->vault, &search->found.id, algorithms[i],
                          search->trial->wrapped, search->trial->len, &plain);
    }
    buf_free(&plain);
    return discovery_search_judge(search, rc);
}

/* A thumbprint of the old rule cannot be compared with a public key. */
static enum ekm_rc discovery_prove_old_rule(struct search *search)
{
    if (rsa_public_matches(&search->found.public, search->thumbprint)) {
        return EKM_OK;
    }
    return search->thumbprint->len % 3 == 0 ? try_to_open(search) : EKM_NOT_FOUND;
}

static enum ekm_rc discovery_look_and_prove(struct search *search, const struct key_id *candidate)
{
    enum ekm_rc rc = look_at(search, candidate);
    if (rc != EKM_OK) {
        return rc;
    }
    return discovery_prove_old_rule(search);
}

static enum ekm_rc discovery_look_and_open(struct search *search, const struct key_id *candidate)
{
    enum ekm_rc rc = look_at(search, candidate);
    if (rc != EKM_OK) {
        return rc;
    }
    return try_to_open(search);
}

/* (1) If the vault was lost and its key restored here, another vault's entry has name and version
 * (C4). */
static enum ekm_rc by_other_vaults(struct search *search)
{
    struct key_id candidate;
    enum ekm_rc rc = EKM_NOT_FOUND;
    for (size_t i = 0; rc == EKM_NOT_FOUND && i < ELSEWHERE_MAX; i++) {
        if (keymap_find_elsewhere(search->call, search->vault->address.host, search->thumbprint, i,
                                  &candidate) != EKM_OK) {
            break;
        }
        rc = discovery_look_and_prove(search, &candidate);
        if (rc == EKM_NOT_FOUND && search->vault->stands_in && candidate.version[0] != '\0') {
            candidate.version[0] = '\0'; /* a key that was imported has a version of its own */
            rc = discovery_look_and_prove(search, &candidate);
        }
    }
    return rc;
}

/* (3) Versions before 1.0.5.0 made the thumbprint from the name alone (thumbprint.md). */
static enum ekm_rc by_old_rule(struct search *search)
{
    char names[OLD_RULE_NAMES_MAX][KEY_NAME_MAX + 1];
    size_t count = old_rule_names(search->thumbprint, names);
    enum ekm_rc rc = EKM_NOT_FOUND;
    for (size_t i = 0; rc == EKM_NOT_FOUND && i < count; i++) {
        struct key_id candidate = {"", ""};
        (void)text_copy(candidate.name, sizeof candidate.name, names[i]);
        rc = discovery_look_and_open(search, &candidate);
    }
    return rc;
}

/* Stores the key in the cache. It goes into the map later, when the call is known to be more than a
 * size query. */
static void discovery_adopt(const struct search *search)
{
    struct call *call = search->call;
    keycache_learn_key(search->vault->address.host, search->thumbprint, &search->found);
    keycache_note_unrecorded(search->vault->address.host, search->thumbprint, search->missing);
    call_log(call, LEVEL_INFO, "found again: %s/%s", search->found.id.name,
             search->found.id.version);
}

static enum ekm_rc discovery_search_run(struct search *search)
{
    enum ekm_rc rc = by_other_vaults(search);
    if (rc == EKM_NOT_FOUND) {
        rc = discovery_by_listing(search);
    }
    if (rc == EKM_NOT_FOUND) {
        rc = by_old_rule(search);
    }
    if (rc == EKM_OK) {
        discovery_adopt(search);
        return rc;
    }
    if (rc != EKM_NOT_FOUND) {
        return rc;
    }
    if (!search->odd) {
        note_fruitless(search);
    }
    if (!search->list_refused && !search->refused) {
        /* The error is that of the last candidate and says nothing about this search. */
        call_clear_error(search->call);
    }
    return call_fail(search->call, EKM_NOT_FOUND, "%s", reason_of(search));
}

/* The result of an earlier search for this thumbprint, or a key that a search for another one
 * saw. */
static bool known_meanwhile(const struct search *search, struct key_id *out)
{
    struct known_key known;
    const char *host = search->vault->address.host;
    if (keycache_get(host, search->thumbprint, &known) &&
        (search->missing == NULL || !key_id_equal(&known.id, search->missing))) {
        *out = known.id;
        return true;
    }
    if (!inventory_find(host, search->thumbprint, search->missing, out)) {
        return false;
    }
    keycache_learn_id(host, search->thumbprint, out);
    keycache_note_unrecorded(host, search->thumbprint, search->missing);
    call_log(search->call, LEVEL_INFO, "found again: %s/%s", out->name, out->version);
    return true;
}

/* *known: the key is known now, so no turn is needed. */
static enum ekm_rc turn_take(const struct search *search, struct key_id *out, bool *known)
{
    const char *host = search->vault->address.host;
    for (;;) {
        *known = known_meanwhile(search, out);
        if (*known) {
            return EKM_OK;
        }
        plat_mutex_lock(&lock);
        bool mine = turn_try(host);
        if (!mine) {
            plat_cond_wait_until(&changed, &lock, plat_now_ms() + CALL_SLICE_MS);
        }
        plat_mutex_unlock(&lock);
        if (mine) {
            return EKM_OK;
        }
        enum ekm_rc rc = call_check(search->call);
        if (rc != EKM_OK) {
            return rc;
        }
    }
}

static enum ekm_rc search_in_turn(struct search *search, struct key_id *out)
{
    /* A search may have ended between the check and the turn. */
    if (known_meanwhile(search, out)) {
        return EKM_OK;
    }
    call_clear_error(search->call);
    const char *reason = was_fruitless(search);
    if (reason != NULL) {
        return call_fail(search->call, EKM_NOT_FOUND, "found nothing less than a minute ago: %s",
                         reason);
    }
    enum ekm_rc rc = discovery_search_run(search);
    if (rc != EKM_OK) {
        return rc;
    }
    *out = search->found.id;
    return EKM_OK;
}

enum ekm_rc discovery_find(struct call *call, const struct vault *vault,
                           const struct thumbprint *thumbprint, const struct key_id *missing,
                           const struct discovery_trial *trial, struct key_id *out)
{
    struct search search = {
        .call = call, .vault = vault, .thumbprint = thumbprint, .missing = missing, .trial = trial};
    bool known = false;
    if (missing != NULL) {
        inventory_forget(vault->address.host, missing);
    }
    enum ekm_rc rc = turn_take(&search, out, &known);
    if (rc != EKM_OK || known) {
        return rc;
    }
    rc = search_in_turn(&search, out);
    turn_give(vault->address.host);
    return rc;
}
