/*
 * What a source of managed identities answers: a token, or why there is none. Arc's agent answers
 * like the others, once its challenge is met.
 *
 * Facts: identity-wire.md sections 1, 2 and 6. Owns nothing; any thread.
 */
#ifndef AKVEKM_VAULT_IDENTITY_ANSWER_H
#define AKVEKM_VAULT_IDENTITY_ANSWER_H

#include "vault/token_message.h"

/* A 200. EKM_IDENTITY_OTHER: the token is not of the identity that SECRET names. */
enum ekm_rc identity_answer_read(struct call *call, const struct token_request *request,
                                 const struct http_response *response,
                                 struct token_value *out) EKM_MUST_CHECK;
/* Any other status, in the form of http_request's `refusal`. */
enum ekm_rc identity_answer_refusal(struct call *call, const struct http_response *response);
/* What a failure to reach the source means; `rc` is the result of http_retry_perform. */
enum ekm_rc identity_answer_unreached(struct call *call, const struct token_request *request,
                                      enum ekm_rc rc);

#endif
