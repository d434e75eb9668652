#include "keymap/keymap_stores.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "keymap/keymap_text.h"
#include "platform/atomic_file.h"
#include "platform/system.h"
#include "platform/thread.h"

#define FILE_MAX_BYTES ((size_t)64 * 1024 * 1024)
#define PIECE_BYTES    ((size_t)64 * 1024)
/* The coarsest clock of a file system: two changes within this time may have the same time
 * stamp. */
#define YOUNG_MS 2000

static char map_path[1024];
/* A new file may be there whose folder was not flushed; the next write starts again. */
static atomic_bool is_unsettled;
/* The last state of the file that this process knew to be durable. */
static struct plat_mutex lock = PLAT_MUTEX_INIT;
static struct plat_file_state settled;

static void note_settled(const struct plat_file_state *state)
{
    plat_mutex_lock(&lock);
    settled = *state;
    plat_mutex_unlock(&lock);
}

static void keymap_file_start(const struct config *config)
{
    (void)text_copy(map_path, sizeof map_path, config->keymap_file);
    atomic_store(&is_unsettled, false);
    note_settled(&(struct plat_file_state){0, 0, 0, 0});
}

static const char *keymap_file_name(void)
{
    return map_path;
}

static enum plat_io read_all(int handle, size_t size, struct keymap_table *table)
{
    size_t len = 0;
    struct keymap_text *text = keymap_text_new(size);
    if (text == NULL) {
        return PLAT_IO_FAILED;
    }
    enum plat_io io = handle >= 0 ? plat_file_read(handle, text->raw, size, &len) : PLAT_IO_OK;
    if (io != PLAT_IO_OK) {
        keymap_text_release(text);
        return io;
    }
    return keymap_text_table(text, len, table) ? PLAT_IO_OK : PLAT_IO_FAILED;
}

/* Reads what comes after the bytes of `former`; *same: the file begins with these. */
static enum plat_io read_more(int handle, size_t size, const struct keymap_table *former,
                              struct keymap_table *table, bool *same)
{
    const size_t known = former->raw_len, more = size - known;
    char *piece = malloc(more > PIECE_BYTES ? more : PIECE_BYTES);
    enum plat_io io = piece != NULL ? PLAT_IO_OK : PLAT_IO_FAILED;
    for (size_t at = 0, len; io == PLAT_IO_OK && *same && at < known; at += len) {
        size_t wanted = known - at < PIECE_BYTES ? known - at : PIECE_BYTES;
        io = plat_file_read_on(handle, piece, wanted, &len);
        *same = len == wanted && memcmp(piece, former->text->raw + at, len) == 0;
    }
    if (io == PLAT_IO_OK && *same) {
        size_t len = 0;
        io = plat_file_read(handle, piece, more, &len);
        if (io == PLAT_IO_OK && !keymap_text_continue(former, piece, len, table)) {
            io = PLAT_IO_FAILED;
        }
    }
    free(piece);
    return io;
}

static void note_state(struct keymap_table *table, const struct plat_file_state *state)
{
    int64_t age_ms = plat_unix_time_ms() - state->modified_ns / 1000000;
    table->state = *state;
    table->young = state->inode != 0 && age_ms < YOUNG_MS && age_ms > -YOUNG_MS;
}

/* A missing file counts as empty. */
static enum plat_io keymap_file_load(const struct keymap_table *former, struct keymap_table *table)
{
    int handle = -1;
    struct plat_file_state state = {0, 0, 0, 0};
    enum plat_io io = plat_file_open(map_path, PLAT_TRUST_ANY, &handle, &state);
    if (io != PLAT_IO_OK && io != PLAT_IO_ABSENT) {
        return io;
    }
    bool same = former != NULL && handle >= 0 && state.size >= former->raw_len;
    if (state.size > FILE_MAX_BYTES) {
        io = PLAT_IO_TOO_BIG;
    } else if (same) {
        io = read_more(handle, (size_t)state.size, former, table, &same);
        if (io == PLAT_IO_OK && !same) {
            plat_file_close(&handle);
            return keymap_file_load(NULL, table);
        }
    } else {
        io = read_all(handle, (size_t)state.size, table);
    }
    if (io == PLAT_IO_OK) {
        note_state(table, &state);
    } else if (io == PLAT_IO_TOO_BIG && state.size <= FILE_MAX_BYTES) {
        io = PLAT_IO_CHANGED; /* another program is appending to it */
    }
    plat_file_close(&handle);
    return io;
}

static bool keymap_file_changed(const struct plat_file_state *state)
{
    struct plat_file_state now;
    enum plat_io io = plat_file_state(map_path, &now);
    return (io != PLAT_IO_OK && io != PLAT_IO_ABSENT) || !plat_file_state_equal(&now, state);
}

static bool keymap_file_settled(const struct plat_file_state *state)
{
    if (atomic_load(&is_unsettled)) {
        return false;
    }
    plat_mutex_lock(&lock);
    bool known = plat_file_state_equal(&settled, state);
    plat_mutex_unlock(&lock);
    if (known) {
        return true;
    }
    /* Its writer may have been killed before the last flush. A process that may not open the folder
     * did not write it; one that did write it must be able to flush it. */
    enum plat_io io = plat_file_flush(map_path);
    if (io == PLAT_IO_OK) {
        note_settled(state);
    }
    return io == PLAT_IO_OK || io == PLAT_IO_DENIED;
}

