/*
 * Sends a request to the vault itself, with retries. If another vault can stand in, it gives up
 * before the call's deadline.
 *
 * Owns nothing. vault_request.c calls it, from any thread. Only requests to the vault count for the
 * call's patience; a wait for a token does not.
 */
#ifndef AKVEKM_VAULT_VAULT_PERFORM_H
#define AKVEKM_VAULT_VAULT_PERFORM_H

#include "net/http.h"

/* Does what http_retry_perform does, at the vault `host`. If the vault is given up: EKM_NO_ANSWER,
 * or the outcome of the last try. Marks the call's error as the vault's. */
enum ekm_rc vault_perform(struct call *call, const char *host, const struct http_request *request,
                          struct http_response *response) EKM_MUST_CHECK;
/* Does what http_retry_try_all does. Items to the login service do not count for the patience. */
bool vault_perform_all(struct call *call, const char *host, struct http_item *items,
                       size_t count) EKM_MUST_CHECK;

#endif
