/*
 * What a durable form of the tenants must do (tenants.h).
 *
 * tenants_file.c is the one for files, tenants_registry.c that of Windows. Called by tenants.c
 * alone, any thread; every call does I/O.
 */
#ifndef AKVEKM_KEYMAP_TENANTS_STORE_H
#define AKVEKM_KEYMAP_TENANTS_STORE_H

#include "platform/file.h"

#define TENANTS_MAX 256 /* vaults */

/* Every vault's host in lower case with what stands there for its tenant. */
void tenants_store_visit(void (*visit)(const char *vault_host, const char *tenant));
/* Adds or replaces; the rest stays. Does not wait for other writers beyond a moment. */
enum plat_io tenants_store_put(const char *vault_host, const char *tenant);

#endif
