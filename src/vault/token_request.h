/*
 * How a token is asked for: the request of each form of sign-in, and what its response means.
 *
 * Owns nothing, and uses no cache; token.c does. Any thread.
 */
#ifndef AKVEKM_VAULT_TOKEN_REQUEST_H
#define AKVEKM_VAULT_TOKEN_REQUEST_H

#include "vault/token_message.h"

/* The first request, ready to be sent; the call's sign_in says what is known of the identity by
 * now. token_request_free must follow in any case. Set in the call on failure. */
enum ekm_rc token_request_make(struct call *call, const struct sign_in *who,
                               const struct buf *secret, const struct challenge *where,
                               token_getter *get_token, struct token_request *out) EKM_MUST_CHECK;
/* What the file of a form that has one holds now, as `proof` above; 0: no file, or none to be used.
 * The call's error stays as it is. */
uint64_t token_request_proof(struct call *call, const struct sign_in *who);
/* Reads the response to it, and sends what must follow. */
enum ekm_rc token_request_read(struct call *call, struct token_request *request,
                               const struct http_response *response,
                               struct token_value *out) EKM_MUST_CHECK;
/* Sends it with retries, and reads the response. */
enum ekm_rc token_request_perform(struct call *call, struct token_request *request,
                                  struct token_value *out) EKM_MUST_CHECK;
void token_request_free(struct token_request *request);

void token_value_init(struct token_value *value);
void token_value_free(struct token_value *value);

#endif
