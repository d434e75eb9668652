/*
 * From the vault's HTTP statuses to the table of errors.
 *
 * A status counts only with the vault's own error in JSON. Without it a front end, a proxy or
 * another device on the way has answered. Rule: specification.md section 6; inner codes:
 * key-vault-wire.md section 3. Any thread.
 */
#ifndef AKVEKM_VAULT_VAULT_STATUS_H
#define AKVEKM_VAULT_VAULT_STATUS_H

#include "net/http.h"

/* Sets and returns the error of an unexpected response; `success` is the code for a 2xx. */
enum ekm_rc vault_status(struct call *call, const struct http_response *response,
                         enum ekm_rc success);
/* The same in the form of http_request's `refusal`. */
enum ekm_rc vault_refusal(struct call *call, const struct http_response *response);

/* Whether the vault gave no answer that is one: it was not reached, failed, or throttled to the
 * end. What it refuses is none. */
bool vault_status_is_outage(const struct call_error *error, enum ekm_rc rc);

/* Sets `rc` with the response's status and content type: the response was not the service's. */
enum ekm_rc vault_fail_foreign(struct call *call, const struct http_response *response,
                               enum ekm_rc rc);
/* For a 401 whose challenge is of no use: whether its body is a page and not the vault's. A Managed
 * HSM answers with `OK` or nothing. */
bool vault_is_page(const struct http_response *response, bool is_own);

#endif
