/* The map of Windows, where Microsoft's connector keeps it (R43 to R47, behaviour.md section 5). */
#include "keymap/keymap_store.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"
#include "keymap/keymap_entry.h"
#include "platform/registry.h"

#define MAP_MAX_BYTES  ((size_t)64 * 1024 * 1024)
#define PROVIDERS_PATH "SOFTWARE\\Microsoft\\SQL Server Cryptographic Provider"
#define MAP_PATH       PROVIDERS_PATH "\\Azure Key Vault"
#define URI_CAP        1024

/* Where an entry was met: a key below a vault's branch, by the names as they are spelled there. */
struct place {
    const char *branch, *leaf;
    uint64_t written;
};

typedef enum plat_io place_visitor(void *context, const struct plat_registry_key *map,
                                   const struct place *place);

void keymap_store_start(const struct config *config)
{
    if (config->keymap_file[0] != '\0') {
        log_text(LEVEL_ERROR, 0, "keymap", "keymap_file is ignored: here the map is in HKLM\\%s",
                 MAP_PATH);
    }
}

const char *keymap_store_name(void)
{
    return "HKLM\\" MAP_PATH;
}

static enum plat_io visit_branch(const struct plat_registry_key *map, const char *branch,
                                 place_visitor *visit, void *context)
{
    struct plat_registry_key key = {NULL};
    char leaf[PLAT_REGISTRY_NAME_CAP];
    enum plat_io io = plat_registry_open(map, branch, PLAT_REGISTRY_READ, &key);
    if (io == PLAT_IO_DENIED) {
        /* Somebody else's: it counts as one thing that is no entry, and hides nothing else. */
        const struct place closed = {branch, "", 0};
        return visit(context, map, &closed);
    }
    for (uint32_t i = 0; io == PLAT_IO_OK; i++) {
        struct place place = {branch, leaf, 0};
        io = plat_registry_next(&key, i, leaf, sizeof leaf, &place.written);
        io = io == PLAT_IO_OK ? visit(context, map, &place) : io;
    }
    plat_registry_close(&key);
    return io == PLAT_IO_ABSENT ? PLAT_IO_OK : io;
}

/* Everything that could be an entry; `Log` and the like, being no hosts with a dot, are not. An
 * absent map is an empty one. */
static enum plat_io visit_all(place_visitor *visit, void *context)
{
    struct plat_registry_key map = {NULL};
    char branch[PLAT_REGISTRY_NAME_CAP];
    uint64_t written = 0;
    enum plat_io io = plat_registry_open(NULL, MAP_PATH, PLAT_REGISTRY_READ, &map);
    for (uint32_t i = 0; io == PLAT_IO_OK; i++) {
        io = plat_registry_next(&map, i, branch, sizeof branch, &written);
        if (io == PLAT_IO_OK && strchr(branch, '.') != NULL) {
            io = visit_branch(&map, branch, visit, context);
        }
    }
    plat_registry_close(&map);
    return io == PLAT_IO_ABSENT ? PLAT_IO_OK : io;
}

static uint64_t mix(uint64_t hash, const void *data, size_t len)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ bytes[i]) * 0x100000001B3;
    }
    return hash;
}

/* Names and times of all entries: whatever is written, somewhere a time changes. */
static void add_to_state(struct plat_file_state *state, const struct place *place)
{
    uint64_t hash = state->inode != 0 ? state->inode : 0xCBF29CE484222325;
    hash = mix(hash, place->branch, strlen(place->branch) + 1);
    hash = mix(hash, place->leaf, strlen(place->leaf) + 1);
    hash = mix(hash, &place->written, sizeof place->written);
    state->inode = hash;
    state->size++;
}

static enum plat_io visit_state(void *context, const struct plat_registry_key *map,
                                const struct place *place)
{
    (void)map;
    add_to_state(context, place);
    return PLAT_IO_OK;
}

bool keymap_store_changed(const struct plat_file_state *state)
{
    struct plat_file_state now = {0, 0, 0, 0};
    return visit_all(visit_state, &now) != PLAT_IO_OK || now.inode != state->inode ||
           now.size != state->size;
}

