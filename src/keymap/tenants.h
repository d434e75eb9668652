/*
 * The Entra tenant that each vault named last, stored beside the map, so that a new process can ask
 * for a token while it asks the vault.
 *
 * Only connects vault/challenge.h and the store; owns nothing. It is a hint: without it a cold
 * start takes a few more round trips. It never holds an authority or a secret. Any thread between
 * keymap_start and keymap_stop.
 */
#ifndef AKVEKM_KEYMAP_TENANTS_H
#define AKVEKM_KEYMAP_TENANTS_H

#include "base/call.h"

/* Reads the store; skips what is not a host or not a tenant. */
void tenants_start(void);
/* Stores the tenant that the vault named, if it is new. A store that cannot be written fails no
 * call. */
void tenants_note(struct call *call, const char *vault_host);

#endif
