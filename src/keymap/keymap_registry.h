/*
 * Shared by the two halves of the registry store: where the map is, and a walk through it.
 *
 * Only the *_registry.c sources of this folder call it; any thread, never under a lock.
 */
#ifndef AKVEKM_KEYMAP_KEYMAP_REGISTRY_H
#define AKVEKM_KEYMAP_KEYMAP_REGISTRY_H

#include <stddef.h>
#include <stdint.h>

#include "keymap/keymap_table.h"
#include "platform/registry.h"

/* The administrator creates the first key (R43), the library the second. */
#define REGISTRY_PROVIDERS "SOFTWARE\\Microsoft\\SQL Server Cryptographic Provider"
#define REGISTRY_MAP       REGISTRY_PROVIDERS "\\Azure Key Vault"
#define REGISTRY_URI_CAP   1024

/* The place of an entry: a key below a vault's branch, with the names as they are spelled there. */
struct registry_place {
    const char *branch, *leaf;
    uint64_t written; /* in units of 100 ns since 1601 */
};

/* `place` NULL: a walk begins again, and earlier places do not count. */
typedef enum plat_io registry_visitor(void *context, const struct plat_registry_key *map,
                                      const struct registry_place *place);

/* Visits everything that could be an entry. `Log` and the like are not hosts with a dot and are
 * skipped. A missing map counts as empty. If something is removed meanwhile, the walk starts again;
 * CHANGED if that keeps happening. */
enum plat_io registry_visit(registry_visitor *visit, void *context);
/* Reads the KeyUri of an entry in any accepted spelling. */
enum plat_io registry_uri(const struct plat_registry_key *map, const struct registry_place *place,
                          char *out, size_t cap);

/* As keymap_store_changed and keymap_store_load. */
bool registry_changed(const struct plat_file_state *state);
enum plat_io registry_load(const struct keymap_table *former, struct keymap_table *table);

#endif
