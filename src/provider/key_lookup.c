#include "provider/key_lookup.h"

#include <string.h>

#include "base/text.h"
#include "base/unseen.h"
#include "keymap/keymap.h"
#include "keymap/old_rule.h"
#include "platform/system.h"

#define RECORD_MAX_MS 1000

/* A name is not secret, so all of it is shown, escaped, and an invisible character is named. */
static enum ekm_rc key_lookup_refuse_name(struct call *call, const char *name)
{
    size_t good = text_name_len(name, "-", strlen(name)), size = 0;
    const char *kind = unseen_first(name + good, strlen(name + good), &size);
    return call_fail(call, EKM_REQUEST_REFUSED,
                     "a key name has only letters, digits and hyphens; character %zu of '%s' is %s",
                     good + 1, name, kind != NULL ? kind : "another");
}

enum ekm_rc key_lookup_parse_name(struct call *call, const char *text, struct key_id *out)
{
    const char *slash = strchr(text, '/');
    size_t name_len = slash != NULL ? (size_t)(slash - text) : strlen(text);
    uint32_t max_len = call->config->max_key_name_length;
    memset(out, 0, sizeof *out);
    if (name_len > max_len || !text_copy_n(out->name, sizeof out->name, text, name_len)) {
        return call_fail(call, EKM_NAME_TOO_LONG, "the name has %zu characters; %u is the limit",
                         name_len, max_len);
    }
    if (!text_is_name(out->name, "-", KEY_NAME_MAX)) {
        return key_lookup_refuse_name(call, out->name);
    }
    if (slash != NULL && !text_is_name(slash + 1, "-", KEY_VERSION_MAX)) {
        return call_fail(call, EKM_REQUEST_REFUSED,
                         "a version has only letters, digits and hyphens, at most 64");
    }
    if (slash != NULL) {
        (void)text_copy(out->version, sizeof out->version, slash + 1);
    }
    return EKM_OK;
}

enum ekm_rc key_lookup_check(struct call *call, const struct vault_key *key)
{
    if (!key->is_rsa || !key->usable_size) {
        return call_fail(call, EKM_NOT_SUPPORTED, "not an RSA key of 2048, 3072 or 4096 bits");
    }
    if (!key->enabled) {
        return call_fail(call, EKM_KEY_DISABLED, NULL);
    }
    if (!key->can_wrap || !key->can_unwrap) {
        return call_fail(call, EKM_KEY_OPERATION, NULL);
    }
    return EKM_OK;
}

/* The thumbprint is known already, because SQL Server gave it. */
static void note_id(struct call *call, const struct key_id *id)
{
    (void)text_copy(call->key, sizeof call->key, id->name);
    (void)text_copy(call->version, sizeof call->version, id->version);
}

void key_lookup_note(struct call *call, const struct key_id *id,
                     const struct thumbprint *thumbprint)
{
    note_id(call, id);
    thumbprint_text(thumbprint, call->thumbprint);
}

bool key_lookup_thumbprint_fits(struct call *call, const struct vault_key *key,
                                const struct thumbprint *thumbprint)
{
    if (rsa_public_matches(&key->public, thumbprint)) {
        return true;
    }
    if (!old_rule_fits(thumbprint, key->id.name)) {
        return false;
    }
    call_log(call, LEVEL_INFO,
             "the thumbprint follows an older rule and cannot be compared with the public key");
    return true;
}

static const char *host_of(const struct key_lookup *lookup)
{
    return lookup->vault->address.host;
}

/* The key cache has it, unless memory was short; then only the id is known. */
static void take_known(struct key_lookup *lookup, const struct key_id *id)
{
    if (!keycache_get(host_of(lookup), &lookup->thumbprint, &lookup->key) ||
        !key_id_equal(&lookup->key.id, id)) {
        memset(&lookup->key, 0, sizeof lookup->key);
        lookup->key.oaep = RSA_ALGORITHM_COUNT;
        lookup->key.id = *id;
    }
}

static enum ekm_rc key_lookup_discover(struct call *call, struct key_lookup *lookup,
                                       const struct key_id *missing)
{
    struct key_id id;
    enum ekm_rc rc =
        discovery_find(call, lookup->vault, &lookup->thumbprint, missing, lookup->trial, &id);
    if (rc != EKM_OK) {
        return rc;
    }
    take_known(lookup, &id);
    note_id(call, &id);
    return EKM_OK;
}

