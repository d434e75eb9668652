/*
 * The kinds of stores: a file, or the registry of Windows. Each does what keymap_store.h and
 * tenants_store.h say of the function of that name.
 *
 * keymap_store.c chooses one at the start. Any thread.
 */
#ifndef AKVEKM_KEYMAP_KEYMAP_STORES_H
#define AKVEKM_KEYMAP_KEYMAP_STORES_H

#include "base/call.h"
#include "keymap/keymap_table.h"

struct keymap_store {
    void (*start)(const struct config *config);
    const char *(*name)(void);
    bool (*changed)(const struct plat_file_state *state);
    bool (*settled)(const struct plat_file_state *state);
    enum plat_io (*load)(const struct keymap_table *former, struct keymap_table *table);
    enum plat_io (*put)(const struct call *call, uint64_t until_ms,
                        const struct keymap_entry *entry, const struct key_id *seen,
                        const struct keymap_table *former, struct keymap_table *after);
    enum plat_io (*probe)(const struct call *call, uint64_t until_ms, const char *host,
                          const struct keymap_table *former, struct keymap_table *after);
    void (*visit_tenants)(const char *map,
                          void (*visit)(const char *vault_host, const char *tenant));
    enum plat_io (*put_tenant)(const char *map, const char *vault_host, const char *tenant);
};

extern const struct keymap_store keymap_file_store;
#ifdef _WIN32
extern const struct keymap_store keymap_registry_store;
#define KEYMAP_STORE_DEFAULT keymap_registry_store /* where keymap_file names none */
#else
#define KEYMAP_STORE_DEFAULT keymap_file_store
#endif

/* The halves for the tenants; `map`: what the store is called (keymap_store_name). */
void tenants_file_visit(const char *map, void (*visit)(const char *vault_host, const char *tenant));
enum plat_io tenants_file_put(const char *map, const char *vault_host, const char *tenant);
void tenants_registry_visit(const char *map,
                            void (*visit)(const char *vault_host, const char *tenant));
enum plat_io tenants_registry_put(const char *map, const char *vault_host, const char *tenant);

#endif
