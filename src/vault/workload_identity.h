/*
 * Sign-in with a federated token file, from Kubernetes or any other issuer that the application
 * trusts.
 *
 * Facts: identity-wire.md section 7. Reads environment and file again for each token request. Owns
 * nothing; any thread.
 */
#ifndef AKVEKM_VAULT_WORKLOAD_IDENTITY_H
#define AKVEKM_VAULT_WORKLOAD_IDENTITY_H

#include "vault/token_message.h"

/* Makes the token request. EKM_WORKLOAD_SETTINGS, EKM_TOKEN_FILE_UNUSABLE, EKM_OUT_OF_MEMORY; set
 * in the call. */
enum ekm_rc workload_identity_request(struct call *call,
                                      struct token_request *request) EKM_MUST_CHECK;
/* A number that identifies the token in the file now. 0: there is no token, and the error is set in
 * the call. */
uint64_t workload_identity_proof(struct call *call);
/* Reads a URL of the form https://HOST[/]; `out` gets the host in lower case. False: it has another
 * form. */
bool workload_identity_authority(const char *url, char *out, size_t cap);

#endif
