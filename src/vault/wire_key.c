#include <string.h>

#include "base/text.h"
#include "vault/json.h"
#include "vault/wire.h"

#define NUMBER_MAX 2048 /* the most bytes of n or e that are read */

static bool has_word(const cJSON *list, const char *word)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        const char *text = cJSON_GetStringValue(item);
        if (text != NULL && text_equal_nocase(text, word)) {
            return true;
        }
    }
    return false;
}

static void read_attributes(const cJSON *item, struct vault_key *out)
{
    const cJSON *attributes = cJSON_GetObjectItemCaseSensitive(item, "attributes");
    const char *recovery = json_text(attributes, "recoveryLevel");
    out->enabled = !cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(attributes, "enabled"));
    out->managed = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "managed"));
    /* "Recoverable" and "CustomizedRecoverable" without "+Purgeable" are protected, and so with
     * "+ProtectedSubscription". */
    out->purge_protected = recovery != NULL && strstr(recovery, "Recoverable") != NULL &&
                           strstr(recovery, "Purgeable") == NULL;
    (void)json_integer(attributes, "nbf", &out->not_before_s);
    (void)json_integer(attributes, "exp", &out->expires_s);
    (void)json_integer(attributes, "created", &out->created_s);
}

static enum ekm_rc wire_key_read_number(struct call *call, const cJSON *key, const char *name,
                                        enum ekm_rc absent, enum ekm_rc bad, struct buf *out)
{
    if (json_text(key, name) == NULL) {
        return call_fail(call, absent, NULL);
    }
    enum ekm_rc rc = json_base64(key, name, out);
    if (rc == EKM_OUT_OF_MEMORY) {
        return call_fail(call, rc, NULL);
    }
    if (rc != EKM_OK || out->len == 0) {
        return call_fail(call, bad, NULL);
    }
    return EKM_OK;
}

static enum ekm_rc read_public(struct call *call, const cJSON *key, struct vault_key *out)
{
    struct buf n = BUF_EMPTY(NUMBER_MAX), e = BUF_EMPTY(NUMBER_MAX);
    enum ekm_rc rc = wire_key_read_number(call, key, "n", EKM_KEY_NO_N, EKM_KEY_BAD_N, &n);
    if (rc != EKM_OK) {
        goto out;
    }
    rc = wire_key_read_number(call, key, "e", EKM_KEY_NO_E, EKM_KEY_BAD_E, &e);
    if (rc != EKM_OK) {
        goto out;
    }
    out->usable_size = rsa_public_set(&out->public, n.data, n.len, e.data, e.len) == EKM_OK;
out:
    buf_free(&n);
    buf_free(&e);
    return rc;
}

static enum ekm_rc read_id(struct call *call, const char *host, const char *kid,
                           struct vault_key *out)
{
    char foreign[TEXT_HOST_CAP];
    struct key_id ignored;
    if (kid == NULL) {
        return call_fail(call, EKM_KEY_NO_ID, NULL);
    }
    if (key_uri_parse(kid, host, &out->id)) {
        return EKM_OK;
    }
    if (key_uri_split(kid, foreign, sizeof foreign, &ignored)) {
        return call_fail(call, EKM_OTHER_KEY, "the response's kid is a key of %.100s", foreign);
    }
    return call_fail(call, EKM_KEY_BAD_ID, NULL);
}

static enum ekm_rc read_bundle(struct call *call, const char *host, const cJSON *json,
                               struct vault_key *out)
{
    const cJSON *key = cJSON_GetObjectItemCaseSensitive(json, "key");
    if (!cJSON_IsObject(key)) {
        return call_fail(call, EKM_KEY_NO_NODE, NULL);
    }
    enum ekm_rc rc = read_id(call, host, json_text(key, "kid"), out);
    if (rc != EKM_OK) {
        return rc;
    }
    const char *type = json_text(key, "kty");
    if (type == NULL) {
        return call_fail(call, EKM_KEY_NO_TYPE, NULL);
    }
    const cJSON *operations = cJSON_GetObjectItemCaseSensitive(key, "key_ops");
    bool listed = cJSON_IsArray(operations);
    out->can_wrap = !listed || has_word(operations, "wrapKey");
    out->can_unwrap = !listed || has_word(operations, "unwrapKey");
    out->is_rsa = text_equal_nocase(type, "RSA") || text_equal_nocase(type, "RSA-HSM");
    read_attributes(json, out);
    return out->is_rsa ? read_public(call, key, out) : EKM_OK;
}

enum ekm_rc wire_read_key(struct call *call, const char *host, const struct buf *body,
                          struct vault_key *out)
{
    memset(out, 0, sizeof *out);
    cJSON *json = NULL;
    enum ekm_rc rc = json_demand(call, body, EKM_KEY_NOT_JSON, "", &json);
    if (rc != EKM_OK) {
        return rc;
    }
    rc = read_bundle(call, host, json, out);
    json_free(json);
    return rc;
}

static enum ekm_rc visit_items(struct call *call, const char *host, const cJSON *items,
                               vault_key_visitor visit, void *context, bool *more)
{
    const cJSON *item;
    enum ekm_rc outcome = EKM_OK;
    struct call_error error = {.rc = EKM_OK};
    *more = true;
    cJSON_ArrayForEach(item, items)
    {
        struct vault_key key;
        memset(&key, 0, sizeof key);
        enum ekm_rc rc = read_id(call, host, json_text(item, "kid"), &key);
        if (rc != EKM_OK && outcome == EKM_OK) {
            outcome = rc;
            error = call->error;
        }
        if (rc != EKM_OK) {
            continue;
        }
        key.can_wrap = key.can_unwrap = true;
        read_attributes(item, &key);
        if (!visit(context, &key)) {
            *more = false;
            outcome = EKM_OK;
            break;
        }
    }
    call_clear_error(call);
    if (outcome != EKM_OK) {
        call->error = error;
    }
    return outcome;
}

/* Copies the whole link, if there is one. */
static enum ekm_rc read_next_link(struct call *call, const cJSON *json, struct buf *next)
{
    const char *link = json_text(json, "nextLink");
    if (link != NULL && strlen(link) >= next->max) {
        return call_fail(call, EKM_OTHER_KEY, "nextLink is too long");
    }
    return link == NULL || buf_append_text(next, link) == EKM_OK
               ? EKM_OK
               : call_fail(call, EKM_OUT_OF_MEMORY, "nextLink");
}

enum ekm_rc wire_read_page(struct call *call, const char *host, const struct buf *body,
                           vault_key_visitor visit, void *context, struct buf *next)
{
    bool more = false;
    cJSON *json = NULL;
    enum ekm_rc rc = json_demand(call, body, EKM_KEY_NOT_JSON, "a page of keys", &json);
    if (rc != EKM_OK) {
        return rc;
    }
    const cJSON *items = cJSON_GetObjectItemCaseSensitive(json, "value");
    if (!cJSON_IsArray(items) && !cJSON_IsNull(items) && items != NULL) {
        buf_clear(next);
        json_free(json);
        return call_fail(call, EKM_KEY_NOT_JSON, "a page of keys");
    }
    buf_clear(next);
    rc = visit_items(call, host, items, visit, context, &more);
    if (more) {
        enum ekm_rc link_rc = read_next_link(call, json, next);
        rc = link_rc != EKM_OK ? link_rc : rc;
    }
    json_free(json);
    return rc;
}