/* Replaces the whole file, which is in the state `former`, with the table's content. */
static enum plat_io keymap_file_replace(const struct plat_file_state *former,
                                        struct keymap_table *table)
{
    struct plat_file_state state;
    /* The folder may be as new as the file. */
    enum plat_io io = former->inode == 0 ? plat_folder_flush(map_path) : PLAT_IO_OK;
    bool was_unsettled = atomic_load(&is_unsettled);
    if (io == PLAT_IO_OK || io == PLAT_IO_DENIED) {
        atomic_store(&is_unsettled, true);
        io = plat_file_replace(map_path, former, table->text->raw, table->raw_len, &state);
    }
    if (io == PLAT_IO_OK) {
        note_state(table, &state);
        note_settled(&state);
        atomic_store(&is_unsettled, false);
    } else if (!keymap_file_changed(former)) { /* nothing was replaced */
        atomic_store(&is_unsettled, was_unsettled);
    }
    return io;
}

static bool keymap_file_stopped(void *context)
{
    const struct call *const *call = context;
    return call_aborted(*call);
}

/* Retries after programs that write the map without the lock. */
static bool keymap_file_retries(enum plat_io io, const struct call *call, uint64_t until_ms)
{
    return io == PLAT_IO_CHANGED && plat_now_ms() < until_ms && !call_aborted(call);
}

/* Takes the lock and reads the file under it. The caller releases and frees, also on failure. */
static enum plat_io keymap_file_begin(const struct call *call, uint64_t until_ms, int *handle,
                                      const struct keymap_table *former, struct keymap_table *now)
{
    char lock_path[sizeof map_path + 8];
    enum plat_io io = plat_folder_for(map_path);
    if (io == PLAT_IO_OK) {
        (void)text_format(lock_path, sizeof lock_path, "%s.lock", map_path);
        io = plat_lock_take(lock_path, until_ms, keymap_file_stopped, &call, handle);
    }
    return io == PLAT_IO_OK ? keymap_file_load(former, now) : io;
}

/* Makes the new table first, because after the write nothing may fail. */
static enum plat_io keymap_file_write_entry(const struct keymap_table *now,
                                            const struct keymap_span *span,
                                            const struct keymap_entry *entry,
                                            struct keymap_table *after)
{
    enum plat_io io = PLAT_IO_FAILED;
    if (keymap_text_edit(now, span, entry, after) && after->raw_len <= FILE_MAX_BYTES) {
        io = keymap_file_replace(&now->state, after);
    }
    if (io != PLAT_IO_OK) {
        keymap_table_free(after);
    }
    return io;
}

static enum plat_io keymap_file_put_once(const struct call *call, uint64_t until_ms,
                                         const struct keymap_entry *entry,
                                         const struct key_id *seen,
                                         const struct keymap_table *former,
                                         struct keymap_table *after)
{
    int handle = -1;
    struct keymap_span span;
    struct keymap_table now = {.text = NULL};
    enum plat_io io = keymap_file_begin(call, until_ms, &handle, former, &now);
    if (io != PLAT_IO_OK) {
        goto out;
    }
    const struct keymap_entry *found = keymap_text_find(&now, entry, &span);
    enum keymap_standing standing =
        found != NULL ? keymap_entry_standing(found->uri, entry, seen) : KEYMAP_YIELDS;
    if (standing == KEYMAP_YIELDS ||
        (standing == KEYMAP_SAME && !keymap_file_settled(&now.state))) {
        io = keymap_file_write_entry(&now, &span, entry, after);
    } else {
        *after = now;
        memset(&now, 0, sizeof now);
    }
out:
    keymap_table_free(&now);
    plat_lock_release(&handle);
    return io;
}

static enum plat_io keymap_file_put(const struct call *call, uint64_t until_ms,
                                    const struct keymap_entry *entry, const struct key_id *seen,
                                    const struct keymap_table *former, struct keymap_table *after)
{
    enum plat_io io;
    do {
        io = keymap_file_put_once(call, until_ms, entry, seen, former, after);
    } while (keymap_file_retries(io, call, until_ms));
    return io;
}

static enum plat_io keymap_file_probe_once(const struct call *call, uint64_t until_ms,
                                           const struct keymap_table *former,
                                           struct keymap_table *after)
{
    int handle = -1;
    enum plat_io io = keymap_file_begin(call, until_ms, &handle, former, after);
    if (io == PLAT_IO_OK) {
        const struct plat_file_state before = after->state;
        io = keymap_file_replace(&before, after);
    }
    if (io != PLAT_IO_OK) {
        keymap_table_free(after);
    }
    plat_lock_release(&handle);
    return io;
}

static enum plat_io keymap_file_probe(const struct call *call, uint64_t until_ms, const char *host,
                                      const struct keymap_table *former, struct keymap_table *after)
{
    enum plat_io io;
    (void)host; /* one file holds all vaults */
    do {
        io = keymap_file_probe_once(call, until_ms, former, after);
    } while (keymap_file_retries(io, call, until_ms));
    return io;
}

const struct keymap_store keymap_file_store = {
    .start = keymap_file_start,
    .name = keymap_file_name,
    .changed = keymap_file_changed,
    .settled = keymap_file_settled,
    .load = keymap_file_load,
    .put = keymap_file_put,
    .probe = keymap_file_probe,
    .visit_tenants = tenants_file_visit,
    .put_tenant = tenants_file_put,
};
