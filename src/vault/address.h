/*
 * The hosts that the library talks to: from IDENTITY to the vault's host, and the allow-lists of
 * the clouds.
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
/* The Entra host of the vault's cloud; NULL if the cloud is unknown. */
const char *address_authority(const struct vault_address *vault);
/* The login host to use if this vault's challenge names `host`: the cloud's main one for any of its
 * names, a host of authority_hosts unchanged. NULL: `host` may not receive secrets. The cloud of a
 * vault of vault_suffixes is unknown, so the login hosts of all clouds are allowed. */
const char *address_login(const struct config *config, const struct vault_address *vault,
                          const char *host);

#endif
