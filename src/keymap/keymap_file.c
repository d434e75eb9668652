#include "keymap/keymap_entry.h"
#include "keymap/keymap_store.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "platform/durable.h"
#include "platform/system.h"
#include "platform/thread.h"

#define FILE_MAX_BYTES ((size_t)64 * 1024 * 1024)
#define LINE_MAX_BYTES 1024
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

enum line_kind { LINE_EMPTY, LINE_ENTRY, LINE_BROKEN };

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

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Cuts the next field off and terminates it in place; NULL if there is none. */
static char *next_field(char **rest)
{
    char *field = *rest;
    while (is_blank(*field)) {
        field++;
    }
    char *end = field;
    while (*end != '\0' && !is_blank(*end)) {
        end++;
    }
    *rest = *end == '\0' ? end : end + 1;
    *end = '\0';
    return field == end ? NULL : field;
}

/* Reads a terminated line in place. */
static enum line_kind read_line(char *line, struct keymap_entry *out)
{
    char *rest = line;
    char *host = next_field(&rest);
    if (host == NULL || host[0] == '#') {
        return LINE_EMPTY;
    }
    char *thumbprint = next_field(&rest), *uri = next_field(&rest);
    if (uri == NULL || next_field(&rest) != NULL || strlen(uri) > KEY_URI_MAX + 4) {
        return LINE_BROKEN;
    }
    out->host = keymap_read_host(host);
    out->uri = uri;
    return out->host != NULL && keymap_read_thumbprint(thumbprint, &out->thumbprint) ? LINE_ENTRY
                                                                                     : LINE_BROKEN;
}

