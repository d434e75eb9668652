/*
 * vaultsim's own certification authority and the server certificate for every host it plays.
 *
 * Called once at the start. Files in the state folder: ca.pem, ca.key, server.pem, server.key; kept
 * across restarts. A host that the certificate does not name yet gets it issued anew, by the same
 * authority.
 */
#ifndef VAULTSIM_PKI_H
#define VAULTSIM_PKI_H

#include <cjson/cJSON.h>

struct pki {
    char *certificate, *key; /* PEM, malloc'd */
};

/* vaults: the array of store_vault_list. NULL: done; else the problem. */
const char *pki_prepare(const cJSON *vaults, struct pki *pki);
void pki_free(struct pki *pki);

#endif
