/*
 * Tokens of a managed identity: the machine's own, or one that is assigned to it.
 *
 * Facts: identity-wire.md sections 0, 1, 2 and 6. Owns nothing; any thread.
 */
#ifndef AKVEKM_VAULT_MANAGED_IDENTITY_H
#define AKVEKM_VAULT_MANAGED_IDENTITY_H

#include "vault/token_message.h"

/* For request->where.resource: a host, or the name of a resource with a scheme of its own. */
enum ekm_rc managed_identity_request(struct call *call,
                                     struct token_request *request) EKM_MUST_CHECK;
/* Codes of its own: EKM_IDENTITY_REFUSED, _UNAVAILABLE and _OTHER, and those of arc.h. */
enum ekm_rc managed_identity_read(struct call *call, struct token_request *request,
                                  const struct http_response *response,
                                  struct token_value *out) EKM_MUST_CHECK;

#endif
