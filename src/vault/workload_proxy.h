/*
 * The token proxy of AKS identity bindings: sends a token request by another route.
 *
 * Used only with the setting `aks_token_proxy`. Facts: identity-wire.md section 7. Reads the
 * environment and the file of authorities at each request. Owns nothing; any thread.
 */
#ifndef AKVEKM_VAULT_WORKLOAD_PROXY_H
#define AKVEKM_VAULT_WORKLOAD_PROXY_H

#include "vault/token_message.h"

/* Changes a finished request to Entra so that it goes to the proxy that the environment names. If
 * there is none, the request is unchanged. EKM_WORKLOAD_SETTINGS, EKM_OUT_OF_MEMORY; set in the
 * call. */
enum ekm_rc workload_proxy_apply(struct call *call, struct token_request *request) EKM_MUST_CHECK;

#endif
