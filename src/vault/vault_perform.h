/*
 * A request to the vault itself, with its repeats: given up early where another vault stands in.
 *
 * Owns nothing. Called by vault_request.c; any thread. What a call waits for elsewhere, for a token
 * for example, says nothing of the vault.
 */
#ifndef AKVEKM_VAULT_VAULT_PERFORM_H
#define AKVEKM_VAULT_VAULT_PERFORM_H

#include "net/http.h"

/* As http_retry_perform, at the vault `host`. A vault that is given up is EKM_NO_ANSWER, or what
 * the last try came to. The call's error says from then on that it is the vault's. */
enum ekm_rc vault_perform(struct call *call, const char *host, const struct http_request *request,
                          struct http_response *response) EKM_MUST_CHECK;
/* As http_retry_try_all; what leads to the login service has no part in the patience. */
bool vault_perform_all(struct call *call, const char *host, struct http_item *items,
                       size_t count) EKM_MUST_CHECK;

#endif