void key_lookup_record(struct call *call, const struct key_lookup *lookup)
{
    const struct known_key *key = &lookup->key;
    if (!key->unrecorded ||
        !keycache_take_unrecorded(host_of(lookup), &lookup->thumbprint, &key->id)) {
        return;
    }
    /* Bounds the wait for another process's lock, so that it cannot use up the call. */
    uint64_t wait_ms = call_remaining_ms(call) / 4;
    uint64_t until_ms = plat_now_ms() + (wait_ms < RECORD_MAX_MS ? wait_ms : RECORD_MAX_MS);
    if (keymap_put(call, until_ms, host_of(lookup), &lookup->thumbprint, &key->id,
                   key->replaces.version[0] != '\0' ? &key->replaces : NULL) != EKM_OK) {
        call_log(call, LEVEL_ERROR, "found key not recorded: %s", call->error.note);
        call_clear_error(call);
    }
}

static enum ekm_rc key_lookup_find_id(struct call *call, struct key_lookup *lookup)
{
    struct key_id id;
    if (keycache_get(host_of(lookup), &lookup->thumbprint, &lookup->key)) {
        note_id(call, &lookup->key.id);
        return EKM_OK;
    }
    if (keymap_find(call, host_of(lookup), &lookup->thumbprint, &id) == EKM_OK) {
        keycache_learn_id(host_of(lookup), &lookup->thumbprint, &id);
        take_known(lookup, &id);
        note_id(call, &id);
        return EKM_OK;
    }
    return key_lookup_discover(call, lookup, NULL);
}

/* The map led to another key, and no search found the right one: the map is wrong. */
static enum ekm_rc key_lookup_blame_map(struct call *call)
{
    char reason[sizeof call->error.note];
    (void)text_copy(reason, sizeof reason, call->error.note);
    return call_fail(call, EKM_OTHER_KEY, "the mapped key has another thumbprint; %.180s", reason);
}

static enum ekm_rc key_lookup_find_elsewhere(struct call *call, struct key_lookup *lookup)
{
    struct key_id missing = lookup->key.id, id;
    bool mapped_anew = keymap_find(call, host_of(lookup), &lookup->thumbprint, &id) == EKM_OK &&
                       !key_id_equal(&id, &missing);
    if (!mapped_anew) {
        enum ekm_rc rc = key_lookup_discover(call, lookup, &missing);
        if (rc == EKM_NOT_FOUND && lookup->misled) {
            return key_lookup_blame_map(call);
        }
        return rc;
    }
    /* Another process has found it meanwhile. */
    keycache_learn_id(host_of(lookup), &lookup->thumbprint, &id);
    take_known(lookup, &id);
    note_id(call, &id);
    return EKM_OK;
}

/* In a vault that stands in for another, a key counts only by its public part. */
static bool is_fresh(const struct key_lookup *lookup, uint64_t max_age_ms)
{
    const struct known_key *key = &lookup->key;
    bool is_proved =
        !lookup->vault->stands_in || rsa_public_matches(&key->public, &lookup->thumbprint);
    return key->has_public && is_proved &&
           (max_age_ms == KEY_LOOKUP_ANY_AGE || plat_now_ms() - key->fetched_ms <= max_age_ms);
}

/* Its public part is known to give the thumbprint. */
static void key_lookup_learn(struct key_lookup *lookup, const struct vault_key *key)
{
    keycache_learn_key(host_of(lookup), &lookup->thumbprint, key);
    keycache_set_public(&lookup->key, key, plat_now_ms());
}

static bool key_lookup_fits(struct call *call, const struct key_lookup *lookup,
                            const struct vault_key *key)
{
    return lookup->vault->stands_in ? rsa_public_matches(&key->public, &lookup->thumbprint)
                                    : key_lookup_thumbprint_fits(call, key, &lookup->thumbprint);
}

/* Sends one GET of the pinned version. */
static enum ekm_rc fetch_public(struct call *call, struct key_lookup *lookup)
{
    struct vault_key key;
    enum ekm_rc rc = vault_get_key(call, lookup->vault, &lookup->key.id, &key);
    if (rc != EKM_OK) {
        return rc;
    }
    if (!key.is_rsa || !key.usable_size) {
        return call_fail(call, EKM_NOT_SUPPORTED, "not an RSA key of 2048, 3072 or 4096 bits");
    }
    if (!key_lookup_fits(call, lookup, &key)) {
        return call_fail(call, EKM_OTHER_KEY, "the mapped key has another thumbprint");
    }
    key_lookup_learn(lookup, &key);
    return EKM_OK;
}

