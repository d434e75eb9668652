#include "provider/key_info.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "keymap/keymap.h"
#include "platform/system.h"
#include "provider/key_end.h"
#include "provider/marshal.h"
#include "provider/provider_info.h"
#include "vault/expiry.h"
#include "vault/second_vault.h"

#define MEMO_LIFE_MS    5000
#define SETTLE_ROUNDS   3
#define SECOND_VAULT_MS 2000

/* The response to a size query, for the real call that follows at once. Holds nothing secret. */
struct name_memo {
    struct key_id asked;
    struct vault_key key;
    uint64_t made_ms;
};

/* Whether the session remembers exactly this name. A memo serves one call, because a bare name
 * means the newest version at that moment. */
static bool memo_take(struct session *session, const struct key_id *asked, struct vault_key *out)
{
    struct name_memo *memo = atomic_exchange(&session->memo, NULL);
    bool same = memo != NULL && strcmp(memo->asked.name, asked->name) == 0 &&
                strcmp(memo->asked.version, asked->version) == 0 &&
                plat_now_ms() - memo->made_ms <= MEMO_LIFE_MS;
    if (same) {
        *out = memo->key;
    }
    free(memo);
    return same;
}

/* Without memory the real call asks the vault again. */
static void memo_put(struct session *session, const struct key_id *asked,
                     const struct vault_key *key)
{
    struct name_memo *memo = calloc(1, sizeof *memo);
    if (memo != NULL) {
        *memo = (struct name_memo){*asked, *key, plat_now_ms()};
    }
    free(atomic_exchange(&session->memo, memo));
}

static void key_info_warn(struct call *call, const struct vault_key *key)
{
    bool expires = key->expires_s != 0 && expiry_days_left(key->expires_s) < EXPIRY_WARN_DAYS;
    if (key->purge_protected && !expires) {
        return;
    }
    call_log(call, LEVEL_INFO, "warning: %s%s%s%s/%s",
             key->purge_protected ? "" : "the vault has no purge protection",
             !key->purge_protected && expires ? "; " : "",
             expires ? "the key expires within 60 days or has expired: " : ": ", key->id.name,
             key->id.version);
}

static enum ekm_rc key_info_fetch(struct call *call, const struct session *session,
                                  const struct key_id *asked, struct vault_key *key)
{
    enum ekm_rc rc = vault_get_key(call, &session->vault, asked, key);
    if (rc != EKM_OK) {
        return rc;
    }
    rc = key_lookup_check(call, key);
    if (rc != EKM_OK) {
        return rc;
    }
    if (key->id.version[0] == '\0') {
        return call_fail(call, EKM_KEY_BAD_ID, "the response names no version");
    }
    key_info_warn(call, key);
    return EKM_OK;
}

enum ekm_rc key_info_thumbprint(struct call *call, const struct vault *vault,
                                const struct vault_key *key, struct thumbprint *out)
{
    struct key_id mapped;
    struct thumbprint imported;
    const char *host = vault->address.host;
    enum ekm_rc rc = rsa_public_thumbprint(&key->public, out);
    if (rc != EKM_OK) {
        return call_fail(call, rc, NULL);
    }
    bool known = keymap_find(call, host, out, &mapped) == EKM_OK && key_id_equal(&mapped, &key->id);
    if (!known && keymap_find_key(call, host, &key->id, &imported) == EKM_OK) {
        if (key_lookup_thumbprint_fits(call, key, &imported)) {
            *out = imported;
        } else {
            call_log(call, LEVEL_ERROR, "the map has a wrong thumbprint for %s/%s", key->id.name,
                     key->id.version);
        }
    }
    return EKM_OK;
}

/* The same key was imported again. The existing entry stays if its key answers as enabled. *seen:
 * the key that the entry names, without a version if there is none. */
