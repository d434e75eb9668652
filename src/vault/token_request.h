/*
 * Makes the token request of each form of sign-in, and reads its response.
 *
 * Owns nothing and uses no cache: token.c caches. Any thread.
 */
#ifndef AKVEKM_VAULT_TOKEN_REQUEST_H
#define AKVEKM_VAULT_TOKEN_REQUEST_H

#include "vault/token_message.h"

/* Makes the first request, ready to be sent. Describes the identity in the call's sign_in, as far
 * as it is known by now. token_request_free must follow in any case. Errors are set in the call. */
enum ekm_rc token_request_make(struct call *call, const struct sign_in *who,
                               const struct buf *secret, const struct challenge *where,
                               token_getter *get_token, struct token_request *out) EKM_MUST_CHECK;
/* A number that identifies the proof file's content now, like struct token_request's `proof`. 0:
 * the form has no file, or the file is unusable. The call's error is unchanged. */
uint64_t token_request_proof(struct call *call, const struct sign_in *who);
/* Reads the response to the request, and sends the request that must follow, if any. */
enum ekm_rc token_request_read(struct call *call, struct token_request *request,
                               const struct http_response *response,
                               struct token_value *out) EKM_MUST_CHECK;
/* Sends the request with retries, and reads the response. */
enum ekm_rc token_request_perform(struct call *call, struct token_request *request,
                                  struct token_value *out) EKM_MUST_CHECK;
void token_request_free(struct token_request *request);

void token_value_init(struct token_value *value);
void token_value_free(struct token_value *value);

#endif
