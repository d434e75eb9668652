#include "engine_key.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "access.h"
#include "engine.h"
#include "memory.h"
#include "provider_calls.h"
#include "storage_log.h"

enum { MAX_SEGMENTS = 256 };

/* The asymmetric key of master with this thumbprint. */
static const cJSON *master_key(const struct instance *instance,
                               const struct storage_wrapped *wrapped)
{
    char *hex = memory_hex(wrapped->thumbprint, wrapped->thumbprint_len);
    const cJSON *found = NULL;
    const cJSON *key = NULL;
    cJSON_ArrayForEach(key, catalog_list(&instance->catalog, "asymmetric_keys"))
    {
        if (catalog_number(key, "database_id") == ENGINE_MASTER_ID &&
            strcmp(catalog_text(key, "thumbprint"), hex) == 0)
            found = key;
    }
    free(hex);
    return found;
}

bool engine_wrap(struct instance *instance, const cJSON *key, const uint8_t *plain, size_t len,
                 struct storage_wrapped *wrapped, struct failure *failure)
{
    struct provider_session *session = NULL;
    struct value thumbprint = value_hex(catalog_text(key, "thumbprint"));
    uint8_t *cipher = NULL;
    size_t cipher_len = 0;
    bool good = access_engine(instance, key, &session, failure);
    if (good) {
        int code = provider_encrypt(session, (const uint8_t *)thumbprint.data, thumbprint.len,
                                    plain, len, &cipher, &cipher_len);
        good = code == SQLCP_SUCCESS || failure_set_provider(failure, 15209, code);
    }
    if (good && cipher_len > sizeof wrapped->wrapped)
        good = failure_set(failure, 33126, 0, "");
    if (good) {
        memcpy(wrapped->thumbprint, thumbprint.data, thumbprint.len);
        wrapped->thumbprint_len = thumbprint.len;
        memcpy(wrapped->wrapped, cipher, cipher_len);
        wrapped->wrapped_len = cipher_len;
    }
    free(cipher);
    value_free(&thumbprint);
    access_release(session);
    return good;
}

bool engine_unwrap(struct instance *instance, const struct storage_wrapped *wrapped, uint8_t *plain,
                   size_t *len, struct failure *failure)
{
    struct provider_session *session = NULL;
    uint8_t *out = NULL;
    size_t out_len = 0;
    const cJSON *key = master_key(instance, wrapped);
    if (!key) {
        char *hex = memory_hex(wrapped->thumbprint, wrapped->thumbprint_len);
        failure_set(failure, 33111, 0, hex);
        free(hex);
        return false;
    }
    bool good = access_engine(instance, key, &session, failure);
    if (good) {
        int code = provider_decrypt(session, wrapped->thumbprint, wrapped->thumbprint_len,
                                    wrapped->wrapped, wrapped->wrapped_len, &out, &out_len);
        good = code == SQLCP_SUCCESS || failure_set_provider(failure, 15466, code);
    }
    if (good && (out_len == 0 || out_len > STORAGE_MAX_KEY))
        good = failure_set(failure, 33126, 0, "");
    if (good) {
        memcpy(plain, out, out_len);
        *len = out_len;
    }
    if (out)
        OPENSSL_cleanse(out, out_len);
    free(out);
    access_release(session);
    return good;
}

static bool same_wrapped(const struct storage_wrapped *a, const struct storage_wrapped *b)
{
    return a->thumbprint_len == b->thumbprint_len && a->wrapped_len == b->wrapped_len &&
           memcmp(a->thumbprint, b->thumbprint, a->thumbprint_len) == 0 &&
           memcmp(a->wrapped, b->wrapped, a->wrapped_len) == 0;
}

/* One Decrypt for each distinct wrapped key; segment 0 is the data file. */
static bool unlock_all(struct instance *instance, struct storage *storage,
                       const struct storage_segment *segments, size_t count,
                       struct failure *failure)
{
    uint8_t plain[STORAGE_MAX_KEY];
    size_t len = 0;
    bool good = true;
    const struct storage_wrapped *last = NULL;
    for (size_t i = 0; i < count && good; i++) {
        const struct storage_wrapped *wrapped = &segments[i].key;
        if (wrapped->thumbprint_len == 0)
            continue;
        if (!last || !same_wrapped(last, wrapped))
            good = engine_unwrap(instance, wrapped, plain, &len, failure);
        last = wrapped;
        if (good && !storage_unlock(storage, segments[i].number, plain, len))
            good = failure_set(failure, 33126, 0, "");
    }
    OPENSSL_cleanse(plain, sizeof plain);
    return good;
}

static int by_wrapped_key(const void *left, const void *right)
{
    const struct storage_segment *a = left;
    const struct storage_segment *b = right;
    int order = memcmp(a->key.thumbprint, b->key.thumbprint, sizeof a->key.thumbprint);
    return order ? order : memcmp(a->key.wrapped, b->key.wrapped, sizeof a->key.wrapped);
}

static bool engine_key_unlock(struct instance *instance, struct storage *storage,
                              struct failure *failure)
{
    struct storage_segment *segments = memory_take((MAX_SEGMENTS + 1) * sizeof *segments);
    segments[0].key = *storage_wrapped_key(storage);
    size_t count = 1 + storage_segments(storage, segments + 1, MAX_SEGMENTS);
    qsort(segments, count, sizeof *segments, by_wrapped_key);
    bool good = unlock_all(instance, storage, segments, count, failure);
    free(segments);
    return good;
}

struct storage *engine_open(struct instance *instance, const char *base, struct failure *failure)
{
    char why[256];
    struct storage *storage = storage_open(base, why);
    if (!storage) {
        failure_set(failure, 5120, 0, base, why);
    } else if (!engine_key_unlock(instance, storage, failure)) {
        storage_close(storage);
        storage = NULL;
    }
    return storage;
}
