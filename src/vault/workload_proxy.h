/*
 * The token proxy of AKS identity bindings: sends the same request by another route.
 *
 * Only with the setting `aks_token_proxy`. Facts: identity-wire.md section 7. The environment and
 * the file of authorities are read at each request. Any thread.
 */
#ifndef AKVEKM_VAULT_WORKLOAD_PROXY_H
#define AKVEKM_VAULT_WORKLOAD_PROXY_H

#include "vault/token_message.h"

/* Leads a request to Entra, ready to be sent, to the proxy that the environment names; as it was if
 * it names none. EKM_WORKLOAD_SETTINGS, EKM_OUT_OF_MEMORY; set in the call. */
enum ekm_rc workload_proxy_apply(struct call *call, struct token_request *request) EKM_MUST_CHECK;

#endif
