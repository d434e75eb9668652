/*
 * Sign-in as an application that trusts a managed identity: the token of the identity is the
 * assertion.
 *
 * Facts: identity-wire.md section 9. The identity's own token is cached like any other. Any thread.
 */
#ifndef AKVEKM_VAULT_FEDERATED_IDENTITY_H
#define AKVEKM_VAULT_FEDERATED_IDENTITY_H

#include "vault/token_message.h"

/* As the token requests of a managed identity, and of Entra. */
enum ekm_rc federated_identity_request(struct call *call,
                                       struct token_request *request) EKM_MUST_CHECK;

#endif
