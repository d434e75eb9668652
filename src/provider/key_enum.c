#include "provider/key_enum.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "provider/key_info.h"
#include "provider/key_lookup.h"
#include "provider/marshal.h"
#include "provider/provider_info.h"
#include "provider/session.h"

/* A position holds a pointer that is set once, so the threads of one session need no lock. */
struct listed_key {
    char name[KEY_NAME_MAX + 1];
    _Atomic(struct vault_key *) key; /* NULL until it is fetched */
};

struct key_enum {
    struct listed_key *keys; /* by name */
    size_t count, cap;
};

/* Marks a key that SQL Server cannot use. */
static struct vault_key unusable;

void key_enum_free(struct key_enum *listing)
{
    for (size_t i = 0; listing != NULL && i < listing->count; i++) {
        struct vault_key *key = atomic_load(&listing->keys[i].key);
        if (key != &unusable) {
            free(key);
        }
    }
    if (listing != NULL) {
        free(listing->keys);
    }
    free(listing);
}

struct collection {
    struct key_enum *listing;
    size_t max_name_len;
    bool no_memory;
};

static bool key_enum_reserve(struct key_enum *listing)
{
    if (listing->count < listing->cap) {
        return true;
    }
    size_t cap = listing->cap != 0 ? 2 * listing->cap : 64;
    struct listed_key *keys = realloc(listing->keys, cap * sizeof *keys);
    if (keys != NULL) {
        listing->keys = keys;
        listing->cap = cap;
    }
    return keys != NULL;
}

static bool key_enum_collect(void *context, const struct vault_key *item)
{
    struct collection *collection = context;
    struct key_enum *listing = collection->listing;
    if (!item->enabled || strlen(item->id.name) > collection->max_name_len ||
        !text_is_name(item->id.name, "-", KEY_NAME_MAX)) {
        return true;
    }
    if (!key_enum_reserve(listing)) {
        collection->no_memory = true;
        return false;
    }
    struct listed_key *next = &listing->keys[listing->count++];
    memset(next, 0, sizeof *next);
    (void)text_copy(next->name, sizeof next->name, item->id.name);
    return true;
}

static int key_enum_compare(const void *left, const void *right)
{
    const struct listed_key *a = left, *b = right;
    return strcmp(a->name, b->name);
}

static enum ekm_rc key_enum_make(struct call *call, const struct session *session,
                                 struct key_enum **out)
{
    struct collection collection = {calloc(1, sizeof **out), call->config->max_key_name_length,
                                    false};
    if (collection.listing == NULL) {
        return call_fail(call, EKM_OUT_OF_MEMORY, NULL);
    }
    enum ekm_rc rc = vault_list_keys(call, &session->vault, key_enum_collect, &collection);
    if (collection.no_memory) {
        rc = call_fail(call, EKM_OUT_OF_MEMORY, NULL);
    }
    if (rc != EKM_OK) {
        key_enum_free(collection.listing);
        return rc;
    }
    if (collection.listing->count > 0) {
        qsort(collection.listing->keys, collection.listing->count,
              sizeof collection.listing->keys[0], key_enum_compare);
    }
    *out = collection.listing;
    return EKM_OK;
}

static enum ekm_rc listing_of(struct call *call, struct session *session, struct key_enum **out)
{
    struct key_enum *made = NULL, *expected = NULL;
    *out = atomic_load(&session->listing);
    if (*out != NULL) {
        return EKM_OK;
    }
    enum ekm_rc rc = key_enum_make(call, session, &made);
    if (rc != EKM_OK) {
        return rc;
    }
    if (atomic_compare_exchange_strong(&session->listing, &expected, made)) {
        *out = made;
    } else {
        key_enum_free(made);
        *out = expected;
    }
    return EKM_OK;
}

static struct vault_key *key_enum_publish(struct listed_key *listed, struct vault_key *key)
{
    struct vault_key *expected = NULL;
    if (atomic_compare_exchange_strong(&listed->key, &expected, key)) {
        return key;
    }
    if (key != &unusable) {
        free(key);
    }
    return expected;
}

/* The whole key, or NULL if SQL Server cannot use it. */
static enum ekm_rc key_enum_resolve(struct call *call, const struct session *session,
                                    struct listed_key *listed, const struct vault_key **out)
{
    struct vault_key *key = atomic_load(&listed->key);
    if (key == NULL) {
        struct vault_key fetched;
        struct key_id name = {"", ""};
        (void)text_copy(name.name, sizeof name.name, listed->name);
        enum ekm_rc rc = vault_get_key(call, &session->vault, &name, &fetched);
        bool gone = rc == EKM_KEY_NOT_FOUND || rc == EKM_KEY_DISABLED;
        if (rc != EKM_OK && !gone) {
            return rc;
        }
        bool usable = rc == EKM_OK && fetched.enabled && fetched.is_rsa && fetched.usable_size;
        key = usable ? malloc(sizeof *key) : &unusable;
        if (key == NULL) {
            return call_fail(call, EKM_OUT_OF_MEMORY, NULL);
        }
        if (usable) {
            *key = fetched;
        }
        key = key_enum_publish(listed, key);
        call->error = (struct call_error){.rc = EKM_OK};
    }
    *out = key != &unusable ? key : NULL;
    return EKM_OK;
}

/* The usable key with this id. EKM_NOT_FOUND after the last, without an error in the call, because
 * the end is not a failure. */
static enum ekm_rc key_enum_find(struct call *call, struct session *session, SqlCpKeyId id,
                                 const struct vault_key **out)
{
    struct key_enum *listing = NULL;
    enum ekm_rc rc = listing_of(call, session, &listing);
    for (size_t i = 0; rc == EKM_OK && listing != NULL && i < listing->count; i++) {
        rc = key_enum_resolve(call, session, &listing->keys[i], out);
        if (rc == EKM_OK && *out != NULL && --id == 0) {
            return EKM_OK;
        }
    }
    return rc == EKM_OK ? EKM_NOT_FOUND : rc;
}

enum ekm_rc key_enum_next(struct call *call, struct session *session, SqlCpKeyId *id)
{
    const struct vault_key *key = NULL;
    if (id == NULL || *id == UINT32_MAX) {
        return call_fail(call, EKM_INVALID_ARGUMENT, "key id is NULL or unknown");
    }
    enum ekm_rc rc = key_enum_find(call, session, *id + 1, &key);
    if (rc == EKM_OK) {
        ++*id;
    }
    return rc;
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
    if (rc == EKM_OK) {
        rc = key_info_thumbprint(call, &session->vault, key, &thumbprint);
    }
    if (rc != EKM_OK) {
        return rc;
    }
    key_lookup_note(call, &key->id, &thumbprint);
    return marshal_put_key(out, key->id.name, &thumbprint,
                           provider_info_algorithm_of(call->config, key->public.bits));
}
