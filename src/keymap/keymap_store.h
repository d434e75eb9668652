/*
 * The interface of a durable form of the map: it returns all entries, and adds one durably.
 *
 * keymap_store.c leads each call to the store in use (keymap_stores.h). Called by keymap.c alone,
 * any thread; every call does I/O, so never under a lock. Entries point into the text.
 */
#ifndef AKVEKM_KEYMAP_KEYMAP_STORE_H
#define AKVEKM_KEYMAP_KEYMAP_STORE_H

#include "base/call.h"
#include "platform/file.h"
#include "vault/key.h"

struct keymap_entry {
    const char *host; /* lower case, without scheme, port or slash */
    const char *uri;  /* as the store spells it */
    struct thumbprint thumbprint;
};

/* One state of the store; it does not change once it is filled. */
struct keymap_table {
    struct keymap_text *text;            /* the memory of the entries; other tables may share it */
    const struct keymap_entry **entries; /* sorted by keymap_entry_order */
    size_t count;
    size_t broken, broken_lines[8]; /* number of lines that are not entries; the first of them,
                                     * counted from 1 */
    size_t raw_len, lines;          /* for a file */
    bool young;                     /* so new that `state` might not show a further change */
    struct plat_file_state state;
};

/* Sorted by thumbprint, then host. Of entries with both equal the last one counts. */
int keymap_entry_order(const struct keymap_entry *a, const struct keymap_entry *b);
/* The number of entries before this one; with equal ones, if those count. */
size_t keymap_table_rank(const struct keymap_table *table, const struct keymap_entry *entry,
                         bool with_equal);
void keymap_table_free(struct keymap_table *table); /* accepts an empty one */
void keymap_store_start(const struct config *config);
const char *keymap_store_name(void); /* for messages: the file's path, or the registry's */

/* Whether the store has changed since `state`. */
bool keymap_store_changed(const struct plat_file_state *state);
/* Whether what was read in this state is durable, whoever wrote it; flushes it if that is unknown.
 * False also during a write of this process, and after one that failed. */
bool keymap_store_settled(const struct plat_file_state *state);
/* Fills an empty table; a missing store counts as empty. On failure the table stays empty. `former`
 * (here and below) is an earlier state of the store or NULL; unchanged parts then cost less. */
enum plat_io keymap_store_load(const struct keymap_table *former, struct keymap_table *table);
/* Adds the entry, or gives this KeyUri to the one that names `seen` (NULL: it is not usable), in
 * the current store. Waits for other writers until until_ms (plat_now_ms) or the call's abort.
 * PLAT_IO_OK: it is durable, and `after` holds the store's new state. An entry that names a third
 * key stays; `after` shows it. Content that the store does not understand is kept. */
enum plat_io keymap_store_put(const struct call *call, uint64_t until_ms,
                              const struct keymap_entry *entry, const struct key_id *seen,
                              const struct keymap_table *former, struct keymap_table *after);
/* Whether an entry of this vault could be written now; may write the existing content again. */
enum plat_io keymap_store_probe(const struct call *call, uint64_t until_ms, const char *host,
                                const struct keymap_table *former, struct keymap_table *after);

#endif
