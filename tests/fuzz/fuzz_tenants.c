/* The tenants beside the map: a hint leads to an Entra host on the list and to a tenant's name, or
 * nowhere; one that is put there is found again. */
#include "fuzz.h"

// aims: src/keymap/tenants.c src/keymap/tenants_file.c
// with: memory_files.c

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "keymap/keymap_store.h"
#include "keymap/tenants.h"
#include "keymap/tenants_store.h"
#include "memory_files.h"
#include "vault/challenge.h"

#define OTHER_HOST "pool.managedhsm.azure.net"

static char seen[254];
static size_t others;

static void tenants_visit(const char *vault_host, const char *tenant)
{
    FUZZ_CHECK(text_is_name(vault_host, ".-", 253) && tenant[0] != '\0');
    FUZZ_CHECK(strpbrk(vault_host, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == NULL);
    if (strcmp(vault_host, FUZZ_HOST) == 0) {
        (void)text_copy(seen, sizeof seen, tenant);
    } else {
        others++;
    }
}

static void tenants_look(void)
{
    seen[0] = '\0';
    others = 0;
    tenants_store_visit(tenants_visit);
}

static void tenants_recall(const struct config *config, const char *identity)
{
    struct vault_address vault;
    struct challenge challenge;
    bool guessed = false;
    FUZZ_CHECK(address_parse(config, identity, &vault) == EKM_OK);
    if (challenge_recall(&vault, &challenge, &guessed)) {
        FUZZ_CHECK(guessed && address_login(config, &vault, challenge.authority) != NULL);
        FUZZ_CHECK(text_is_name(challenge.tenant, ".-", CHALLENGE_TENANT_MAX));
        FUZZ_CHECK(strcmp(challenge.resource, vault.resource) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config config;
    if (config.keymap_file[0] == '\0') {
        config_defaults(&config);
        (void)text_copy(config.keymap_file, sizeof config.keymap_file, MEMORY_MAP);
    }
    keymap_store_start(&config);
    memory_file_set(&memory_tenants, data, size);
    challenge_forget_all();
    tenants_start();
    tenants_recall(&config, FUZZ_HOST);
    tenants_recall(&config, OTHER_HOST);
    tenants_look();
    size_t before = others;
    FUZZ_CHECK(tenants_store_put(FUZZ_HOST, "t.example") == PLAT_IO_OK);
    tenants_look();
    FUZZ_CHECK(strcmp(seen, "t.example") == 0 && others <= before && others < TENANTS_MAX);
    memory_file_remove(&memory_tenants);
    return 0;
}
