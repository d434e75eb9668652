#include "storage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "memory.h"
#include "storage_file.h"

bool storage_fail(char why[256], const char *action, const char *path)
{
    snprintf(why, 256, "%s %s: %s", action, path, errno ? strerror(errno) : "damaged");
    return false;
}

static void put_hex(cJSON *header, const char *name, const uint8_t *bytes, size_t len)
{
    char *hex = memory_hex(bytes, len);
    cJSON_AddStringToObject(header, name, hex);
    free(hex);
}

static size_t take_hex(const cJSON *header, const char *name, uint8_t *out, size_t cap)
{
    const char *hex = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(header, name));
    size_t len = 0;
    uint8_t *bytes = hex ? memory_unhex(hex, &len) : NULL;
    if (!bytes || len > cap)
        len = 0;
    if (len)
        memcpy(out, bytes, len);
    free(bytes);
    return len;
}

void storage_put_wrapped(cJSON *header, const struct storage_wrapped *wrapped, const char *check)
{
    put_hex(header, "thumbprint", wrapped->thumbprint, wrapped->thumbprint_len);
    put_hex(header, "wrapped_key", wrapped->wrapped, wrapped->wrapped_len);
    cJSON_AddStringToObject(header, "check", check);
}

void storage_take_wrapped(const cJSON *header, struct storage_wrapped *wrapped,
                          char check[STORAGE_CHECK_HEX])
{
    wrapped->thumbprint_len =
        take_hex(header, "thumbprint", wrapped->thumbprint, sizeof wrapped->thumbprint);
    wrapped->wrapped_len =
        take_hex(header, "wrapped_key", wrapped->wrapped, sizeof wrapped->wrapped);
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(header, "check"));
    snprintf(check, STORAGE_CHECK_HEX, "%s", text ? text : "");
}

/* The header page, as on disk. */
static bool print_header(const struct storage *storage, char page[STORAGE_PAGE_LEN])
{
    cJSON *header = cJSON_CreateObject();
    memset(page, 0, STORAGE_PAGE_LEN);
    cJSON_AddStringToObject(header, "name", storage->name);
    cJSON_AddBoolToObject(header, "encrypted", storage->encrypted);
    cJSON_AddStringToObject(header, "algorithm", storage->algorithm);
    cJSON_AddNumberToObject(header, "content_len", (double)storage->content_len);
    cJSON_AddStringToObject(header, "digest", storage->digest);
    storage_put_wrapped(header, &storage->wrapped, storage->check);
    bool good = cJSON_PrintPreallocated(header, page, STORAGE_PAGE_LEN, true);
    cJSON_Delete(header);
    return good;
}

bool storage_save_header(struct storage *storage, char why[256])
{
    char page[STORAGE_PAGE_LEN];
    errno = 0;
    bool good = print_header(storage, page) &&
                platform_file_write(storage->file, page, sizeof page, 0) &&
                platform_file_flush(storage->file);
    return good || storage_fail(why, "cannot write", storage->base);
}

static bool load_header(struct storage *storage)
{
    char page[STORAGE_PAGE_LEN + 1] = "";
    if (!platform_file_read(storage->file, page, STORAGE_PAGE_LEN, 0))
        return false;
    cJSON *header = cJSON_Parse(page);
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(header, "name"));
    const char *algorithm =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(header, "algorithm"));
    const cJSON *len = cJSON_GetObjectItemCaseSensitive(header, "content_len");
    bool good = name && algorithm && cJSON_IsNumber(len) && len->valuedouble >= 0;
    if (good) {
        storage->name = memory_text(name);
        storage->encrypted = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(header, "encrypted"));
        snprintf(storage->algorithm, sizeof storage->algorithm, "%s", algorithm);
        storage->content_len = (size_t)len->valuedouble;
        storage_take_wrapped(header, &storage->wrapped, storage->check);
        const char *digest =
            cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(header, "digest"));
        snprintf(storage->digest, sizeof storage->digest, "%s", digest ? digest : "");
    }
    cJSON_Delete(header);
    return good;
}

