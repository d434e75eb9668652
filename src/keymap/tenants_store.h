/*
 * The interface of a durable form of the tenants (tenants.h).
 *
 * keymap_store.c passes each call to tenants_file.c or tenants_registry.c. Only tenants.c calls it,
 * from any thread. Every call does I/O.
 */
#ifndef AKVEKM_KEYMAP_TENANTS_STORE_H
#define AKVEKM_KEYMAP_TENANTS_STORE_H

#include "platform/file.h"

#define TENANTS_MAX 256 /* vaults */

/* Visits every vault's host in lower case with its stored tenant. */
void tenants_store_visit(void (*visit)(const char *vault_host, const char *tenant));
/* Adds or replaces one vault's tenant; the others stay. Waits only briefly for other writers. */
enum plat_io tenants_store_put(const char *vault_host, const char *tenant);

#endif
