/*
 * Which hosts the library speaks to: IDENTITY to vault host, and the allow-lists of clouds.
 *
 * Rules: specification.md section 2, key-vault-wire.md sections 5.5 and 9. Immutable tables; any
 * thread.
 */
#ifndef AKVEKM_VAULT_ADDRESS_H
#define AKVEKM_VAULT_ADDRESS_H

#include "base/config.h"

struct vault_address {
    char host[254];     /* lower case */
    char resource[254]; /* the suffix without its leading dot: vault.azure.net */
};

/* EKM_VAULT_NOT_ALLOWED for anything that is not a vault of a known cloud or of vault_suffixes. */
enum ekm_rc address_parse(const struct config *config, const char *identity,
                          struct vault_address *out) EKM_MUST_CHECK;
/* The Entra host of the vault's cloud; NULL where the cloud is not one of the known. */
const char *address_authority(const struct vault_address *vault);
/* Whether `host` may receive client secrets: known Entra hosts and authority_hosts. */
bool address_is_authority(const struct config *config, const char *host);

#endif
