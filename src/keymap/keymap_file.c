#include "keymap/keymap_entry.h"
#include "keymap/keymap_text.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "platform/durable.h"
#include "platform/system.h"
#include "platform/thread.h"

#define FILE_MAX_BYTES ((size_t)64 * 1024 * 1024)
/* The coarsest clock of a file system: two changes within it may bear one time. */
#define YOUNG_MS 2000

static char map_path[1024];
/* A new file may stand there whose folder was not flushed: the next write starts over. */
static atomic_bool is_unsettled;
/* The state of the file that this process last knew to be durable. */
static struct plat_mutex lock = PLAT_MUTEX_INIT;
static struct plat_file_state settled;

static void note_settled(const struct plat_file_state *state)
{
    plat_mutex_lock(&lock);
    settled = *state;
    plat_mutex_unlock(&lock);
}

void keymap_store_start(const struct config *config)
{
    (void)text_copy(map_path, sizeof map_path, config->keymap_file);
    atomic_store(&is_unsettled, false);
    note_settled(&(struct plat_file_state){0, 0, 0, 0});
}

const char *keymap_store_name(void)
{
    return map_path;
}

/* The whole file in new memory with room for one more line; an absent one is empty. */
static enum plat_io read_file(char **text, size_t *len, struct plat_file_state *state)
{
    int handle = -1;
    memset(state, 0, sizeof *state);
    enum plat_io io = plat_file_open(map_path, PLAT_TRUST_ANY, &handle, state);
    if (io != PLAT_IO_OK && io != PLAT_IO_ABSENT) {
        return io;
    }
    if (state->size > FILE_MAX_BYTES) {
        io = PLAT_IO_TOO_BIG;
        goto out;
    }
    *len = 0;
    *text = malloc((size_t)state->size + KEYMAP_LINE_MAX_BYTES);
    if (*text == NULL) {
        io = PLAT_IO_FAILED;
        goto out;
    }
    io =
        io == PLAT_IO_ABSENT ? PLAT_IO_OK : plat_file_read(handle, *text, (size_t)state->size, len);
    if (io != PLAT_IO_OK) {
        free(*text);
        *text = NULL;
    }
out:
    plat_file_close(&handle);
    return io;
}

bool keymap_store_changed(const struct plat_file_state *state)
{
    struct plat_file_state now;
    enum plat_io io = plat_file_state(map_path, &now);
    return (io != PLAT_IO_OK && io != PLAT_IO_ABSENT) || !plat_file_state_equal(&now, state);
}

bool keymap_store_settled(const struct plat_file_state *state)
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
    /* Its writer may have been killed before the last flush. Who may not even open the folder did
     * not write it; who did must answer for it. */
    enum plat_io io = plat_file_flush(map_path);
    if (io == PLAT_IO_OK) {
        note_settled(state);
    }
    return io == PLAT_IO_OK || io == PLAT_IO_DENIED;
}

/* Takes over the text if that succeeds. */
static enum plat_io fill_table(const struct keymap_table *former, char **text, size_t len,
                               const struct plat_file_state *state, struct keymap_table *table)
{
    if (!keymap_text_table(former, text, len, table)) {
        return PLAT_IO_FAILED;
    }
    int64_t age_ms = plat_unix_time_ms() - state->modified_ns / 1000000;
    table->state = *state;
    table->young = state->inode != 0 && age_ms < YOUNG_MS && age_ms > -YOUNG_MS;
    return PLAT_IO_OK;
}

enum plat_io keymap_store_load(const struct keymap_table *former, struct keymap_table *table)
{
    char *text = NULL;
    size_t len = 0;
    struct plat_file_state state;
    enum plat_io io = read_file(&text, &len, &state);
    if (io == PLAT_IO_OK) {
        io = fill_table(former, &text, len, &state, table);
    }
    free(text);
    return io;
}

/* Replaces the whole file, which is in the state `former`. */
static enum plat_io replace(const struct plat_file_state *former, const char *text, size_t len,
                            struct plat_file_state *state)
{
    /* The folder may be as new as the file. */
    enum plat_io io = former->inode == 0 ? plat_folder_flush(map_path) : PLAT_IO_OK;
    bool was_unsettled = atomic_load(&is_unsettled);
    if (io == PLAT_IO_OK || io == PLAT_IO_DENIED) {
        atomic_store(&is_unsettled, true);
        io = plat_file_replace(map_path, former, text, len, state);
    }
    if (io == PLAT_IO_OK) {
        note_settled(state);
        atomic_store(&is_unsettled, false);
    } else if (!keymap_store_changed(former)) { /* nothing was replaced */
        atomic_store(&is_unsettled, was_unsettled);
    }
    return io;
}

