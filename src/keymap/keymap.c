#include "keymap/keymap.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "keymap/keymap_store.h"
#include "keymap/old_rule.h"
#include "platform/thread.h"

/* A state of the store that lookups share; its last user frees it. */
struct snapshot {
    struct keymap_table table;
    unsigned references; /* guarded by `shared.lock` */
};

static struct {
    struct plat_mutex lock;
    struct snapshot *current; /* NULL: nothing could be read yet */
} shared = {PLAT_MUTEX_INIT, NULL};
static enum plat_io reported_io;
static size_t reported_broken, reported_lines[8];

static void snapshot_put(struct snapshot *snapshot)
{
    if (snapshot == NULL) {
        return;
    }
    plat_mutex_lock(&shared.lock);
    bool last = --snapshot->references == 0;
    plat_mutex_unlock(&shared.lock);
    if (last) {
        keymap_table_free(&snapshot->table);
        free(snapshot);
    }
}

static struct snapshot *snapshot_get(void)
{
    plat_mutex_lock(&shared.lock);
    struct snapshot *snapshot = shared.current;
    if (snapshot != NULL) {
        snapshot->references++;
    }
    plat_mutex_unlock(&shared.lock);
    return snapshot;
}

/* Reports each new problem once. */
static void report_unreadable(enum plat_io io)
{
    plat_mutex_lock(&shared.lock);
    bool is_new = io != reported_io;
    reported_io = io;
    plat_mutex_unlock(&shared.lock);
    if (is_new && io != PLAT_IO_OK) {
        log_text(LEVEL_ERROR, 0, "keymap", "%s cannot be read: %s", keymap_store_name(),
                 plat_io_text(io));
    }
}

/* Names the first lines that cannot be read. The other lines count. */
static void report_broken(const struct keymap_table *table)
{
    char others[128] = "";
    size_t named = sizeof table->broken_lines / sizeof table->broken_lines[0];
    plat_mutex_lock(&shared.lock);
    bool is_new = table->broken != reported_broken ||
                  memcmp(table->broken_lines, reported_lines, sizeof reported_lines) != 0;
    reported_broken = table->broken;
    memcpy(reported_lines, table->broken_lines, sizeof reported_lines);
    plat_mutex_unlock(&shared.lock);
    if (!is_new || table->broken == 0) {
        return;
    }
    for (size_t i = 1; i < table->broken && i < named; i++) {
        size_t len = strlen(others);
        (void)text_format(others + len, sizeof others - len, "%s%zu", i == 1 ? ", then " : ", ",
                          table->broken_lines[i]);
    }
    log_text(LEVEL_ERROR, 0, "keymap",
             "%s: lines that are not entries (kept as they are): %zu, the first is line %zu%s%s",
             keymap_store_name(), table->broken, table->broken_lines[0], others,
             table->broken > named ? " and more" : "");
}

/* The library never removes an entry, so another program did. A lookup that another one overtook
 * may see fewer entries, but its state is no longer the current one. */
static void report_fewer(const struct plat_file_state *state, size_t count, size_t former)
{
    if (count < former && !keymap_store_changed(state)) {
        log_text(LEVEL_ERROR, 0, "keymap", "%s has %zu entries; it had %zu before",
                 keymap_store_name(), count, former);
    }
}

/* Takes over the table's content, also on failure; false: no memory. */
static bool keymap_install_table(struct keymap_table *table)
{
    struct snapshot *next = calloc(1, sizeof *next);
    if (next == NULL) {
        keymap_table_free(table);
        return false;
    }
    next->table = *table;
    next->references = 1;
    plat_mutex_lock(&shared.lock);
    struct snapshot *former = shared.current;
    shared.current = next;
    plat_mutex_unlock(&shared.lock);
    report_unreadable(PLAT_IO_OK);
    report_broken(table);
    report_fewer(&table->state, table->count, former != NULL ? former->table.count : 0);
    snapshot_put(former);
    return true;
}

static const struct keymap_table *former_table(const struct snapshot *snapshot)
{
    return snapshot != NULL ? &snapshot->table : NULL;
}

/* The current store, or its last state that could be read; NULL if it never could be read. *io: OK
 * if it is the current one. */
