/*
 * Sign-in as an application that trusts a managed identity: the identity's token is the assertion.
 *
 * Facts: identity-wire.md section 9. The identity's own token is cached like any other. Any thread.
 */
#ifndef AKVEKM_VAULT_FEDERATED_IDENTITY_H
#define AKVEKM_VAULT_FEDERATED_IDENTITY_H

#include "vault/token_message.h"

/* Makes the token request. The errors of a token of a managed identity, and those of
 * entra_request; set in the call. */
enum ekm_rc federated_identity_request(struct call *call,
                                       struct token_request *request) EKM_MUST_CHECK;

#endif
