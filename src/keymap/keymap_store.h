/*
 * What a durable form of the map must do: hand out all of it, and add one entry for good.
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
    const char *uri;  /* as it is written there */
    struct thumbprint thumbprint;
};

/* One state of the store, immutable once filled. */
struct keymap_table {
    struct keymap_text *text;            /* what holds the entries; other tables may share it */
    const struct keymap_entry **entries; /* sorted by keymap_entry_order */
    size_t count;
    size_t broken, broken_lines[8]; /* lines that are no entry; the first of them, counted from 1 */
    size_t raw_len, lines;          /* of a file */
    bool young; /* written so shortly before that `state` might not show another change */
    struct plat_file_state state;
};

/* By thumbprint, then host; of entries with both equal the last one counts. */
int keymap_entry_order(const struct keymap_entry *a, const struct keymap_entry *b);
/* How many entries come before this one, or are equal to it, if those count. */
size_t keymap_table_rank(const struct keymap_table *table, const struct keymap_entry *entry,
                         bool with_equal);
void keymap_table_free(struct keymap_table *table); /* takes empty */
void keymap_store_start(const struct config *config);
const char *keymap_store_name(void); /* for messages: the file's path, or the registry's */

/* Whether the store is no longer as `state` says. */
bool keymap_store_changed(const struct plat_file_state *state);
/* Whether what was read in this state is durable, whoever wrote it: flushed now, if that is not
 * known. False also while a write of this process is under way, or if it failed last. */
bool keymap_store_settled(const struct plat_file_state *state);
/* Fills an empty table, from nothing if there is no store; on failure it stays empty. `former`,
 * also below: how the store was once, or NULL; what has not changed costs less then. */
enum plat_io keymap_store_load(const struct keymap_table *former, struct keymap_table *table);
/* Adds the entry, or gives the one that names `seen` (NULL: that is not usable) this KeyUri, in the
 * store as it is now, waiting for other writers until until_ms (plat_now_ms) or the call's abort.
 * PLAT_IO_OK: it is durable, and `after` holds the store's new state. An entry that names a third
 * key stands: see `after`. What the store does not understand, it keeps. */
enum plat_io keymap_store_put(const struct call *call, uint64_t until_ms,
                              const struct keymap_entry *entry, const struct key_id *seen,
                              const struct keymap_table *former, struct keymap_table *after);
/* Whether an entry of this vault could be put now; writes what is there again, where that tells. */
enum plat_io keymap_store_probe(const struct call *call, uint64_t until_ms, const char *host,
                                const struct keymap_table *former, struct keymap_table *after);

#endif
