/*
 * The interface of a durable form of the map: it returns all entries, and adds one durably.
 *
 * keymap_store.c passes each call to the store in use (keymap_stores.h). Only keymap.c calls it,
 * from any thread. Every call does I/O, so it is never made under a lock. Entries point into the
 * text.
 */
#ifndef AKVEKM_KEYMAP_KEYMAP_STORE_H
#define AKVEKM_KEYMAP_KEYMAP_STORE_H

#include "base/call.h"
#include "keymap/keymap_table.h"
#include "platform/file.h"

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
