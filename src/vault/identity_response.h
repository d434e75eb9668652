/*
 * Reads the response of a source of managed identities: a token or an error. Arc's agent answers
 * like the others, after its challenge is met.
 *
 * Facts: identity-wire.md sections 1, 2 and 6. Owns nothing; any thread.
 */
#ifndef AKVEKM_VAULT_IDENTITY_RESPONSE_H
#define AKVEKM_VAULT_IDENTITY_RESPONSE_H

#include "vault/token_message.h"

/* Reads a 200. EKM_IDENTITY_OTHER: the token is not of the identity that SECRET names. Errors are
 * set in the call. */
enum ekm_rc identity_response_read(struct call *call, const struct token_request *request,
                                   const struct http_response *response,
                                   struct token_value *out) EKM_MUST_CHECK;
/* Sets and returns the error of any other status, in the form of http_request's `refusal`.
 * EKM_IDENTITY_UNAVAILABLE may be retried; otherwise EKM_IDENTITY_REFUSED. */
enum ekm_rc identity_response_refusal(struct call *call, const struct http_response *response);
/* Reports that the source was not reached: turns http_retry_perform's error `rc` into the error of
 * a source of managed identities. */
enum ekm_rc identity_response_unreached(struct call *call, const struct token_request *request,
                                        enum ekm_rc rc);

#endif
