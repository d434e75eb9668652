/*
 * What Entra says by an answer that is no token.
 *
 * Acts on `error`, and on the AADSTS numbers that aadsts.h knows (identity-wire.md sections 12 and
 * 13). An answer without Entra's error is a page of something on the way. Any thread.
 */
#ifndef AKVEKM_VAULT_TOKEN_REFUSAL_H
#define AKVEKM_VAULT_TOKEN_REFUSAL_H

#include "net/http.h"

/* In the form of http_request's `refusal`: EKM_TOKEN_UNAVAILABLE is worth another try. */
enum ekm_rc token_refusal(struct call *call, const struct http_response *response);

#endif