static size_t count_lines(const char *text, size_t len)
{
    size_t lines = 1;
    const char *end = text + len;
    for (const char *at = text; (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++) {
        lines++;
    }
    return lines;
}

/* Some editors begin a file with a byte order mark. */
static char *skip_mark(char *text)
{
    return memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? text + 3 : text;
}

/* Takes over `text`, which is followed by at least four zero bytes. */
static enum plat_io fill_table(struct keymap_table *table, char *text, size_t len,
                               const struct plat_file_state *state)
{
    struct keymap_entry *entries = calloc(count_lines(text, len), sizeof *entries);
    if (entries == NULL) {
        free(text);
        return PLAT_IO_FAILED;
    }
    int64_t age_ms = plat_unix_time_ms() - state->modified_ns / 1000000;
    *table = (struct keymap_table){.text = text, .entries = entries, .state = *state};
    table->young = state->inode != 0 && age_ms < YOUNG_MS && age_ms > -YOUNG_MS;
    size_t number = 0;
    char *line = skip_mark(text);
    for (char *end; line < text + len; line = end + 1) {
        end = memchr(line, '\n', (size_t)(text + len - line));
        end = end != NULL ? end : text + len;
        *end = '\0';
        number++;
        /* A zero byte inside the line hides its rest: nothing that we would have written. */
        enum line_kind kind = strlen(line) == (size_t)(end - line)
                                  ? read_line(line, &entries[table->count])
                                  : LINE_BROKEN;
        if (kind == LINE_ENTRY && end - line >= LINE_MAX_BYTES) {
            kind = LINE_BROKEN; /* find_line does not see it: it could never be replaced */
        }
        table->count += kind == LINE_ENTRY;
        if (kind == LINE_BROKEN && table->broken++ == 0) {
            table->first_broken_line = number;
        }
    }
    keymap_table_sort(table);
    return PLAT_IO_OK;
}

/* The whole file in new memory with four zero bytes behind it; an absent one is empty. */
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
    *text = calloc(1, (size_t)state->size + 4);
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

enum plat_io keymap_store_load(struct keymap_table *table)
{
    char *text = NULL;
    size_t len = 0;
    struct plat_file_state state;
    enum plat_io io = read_file(&text, &len, &state);
    return io == PLAT_IO_OK ? fill_table(table, text, len, &state) : io;
}

struct span {
    size_t start, len; /* without the line break */
    bool found;
    enum keymap_standing standing;
};

/* Whether a line as we write them, host<TAB>THUMBPRINT<TAB>..., holds another thumbprint: most lines
 * of a large map need no closer look then. */
static bool is_other(const char *line, size_t len, const char *hex, size_t hex_len)
{
    const char *tab = memchr(line, '\t', len);
    size_t host_len = tab != NULL ? (size_t)(tab - line) : 0;
    return host_len > 0 && memchr(line, ' ', host_len) == NULL && len > host_len + hex_len + 1 &&
           tab[hex_len + 1] == '\t' && memchr(tab + 1, '\t', hex_len) == NULL &&
           memchr(tab + 1, ' ', hex_len) == NULL && !text_equal_nocase_n(tab + 1, hex, hex_len);
}

/* The last line that holds this host and thumbprint. */
static struct span find_line(const char *text, size_t len, const struct keymap_entry *entry,
                             const struct key_name *seen)
{
    struct span found = {0, 0, false, KEYMAP_YIELDS};
    char hex[2 * THUMBPRINT_MAX_BYTES + 1];
    thumbprint_text(&entry->thumbprint, hex);
    size_t start = memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    while (start < len) {
        char line[LINE_MAX_BYTES];
        struct keymap_entry read;
        const char *end = memchr(text + start, '\n', len - start);
        size_t line_len = end != NULL ? (size_t)(end - text) - start : len - start;
        if (!is_other(text + start, line_len, hex, strlen(hex)) &&
            text_copy_n(line, sizeof line, text + start, line_len) && strlen(line) == line_len &&
            read_line(line, &read) == LINE_ENTRY && keymap_entry_order(&read, entry) == 0) {
            found =
                (struct span){start, line_len, true, keymap_entry_standing(read.uri, entry, seen)};
        }
        start += line_len + 1;
    }
    return found;
}

/* The old text with one line replaced or added; everything else byte for byte. */
static enum ekm_rc write_next(const char *text, size_t len, const struct span *span,
                              const struct keymap_entry *entry, struct buf *next)
{
    char hex[2 * THUMBPRINT_MAX_BYTES + 1];
    size_t head = span->found ? span->start : len;
    size_t tail = span->found ? span->start + span->len : len;
    thumbprint_text(&entry->thumbprint, hex);
    enum ekm_rc rc = buf_append(next, text, head);
    if (rc == EKM_OK && !span->found && head > 0 && text[head - 1] != '\n') {
        rc = buf_append_text(next, "\n");
    }
    if (rc == EKM_OK) {
        rc = buf_append_format(next, "%s\t%s\t%s", entry->host, hex, entry->uri);
    }
    if (rc == EKM_OK && tail == len) {
        rc = buf_append_text(next, "\n");
    }
    return rc == EKM_OK ? buf_append(next, text + tail, len - tail) : rc;
}

/* Replaces the whole file, which is in the state `former`, by `next`. */
static enum plat_io replace(const struct plat_file_state *former, const struct buf *next,
                            struct keymap_table *after)
{
    struct plat_file_state state;
    char *copy = calloc(1, next->len + 4);
    if (copy == NULL) {
        return PLAT_IO_FAILED;
    }
    if (next->len > 0) {
        memcpy(copy, next->data, next->len);
    }
    /* The folder may be as new as the file. */
    enum plat_io io = former->inode == 0 ? plat_folder_flush(map_path) : PLAT_IO_OK;
    bool was_unsettled = atomic_load(&is_unsettled);
    if (io == PLAT_IO_OK || io == PLAT_IO_DENIED) {
        atomic_store(&is_unsettled, true);
        io = plat_file_replace(map_path, former, copy, next->len, &state);
    }
    if (io == PLAT_IO_OK) {
        note_settled(&state);
        atomic_store(&is_unsettled, false);
        return fill_table(after, copy, next->len, &state);
    }
    if (!keymap_store_changed(former)) { /* nothing was replaced */
        atomic_store(&is_unsettled, was_unsettled);
    }
    free(copy);
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

static enum plat_io put(const struct call *call, uint64_t until_ms,
                        const struct keymap_entry *entry, const struct key_name *seen,
                        struct keymap_table *after)
{
    int handle = -1;
    char *text = NULL;
    size_t len = 0;
    struct plat_file_state state;
    struct buf next = BUF_EMPTY(FILE_MAX_BYTES);
    enum plat_io io = begin(call, until_ms, &handle, &text, &len, &state);
    if (io != PLAT_IO_OK) {
        goto out;
    }
    struct span span = find_line(text, len, entry, seen);
    if (span.standing == KEYMAP_THIRD ||
        (span.standing == KEYMAP_SAME && keymap_store_settled(&state))) {
        io = fill_table(after, text, len, &state);
        text = NULL;
    } else {
        io = write_next(text, len, &span, entry, &next) == EKM_OK ? replace(&state, &next, after)
                                                                  : PLAT_IO_FAILED;
    }
out:
    buf_free(&next);
    free(text);
    plat_lock_release(&handle);
    return io;
}

enum plat_io keymap_store_put(const struct call *call, uint64_t until_ms,
                              const struct keymap_entry *entry, const struct key_name *seen,
                              struct keymap_table *after)
{
    enum plat_io io;
    do {
        io = put(call, until_ms, entry, seen, after);
    } while (again(io, call, until_ms));
    return io;
}

static enum plat_io probe(const struct call *call, uint64_t until_ms, struct keymap_table *after)
{
    int handle = -1;
    char *text = NULL;
    size_t len = 0;
    struct plat_file_state state;
    struct buf same = BUF_EMPTY(FILE_MAX_BYTES);
    enum plat_io io = begin(call, until_ms, &handle, &text, &len, &state);
    if (io == PLAT_IO_OK) {
        io = buf_append(&same, text, len) == EKM_OK ? replace(&state, &same, after)
                                                    : PLAT_IO_FAILED;
    }
    buf_free(&same);
    free(text);
    plat_lock_release(&handle);
    return io;
}

enum plat_io keymap_store_probe(const struct call *call, uint64_t until_ms, const char *host,
                                struct keymap_table *after)
{
    enum plat_io io;
    (void)host; /* one file holds all */
    do {
        io = probe(call, until_ms, after);
    } while (again(io, call, until_ms));
    return io;
}
