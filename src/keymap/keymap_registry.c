/* The map of Windows, where Microsoft's connector keeps it (R43 to R47, specification.md section
 * 5). */
#include "keymap/keymap_registry.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"
#include "keymap/keymap_entry.h"
#include "platform/system.h"

#define MAP_MAX_BYTES ((size_t)64 * 1024 * 1024)
#define WALKS_MAX     16
/* The coarsest clock of a registry: two changes within this time may have the same time stamp. */
#define YOUNG_MS 1000
#define EPOCH_MS 11644473600000 /* 1601 to 1970 */

/* The subkeys of a key, by their index. */
struct walk {
    struct plat_registry_key key;
    uint32_t next, count;
};

static enum plat_io walk_open(struct walk *walk, const struct plat_registry_key *parent,
                              const char *path)
{
    enum plat_io io = plat_registry_open(parent, path, PLAT_REGISTRY_READ, &walk->key);
    return io == PLAT_IO_OK ? plat_registry_count(&walk->key, &walk->count) : io;
}

/* ABSENT after the last. When a subkey is removed, the later ones move, and one may be missed; so
 * CHANGED if there are fewer than at the start. */
static enum plat_io walk_on(struct walk *walk, char name[PLAT_REGISTRY_NAME_CAP], uint64_t *written)
{
    uint32_t index = walk->next++;
    enum plat_io io = plat_registry_next(&walk->key, index, name, PLAT_REGISTRY_NAME_CAP, written);
    return io == PLAT_IO_ABSENT && index < walk->count ? PLAT_IO_CHANGED : io;
}

static enum plat_io visit_branch(const struct plat_registry_key *map, const char *branch,
                                 registry_visitor *visit, void *context)
{
    struct walk walk = {{NULL}, 0, 0};
    char leaf[PLAT_REGISTRY_NAME_CAP];
    enum plat_io io = walk_open(&walk, map, branch);
    if (io == PLAT_IO_DENIED) {
        /* A key of other software counts as one thing that is not an entry, and hides nothing
         * else. */
        const struct registry_place closed = {branch, "", 0};
        return visit(context, map, &closed);
    }
    while (io == PLAT_IO_OK) {
        struct registry_place place = {branch, leaf, 0};
        io = walk_on(&walk, leaf, &place.written);
        io = io == PLAT_IO_OK ? visit(context, map, &place) : io;
    }
    plat_registry_close(&walk.key);
    return io == PLAT_IO_ABSENT ? PLAT_IO_OK : io;
}

static enum plat_io visit_map(registry_visitor *visit, void *context)
{
    struct walk walk = {{NULL}, 0, 0};
    char branch[PLAT_REGISTRY_NAME_CAP];
    uint64_t written = 0;
    enum plat_io io = walk_open(&walk, NULL, REGISTRY_MAP);
    while (io == PLAT_IO_OK) {
        io = walk_on(&walk, branch, &written);
        if (io == PLAT_IO_OK && strchr(branch, '.') != NULL) {
            io = visit_branch(&walk.key, branch, visit, context);
        }
    }
    plat_registry_close(&walk.key);
    return io == PLAT_IO_ABSENT ? PLAT_IO_OK : io;
}

enum plat_io registry_visit(registry_visitor *visit, void *context)
{
    enum plat_io io = PLAT_IO_CHANGED;
    for (int walks = 0; io == PLAT_IO_CHANGED && walks < WALKS_MAX; walks++) {
        io = visit(context, NULL, NULL);
        io = io == PLAT_IO_OK ? visit_map(visit, context) : io;
    }
    return io;
}

static uint64_t registry_hash_mix(uint64_t hash, const void *data, size_t len)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ bytes[i]) * 0x100000001B3;
    }
    return hash;
}

/* Names and times of all entries: any write changes one of these times. */
static void add_to_state(struct plat_file_state *state, const struct registry_place *place)
{
    uint64_t hash = state->inode != 0 ? state->inode : 0xCBF29CE484222325;
    hash = registry_hash_mix(hash, place->branch, strlen(place->branch) + 1);
    hash = registry_hash_mix(hash, place->leaf, strlen(place->leaf) + 1);
    hash = registry_hash_mix(hash, &place->written, sizeof place->written);
    state->inode = hash;
    state->size++;
}

static enum plat_io visit_state(void *context, const struct plat_registry_key *map,
                                const struct registry_place *place)
{
    (void)map;
    if (place == NULL) {
        memset(context, 0, sizeof(struct plat_file_state));
    } else {
        add_to_state(context, place);
    }
    return PLAT_IO_OK;
}

bool registry_changed(const struct plat_file_state *state)
{
    struct plat_file_state now = {0, 0, 0, 0};
    return registry_visit(visit_state, &now) != PLAT_IO_OK || now.inode != state->inode ||
           now.size != state->size;
}

enum plat_io registry_uri(const struct plat_registry_key *map, const struct registry_place *place,
                          char *out, size_t cap)
{
    char path[2 * PLAT_REGISTRY_NAME_CAP], raw[REGISTRY_URI_CAP];
    (void)text_format(path, sizeof path, "%s\\%s", place->branch, place->leaf);
    enum plat_io io = plat_registry_text(map, path, "KeyUri", raw, sizeof raw);
    if (io != PLAT_IO_OK) {
        return io;
    }
    size_t len = strlen(raw);
    while (len > 0 && strchr("/ \t\r\n", raw[len - 1]) != NULL) {
        raw[--len] = '\0';
    }
    const char *start = raw + strspn(raw, " \t");
    bool has_scheme = strstr(start, "://") != NULL;
    return text_format(out, cap, "%s%s", has_scheme ? "" : "https://", start) ? PLAT_IO_OK
                                                                              : PLAT_IO_TOO_BIG;
}