static struct storage *open_file(const char *base, enum platform_open how, char why[256])
{
    struct storage *storage = memory_take(sizeof *storage);
    char *path = memory_format("%s.mdf", base);
    errno = 0;
    storage->file = platform_file_open(path, how);
    storage->base = memory_text(base);
    if (!storage->file) {
        storage_fail(why, "cannot open", path);
        storage_close(storage);
        storage = NULL;
    }
    free(path);
    return storage;
}

static void remove_hint(const char *base)
{
    char *path = storage_hint_path(base);
    platform_path_remove(path);
    free(path);
}

struct storage *storage_create(const char *base, const char *name, char why[256])
{
    struct storage *storage = open_file(base, PLATFORM_CREATE_NEW, why);
    if (!storage)
        return NULL;
    remove_hint(base); /* left by a former database */
    storage_crypt_digest("", 0, storage->digest);
    storage->name = memory_text(name);
    if (!storage_save_header(storage, why) || !storage_begin_segment(storage, why)) {
        storage_close(storage);
        return NULL;
    }
    return storage;
}

struct storage *storage_open(const char *base, char why[256])
{
    struct storage *storage = open_file(base, PLATFORM_UPDATE, why);
    if (!storage)
        return NULL;
    errno = 0;
    bool good = load_header(storage);
    for (int next = 0; good && (next = storage_next_segment(base, next)) != 0;)
        storage->active = next;
    if (!good) {
        storage_fail(why, "cannot read", base);
    } else if (storage->active == 0) { /* attached without its log: begins a new one */
        good = storage_begin_segment(storage, why);
    }
    if (!good) {
        storage_close(storage);
        storage = NULL;
    }
    return storage;
}

void storage_close(struct storage *storage)
{
    if (!storage)
        return;
    platform_file_close(storage->file);
    free(storage->base);
    free(storage->name);
    OPENSSL_cleanse(storage, sizeof *storage);
    free(storage);
}

bool storage_remove(const char *base)
{
    char *path = memory_format("%s.mdf", base);
    bool good = platform_path_remove(path);
    free(path);
    for (int next = 0; (next = storage_next_segment(base, next)) != 0;) {
        path = storage_segment_path(base, next);
        good = platform_path_remove(path) && good;
        free(path);
    }
    remove_hint(base);
    return good;
}

static bool hint_exists(const char *base)
{
    char *path = storage_hint_path(base);
    bool there = platform_path_exists(path);
    free(path);
    return there;
}

static bool move_file(char *from, char *to)
{
    bool good = platform_path_replace(from, to);
    free(from);
    free(to);
    return good;
}

bool storage_move(struct storage *storage, const char *base, char why[256])
{
    const char *old = storage->base;
    bool good = true;
    errno = 0;
    for (int i = storage_next_segment(old, 0); good && i <= storage->active; i++)
        good = move_file(storage_segment_path(old, i), storage_segment_path(base, i));
    if (good && hint_exists(old))
        good = move_file(storage_hint_path(old), storage_hint_path(base));
    good = good && move_file(memory_format("%s.mdf", old), memory_format("%s.mdf", base));
    if (!good)
        return storage_fail(why, "cannot move", old);
    free(storage->base);
    storage->base = memory_text(base);
    return true;
}

const char *storage_name(const struct storage *storage)
{
    return storage->name;
}

const char *storage_base(const struct storage *storage)
{
    return storage->base;
}

bool storage_encrypted(const struct storage *storage)
{
    return storage->encrypted;
}

const struct storage_wrapped *storage_wrapped_key(const struct storage *storage)
{
    return &storage->wrapped;
}

const char *storage_algorithm(const struct storage *storage)
{
    return storage->algorithm;
}

