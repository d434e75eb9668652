/*
 * The meaning of a response of Entra that is not a token.
 *
 * It follows `error`, and the AADSTS numbers that aadsts.h knows (identity-wire.md sections 12 and
 * 13). A response without Entra's error is a page of a device on the way. Any thread.
 */
#ifndef AKVEKM_VAULT_TOKEN_REFUSAL_H
#define AKVEKM_VAULT_TOKEN_REFUSAL_H

#include "net/http.h"

/* In the form of http_request's `refusal`. EKM_TOKEN_UNAVAILABLE may be retried. */
enum ekm_rc token_refusal(struct call *call, const struct http_response *response);

#endif
