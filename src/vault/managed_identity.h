/*
 * Sign-in with a managed identity: the machine's own, or one that is assigned to it.
 *
 * Facts: identity-wire.md sections 0, 1, 2 and 6. Owns nothing; any thread.
 */
#ifndef AKVEKM_VAULT_MANAGED_IDENTITY_H
#define AKVEKM_VAULT_MANAGED_IDENTITY_H

#include "vault/token_message.h"

/* Makes the token request for request->where.resource, which is a host, or the name of a resource
 * with a scheme. EKM_IDENTITY_NO_SOURCE, EKM_OUT_OF_MEMORY; set in the call. */
enum ekm_rc managed_identity_request(struct call *call,
                                     struct token_request *request) EKM_MUST_CHECK;
/* Reads the response. EKM_IDENTITY_REFUSED, EKM_IDENTITY_UNAVAILABLE, EKM_IDENTITY_OTHER, and the
 * errors of arc.h and of a token's JSON; set in the call. */
enum ekm_rc managed_identity_read(struct call *call, struct token_request *request,
                                  const struct http_response *response,
                                  struct token_value *out) EKM_MUST_CHECK;

#endif