/* One entry during the walk, before the size of the table is known; its text follows. */
struct found {
    uint64_t written;
    struct thumbprint thumbprint;
    size_t host_at, uri_at;
};

struct collecting {
    struct buf found, text;
    struct keymap_table table; /* without its memory */
};

static enum plat_io registry_collect_entry(struct collecting *all,
                                           const struct registry_place *place, const char *uri)
{
    char host[PLAT_REGISTRY_NAME_CAP];
    struct found found = {.written = place->written};
    (void)text_copy(host, sizeof host, place->branch);
    const char *bare = keymap_read_host(host);
    if (bare == NULL || !keymap_read_thumbprint(place->leaf, &found.thumbprint)) {
        return PLAT_IO_NOT_FILE;
    }
    found.host_at = all->text.len;
    found.uri_at = found.host_at + strlen(bare) + 1;
    bool kept = buf_append(&all->text, bare, strlen(bare) + 1) == EKM_OK &&
                buf_append(&all->text, uri, strlen(uri) + 1) == EKM_OK &&
                buf_append(&all->found, &found, sizeof found) == EKM_OK;
    return kept ? PLAT_IO_OK : PLAT_IO_FAILED;
}

/* An entry that is so new that its value may follow within the same clock tick. */
static bool is_young(uint64_t written)
{
    int64_t age_ms = plat_unix_time_ms() - ((int64_t)(written / 10000) - EPOCH_MS);
    return age_ms < YOUNG_MS && age_ms > -YOUNG_MS;
}

static enum plat_io visit_entry(void *context, const struct plat_registry_key *map,
                                const struct registry_place *place)
{
    struct collecting *all = context;
    char uri[REGISTRY_URI_CAP + 16];
    if (place == NULL) {
        buf_clear(&all->found);
        buf_clear(&all->text);
        memset(&all->table, 0, sizeof all->table);
        return PLAT_IO_OK;
    }
    add_to_state(&all->table.state, place);
    all->table.young = all->table.young || is_young(place->written);
    enum plat_io io = registry_uri(map, place, uri, sizeof uri);
    if (io == PLAT_IO_OK) {
        io = registry_collect_entry(all, place, uri);
    }
    if (io == PLAT_IO_OK || io == PLAT_IO_FAILED) {
        return io;
    }
    struct keymap_table *table = &all->table;
    if (table->broken < sizeof table->broken_lines / sizeof(size_t)) {
        table->broken_lines[table->broken] = (size_t)table->state.size;
    }
    table->broken++;
    return PLAT_IO_OK;
}

/* If several have the same time, as after an import, the last one in the walk counts, as it does
 * for the writer. */
static int by_time(const void *left, const void *right)
{
    const struct found *a = left, *b = right;
    int order = (a->written > b->written) - (a->written < b->written);
    return order != 0 ? order : (a->host_at > b->host_at) - (a->host_at < b->host_at);
}

/* Of several spellings of one entry the one that was written last must count: it comes last in the
 * text. */
static enum plat_io registry_build_table(struct collecting *all, struct keymap_table *table)
{
    size_t count = all->found.len / sizeof(struct found), at = 0;
    struct found *found = calloc(count + 1, sizeof *found);
    struct keymap_text *text = calloc(1, sizeof *text + all->text.len);
    *table = all->table;
    table->text = text;
    table->entries = calloc(count + 1, sizeof *table->entries);
    if (text != NULL) {
        text->cut = (char *)(text + 1);
        atomic_init(&text->tables, 1);
        text->entries = calloc(count + 1, sizeof *text->entries);
    }
    if (found == NULL || table->entries == NULL || text == NULL || text->entries == NULL) {
        free(found);
        keymap_table_free(table);
        return PLAT_IO_FAILED;
    }
    if (count > 0) {
        memcpy(found, all->found.data, count * sizeof *found);
        qsort(found, count, sizeof *found, by_time);
    }
    for (size_t i = 0; i < count; i++) {
        const char *host = (const char *)all->text.data + found[i].host_at;
        const char *uri = (const char *)all->text.data + found[i].uri_at;
        size_t host_size = strlen(host) + 1, uri_size = strlen(uri) + 1;
        char *place = text->cut + at;
        memcpy(place, host, host_size);
        memcpy(place + host_size, uri, uri_size);
        at += host_size + uri_size;
        text->entries[i] = (struct keymap_entry){place, place + host_size, found[i].thumbprint};
    }
    table->count = count;
    keymap_table_sort(table);
    free(found);
    return PLAT_IO_OK;
}

enum plat_io registry_load(const struct keymap_table *former, struct keymap_table *table)
{
    (void)former;
    struct collecting all = {.found = BUF_EMPTY(MAP_MAX_BYTES), .text = BUF_EMPTY(MAP_MAX_BYTES)};
    enum plat_io io = registry_visit(visit_entry, &all);
    if (io == PLAT_IO_OK) {
        io = registry_build_table(&all, table);
    }
    buf_free(&all.found);
    buf_free(&all.text);
    return io;
}