static struct snapshot *refresh_and_tell(enum plat_io *io)
{
    struct snapshot *snapshot = snapshot_get();
    *io = PLAT_IO_OK;
    if (snapshot != NULL && !snapshot->table.young &&
        !keymap_store_changed(&snapshot->table.state)) {
        return snapshot;
    }
    struct keymap_table table = {.text = NULL};
    *io = keymap_store_load(former_table(snapshot), &table);
    if (*io == PLAT_IO_OK && !keymap_install_table(&table)) {
        *io = PLAT_IO_FAILED;
    }
    if (*io != PLAT_IO_OK) {
        report_unreadable(*io);
        return snapshot;
    }
    snapshot_put(snapshot);
    return snapshot_get();
}

static struct snapshot *keymap_refresh_snapshot(void)
{
    enum plat_io io;
    return refresh_and_tell(&io);
}

void keymap_start(const struct config *config)
{
    reported_io = PLAT_IO_OK;
    reported_broken = 0;
    memset(reported_lines, 0, sizeof reported_lines);
    keymap_store_start(config);
    snapshot_put(keymap_refresh_snapshot());
}

void keymap_stop(void)
{
    plat_mutex_lock(&shared.lock);
    struct snapshot *former = shared.current;
    shared.current = NULL;
    plat_mutex_unlock(&shared.lock);
    snapshot_put(former);
}

size_t keymap_count(void)
{
    struct snapshot *snapshot = keymap_refresh_snapshot();
    size_t count = snapshot != NULL ? snapshot->table.count : 0;
    snapshot_put(snapshot);
    return count;
}

/* The first entry that does not come before (thumbprint, host). */
static size_t lower_bound(const struct keymap_table *table, const struct thumbprint *thumbprint,
                          const char *host)
{
    const struct keymap_entry wanted = {host, "", *thumbprint};
    return keymap_table_rank(table, &wanted, false);
}

static bool is_usable(const struct keymap_entry *entry, struct key_id *out)
{
    return key_uri_parse(entry->uri, entry->host, out) && out->version[0] != '\0' &&
           (!old_rule_length(&entry->thumbprint) || old_rule_fits(&entry->thumbprint, out->name));
}

/* Whether a later line has the same host and thumbprint. */
static bool is_outdated(const struct keymap_table *table, size_t i)
{
    return i + 1 < table->count &&
           keymap_entry_order(table->entries[i], table->entries[i + 1]) == 0;
}

static bool find_in(const struct keymap_table *table, const char *host,
                    const struct thumbprint *thumbprint, struct key_id *out)
{
    size_t i = lower_bound(table, thumbprint, host);
    while (i < table->count && is_outdated(table, i)) {
        i++;
    }
    return i < table->count && strcmp(table->entries[i]->host, host) == 0 &&
           thumbprint_equal(&table->entries[i]->thumbprint, thumbprint) &&
           is_usable(table->entries[i], out);
}

enum ekm_rc keymap_find(struct call *call, const char *host, const struct thumbprint *thumbprint,
                        struct key_id *out)
{
    struct snapshot *snapshot = keymap_refresh_snapshot();
    bool found = snapshot != NULL && find_in(&snapshot->table, host, thumbprint, out);
    (void)call;
    snapshot_put(snapshot);
    return found ? EKM_OK : EKM_NOT_FOUND;
}

enum ekm_rc keymap_find_elsewhere(struct call *call, const char *host,
                                  const struct thumbprint *thumbprint, size_t index,
                                  struct key_id *out)
{
    struct snapshot *snapshot = keymap_refresh_snapshot();
    bool found = false;
    (void)call;
    if (snapshot != NULL) {
        const struct keymap_table *table = &snapshot->table;
        size_t i = lower_bound(table, thumbprint, "");
        for (; !found && i < table->count; i++) {
            const struct keymap_entry *entry = table->entries[i];
            if (!thumbprint_equal(&entry->thumbprint, thumbprint)) {
                break;
            }
            bool usable =
                strcmp(entry->host, host) != 0 && !is_outdated(table, i) && is_usable(entry, out);
            found = usable && index-- == 0;
        }
    }
    snapshot_put(snapshot);
    return found ? EKM_OK : EKM_NOT_FOUND;
}

