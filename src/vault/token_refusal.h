/*
 * The meaning of a response of Entra that is not a token.
 *
 * The meaning depends on `error` and on the AADSTS numbers that aadsts.h knows (identity-wire.md
 * sections 12 and 13). A response without Entra's error is a page of a device on the way. Owns
 * nothing; any thread.
 */
#ifndef AKVEKM_VAULT_TOKEN_REFUSAL_H
#define AKVEKM_VAULT_TOKEN_REFUSAL_H

#include "net/http.h"

/* Sets and returns the error, in the form of http_request's `refusal`. Only EKM_TOKEN_UNAVAILABLE
 * may be retried. */
enum ekm_rc token_refusal(struct call *call, const struct http_response *response);

#endif
