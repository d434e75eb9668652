/* Backup files: a header page in clear, then the files of the database one after the other,
 * optionally under a backup key. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "memory.h"
#include "storage_backup.h"
#include "storage_file.h"

/* One file as `suffix length\n` and its bytes. */
static bool add_file(struct memory_text *out, const char *base, const char *suffix)
{
    char *path = memory_format("%s.%s", base, suffix);
    size_t len = 0;
    char *bytes = memory_read_file(path, &len);
    if (bytes) {
        char *head = memory_format("%s %zu\n", suffix, len);
        memory_append(out, head, strlen(head));
        memory_append(out, bytes, len);
        free(head);
    }
    free(bytes);
    free(path);
    return bytes != NULL;
}

static bool storage_backup_gather(const struct storage *storage, bool log_only,
                                  struct memory_text *out)
{
    bool good = log_only || add_file(out, storage->base, "mdf");
    for (int next = 0; good && (next = storage_next_segment(storage->base, next)) != 0;) {
        char suffix[32];
        snprintf(suffix, sizeof suffix, "%d.ldf", next);
        good = add_file(out, storage->base, suffix);
    }
    return good;
}

static bool write_backup(const struct storage *storage, const char *path,
                         const struct storage_backup_key *outer, bool log_only, char why[256])
{
    struct memory_text payload = {0};
    uint8_t iv[16];
    char page[STORAGE_PAGE_LEN] = "";
    char check[STORAGE_CHECK_HEX] = "";
    static const struct storage_wrapped none;
    errno = 0;
    bool good =
        storage_backup_gather(storage, log_only, &payload) && RAND_bytes(iv, sizeof iv) == 1;
    if (good && outer) {
        storage_crypt_check(outer->key, outer->key_len, check);
        good = storage_crypt_stream(outer->key, outer->key_len, iv, (uint8_t *)payload.data,
                                    payload.len);
    }
    cJSON *header = cJSON_CreateObject();
    char *hex = memory_hex(iv, sizeof iv);
    cJSON_AddStringToObject(header, "ekmhost_backup", log_only ? "log" : "database");
    cJSON_AddStringToObject(header, "name", storage->name);
    cJSON_AddStringToObject(header, "iv", hex);
    cJSON_AddNumberToObject(header, "first_segment", storage_next_segment(storage->base, 0));
    storage_put_wrapped(header, outer ? &outer->wrapped : &none, check);
    good = good && cJSON_PrintPreallocated(header, page, sizeof page, true);
    cJSON_Delete(header);
    free(hex);
    char *file = memory_take(sizeof page + payload.len);
    memcpy(file, page, sizeof page);
    if (good)
        memcpy(file + sizeof page, payload.data, payload.len);
    good = good && memory_write_file(path, file, sizeof page + payload.len);
    free(file);
    free(payload.data);
    return good || storage_fail(why, "cannot write", path);
}

bool storage_backup(struct storage *storage, const char *path,
                    const struct storage_backup_key *outer, char why[256])
{
    return write_backup(storage, path, outer, false, why);
}

bool storage_backup_log(struct storage *storage, const char *path,
                        const struct storage_backup_key *outer, char why[256])
{
    return write_backup(storage, path, outer, true, why) && storage_free_segments(storage, why);
}

/* The header of a database backup, to be deleted; NULL if the file is no backup. The bytes of the
 * file stay in *file. */
static cJSON *open_backup(const char *path, char **file, size_t *len, char why[256])
{
    errno = 0;
    *file = memory_read_file(path, len);
    cJSON *header = *file && *len > STORAGE_PAGE_LEN ? cJSON_Parse(*file) : NULL;
    const char *kind =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(header, "ekmhost_backup"));
    if (kind && strcmp(kind, "database") == 0)
        return header;
    cJSON_Delete(header);
    storage_fail(why, "cannot read", path);
    return NULL;
}

bool storage_backup_inspect(const char *path, char name[129], struct storage_wrapped *outer,
                            char why[256])
{
    char *file = NULL;
    size_t len = 0;
    char check[STORAGE_CHECK_HEX];
    cJSON *header = open_backup(path, &file, &len, why);
    if (header) {
        const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(header, "name"));
        snprintf(name, 129, "%s", text ? text : "");
        storage_take_wrapped(header, outer, check);
    }
    free(file);
    cJSON_Delete(header);
    return header != NULL;
}

/* One file of the payload, with its path if `base` is given: then it is written. */
static bool extract_file(const char *base, const char **at, const char *end)
{
    char suffix[32] = "";
    size_t len = 0;
    int used = 0;
    if (sscanf(*at, "%31[0-9a-z.] %zu%n", suffix, &len, &used) != 2 || (*at)[used] != '\n')
        return false;
    *at += used + 1;
    if ((size_t)(end - *at) < len)
        return false;
    char *path = base ? memory_format("%s.%s", base, suffix) : NULL;
    bool good = !path || memory_write_file(path, *at, len);
    free(path);
    *at += len;
    return good;
}

/* Checks the whole payload before it writes anything. */
static bool extract_all(const char *base, const char *payload, const char *end)
{
    const char *at = payload;
    while (at < end)
        if (!extract_file(NULL, &at, end))
            return false;
    for (at = payload; at < end;)
        if (!extract_file(base, &at, end))
            return false;
    return true;
}

/* The restored header gets the name that the database has here. */
static bool rename_database(const char *base, const char *name, char why[256])
{
    struct storage *storage = storage_open(base, why);
    if (!storage)
        return false;
    free(storage->name);
    storage->name = memory_text(name);
    bool good = storage_save_header(storage, why);
    storage_close(storage);
    return good;
}

/* Records where the log begins, for storage_next_segment. */
static bool put_first_segment(const char *base, const cJSON *header)
{
    const cJSON *first = cJSON_GetObjectItemCaseSensitive(header, "first_segment");
    char *path = storage_hint_path(base);
    char *text = memory_format("%d\n", cJSON_IsNumber(first) ? first->valueint : 1);
    bool good = memory_write_file(path, text, strlen(text));
    free(text);
    free(path);
    return good;
}

static bool right_key(const cJSON *header, const uint8_t *key, size_t key_len)
{
    struct storage_wrapped wrapped;
    char expected[STORAGE_CHECK_HEX];
    char check[STORAGE_CHECK_HEX];
    storage_take_wrapped(header, &wrapped, expected);
    if (key_len != 16 && key_len != 24 && key_len != 32)
        return false;
    storage_crypt_check(key, key_len, check);
    return strcmp(check, expected) == 0;
}

bool storage_restore(const char *path, const char *base, const char *name, const uint8_t *outer_key,
                     size_t key_len, char why[256])
{
    char *file = NULL;
    size_t len = 0;
    uint8_t *iv = NULL;
    size_t iv_len = 0;
    cJSON *header = open_backup(path, &file, &len, why);
    if (!header) {
        free(file);
        return false;
    }
    const char *hex = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(header, "iv"));
    iv = memory_unhex(hex ? hex : "", &iv_len);
    errno = 0;
    char *payload = file + STORAGE_PAGE_LEN;
    const char *end = file + len;
    bool good = iv && iv_len == 16;
    if (good && outer_key)
        good = right_key(header, outer_key, key_len) &&
               storage_crypt_stream(outer_key, key_len, iv, (uint8_t *)payload,
                                    (size_t)(end - payload));
    good = good && extract_all(base, payload, end) && put_first_segment(base, header);
    if (!good)
        storage_fail(why, "cannot restore", path);
    free(iv);
    free(file);
    cJSON_Delete(header);
    return good && rename_database(base, name, why);
}
