#include "storage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

bool storage_save_header(struct storage *storage, char why[256])
{
    char page[STORAGE_PAGE_LEN] = "";
    cJSON *header = cJSON_CreateObject();
    cJSON_AddStringToObject(header, "name", storage->name);
    cJSON_AddBoolToObject(header, "encrypted", storage->encrypted);
    cJSON_AddStringToObject(header, "algorithm", storage->algorithm);
    cJSON_AddNumberToObject(header, "content_len", (double)storage->content_len);
    storage_put_wrapped(header, &storage->wrapped, storage->check);
    bool good = cJSON_PrintPreallocated(header, page, sizeof page, true) &&
                pwrite(storage->handle, page, sizeof page, 0) == sizeof page &&
                fsync(storage->handle) == 0;
    cJSON_Delete(header);
    return good || storage_fail(why, "cannot write", storage->base);
}

static bool load_header(struct storage *storage)
{
    char page[STORAGE_PAGE_LEN + 1] = "";
    if (pread(storage->handle, page, STORAGE_PAGE_LEN, 0) != STORAGE_PAGE_LEN)
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
    }
    cJSON_Delete(header);
    return good;
}

static struct storage *open_file(const char *base, int flags, char why[256])
{
    struct storage *storage = memory_take(sizeof *storage);
    char *path = memory_format("%s.mdf", base);
    errno = 0;
    storage->handle = open(path, O_RDWR | O_CLOEXEC | flags, 0600);
    storage->base = memory_text(base);
    if (storage->handle < 0) {
        storage_fail(why, "cannot open", path);
        storage_close(storage);
        storage = NULL;
    }
    free(path);
    return storage;
}

struct storage *storage_create(const char *base, const char *name, char why[256])
{
    struct storage *storage = open_file(base, O_CREAT | O_EXCL, why);
    if (!storage)
        return NULL;
    storage->name = memory_text(name);
    if (!storage_save_header(storage, why) || !storage_begin_segment(storage, why)) {
        storage_close(storage);
        return NULL;
    }
    return storage;
}

struct storage *storage_open(const char *base, char why[256])
{
    struct storage *storage = open_file(base, 0, why);
    if (!storage)
        return NULL;
    errno = 0;
    bool good = load_header(storage);
    for (int next = 0; good && (next = storage_next_segment(base, next)) != 0;)
        storage->active = next;
    if (!good) {
        storage_fail(why, "cannot read", base);
    } else if (storage->active == 0) { /* attached without its log: a new one is begun */
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
    if (storage->handle >= 0)
        close(storage->handle);
    free(storage->base);
    free(storage->name);
    OPENSSL_cleanse(storage, sizeof *storage);
    free(storage);
}

bool storage_remove(const char *base)
{
    char *path = memory_format("%s.mdf", base);
    bool good = unlink(path) == 0;
    free(path);
    for (int next = 0; (next = storage_next_segment(base, next)) != 0;) {
        path = storage_segment_path(base, next);
        good = unlink(path) == 0 && good;
        free(path);
    }
    return good;
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

static off_t page_offset(size_t page)
{
    return (off_t)((page + 1) * STORAGE_PAGE_LEN);
}

bool storage_read(struct storage *storage, uint8_t **data, size_t *len, char why[256])
{
    size_t pages = (storage->content_len + STORAGE_PAGE_LEN - 1) / STORAGE_PAGE_LEN;
    errno = 0;
    *data = memory_take(pages * STORAGE_PAGE_LEN + 1);
    *len = storage->content_len;
    for (size_t page = 0; page < pages; page++) {
        uint8_t *at = *data + page * STORAGE_PAGE_LEN;
        if (pread(storage->handle, at, STORAGE_PAGE_LEN, page_offset(page)) != STORAGE_PAGE_LEN ||
            (storage->encrypted &&
             (storage->key_len == 0 ||
              !storage_crypt_page(storage->key, storage->key_len, page + 1, at, false)))) {
            free(*data);
            *data = NULL;
            return storage_fail(why, "cannot read", storage->base);
        }
    }
    (*data)[*len] = 0;
    return true;
}

bool storage_write(struct storage *storage, const void *data, size_t len, char why[256])
{
    size_t pages = (len + STORAGE_PAGE_LEN - 1) / STORAGE_PAGE_LEN;
    const uint8_t *bytes = data;
    errno = 0;
    for (size_t page = 0; page < pages; page++) {
        uint8_t buffer[STORAGE_PAGE_LEN] = {0};
        size_t from = page * STORAGE_PAGE_LEN;
        size_t count = len - from < sizeof buffer ? len - from : sizeof buffer;
        memcpy(buffer, bytes + from, count);
        bool good = !storage->encrypted ||
                    (storage->key_len > 0 &&
                     storage_crypt_page(storage->key, storage->key_len, page + 1, buffer, true));
        if (!good || pwrite(storage->handle, buffer, sizeof buffer, page_offset(page)) !=
                         (ssize_t)sizeof buffer)
            return storage_fail(why, "cannot write", storage->base);
    }
    if (ftruncate(storage->handle, page_offset(pages)) != 0)
        return storage_fail(why, "cannot write", storage->base);
    storage->content_len = len;
    return storage_save_header(storage, why);
}
