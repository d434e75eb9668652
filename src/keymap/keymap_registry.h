/*
 * What the two halves of the registry's store share: where the map is, and a walk through it.
 *
 * Called by the *_registry.c sources of this folder alone; any thread, never under a lock.
 */
#ifndef AKVEKM_KEYMAP_KEYMAP_REGISTRY_H
#define AKVEKM_KEYMAP_KEYMAP_REGISTRY_H

#include <stddef.h>
#include <stdint.h>

#include "keymap/keymap_store.h"
#include "platform/registry.h"

/* The administrator makes the first one (R43), we the second. */
#define REGISTRY_PROVIDERS "SOFTWARE\\Microsoft\\SQL Server Cryptographic Provider"
#define REGISTRY_MAP       REGISTRY_PROVIDERS "\\Azure Key Vault"
#define REGISTRY_URI_CAP   1024

/* Where an entry was met: a key below a vault's branch, by the names as they are spelled there. */
struct registry_place {
    const char *branch, *leaf;
    uint64_t written; /* in units of 100 ns since 1601 */
};

/* `place` NULL: a walk begins, and what one before it met does not count. */
typedef enum plat_io registry_visitor(void *context, const struct plat_registry_key *map,
                                      const struct registry_place *place);

/* Everything that could be an entry; `Log` and the like, being no hosts with a dot, are not. An
 * absent map is an empty one. When something is taken out meanwhile, the walk is done again;
 * CHANGED if that goes on. */
enum plat_io registry_visit(registry_visitor *visit, void *context);
/* Reads an entry's KeyUri as others may have spelled it. */
enum plat_io registry_uri(const struct plat_registry_key *map, const struct registry_place *place,
                          char *out, size_t cap);

/* As keymap_store_changed and keymap_store_load. */
bool registry_changed(const struct plat_file_state *state);
enum plat_io registry_load(const struct keymap_table *former, struct keymap_table *table);

#endif
