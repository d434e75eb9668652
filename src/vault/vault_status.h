/*
 * Turns the vault's HTTP statuses into rows of the error table.
 *
 * A status counts only with the vault's own error in JSON. Without it a front end, a proxy or
 * another device on the way has answered. Rule: specification.md section 6; inner codes:
 * key-vault-wire.md section 3. Owns nothing; any thread.
 */
#ifndef AKVEKM_VAULT_VAULT_STATUS_H
#define AKVEKM_VAULT_VAULT_STATUS_H

#include "net/http.h"

/* Sets and returns the error of an unexpected response. For a 2xx it is EKM_UNEXPECTED_STATUS. */
enum ekm_rc vault_status(struct call *call, const struct http_response *response);
/* The same in the form of http_request's `refusal`. It also notes for the call's patience that the
 * vault answered, unless the response is an outage. */
enum ekm_rc vault_refusal(struct call *call, const struct http_response *response);

/* Whether the error is an outage of the vault: it was not reached, it failed, it throttled until
 * the deadline, or another device answered in its place. A refusal by the vault is no outage. */
bool vault_status_is_outage(const struct call_error *error, enum ekm_rc rc);

/* Reports the error `rc` with the response's status and content type: the response was not the
 * service's. Returns rc. */
enum ekm_rc vault_fail_foreign(struct call *call, const struct http_response *response,
                               enum ekm_rc rc);
/* For a 401 with an unusable challenge: whether its body is a page and not the vault's. A Managed
 * HSM answers with `OK` or nothing. */
bool vault_is_page(const struct http_response *response, bool is_own);

#endif