static bool stopped(void *context)
{
    const struct call *const *call = context;
    return call_aborted(*call);
}

/* Others who write the map without the lock are given way to. */
static bool again(enum plat_io io, const struct call *call, uint64_t until_ms)
{
    return io == PLAT_IO_CHANGED && plat_now_ms() < until_ms && !call_aborted(call);
}

/* The lock, and the file as it is under it. The caller releases and frees, also on failure. */
static enum plat_io begin(const struct call *call, uint64_t until_ms, int *handle, char **text,
                          size_t *len, struct plat_file_state *state)
{
    char lock_path[sizeof map_path + 8];
    enum plat_io io = plat_folder_for(map_path);
    if (io == PLAT_IO_OK) {
        (void)text_format(lock_path, sizeof lock_path, "%s.lock", map_path);
        io = plat_lock_take(lock_path, until_ms, stopped, &call, handle);
    }
    return io == PLAT_IO_OK ? read_file(text, len, state) : io;
}

/* The table of what was read: `former` itself, if that has not changed, else one made in `now`,
 * beside which the caller keeps the text. */
static const struct keymap_table *look(const struct keymap_table *former, const char *text,
                                       size_t len, struct keymap_table *now)
{
    if (former != NULL && len > 0 && former->raw_len == len && memcmp(former->raw, text, len) == 0) {
        return former;
    }
    char *copy = malloc(len + 1);
    if (copy != NULL) {
        memcpy(copy, text, len);
    }
    bool made = copy != NULL && keymap_text_table(former, &copy, len, now);
    free(copy);
    return made ? now : NULL;
}

/* Changes the text, which has room for it, and writes it. */
static enum plat_io write_entry(const struct keymap_entry *entry, const struct keymap_span *span,
                                char *text, size_t *len, struct plat_file_state *state)
{
    const struct plat_file_state former = *state;
    *len = keymap_text_edit(text, *len, span, entry);
    return *len > 0 && *len <= FILE_MAX_BYTES ? replace(&former, text, *len, state)
                                              : PLAT_IO_FAILED;
}

static enum plat_io put(const struct call *call, uint64_t until_ms,
                        const struct keymap_entry *entry, const struct key_name *seen,
                        const struct keymap_table *former, struct keymap_table *after)
{
    int handle = -1;
    char *text = NULL;
    size_t len = 0;
    struct plat_file_state state;
    struct keymap_span span;
    struct keymap_table now = {.text = NULL};
    enum plat_io io = begin(call, until_ms, &handle, &text, &len, &state);
    if (io != PLAT_IO_OK) {
        goto out;
    }
    const struct keymap_table *base = look(former, text, len, &now);
    if (base == NULL) {
        io = PLAT_IO_FAILED;
        goto out;
    }
    const struct keymap_entry *found = keymap_text_find(base, entry, &span);
    enum keymap_standing standing =
        found != NULL ? keymap_entry_standing(found->uri, entry, seen) : KEYMAP_YIELDS;
    if (standing == KEYMAP_YIELDS || (standing == KEYMAP_SAME && !keymap_store_settled(&state))) {
        io = write_entry(entry, &span, text, &len, &state);
    }
    if (io == PLAT_IO_OK) {
        io = fill_table(base, &text, len, &state, after);
    }
out:
    keymap_table_free(&now);
    free(text);
    plat_lock_release(&handle);
    return io;
}

enum plat_io keymap_store_put(const struct call *call, uint64_t until_ms,
                              const struct keymap_entry *entry, const struct key_name *seen,
                              const struct keymap_table *former, struct keymap_table *after)
{
    enum plat_io io;
    do {
        io = put(call, until_ms, entry, seen, former, after);
    } while (again(io, call, until_ms));
    return io;
}

static enum plat_io probe(const struct call *call, uint64_t until_ms,
                          const struct keymap_table *former, struct keymap_table *after)
{
    int handle = -1;
    char *text = NULL;
    size_t len = 0;
    struct plat_file_state state;
    enum plat_io io = begin(call, until_ms, &handle, &text, &len, &state);
    if (io == PLAT_IO_OK) {
        const struct plat_file_state before = state;
        io = replace(&before, text, len, &state);
    }
    if (io == PLAT_IO_OK) {
        io = fill_table(former, &text, len, &state, after);
    }
    free(text);
    plat_lock_release(&handle);
    return io;
}

enum plat_io keymap_store_probe(const struct call *call, uint64_t until_ms, const char *host,
                                const struct keymap_table *former, struct keymap_table *after)
{
    enum plat_io io;
    (void)host; /* one file holds all */
    do {
        io = probe(call, until_ms, former, after);
    } while (again(io, call, until_ms));
    return io;
}
