/* The map's file: an entry put there is found, and every other line stays byte for byte. */
#include "fuzz.h"

// aims: src/keymap/keymap.c src/keymap/keymap_entry.c src/keymap/keymap_file.c src/keymap/keymap_text.c
// with: memory_files.c

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "keymap/keymap.h"
#include "keymap/keymap_store.h"
#include "memory_files.h"

static struct config config;

/* Few of each, so that inputs meet existing entries. */
static const struct {
    const char *host;
    const char *name, *version;
    uint8_t first;
    size_t len;
} wanted[] = {
    {FUZZ_HOST, "TdeKey", "v1", 0xEA, 20},
    {FUZZ_HOST, "TdeKey", "v2", 0xEA, 20},
    {FUZZ_HOST, "other", "0123456789abcdef0123456789abcdef", 0xEA, 1},
    {"pool.managedhsm.azure.net", "TdeKey", "v1", 0xEA, 32},
};

struct keeping {
    const char *old_text, *new_text;
    size_t old_len, new_len;
};

/* One span of whole lines was replaced or added: what is before and behind it is as it was. */
static void check_kept(const struct keeping *keeping)
{
    size_t head = 0, tail = 0, old_len = keeping->old_len, new_len = keeping->new_len;
    size_t least = old_len < new_len ? old_len : new_len;
    while (head < least && keeping->old_text[head] == keeping->new_text[head]) {
        head++;
    }
    while (head + tail < least &&
           keeping->old_text[old_len - 1 - tail] == keeping->new_text[new_len - 1 - tail]) {
        tail++;
    }
    const char *lost = keeping->old_text + head;
    size_t lost_len = old_len - head - tail;
    FUZZ_CHECK(lost_len == 0 || memchr(lost, '\n', lost_len) == NULL);
}

static void check_sorted(const struct keymap_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct keymap_entry *entry = table->entries[i];
        FUZZ_CHECK(text_is_name(entry->host, ".-", 253) && entry->uri[0] != '\0');
        FUZZ_CHECK(entry->thumbprint.len >= 1 && entry->thumbprint.len <= THUMBPRINT_MAX_BYTES);
        FUZZ_CHECK(i == 0 || keymap_entry_order(table->entries[i - 1], entry) <= 0);
    }
    FUZZ_CHECK((table->broken > 0) == (table->broken_lines[0] > 0));
}

/* The last one of those that are equal to it, as keymap_find takes it; NULL if there is none. */
static const struct keymap_entry *entry_of(const struct keymap_table *table,
                                           const struct keymap_entry *like)
{
    const struct keymap_entry *found = NULL;
    for (size_t i = 0; i < table->count; i++) {
        found = keymap_entry_order(table->entries[i], like) == 0 ? table->entries[i] : found;
    }
    return found;
}

static void map_put(const struct keymap_entry *entry, const struct key_id *seen, bool again)
{
    struct keymap_table before, after;
    memset(&before, 0, sizeof before);
    memset(&after, 0, sizeof after);
    FUZZ_CHECK(keymap_store_load(NULL, &before) == PLAT_IO_OK);
    size_t old_len = memory_map.len;
    char *old_text = malloc(old_len + 1);
    FUZZ_CHECK(old_text != NULL);
    if (old_len > 0) {
        memcpy(old_text, memory_map.data, old_len);
    }
    FUZZ_CHECK(keymap_store_put(fuzz_call(), 1, entry, seen, &before, &after) == PLAT_IO_OK);
    check_sorted(&after);
    const struct keymap_entry *stands = entry_of(&after, entry);
    FUZZ_CHECK(stands != NULL);
    const struct keymap_entry *stood = entry_of(&before, entry);
    if (memory_map.len == old_len && memcmp(old_text, memory_map.data, old_len) == 0) {
        FUZZ_CHECK(stood != NULL && strcmp(stood->uri, stands->uri) == 0);
    } else {
        FUZZ_CHECK(!again && strcmp(stands->uri, entry->uri) == 0);
        FUZZ_CHECK(after.count == before.count + (stood == NULL) && after.broken == before.broken);
        check_kept(
            &(struct keeping){old_text, (const char *)memory_map.data, old_len, memory_map.len});
    }
    free(old_text);
    keymap_table_free(&before);
    keymap_table_free(&after);
}

/* The same file through keymap.h, as the provider asks. */
static void map_find(const struct keymap_entry *entry)
{
    struct call *call = fuzz_call();
    struct key_id found, here;
    keymap_start(&config);
    enum ekm_rc rc = keymap_find(call, entry->host, &entry->thumbprint, &found);
    FUZZ_CHECK(rc == EKM_OK || rc == EKM_NOT_FOUND);
    if (rc == EKM_OK) {
        FUZZ_CHECK(found.version[0] != '\0' && text_is_name(found.name, "-", KEY_NAME_MAX));
    }
    for (size_t i = 0;
         keymap_find_elsewhere(call, entry->host, &entry->thumbprint, i, &here) == EKM_OK; i++) {
        FUZZ_CHECK(i < keymap_count());
    }
    struct thumbprint known;
    if (rc == EKM_OK) {
        FUZZ_CHECK(keymap_find_key(call, entry->host, &found, &known) == EKM_OK);
    }
    keymap_stop();
}

/* The first byte: which entry, and whether the caller saw one there. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct keymap_table table;
    uint8_t choice = fuzz_byte(&input);
    size_t which = choice % 4;
    char uri[KEY_URI_MAX + 1];
    uint8_t bytes[THUMBPRINT_MAX_BYTES];
    struct key_id key, seen = {"TdeKey", "v1"};
    memset(&table, 0, sizeof table);
    if (config.keymap_file[0] == '\0') {
        config_defaults(&config);
        (void)text_copy(config.keymap_file, sizeof config.keymap_file, MEMORY_MAP);
    }
    memory_file_set(&memory_map, input.at, input.left);
    if (input.left == 0 && choice >= 128) {
        memory_file_remove(&memory_map);
    }
    keymap_store_start(&config);
    FUZZ_CHECK(keymap_store_load(NULL, &table) == PLAT_IO_OK);
    check_sorted(&table);
    keymap_table_free(&table);
    memset(bytes, wanted[which].first, sizeof bytes);
    struct keymap_entry entry = {.host = wanted[which].host, .uri = uri};
    FUZZ_CHECK(thumbprint_set(&entry.thumbprint, bytes, wanted[which].len));
    (void)text_copy(key.name, sizeof key.name, wanted[which].name);
    (void)text_copy(key.version, sizeof key.version, wanted[which].version);
    FUZZ_CHECK(key_uri_format(uri, sizeof uri, entry.host, &key));
    map_find(&entry);
    map_put(&entry, (choice & 4) != 0 ? &seen : NULL, false);
    map_put(&entry, NULL, true);
    map_find(&entry);
    memory_file_remove(&memory_map);
    return 0;
}
