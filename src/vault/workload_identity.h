/*
 * Sign-in with a federated token file: of Kubernetes, or of any issuer that the application trusts.
 *
 * Facts: identity-wire.md section 7. Environment and file are read again for each token request.
 * Any thread.
 */
#ifndef AKVEKM_VAULT_WORKLOAD_IDENTITY_H
#define AKVEKM_VAULT_WORKLOAD_IDENTITY_H

#include "vault/token_message.h"

/* EKM_WORKLOAD_SETTINGS, EKM_TOKEN_FILE_UNUSABLE, EKM_OUT_OF_MEMORY; set in the call. */
enum ekm_rc workload_identity_request(struct call *call,
                                      struct token_request *request) EKM_MUST_CHECK;
/* Tells what the token file holds now from anything else; 0: no token. Set in the call then. */
uint64_t workload_identity_proof(struct call *call);
/* https://HOST[/] and nothing else; `out` gets the host in lower case. */
bool workload_identity_authority(const char *url, char *out, size_t cap);

#endif
