/* Writes the map of Windows in the spelling that it already has, and flushes it before it
 * counts. */
#include <string.h>

#include "base/text.h"
#include "keymap/keymap_entry.h"
#include "keymap/keymap_registry.h"
#include "keymap/keymap_stores.h"
#include "platform/thread.h"

/* Where to write an entry, and how its branch spells such names. */
struct search {
    const struct keymap_entry *entry;
    char branch[PLAT_REGISTRY_NAME_CAP], leaf[PLAT_REGISTRY_NAME_CAP];
    uint64_t leaf_written, branch_written;
    const struct key_id *seen;
    enum keymap_standing standing; /* the key that the value names */
    bool has_leaf, lower, prefixed;
};

static bool has_lower_hex(const char *text)
{
    return strpbrk(text, "abcdef") != NULL;
}

static enum plat_io visit_search(void *context, const struct plat_registry_key *map,
                                 const struct registry_place *place)
{
    struct search *search = context;
    char host[PLAT_REGISTRY_NAME_CAP], uri[REGISTRY_URI_CAP + 16];
    struct thumbprint thumbprint;
    if (place == NULL) {
        *search = (struct search){.entry = search->entry, .seen = search->seen};
        return PLAT_IO_OK;
    }
    (void)text_copy(host, sizeof host, place->branch);
    const char *bare = keymap_read_host(host);
    if (bare == NULL || strcmp(bare, search->entry->host) != 0 ||
        !keymap_read_thumbprint(place->leaf, &thumbprint)) {
        return PLAT_IO_OK;
    }
    if (thumbprint_equal(&thumbprint, &search->entry->thumbprint) &&
        (!search->has_leaf || place->written >= search->leaf_written)) {
        enum plat_io io = registry_uri(map, place, uri, sizeof uri);
        if (io != PLAT_IO_OK && io != PLAT_IO_ABSENT && io != PLAT_IO_TOO_BIG) {
            return io; /* which key it names is unknown */
        }
        search->has_leaf = true;
        search->leaf_written = place->written;
        search->standing = io == PLAT_IO_OK
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

/* A vault's branch without entries still shows how its name is spelled. */
static enum plat_io find_empty_branch(struct search *search)
{
    struct plat_registry_key map = {NULL};
    char branch[PLAT_REGISTRY_NAME_CAP], host[PLAT_REGISTRY_NAME_CAP];
    uint64_t written = 0;
    enum plat_io io = plat_registry_open(NULL, REGISTRY_MAP, PLAT_REGISTRY_READ, &map);
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
static void registry_choose_spelling(struct search *search)
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

/* Opens for writing and creates the key if it does not exist. The key of R43 above it must be
 * created by the administrator. Checks the rights of that key first, because not every system
 * checks them when a subkey is created. */
static enum plat_io open_map(struct plat_registry_key *map)
{
    struct plat_registry_key providers = {NULL};
    enum plat_io io = plat_registry_open(NULL, REGISTRY_MAP, PLAT_REGISTRY_WRITE, map);
    if (io != PLAT_IO_ABSENT) {
        return io;
    }
    io = plat_registry_open(NULL, REGISTRY_PROVIDERS, PLAT_REGISTRY_WRITE, &providers);
    if (io == PLAT_IO_OK) {
        io = plat_registry_create(&providers, "Azure Key Vault", map);
    }
    plat_registry_close(&providers);
    return io;
}

/* The last state of the map that this process knew to be durable. */
static struct plat_mutex lock = PLAT_MUTEX_INIT;
static struct plat_file_state settled;

/* Flushes the whole hive, so everything read in this state is on disk afterwards, whoever wrote
 * it. */
static enum plat_io registry_flush_state(const struct plat_file_state *state)
{
    struct plat_registry_key map = {NULL};
    enum plat_io io = plat_registry_open(NULL, REGISTRY_MAP, PLAT_REGISTRY_READ, &map);
    if (io == PLAT_IO_OK) {
        io = plat_registry_flush(&map);
    }
    if (io == PLAT_IO_OK) {
        plat_mutex_lock(&lock);
        settled = *state;
        plat_mutex_unlock(&lock);
    }
    plat_registry_close(&map);
    return io;
}

static bool registry_settled(const struct plat_file_state *state)
{
    plat_mutex_lock(&lock);
    bool known = settled.inode == state->inode && settled.size == state->size;
    plat_mutex_unlock(&lock);
    return known || registry_flush_state(state) == PLAT_IO_OK;
}

static enum plat_io registry_write_entry(const struct search *search)
{
    struct plat_registry_key map = {NULL}, leaf = {NULL};
    char path[2 * PLAT_REGISTRY_NAME_CAP];
    (void)text_format(path, sizeof path, "%s\\%s", search->branch, search->leaf);
    enum plat_io io = open_map(&map);
    if (io == PLAT_IO_OK) {
        io = plat_registry_create(&map, path, &leaf);
    }
    if (io == PLAT_IO_OK) {
        io = plat_registry_set_text(&leaf, "KeyUri", search->entry->uri);
    }
    plat_registry_close(&leaf);
    plat_registry_close(&map);
    return io;
}

static enum plat_io registry_find_entry(struct search *search)
{
    enum plat_io io = registry_visit(visit_search, search);
    return io == PLAT_IO_OK && search->branch[0] == '\0' ? find_empty_branch(search) : io;
}

/* The current map, on disk. */
static enum plat_io load_settled(struct keymap_table *after)
{
    enum plat_io io = registry_load(NULL, after);
    if (io == PLAT_IO_OK) {
        io = registry_flush_state(&after->state);
    }
    if (io != PLAT_IO_OK) {
        keymap_table_free(after);
    }
    return io;
}

/* Needs no lock between processes: each entry is a registry key of its own, so no writer can lose
 * another's entry. Two that write the same thumbprint at once both have a key that gives it, and
 * the KeyUri that comes last serves both. */
static enum plat_io registry_put(const struct call *call, uint64_t until_ms,
                                 const struct keymap_entry *entry, const struct key_id *seen,
                                 const struct keymap_table *former, struct keymap_table *after)
{
    struct search search = {.entry = entry, .seen = seen};
    (void)call; /* there is no lock to wait for */
    (void)until_ms;
    (void)former;
    enum plat_io io = registry_find_entry(&search);
    if (io == PLAT_IO_OK && search.standing == KEYMAP_YIELDS) {
        registry_choose_spelling(&search);
        io = registry_write_entry(&search);
    }
    return io == PLAT_IO_OK ? load_settled(after) : io;
}

/* Rights may differ between branches. */
static enum plat_io registry_probe(const struct call *call, uint64_t until_ms, const char *host,
                                   const struct keymap_table *former, struct keymap_table *after)
{
    const struct keymap_entry any = {.host = host};
    struct search search = {.entry = &any};
    struct plat_registry_key map = {NULL}, branch = {NULL};
    (void)call;
    (void)until_ms;
    (void)former;
    enum plat_io io = registry_find_entry(&search);
    if (io == PLAT_IO_OK) {
        io = open_map(&map);
    }
    if (io == PLAT_IO_OK && search.branch[0] != '\0') {
        io = plat_registry_open(&map, search.branch, PLAT_REGISTRY_WRITE, &branch);
    }
    plat_registry_close(&branch);
    plat_registry_close(&map);
    return io == PLAT_IO_OK ? load_settled(after) : io;
}

static void registry_start(const struct config *config)
{
    (void)config; /* there is one place */
}

static const char *registry_name(void)
{
    return "HKLM\\" REGISTRY_MAP;
}

const struct keymap_store keymap_registry_store = {
    .start = registry_start,
    .name = registry_name,
    .changed = registry_changed,
    .settled = registry_settled,
    .load = registry_load,
    .put = registry_put,
    .probe = registry_probe,
    .visit_tenants = tenants_registry_visit,
    .put_tenant = tenants_registry_put,
};