static enum ekm_rc settle_on_one(struct call *call, const struct session *session,
                                 const struct thumbprint *thumbprint, struct vault_key *key,
                                 struct key_id *seen)
{
    struct key_id standing = {"", ""};
    struct vault_key former;
    const char *host = session->vault.address.host;
    bool stands = keymap_find(call, host, thumbprint, &standing) == EKM_OK;
    *seen = stands ? standing : (struct key_id){"", ""};
    if (!stands || key_id_equal(&standing, &key->id)) {
        return EKM_OK;
    }
    enum ekm_rc rc = vault_get_key(call, &session->vault, &standing, &former);
    /* A vault that refuses the former key will refuse it again; one that is unreachable may answer
     * later. */
    if (rc != EKM_OK && rc != EKM_KEY_NOT_FOUND && rc != EKM_KEY_DISABLED && rc != EKM_FORBIDDEN &&
        rc != EKM_KEY_OPERATION) {
        return rc;
    }
    bool stays = rc == EKM_OK && former.enabled && former.is_rsa && former.usable_size &&
                 key_lookup_thumbprint_fits(call, &former, thumbprint);
    call_clear_error(call);
    call_log(call, LEVEL_INFO, "one thumbprint, two keys: %s/%s %s %s/%s", standing.name,
             standing.version, stays ? "stays in the map, not" : "is replaced in the map by",
             key->id.name, key->id.version);
    if (stays) {
        *key = former;
    }
    return EKM_OK;
}

/* What must be done before SQL Server may rely on the thumbprint. */
static enum ekm_rc make_durable(struct call *call, const struct session *session,
                                const struct thumbprint *thumbprint, struct vault_key *key)
{
    enum ekm_rc rc = EKM_OTHER_KEY;
    /* Another process may have written the entry between reading and writing. */
    for (int round = 0; rc == EKM_OTHER_KEY && round < SETTLE_ROUNDS; round++) {
        struct key_id seen;
        call_clear_error(call);
        rc = settle_on_one(call, session, thumbprint, key, &seen);
        if (rc != EKM_OK) {
            return rc;
        }
        rc = keymap_put(call, call->deadline_ms, session->vault.address.host, thumbprint, &key->id,
                        seen.version[0] != '\0' ? &seen : NULL);
    }
    if (rc != EKM_OK) {
        return rc;
    }
    keycache_learn_key(session->vault.address.host, thumbprint, key);
    key_lookup_note(call, &key->id, thumbprint);
    return EKM_OK;
}

/* A step of second_vault_run. */
static enum ekm_rc key_info_find_at(struct call *call, const struct vault *vault, void *context)
{
    struct key_lookup *lookup = context;
    lookup->vault = vault;
    return key_lookup_find_public(call, lookup, KEY_LOOKUP_ANY_AGE);
}

static enum ekm_rc key_info_find(struct call *call, const struct session *session,
                                 const SqlCpKeyThumbprint *thumbprint, struct key_lookup *lookup)
{
    enum ekm_rc rc = marshal_thumbprint(call, thumbprint, &lookup->thumbprint);
    if (rc != EKM_OK) {
        return rc;
    }
    return second_vault_run(call, &session->vault, false, key_info_find_at, lookup);
}

/* A step that also records the key if the map has no entry for this vault. */
static enum ekm_rc key_info_learn_at(struct call *call, const struct vault *vault, void *context)
{
    struct key_lookup *lookup = context;
    struct key_id known;
    if (keymap_find(call, vault->address.host, &lookup->thumbprint, &known) == EKM_OK) {
        return EKM_OK;
    }
    enum ekm_rc rc = key_info_find_at(call, vault, lookup);
    if (rc != EKM_OK) {
        return rc;
    }
    key_lookup_record(call, lookup);
    return EKM_OK;
}

static enum ekm_rc key_info_read_name(struct call *call, const SqlCpStr *name, struct key_id *id)
{
    struct buf text = BUF_EMPTY((size_t)2 * SQLCP_MAX_KEY_NAME_BYTES);
    enum ekm_rc rc = marshal_text(call, &marshal_key_name, name, &text);
    if (rc != EKM_OK) {
        goto out;
    }
    (void)text_copy(call->key, sizeof call->key, buf_text(&text));
    rc = key_lookup_parse_name(call, buf_text(&text), id);
out:
    buf_free(&text);
    return rc;
}

