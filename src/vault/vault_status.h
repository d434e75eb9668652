/*
 * HTTP statuses of the vault to the table of errors.
 *
 * Rule: specification.md section 6; inner codes: key-vault-wire.md section 3. Any thread.
 */
#ifndef AKVEKM_VAULT_VAULT_STATUS_H
#define AKVEKM_VAULT_VAULT_STATUS_H

#include "net/http.h"

/* Sets and returns the error of an answer that is not what was expected; `success` is the code for
 * a 2xx. */
enum ekm_rc vault_status(struct call *call, const struct http_response *response,
                         enum ekm_rc success);

#endif
