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
/* The login host to use where this vault's challenge names `host`: the cloud's own for any of its
 * names, a host of authority_hosts as it is; NULL: `host` may not receive secrets. A vault of
 * vault_suffixes is of no known cloud: the login hosts of all clouds will do. */
const char *address_login(const struct config *config, const struct vault_address *vault,
                          const char *host);

#endif
