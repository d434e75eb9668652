#include "provider/create.h"

#include <string.h>

#include "base/text.h"
#include "keymap/keymap.h"
#include "provider/key_lookup.h"
#include "provider/marshal.h"
#include "provider/provider_info.h"
#include "vault/second_vault.h"

static enum ekm_rc create_read_name(struct call *call, const SqlCpStr *name, struct key_id *id)
{
    struct buf text = BUF_EMPTY((size_t)2 * SQLCP_MAX_KEY_NAME_BYTES);
    enum ekm_rc rc = marshal_text(call, &marshal_key_name, name, &text);
    if (rc != EKM_OK) {
        goto out;
    }
    rc = key_lookup_parse_name(call, buf_text(&text), id);
    if (rc != EKM_OK) {
        goto out;
    }
    if (id->version[0] != '\0') {
        rc = call_fail(call, EKM_REQUEST_REFUSED, "a new key's name cannot have a version");
    }
out:
    buf_free(&text);
    return rc;
}

/* Azure would add a version to an existing name, and every bare name would then mean that
 * version. */
static enum ekm_rc require_free_name(struct call *call, const struct session *session,
                                     const struct key_id *name)
{
    struct vault_key existing;
    enum ekm_rc rc = vault_get_key(call, &session->vault, name, &existing);
    if (rc == EKM_OK || rc == EKM_KEY_DISABLED) {
        return call_fail(call, EKM_FAILURE, "the vault has a key of this name already");
    }
    if (rc == EKM_KEY_NOT_FOUND) {
        call_clear_error(call);
        return EKM_OK;
    }
    return rc;
}

/* Probes the map first: a key that cannot be recorded there would never be found again. */
static enum ekm_rc create_make_key(struct call *call, const struct session *session,
                                   const struct key_id *name, uint32_t bits, struct vault_key *made)
{
    enum ekm_rc rc = require_free_name(call, session, name);
    if (rc != EKM_OK) {
        return rc;
    }
    rc = keymap_probe(call, call->deadline_ms, session->vault.address.host);
    if (rc != EKM_OK) {
        return rc;
    }
    return vault_create_key(call, &session->vault, name->name, bits, made);
}

static enum ekm_rc create_record_key(struct call *call, const struct session *session,
                                     const struct vault_key *key, struct thumbprint *thumbprint)
{
    const char *host = session->vault.address.host;
    if (!key->is_rsa || !key->usable_size || key->id.version[0] == '\0') {
        return call_fail(call, EKM_NOT_SUPPORTED, "the vault created another kind of key");
    }
    enum ekm_rc rc = rsa_public_thumbprint(&key->public, thumbprint);
    if (rc != EKM_OK) {
        return call_fail(call, rc, NULL);
    }
    key_lookup_note(call, &key->id, thumbprint);
    keycache_learn_key(host, thumbprint, key);
    rc = keymap_put(call, call->deadline_ms, host, thumbprint, &key->id, NULL);
    if (rc != EKM_OK) {
        call_log(call, LEVEL_ERROR, "the key was made, but could not be recorded in the map");
    }
    return rc;
}

enum ekm_rc create_key(struct call *call, const struct session *session, const SqlCpStr *name,
                       SqlCpAlgId algorithm, SqlCpKeyThumbprint *out)
{
    struct key_id wanted;
    struct vault_key made;
    struct thumbprint thumbprint = {.len = 0};
    uint32_t bits = provider_info_algorithm_bits(algorithm);
    if (!call->config->allow_create) {
        return call_fail(call, EKM_NOT_SUPPORTED, "allow_create is not set");
    }
    if (out == NULL || bits == 0) {
        return call_fail(call, EKM_INVALID_ARGUMENT,
                         "thumbprint is NULL or the algorithm is unknown");
    }
    call->audited = true;
    enum ekm_rc rc = create_read_name(call, name, &wanted);
    if (rc != EKM_OK) {
        return rc;
    }
    if (marshal_is_short(out->pb, out->cb, THUMBPRINT_BYTES)) {
        out->cb = THUMBPRINT_BYTES;
        return EKM_INSUFFICIENT_BUFFER;
    }
    (void)text_copy(call->key, sizeof call->key, wanted.name);
    rc = create_make_key(call, session, &wanted, bits, &made);
    if (rc != EKM_OK) {
        second_vault_explain(call, &session->vault, rc);
        return rc;
    }
    rc = create_record_key(call, session, &made, &thumbprint);
    if (rc != EKM_OK) {
        return rc;
    }
    return marshal_put(out, thumbprint.bytes, thumbprint.len);
}

static bool count_version(void *context, const struct vault_key *key)
{
    size_t *count = context;
    (void)key;
    return ++*count < 2;
}

/* Azure deletes only whole keys. Data under the other versions must not be lost with this one. */
static enum ekm_rc require_droppable(struct call *call, const struct session *session,
                                     const struct key_lookup *lookup)
{
    struct vault_key key;
    size_t versions = 0;
    const struct key_id *id = &lookup->key.id;
    enum ekm_rc rc = vault_get_key(call, &session->vault, id, &key);
    if (rc != EKM_OK) {
        return rc;
    }
    if (!key.is_rsa || !key.usable_size ||
        !key_lookup_thumbprint_fits(call, &key, &lookup->thumbprint)) {
        return call_fail(call, EKM_OTHER_KEY, "the mapped key has another thumbprint");
    }
    if (key.managed) {
        return call_fail(call, EKM_FAILURE,
                         "another Azure service manages the key: delete it there");
    }
    rc = vault_list_versions(call, &session->vault, id->name, count_version, &versions);
    if (rc != EKM_OK) {
        return rc;
    }
    if (versions != 1) {
        return call_fail(call, EKM_FAILURE, "%s",
                         versions > 1 ? "the key has other versions, which would be deleted with it"
                                      : "the vault lists no version of the key");
    }
    rc = keymap_find_other(call, session->vault.address.host, id->name, &lookup->thumbprint);
    if (rc == EKM_OK) {
        return call_fail(call, EKM_FAILURE, "the map has another thumbprint of this key");
    }
    return rc == EKM_NOT_FOUND ? EKM_OK : rc;
}

enum ekm_rc create_drop_key(struct call *call, const struct session *session,
                            const SqlCpKeyThumbprint *thumbprint)
{
    struct key_lookup lookup = {.vault = &session->vault};
    if (!call->config->allow_drop) {
        return call_fail(call, EKM_NOT_SUPPORTED, "allow_drop is not set");
    }
    call->audited = true;
    enum ekm_rc rc = marshal_thumbprint(call, thumbprint, &lookup.thumbprint);
    if (rc != EKM_OK) {
        return rc;
    }
    rc = key_lookup_find(call, &lookup);
    if (rc != EKM_OK) {
        return rc;
    }
    rc = require_droppable(call, session, &lookup);
    if (rc != EKM_OK) {
        return rc;
    }
    rc = vault_delete_key(call, &session->vault, lookup.key.id.name);
    if (rc != EKM_OK) {
        return rc;
    }
    key_lookup_record(call, &lookup);
    keycache_forget(session->vault.address.host, &lookup.thumbprint);
    return EKM_OK;
}