bool key_lookup_is_misled(struct call *call, struct key_lookup *lookup)
{
    const struct call_error before = call->error;
    struct vault_key key;
    lookup->misled = false;
    if (!lookup->key.has_public &&
        vault_get_key(call, lookup->vault, &lookup->key.id, &key) == EKM_OK) {
        lookup->misled = !key.is_rsa || !key.usable_size || !key_lookup_fits(call, lookup, &key);
        if (!lookup->misled) {
            key_lookup_learn(lookup, &key);
        }
    }
    call->error = before;
    return lookup->misled;
}

enum ekm_rc key_lookup_find_public(struct call *call, struct key_lookup *lookup,
                                   uint64_t max_age_ms)
{
    enum ekm_rc rc = key_lookup_find_id(call, lookup);
    if (rc != EKM_OK || is_fresh(lookup, max_age_ms)) {
        return rc;
    }
    rc = fetch_public(call, lookup);
    bool is_elsewhere =
        rc == EKM_KEY_NOT_FOUND || (rc == EKM_OTHER_KEY && lookup->vault->stands_in);
    if (!is_elsewhere) {
        return rc;
    }
    rc = key_lookup_find_elsewhere(call, lookup);
    if (rc != EKM_OK || is_fresh(lookup, max_age_ms)) {
        return rc;
    }
    return fetch_public(call, lookup);
}

enum ekm_rc key_lookup_find_again(struct call *call, struct key_lookup *lookup)
{
    enum ekm_rc rc = key_lookup_find_elsewhere(call, lookup);
    if (rc != EKM_OK) {
        return rc;
    }
    bool is_proved = !lookup->vault->stands_in || is_fresh(lookup, KEY_LOOKUP_ANY_AGE);
    return is_proved ? EKM_OK : fetch_public(call, lookup);
}

enum ekm_rc key_lookup_find(struct call *call, struct key_lookup *lookup)
{
    return lookup->vault->stands_in ? key_lookup_find_public(call, lookup, KEY_LOOKUP_ANY_AGE)
                                    : key_lookup_find_id(call, lookup);
}

enum ekm_rc key_lookup_may_wrap(const struct known_key *key)
{
    int64_t now_s = plat_unix_time_ms() / 1000;
    if (!key->enabled) {
        return EKM_KEY_DISABLED;
    }
    if ((key->not_before_s != 0 && now_s < key->not_before_s) ||
        (key->expires_s != 0 && now_s >= key->expires_s)) {
        return EKM_KEY_EXPIRED;
    }
    return key->can_wrap ? EKM_OK : EKM_KEY_OPERATION;
}

/* Expired keys still unwrap. */
static enum ekm_rc key_lookup_cause(const struct known_key *key, bool is_wrap)
{
    if (is_wrap) {
        return key_lookup_may_wrap(key);
    }
    return key->enabled ? EKM_OK : EKM_KEY_DISABLED;
}

/* Whether the refusal itself says that a permission is missing. */
static bool refusal_names_permission(const struct call_error *error)
{
    return text_equal_nocase(error->inner_code, "ForbiddenByPolicy") ||
           text_equal_nocase(error->inner_code, "ForbiddenByRbac") ||
           text_equal_nocase(error->azure_code, "ForbiddenByRbac") ||
           text_equal_nocase(error->azure_code, "AccessDenied");
}

enum ekm_rc key_lookup_explain_refusal(struct call *call, const struct key_lookup *lookup,
                                       bool is_wrap)
{
    const struct call_error refusal = call->error;
    struct vault_key seen;
    enum ekm_rc cause = EKM_OK;
    if (lookup->key.has_public) {
        cause = key_lookup_cause(&lookup->key, is_wrap);
    }
    if (cause == EKM_OK && !refusal_names_permission(&refusal) &&
        vault_get_key(call, lookup->vault, &lookup->key.id, &seen) == EKM_OK) {
        struct known_key now;
        keycache_set_public(&now, &seen, plat_now_ms());
        cause = key_lookup_cause(&now, is_wrap);
    }
    call->error = refusal;
    return cause != EKM_OK ? call_fail(call, cause, NULL) : EKM_FORBIDDEN;
}
