#include "keymap/tenants_store.h"

#include <string.h>

#include "base/text.h"
#include "keymap/keymap_entry.h"
#include "keymap/keymap_registry.h"
#include "keymap/keymap_stores.h"

/* A key for each vault with the value `Tenant`, beside the map, which may be another
 * connector's. */

#define TENANTS_PATH "akv-ekm\\Tenants"
#define TENANT_CAP   256

void tenants_registry_visit(const char *map,
                            void (*visit)(const char *vault_host, const char *tenant))
{
    (void)map;
    struct plat_registry_key tenants = {NULL};
    char name[PLAT_REGISTRY_NAME_CAP], spelled[PLAT_REGISTRY_NAME_CAP], tenant[TENANT_CAP];
    uint64_t written = 0;
    enum plat_io io = plat_registry_open(NULL, REGISTRY_PROVIDERS "\\" TENANTS_PATH,
                                         PLAT_REGISTRY_READ, &tenants);
    for (uint32_t i = 0; io == PLAT_IO_OK && i < TENANTS_MAX; i++) {
        io = plat_registry_next(&tenants, i, name, sizeof name, &written);
        (void)text_copy(spelled, sizeof spelled, io == PLAT_IO_OK ? name : "");
        const char *host = keymap_read_host(spelled);
        if (host != NULL &&
            plat_registry_text(&tenants, name, "Tenant", tenant, sizeof tenant) == PLAT_IO_OK) {
            visit(host, tenant);
        }
    }
    plat_registry_close(&tenants);
}

enum plat_io tenants_registry_put(const char *map, const char *vault_host, const char *tenant)
{
    (void)map;
    struct plat_registry_key providers = {NULL}, key = {NULL};
    char path[sizeof TENANTS_PATH + 256];
    (void)text_format(path, sizeof path, "%s\\%s", TENANTS_PATH, vault_host);
    /* The key of R43 must be created by the administrator. */
    enum plat_io io = plat_registry_open(NULL, REGISTRY_PROVIDERS, PLAT_REGISTRY_WRITE, &providers);
    if (io == PLAT_IO_OK) {
        io = plat_registry_create(&providers, path, &key);
    }
    if (io == PLAT_IO_OK) {
        io = plat_registry_set_text(&key, "Tenant", tenant);
    }
    plat_registry_close(&key);
    plat_registry_close(&providers);
    return io;
}
