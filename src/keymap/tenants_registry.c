#include "keymap/tenants_store.h"

#include <string.h>

#include "base/text.h"
#include "keymap/keymap_entry.h"
#include "keymap/keymap_store.h"
#include "platform/registry.h"

/* The value `Tenant` of a vault's branch of the map. A branch is made by the map's first entry,
 * never for this. */

#define TENANT_CAP 256

static enum plat_io open_map(struct plat_registry_key *map)
{
    return plat_registry_open(NULL, keymap_store_name() + strlen("HKLM\\"), PLAT_REGISTRY_READ,
                              map);
}

/* The vault's host that a branch stands for, in `spelled`; NULL for `Log` and the like. */
static const char *host_of(const char *branch, char spelled[PLAT_REGISTRY_NAME_CAP])
{
    (void)text_copy(spelled, PLAT_REGISTRY_NAME_CAP, branch);
    const char *host = keymap_read_host(spelled);
    return host != NULL && strchr(host, '.') != NULL ? host : NULL;
}

void tenants_store_visit(void (*visit)(const char *vault_host, const char *tenant))
{
    struct plat_registry_key map = {NULL};
    char branch[PLAT_REGISTRY_NAME_CAP], spelled[PLAT_REGISTRY_NAME_CAP], tenant[TENANT_CAP];
    uint64_t written = 0;
    enum plat_io io = open_map(&map);
    for (uint32_t i = 0; io == PLAT_IO_OK && i < TENANTS_MAX; i++) {
        io = plat_registry_next(&map, i, branch, sizeof branch, &written);
        const char *host = io == PLAT_IO_OK ? host_of(branch, spelled) : NULL;
        if (host != NULL &&
            plat_registry_text(&map, branch, "Tenant", tenant, sizeof tenant) == PLAT_IO_OK) {
            visit(host, tenant);
        }
    }
    plat_registry_close(&map);
}

static enum plat_io write_tenant(const struct plat_registry_key *map, const char *branch,
                                 const char *tenant)
{
    struct plat_registry_key key = {NULL};
    enum plat_io io = plat_registry_open(map, branch, PLAT_REGISTRY_WRITE, &key);
    if (io == PLAT_IO_OK) {
        io = plat_registry_set_text(&key, "Tenant", tenant);
    }
    plat_registry_close(&key);
    return io;
}

enum plat_io tenants_store_put(const char *vault_host, const char *tenant)
{
    struct plat_registry_key map = {NULL};
    char branch[PLAT_REGISTRY_NAME_CAP], spelled[PLAT_REGISTRY_NAME_CAP];
    uint64_t written = 0;
    bool found = false;
    enum plat_io io = open_map(&map);
    for (uint32_t i = 0; io == PLAT_IO_OK && !found; i++) {
        io = plat_registry_next(&map, i, branch, sizeof branch, &written);
        const char *host = io == PLAT_IO_OK ? host_of(branch, spelled) : NULL;
        found = host != NULL && strcmp(host, vault_host) == 0;
    }
    io = found ? write_tenant(&map, branch, tenant) : io;
    plat_registry_close(&map);
    return io;
}