/* Reads an entry's KeyUri as others may have spelled it. */
static enum plat_io read_uri(const struct plat_registry_key *map, const struct place *place,
                             char *out, size_t cap)
{
    char path[2 * PLAT_REGISTRY_NAME_CAP], raw[URI_CAP];
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

/* One entry as it is collected, before the table's memory is known; the text follows. */
struct found {
    uint64_t written;
    struct thumbprint thumbprint;
    size_t host_at, uri_at;
};

struct collecting {
    struct buf found, text;
    struct keymap_table table; /* without its memory */
};

static enum plat_io collect(struct collecting *all, const struct place *place, const char *uri)
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

static enum plat_io visit_entry(void *context, const struct plat_registry_key *map,
                                const struct place *place)
{
    struct collecting *all = context;
    char uri[URI_CAP + 16];
    add_to_state(&all->table.state, place);
    enum plat_io io = read_uri(map, place, uri, sizeof uri);
    if (io == PLAT_IO_OK) {
        io = collect(all, place, uri);
    }
    if (io == PLAT_IO_OK || io == PLAT_IO_FAILED) {
        return io;
    }
    if (all->table.broken++ == 0) {
        all->table.first_broken_line = (size_t)all->table.state.size;
    }
    if (io == PLAT_IO_ABSENT) {
        /* Perhaps made just now, its value to follow within the same tick of the clock: the state
         * must not look settled. */
        all->table.state.inode ^= 1;
    }
    return PLAT_IO_OK;
}

static int by_time(const void *left, const void *right)
{
    const struct found *a = left, *b = right;
    return (a->written > b->written) - (a->written < b->written);
}

/* Of several spellings of one entry the one written last must count: it comes last in the text. */
static enum plat_io build(struct collecting *all, struct keymap_table *table)
{
    size_t count = all->found.len / sizeof(struct found), at = 0;
    struct found *found = calloc(count + 1, sizeof *found);
    *table = all->table;
    table->entries = calloc(count + 1, sizeof *table->entries);
    table->text = calloc(1, all->text.len + 1);
    if (found == NULL || table->entries == NULL || table->text == NULL) {
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
        char *place = table->text + at;
        memcpy(place, host, host_size);
        memcpy(place + host_size, uri, uri_size);
        at += host_size + uri_size;
        table->entries[i] = (struct keymap_entry){place, place + host_size, found[i].thumbprint};
    }
    table->count = count;
    keymap_table_sort(table);
    free(found);
    return PLAT_IO_OK;
}

enum plat_io keymap_store_load(struct keymap_table *table)
{
    struct collecting all = {.found = BUF_EMPTY(MAP_MAX_BYTES), .text = BUF_EMPTY(MAP_MAX_BYTES)};
    enum plat_io io = visit_all(visit_entry, &all);
    if (io == PLAT_IO_OK) {
        io = build(&all, table);
    }
    buf_free(&all.found);
    buf_free(&all.text);
    return io;
}

/* Where an entry is to be written, and how its branch spells such names. */
struct search {
    const struct keymap_entry *entry;
    char branch[PLAT_REGISTRY_NAME_CAP], leaf[PLAT_REGISTRY_NAME_CAP];
    uint64_t leaf_written, branch_written;
    const struct key_name *seen;
    enum keymap_standing standing; /* what the leaf names */
    bool has_leaf, lower, prefixed;
};

static bool has_lower_hex(const char *text)
{
    return strpbrk(text, "abcdef") != NULL;
}

static enum plat_io visit_search(void *context, const struct plat_registry_key *map,
                                 const struct place *place)
{
    struct search *search = context;
    char host[PLAT_REGISTRY_NAME_CAP], uri[URI_CAP + 16];
    struct thumbprint thumbprint;
    (void)text_copy(host, sizeof host, place->branch);
    const char *bare = keymap_read_host(host);
    if (bare == NULL || strcmp(bare, search->entry->host) != 0 ||
        !keymap_read_thumbprint(place->leaf, &thumbprint)) {
        return PLAT_IO_OK;
    }
    if (thumbprint_equal(&thumbprint, &search->entry->thumbprint) &&
        (!search->has_leaf || place->written >= search->leaf_written)) {
        search->has_leaf = true;
        search->leaf_written = place->written;
        search->standing = read_uri(map, place, uri, sizeof uri) == PLAT_IO_OK
                               ? keymap_entry_standing(uri, search->entry, search->seen)
                               : KEYMAP_YIELDS;
        (void)text_copy(search->branch, sizeof search->branch, place->branch);
        (void)text_copy(search->leaf, sizeof search->leaf, place->leaf);
    } else if (!search->has_leaf && place->written >= search->branch_written) {
        search->branch_written = place->written;
        search->prefixed = text_equal_nocase_n(place->leaf, "0x", 2);
        search->lower = has_lower_hex(place->leaf);
        (void)text_copy(search->branch, sizeof search->branch, place->branch);
    }
    return PLAT_IO_OK;
}

/* A vault's branch without entries still says how its name is spelled. */
static enum plat_io find_empty_branch(struct search *search)
{
    struct plat_registry_key map = {NULL};
    char branch[PLAT_REGISTRY_NAME_CAP], host[PLAT_REGISTRY_NAME_CAP];
    uint64_t written = 0;
    enum plat_io io = plat_registry_open(NULL, MAP_PATH, PLAT_REGISTRY_READ, &map);
    for (uint32_t i = 0; io == PLAT_IO_OK && search->branch[0] == '\0'; i++) {
        io = plat_registry_next(&map, i, branch, sizeof branch, &written);
        (void)text_copy(host, sizeof host, io == PLAT_IO_OK ? branch : "");
        const char *bare = keymap_read_host(host);
        if (bare != NULL && strcmp(bare, search->entry->host) == 0) {
            (void)text_copy(search->branch, sizeof search->branch, branch);
        }
    }
    plat_registry_close(&map);
    return io == PLAT_IO_ABSENT ? PLAT_IO_OK : io;
}

/* In the connector's spelling, or in that of the branch's other entries. */
static void spell(struct search *search)
{
    char hex[2 * THUMBPRINT_MAX_BYTES + 1];
    if (search->branch[0] == '\0') {
        (void)text_format(search->branch, sizeof search->branch, "https://%s", search->entry->host);
    }
    if (!search->has_leaf) {
        thumbprint_text(&search->entry->thumbprint, hex);
        if (search->lower) {
            text_lower(hex);
        }
        (void)text_format(search->leaf, sizeof search->leaf, "%s%s", search->prefixed ? "0x" : "",
                          hex);
    }
}

/* For writing. It is made if it is not there, but the key of R43 above it is the administrator's to
 * make. Rights are asked of the key above first: not every system judges it when one below is made.
 */
static enum plat_io open_map(struct plat_registry_key *map)
{
    struct plat_registry_key providers = {NULL};
    enum plat_io io = plat_registry_open(NULL, MAP_PATH, PLAT_REGISTRY_WRITE, map);
    if (io != PLAT_IO_ABSENT) {
        return io;
    }
    io = plat_registry_open(NULL, PROVIDERS_PATH, PLAT_REGISTRY_WRITE, &providers);
    if (io == PLAT_IO_OK) {
        io = plat_registry_create(&providers, "Azure Key Vault", map);
    }
    plat_registry_close(&providers);
    return io;
}

/* A value was set, but not flushed. */
static atomic_bool is_unsettled;

bool keymap_store_settled(const struct plat_file_state *state)
{
    (void)state;
    return !atomic_load(&is_unsettled);
}

static enum plat_io write_entry(const struct search *search)
{
    struct plat_registry_key map = {NULL}, leaf = {NULL};
    char path[2 * PLAT_REGISTRY_NAME_CAP];
    (void)text_format(path, sizeof path, "%s\\%s", search->branch, search->leaf);
    enum plat_io io = open_map(&map);
    if (io == PLAT_IO_OK) {
        io = plat_registry_create(&map, path, &leaf);
    }
    if (io == PLAT_IO_OK) {
        atomic_store(&is_unsettled, true);
        io = plat_registry_set_text(&leaf, "KeyUri", search->entry->uri);
    }
    if (io == PLAT_IO_OK) {
        io = plat_registry_flush(&leaf);
    }
    if (io == PLAT_IO_OK) {
        atomic_store(&is_unsettled, false);
    }
    plat_registry_close(&leaf);
    plat_registry_close(&map);
    return io;
}

enum plat_io keymap_store_put(const struct call *call, uint64_t until_ms,
                              const struct keymap_entry *entry, const struct key_name *seen,
                              struct keymap_table *after)
{
    struct search search = {.entry = entry, .seen = seen};
    (void)call; /* one value is written at a time: there is nothing to wait for */
    (void)until_ms;
    enum plat_io io = visit_all(visit_search, &search);
    if (io == PLAT_IO_OK && search.branch[0] == '\0') {
        io = find_empty_branch(&search);
    }
    bool stands = search.standing == KEYMAP_THIRD ||
                  (search.standing == KEYMAP_SAME && keymap_store_settled(&after->state));
    if (io == PLAT_IO_OK && !stands) {
        spell(&search);
        io = write_entry(&search);
    }
    return io == PLAT_IO_OK ? keymap_store_load(after) : io;
}

enum plat_io keymap_store_probe(const struct call *call, uint64_t until_ms,
                                struct keymap_table *after)
{
    struct plat_registry_key map = {NULL};
    (void)call;
    (void)until_ms;
    enum plat_io io = open_map(&map);
    plat_registry_close(&map);
    return io == PLAT_IO_OK ? keymap_store_load(after) : io;
}
