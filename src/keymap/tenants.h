/*
 * The Entra tenant that each vault named last, kept beside the map, so that a fresh process can ask
 * for a token while it asks the vault.
 *
 * Owns nothing but the way between vault/challenge.h and the store. A hint alone: without it a cold
 * start takes a few turns more. Never the authority, never a secret. Any thread between
 * keymap_start and keymap_stop.
 */
#ifndef AKVEKM_KEYMAP_TENANTS_H
#define AKVEKM_KEYMAP_TENANTS_H

#include "base/call.h"

/* Reads the store; what is no host or no tenant there is passed over. */
void tenants_start(void);
/* Stores what the vault has said, if it is news. A store that cannot be written fails nobody. */
void tenants_note(struct call *call, const char *vault_host);

#endif