enum ekm_rc key_info_by_name(struct call *call, struct session *session, const SqlCpStr *name,
                             SqlCpKeyInfo *out)
{
    struct key_id asked;
    struct vault_key key;
    struct thumbprint thumbprint;
    if (out == NULL) {
        return call_fail(call, EKM_INVALID_ARGUMENT, "key info is NULL");
    }
    call->audited = true;
    enum ekm_rc rc = key_info_read_name(call, name, &asked);
    if (rc != EKM_OK) {
        return rc;
    }
    if (!memo_take(session, &asked, &key)) {
        rc = key_info_fetch(call, session, &asked, &key);
        if (rc != EKM_OK) {
            second_vault_explain(call, &session->vault, rc);
            return rc;
        }
    }
    key_lookup_note(call, &key.id, &(struct thumbprint){.len = 0});
    rc = key_info_thumbprint(call, &session->vault, &key, &thumbprint);
    if (rc != EKM_OK) {
        return rc;
    }
    /* The name as the vault spells it. Sizes are checked first, the map is written last. */
    const struct key_id found = key.id;
    if (marshal_is_short(out->name.ws, out->name.cb, 2 * strlen(found.name)) ||
        marshal_is_short(out->thumb.pb, out->thumb.cb, thumbprint.len)) {
        memo_put(session, &asked, &key);
    } else {
        rc = make_durable(call, session, &thumbprint, &key);
        if (rc != EKM_OK) {
            return rc;
        }
        key_end_note(call, &session->vault, &key.id, key.expires_s);
        struct key_lookup lookup = {.thumbprint = thumbprint};
        second_vault_ask_too(call, &session->vault, SECOND_VAULT_MS, key_info_learn_at, &lookup);
    }
    return marshal_put_key(out, found.name, &thumbprint,
                           provider_info_algorithm_of(call->config, key.public.bits));
}

/* The engine knows the key by its name in the first vault, which the second one may not use. */
static void key_info_name_first(struct call *call, const struct session *session,
                                const struct key_lookup *lookup, struct key_id *out)
{
    struct key_id first;
    if (lookup->vault->stands_in &&
        keymap_find(call, session->vault.address.host, &lookup->thumbprint, &first) == EKM_OK) {
        *out = first;
    }
}

enum ekm_rc key_info_by_thumbprint(struct call *call, const struct session *session,
                                   const SqlCpKeyThumbprint *thumbprint, SqlCpKeyInfo *out)
{
    struct key_lookup lookup = {.vault = &session->vault};
    if (out == NULL) {
        return call_fail(call, EKM_INVALID_ARGUMENT, "key info is NULL");
    }
    call->audited = true;
    enum ekm_rc rc = key_info_find(call, session, thumbprint, &lookup);
    if (rc != EKM_OK) {
        return rc;
    }
    struct key_id named = lookup.key.id;
    key_info_name_first(call, session, &lookup, &named);
    rc = marshal_put_key(out, named.name, &lookup.thumbprint,
                         provider_info_algorithm_of(call->config, lookup.key.public.bits));
    if (rc != EKM_OK) {
        return rc;
    }
    key_lookup_record(call, &lookup);
    return EKM_OK;
}

enum ekm_rc key_info_export(struct call *call, const struct session *session,
                            const SqlCpKeyThumbprint *thumbprint,
                            const SqlCpKeyThumbprint *encryptor, SqlCpKeyBlobType type,
                            SqlCpKeyBlob *out)
{
    struct key_lookup lookup = {.vault = &session->vault};
    uint8_t blob[CNG_BLOB_MAX_BYTES];
    if (out == NULL) {
        return call_fail(call, EKM_INVALID_ARGUMENT, "key blob is NULL");
    }
    if (type != SQLCP_PUBLIC_KEY_BLOB || (encryptor != NULL && encryptor->cb != 0)) {
        return call_fail(call, EKM_NOT_SUPPORTED, "only the public key can be exported");
    }
    enum ekm_rc rc = key_info_find(call, session, thumbprint, &lookup);
    if (rc != EKM_OK) {
        return rc;
    }
    rc = marshal_put(out, blob, rsa_public_cng_blob(&lookup.key.public, blob));
    if (rc != EKM_OK) {
        return rc;
    }
    key_lookup_record(call, &lookup);
    return EKM_OK;
}
