/*
 * vaultsim's own certification authority, and the server certificate for all its hosts.
 *
 * Called once at the start. Its files in the state folder are kept across restarts: ca.pem, ca.key,
 * server.pem, server.key. If the certificate lacks a host, the same authority issues it anew.
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