enum ekm_rc keymap_find_key(struct call *call, const char *host, const struct key_id *key,
                            struct thumbprint *out)
{
    struct snapshot *snapshot = keymap_refresh_snapshot();
    bool found = false;
    (void)call;
    for (size_t i = 0; snapshot != NULL && !found && i < snapshot->table.count; i++) {
        const struct keymap_entry *entry = snapshot->table.entries[i];
        struct key_id name;
        found = strcmp(entry->host, host) == 0 && !is_outdated(&snapshot->table, i) &&
                is_usable(entry, &name) && key_id_equal(&name, key);
        if (found) {
            *out = entry->thumbprint;
        }
    }
    snapshot_put(snapshot);
    return found ? EKM_OK : EKM_NOT_FOUND;
}

enum ekm_rc keymap_find_other(struct call *call, const char *host, const char *name,
                              const struct thumbprint *thumbprint)
{
    enum plat_io io;
    struct snapshot *snapshot = refresh_and_tell(&io);
    bool found = false;
    for (size_t i = 0; snapshot != NULL && !found && i < snapshot->table.count; i++) {
        const struct keymap_entry *entry = snapshot->table.entries[i];
        struct key_id key;
        found = strcmp(entry->host, host) == 0 && key_uri_parse(entry->uri, host, &key) &&
                text_equal_nocase(key.name, name) &&
                !thumbprint_equal(&entry->thumbprint, thumbprint);
    }
    snapshot_put(snapshot);
    if (io != PLAT_IO_OK) {
        return call_fail(call, EKM_MAP_FAILED, "%s cannot be read: %s", keymap_store_name(),
                         plat_io_text(io));
    }
    return found ? EKM_OK : EKM_NOT_FOUND;
}

/* Whether the entry is durable. A remembered state does not prove that if the store cannot be read
 * now. */
static bool keymap_is_durable(const char *host, const struct thumbprint *thumbprint,
                              const struct key_id *key)
{
    struct key_id standing;
    enum plat_io io;
    struct snapshot *snapshot = refresh_and_tell(&io);
    bool same = snapshot != NULL && find_in(&snapshot->table, host, thumbprint, &standing) &&
                key_id_equal(&standing, key);
    same = same && io == PLAT_IO_OK && keymap_store_settled(&snapshot->table.state);
    snapshot_put(snapshot);
    return same;
}

/* The result of a write; takes over the table. */
static enum ekm_rc keymap_finish_write(struct call *call, enum plat_io io,
                                       struct keymap_table *after)
{
    if (io == PLAT_IO_OK) {
        (void)keymap_install_table(after);
        return EKM_OK;
    }
    if (call_aborted(call)) {
        return call_fail(call, EKM_CLOSING, NULL);
    }
    return call_fail(call, EKM_MAP_FAILED, "%s cannot be written: %s", keymap_store_name(),
                     plat_io_text(io));
}

enum ekm_rc keymap_put(struct call *call, uint64_t until_ms, const char *host,
                       const struct thumbprint *thumbprint, const struct key_id *key,
                       const struct key_id *seen)
{
    char uri[KEY_URI_MAX + 1];
    struct key_id standing;
    struct keymap_table after = {.text = NULL};
    if (!key_uri_format(uri, sizeof uri, host, key)) {
        return call_fail(call, EKM_INTERNAL, "the KeyUri is too long");
    }
    if (keymap_is_durable(host, thumbprint, key)) {
        return EKM_OK;
    }
    struct keymap_entry entry = {host, uri, *thumbprint};
    struct snapshot *snapshot = snapshot_get();
    enum plat_io io =
        keymap_store_put(call, until_ms, &entry, seen, former_table(snapshot), &after);
    bool other = io == PLAT_IO_OK && find_in(&after, host, thumbprint, &standing) &&
                 !key_id_equal(&standing, key);
    enum ekm_rc rc = keymap_finish_write(call, io, &after);
    snapshot_put(snapshot);
    if (rc != EKM_OK) {
        return rc;
    }
    if (other) {
        return call_fail(call, EKM_OTHER_KEY, "the map now names %s/%s for this thumbprint",
                         standing.name, standing.version);
    }
    return EKM_OK;
}

enum ekm_rc keymap_probe(struct call *call, uint64_t until_ms, const char *host)
{
    struct keymap_table after = {.text = NULL};
    struct snapshot *snapshot = snapshot_get();
    enum plat_io io = keymap_store_probe(call, until_ms, host, former_table(snapshot), &after);
    snapshot_put(snapshot);
    return keymap_finish_write(call, io, &after);
}
