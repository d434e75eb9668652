/* Log segments: <base>.<number>.ldf, a header page in clear, then records under the key of that
 * segment. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "storage_file.h"

enum { MAX_SEGMENT_GAP = 64 };

char *storage_segment_path(const char *base, int number)
{
    return memory_format("%s.%d.ldf", base, number);
}

char *storage_hint_path(const char *base)
{
    return memory_format("%s.ldf", base);
}

/* Numbers only grow, and freed segments leave a gap at the front. So the search for the first one
 * starts at the number in the header. */
int storage_next_segment(const char *base, int after)
{
    char *hint_path = storage_hint_path(base);
    char *hint = memory_read_file(hint_path, NULL);
    int first = hint ? atoi(hint) : 1;
    free(hint);
    free(hint_path);
    int number = after + 1 > first ? after + 1 : first;
    for (int tries = 0; tries < MAX_SEGMENT_GAP; tries++, number++) {
        char *path = storage_segment_path(base, number);
        bool there = platform_path_exists(path);
        free(path);
        if (there)
            return number;
        if (after > 0)
            return 0;
    }
    return 0;
}

bool storage_begin_segment(struct storage *storage, char why[256])
{
    static const struct storage_wrapped none;
    char page[STORAGE_PAGE_LEN] = "";
    cJSON *header = cJSON_CreateObject();
    cJSON_AddNumberToObject(header, "number", storage->active + 1);
    storage_put_wrapped(header, storage->encrypted ? &storage->wrapped : &none,
                        storage->encrypted ? storage->check : "");
    errno = 0;
    char *path = storage_segment_path(storage->base, storage->active + 1);
    bool good = cJSON_PrintPreallocated(header, page, sizeof page, true) &&
                memory_write_file(path, page, sizeof page);
    cJSON_Delete(header);
    if (good)
        storage->active++;
    else
        storage_fail(why, "cannot write", path);
    free(path);
    return good;
}

bool storage_read_segment(const char *base, int number, struct storage_segment *out,
                          char check[STORAGE_CHECK_HEX])
{
    char page[STORAGE_PAGE_LEN + 1] = "";
    uint64_t size = 0;
    char *path = storage_segment_path(base, number);
    struct platform_file *file = platform_file_open(path, PLATFORM_READ);
    bool good =
        platform_file_read(file, page, STORAGE_PAGE_LEN, 0) && platform_file_size(file, &size);
    cJSON *header = good ? cJSON_Parse(page) : NULL;
    platform_file_close(file);
    free(path);
    memset(out, 0, sizeof *out);
    if (!header)
        return false;
    out->number = number;
    out->bytes = (size_t)size - STORAGE_PAGE_LEN;
    storage_take_wrapped(header, &out->key, check);
    cJSON_Delete(header);
    return true;
}

size_t storage_segments(const struct storage *storage, struct storage_segment *out, size_t cap)
{
    size_t count = 0;
    for (int next = 0; (next = storage_next_segment(storage->base, next)) != 0 && count < cap;) {
        char check[STORAGE_CHECK_HEX];
        if (!storage_read_segment(storage->base, next, &out[count], check))
            out[count].number = next; /* unreadable: it is shown, without encryptor */
        out[count].active = next == storage->active;
        count++;
    }
    return count;
}

bool storage_new_segment(struct storage *storage, char why[256])
{
    return storage_begin_segment(storage, why);
}

bool storage_free_segments(struct storage *storage, char why[256])
{
    char *hint_path = storage_hint_path(storage->base);
    char *hint = memory_format("%d\n", storage->active);
    bool good = memory_write_file(hint_path, hint, strlen(hint));
    for (int number = storage->active - 1; good && number > 0; number--) {
        char *path = storage_segment_path(storage->base, number);
        bool last = !platform_path_remove(path);
        free(path);
        if (last)
            break;
    }
    if (!good)
        storage_fail(why, "cannot write", hint_path);
    free(hint);
    free(hint_path);
    return good;
}

/* Zeroes the records of one segment in place, so that they are gone from the disk. */
static bool blank_segment(const char *base, const struct storage_segment *segment)
{
    char *path = storage_segment_path(base, segment->number);
    uint8_t *zeros = memory_take(segment->bytes);
    struct platform_file *file = platform_file_open(path, PLATFORM_UPDATE);
    bool good = platform_file_write(file, zeros, segment->bytes, STORAGE_PAGE_LEN) &&
                platform_file_flush(file);
    platform_file_close(file);
    free(zeros);
    free(path);
    return good;
}

bool storage_blank_clear_segments(struct storage *storage, char why[256])
{
    errno = 0;
    for (int next = 0; (next = storage_next_segment(storage->base, next)) != 0;) {
        struct storage_segment segment;
        char check[STORAGE_CHECK_HEX];
        if (!storage_read_segment(storage->base, next, &segment, check))
            return storage_fail(why, "cannot read the log of", storage->base);
        if (segment.key.thumbprint_len == 0 && !blank_segment(storage->base, &segment))
            return storage_fail(why, "cannot write the log of", storage->base);
    }
    return true;
}

bool storage_log(struct storage *storage, const void *record, size_t len, char why[256])
{
    char *path = storage_segment_path(storage->base, storage->active);
    uint8_t *bytes = memory_take(len + 4);
    uint32_t count = (uint32_t)len;
    uint64_t size = 0;
    errno = 0;
    struct platform_file *file = platform_file_open(path, PLATFORM_UPDATE);
    bool good = platform_file_size(file, &size);
    memcpy(bytes, &count, 4);
    memcpy(bytes + 4, record, len);
    if (good &&
        storage->encrypted) { /* the initialization vector comes from the record's position */
        uint8_t iv[16] = {0};
        memcpy(iv, &storage->active, sizeof storage->active);
        memcpy(iv + 4, &size, sizeof size);
        good = storage_crypt_stream(storage->key, storage->key_len, iv, bytes + 4, len);
    }
    good = good && platform_file_write(file, bytes, len + 4, size);
    platform_file_close(file);
    if (!good)
        storage_fail(why, "cannot write", path);
    free(bytes);
    free(path);
    return good;
}
