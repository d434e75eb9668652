#include "keymap/tenants.h"

#include "base/log.h"
#include "keymap/tenants_store.h"
#include "vault/challenge.h"

static void tenants_suggest(const char *vault_host, const char *tenant)
{
    if (challenge_suggest(vault_host, tenant) != EKM_OK) {
        log_text(LEVEL_DEBUG, 0, "tenants", "not a tenant: %.64s", tenant);
    }
}

void tenants_start(void)
{
    tenants_store_visit(tenants_suggest);
}

void tenants_note(struct call *call, const char *vault_host)
{
    char tenant[CHALLENGE_TENANT_MAX + 1];
    if (!challenge_is_news(vault_host, tenant)) {
        return;
    }
    enum plat_io io = tenants_store_put(vault_host, tenant);
    call_log(call, LEVEL_DEBUG, "the vault's tenant is %s; stored: %s", tenant, plat_io_text(io));
}
