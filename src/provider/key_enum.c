#include "provider/key_enum.h"

#include <stdatomic.h>

#include "provider/key_info.h"
#include "provider/key_list.h"
#include "provider/key_lookup.h"
#include "provider/marshal.h"
#include "provider/provider_info.h"
#include "provider/session.h"

static enum ekm_rc key_enum_list(struct call *call, struct session *session, struct key_list **out)
{
    struct key_list *made = NULL, *expected = NULL;
    *out = atomic_load(&session->keys);
    if (*out != NULL) {
        return EKM_OK;
    }
    enum ekm_rc rc = key_list_make(call, &session->vault, &made);
    if (rc != EKM_OK) {
        return rc;
    }
    if (atomic_compare_exchange_strong(&session->keys, &expected, made)) {
        *out = made;
    } else {
        key_list_free(made);
        *out = expected;
    }
    return EKM_OK;
}

/* The usable key with this id. EKM_NOT_FOUND after the last, without an error in the call, because
 * the end is not a failure. */
static enum ekm_rc key_enum_find(struct call *call, struct session *session, SqlCpKeyId id,
                                 const struct vault_key **out)
{
    struct key_list *list = NULL;
    enum ekm_rc rc = key_enum_list(call, session, &list);
    if (rc != EKM_OK) {
        return rc;
    }
    for (size_t i = 0; i < key_list_count(list); i++) {
        rc = key_list_resolve(call, &session->vault, list, i, out);
        if (rc != EKM_OK) {
            return rc;
        }
        if (*out != NULL && --id == 0) {
            return EKM_OK;
        }
    }
    return EKM_NOT_FOUND;
}

enum ekm_rc key_enum_next(struct call *call, struct session *session, SqlCpKeyId *id)
{
    const struct vault_key *key = NULL;
    if (id == NULL || *id == UINT32_MAX) {
        return call_fail(call, EKM_INVALID_ARGUMENT, "key id is NULL or unknown");
    }
    enum ekm_rc rc = key_enum_find(call, session, *id + 1, &key);
    if (rc != EKM_OK) {
        return rc;
    }
    ++*id;
    return EKM_OK;
}

enum ekm_rc key_enum_info(struct call *call, struct session *session, SqlCpKeyId id,
                          SqlCpKeyInfo *out)
{
    const struct vault_key *key = NULL;
    struct thumbprint thumbprint;
    if (out == NULL || id == SQLCP_INVALID_ID) {
        return call_fail(call, EKM_INVALID_ARGUMENT, "key info is NULL or the id invalid");
    }
    call->audited = true;
    enum ekm_rc rc = key_enum_find(call, session, id, &key);
    if (rc != EKM_OK) {
        return rc;
    }
    rc = key_info_thumbprint(call, &session->vault, key, &thumbprint);
    if (rc != EKM_OK) {
        return rc;
    }
    key_lookup_note(call, &key->id, &thumbprint);
    return marshal_put_key(out, key->id.name, &thumbprint,
                           provider_info_algorithm_of(call->config, key->public.bits));
}
