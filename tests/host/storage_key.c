/* Changes of the database encryption key, and of the data under it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "memory.h"
#include "storage_file.h"

/* Writes all pages again after `change` was made to the fields, and begins a new segment. After a
 * failure the fields are as before. */
static bool storage_key_rewrite(struct storage *storage,
                                void (*change)(struct storage *storage, void *context),
                                void *context, char why[256])
{
    uint8_t *content = NULL;
    size_t len = 0;
    if (!storage_read(storage, &content, &len, why))
        return false;
    struct storage before = *storage;
    change(storage, context);
    bool good = storage_write(storage, content, len, why);
    if (!good) {
        before.file = storage->file;
        *storage = before;
    }
    OPENSSL_cleanse(&before, sizeof before);
    OPENSSL_cleanse(content, len);
    free(content);
    return good && storage_begin_segment(storage, why);
}

struct new_key {
    const char *algorithm;
    const uint8_t *key;
    size_t key_len;
    const struct storage_wrapped *wrapped;
};

static void change_key(struct storage *storage, void *context)
{
    const struct new_key *new_key = context;
    snprintf(storage->algorithm, sizeof storage->algorithm, "%s", new_key->algorithm);
    memcpy(storage->key, new_key->key, new_key->key_len);
    storage->key_len = new_key->key_len;
    storage->wrapped = *new_key->wrapped;
    storage_crypt_check(storage->key, storage->key_len, storage->check);
}

bool storage_set_key(struct storage *storage, const char *algorithm, const uint8_t *key,
                     size_t key_len, const struct storage_wrapped *wrapped, char why[256])
{
    struct new_key new_key = {algorithm, key, key_len, wrapped};
    if (storage->encrypted)
        return storage_key_rewrite(storage, change_key, &new_key, why);
    change_key(storage, &new_key);
    return storage_save_header(storage, why);
}

bool storage_rewrap(struct storage *storage, const struct storage_wrapped *wrapped, char why[256])
{
    storage->wrapped = *wrapped;
    return storage_save_header(storage, why) &&
           (!storage->encrypted || storage_begin_segment(storage, why));
}

bool storage_drop_key(struct storage *storage, char why[256])
{
    OPENSSL_cleanse(storage->key, sizeof storage->key);
    storage->key_len = 0;
    memset(&storage->wrapped, 0, sizeof storage->wrapped);
    storage->algorithm[0] = 0;
    storage->check[0] = 0;
    return storage_save_header(storage, why);
}

static void change_encryption(struct storage *storage, void *context)
{
    storage->encrypted = *(const bool *)context;
}

bool storage_set_encryption(struct storage *storage, bool on, char why[256])
{
    return storage_key_rewrite(storage, change_encryption, &on, why) &&
           (!on || storage_blank_clear_segments(storage, why));
}
