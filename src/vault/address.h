/*
 * The hosts that the library connects to: reads the vault's host from IDENTITY, and holds the
 * allow-lists of the clouds.
 *
 * Rules: specification.md section 2, key-vault-wire.md sections 5.5 and 9. Immutable tables; any
 * thread.
 */
#ifndef AKVEKM_VAULT_ADDRESS_H
#define AKVEKM_VAULT_ADDRESS_H

#include "base/config.h"
#include "base/text.h"

struct vault_address {
    char host[TEXT_HOST_CAP];     /* lower case */
    char resource[TEXT_HOST_CAP]; /* the suffix without its leading dot: vault.azure.net */
};

/* EKM_VAULT_NOT_ALLOWED, not set in a call: this is no vault of a known cloud or vault_suffixes. */
enum ekm_rc address_parse(const struct config *config, const char *identity,
                          struct vault_address *out) EKM_MUST_CHECK;
/* The Entra host of the vault's cloud; NULL if the cloud is unknown. */
const char *address_authority(const struct vault_address *vault);
/* The login host to use if this vault's challenge names `host`: for any name of a cloud's login
 * host the main one; a host of authority_hosts unchanged. NULL: `host` must not receive secrets.
 * The cloud of a vault of vault_suffixes is unknown, so all clouds' login hosts are allowed. */
const char *address_login(const struct config *config, const struct vault_address *vault,
                          const char *host);

#endif
