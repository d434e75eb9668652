#include "keymap/keymap_store.h"

#include "keymap/keymap_stores.h"
#include "keymap/tenants_store.h"

/* The one that the configuration chose: a file where keymap_file names one, else what is the
 * system's own. */
static const struct keymap_store *store = &KEYMAP_STORE_DEFAULT;

void keymap_store_start(const struct config *config)
{
    store = config->keymap_file[0] != '\0' ? &keymap_file_store : &KEYMAP_STORE_DEFAULT;
    store->start(config);
}

const char *keymap_store_name(void)
{
    return store->name();
}

bool keymap_store_changed(const struct plat_file_state *state)
{
    return store->changed(state);
}

bool keymap_store_settled(const struct plat_file_state *state)
{
    return store->settled(state);
}

enum plat_io keymap_store_load(const struct keymap_table *former, struct keymap_table *table)
{
    return store->load(former, table);
}

enum plat_io keymap_store_put(const struct call *call, uint64_t until_ms,
                              const struct keymap_entry *entry, const struct key_id *seen,
                              const struct keymap_table *former, struct keymap_table *after)
{
    return store->put(call, until_ms, entry, seen, former, after);
}

enum plat_io keymap_store_probe(const struct call *call, uint64_t until_ms, const char *host,
                                const struct keymap_table *former, struct keymap_table *after)
{
    return store->probe(call, until_ms, host, former, after);
}

void tenants_store_visit(void (*visit)(const char *vault_host, const char *tenant))
{
    store->visit_tenants(store->name(), visit);
}

enum plat_io tenants_store_put(const char *vault_host, const char *tenant)
{
    return store->put_tenant(store->name(), vault_host, tenant);
}