bool storage_unlock(struct storage *storage, int segment, const uint8_t *key, size_t key_len)
{
    char expected[STORAGE_CHECK_HEX] = "";
    char check[STORAGE_CHECK_HEX];
    struct storage_segment found;
    if (key_len != 16 && key_len != 24 && key_len != 32)
        return false;
    if (segment == 0)
        memcpy(expected, storage->check, sizeof expected);
    else if (!storage_read_segment(storage->base, segment, &found, expected))
        return false;
    storage_crypt_check(key, key_len, check);
    if (strcmp(check, expected) != 0)
        return false;
    if (segment == 0) {
        memcpy(storage->key, key, key_len);
        storage->key_len = key_len;
    }
    return true;
}

bool storage_unlocked(const struct storage *storage)
{
    return storage->wrapped.thumbprint_len == 0 || storage->key_len > 0;
}

const uint8_t *storage_key(const struct storage *storage, size_t *key_len)
{
    *key_len = storage->key_len;
    return storage->key;
}

static size_t page_count(size_t content_len)
{
    return (content_len + STORAGE_PAGE_LEN - 1) / STORAGE_PAGE_LEN;
}

/* Works in place. The first page has number 1. Without encryption nothing changes. */
static bool crypt_pages(const struct storage *storage, uint8_t *pages, size_t count, bool encrypt)
{
    if (storage->encrypted && storage->key_len == 0)
        return false;
    for (size_t page = 0; storage->encrypted && page < count; page++)
        if (!storage_crypt_page(storage->key, storage->key_len, page + 1,
                                pages + page * STORAGE_PAGE_LEN, encrypt))
            return false;
    return true;
}

bool storage_read(struct storage *storage, uint8_t **data, size_t *len, char why[256])
{
    size_t pages = page_count(storage->content_len);
    char digest[STORAGE_DIGEST_HEX];
    errno = 0;
    *data = memory_take(pages * STORAGE_PAGE_LEN + 1);
    *len = storage->content_len;
    bool good =
        platform_file_read(storage->file, *data, pages * STORAGE_PAGE_LEN, STORAGE_PAGE_LEN);
    storage_crypt_digest(*data, pages * STORAGE_PAGE_LEN, digest);
    if (!good || strcmp(digest, storage->digest) != 0 ||
        !crypt_pages(storage, *data, pages, false)) {
        free(*data);
        *data = NULL;
        return storage_fail(why, "cannot read", storage->base);
    }
    (*data)[*len] = 0;
    return true;
}

/* Writes the file anew; it is closed meanwhile, since no open file can be replaced on Windows. */
static bool replace_file(struct storage *storage, const char *path, const void *data, size_t len)
{
    platform_file_close(storage->file);
    bool good = memory_write_file(path, data, len);
    storage->file = platform_file_open(path, PLATFORM_UPDATE);
    return good && storage->file;
}

/* Writes the whole file beside it and renames it: after a crash there is the old or the new one. */
bool storage_write(struct storage *storage, const void *data, size_t len, char why[256])
{
    size_t pages = page_count(len);
    size_t file_len = (pages + 1) * STORAGE_PAGE_LEN;
    uint8_t *file = memory_take(file_len);
    char page[STORAGE_PAGE_LEN];
    size_t old_len = storage->content_len;
    char old_digest[STORAGE_DIGEST_HEX];
    memcpy(old_digest, storage->digest, sizeof old_digest);
    char *path = memory_format("%s.mdf", storage->base);
    errno = 0;
    memcpy(file + STORAGE_PAGE_LEN, data, len);
    bool good = crypt_pages(storage, file + STORAGE_PAGE_LEN, pages, true);
    storage->content_len = len;
    storage_crypt_digest(file + STORAGE_PAGE_LEN, pages * STORAGE_PAGE_LEN, storage->digest);
    if (good && print_header(storage, page)) {
        memcpy(file, page, sizeof page);
        good = replace_file(storage, path, file, file_len);
    } else {
        good = false;
    }
    if (!good) {
        storage->content_len = old_len;
        memcpy(storage->digest, old_digest, sizeof old_digest);
        storage_fail(why, "cannot write", path);
    }
    OPENSSL_cleanse(file, file_len);
    free(file);
    free(path);
    return good;
}
