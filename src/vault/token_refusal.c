#include "vault/token_refusal.h"

#include <string.h>

#include "base/text.h"
#include "net/backoff.h"
#include "vault/vault_status.h"
#include "vault/wire.h"

/* Entra's numbers for what passes by itself, whatever the status (identity-wire.md section 12). */
static bool token_number_passes(uint32_t aadsts)
{
    static const uint32_t numbers[] = {90006, 90012, 90024, 90033, 90055, 90090, 90091};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (numbers[i] == aadsts) {
            return true;
        }
    }
    return false;
}

/* Whether an answer passes by its status alone. Without Entra's error it is the page of a proxy or
 * front end, and theirs with 400 pass as well. */
static bool token_status_passes(long status, bool is_entras)
{
    return backoff_retries_status(status) || (status == 400 && !is_entras);
}

enum ekm_rc token_refusal(struct call *call, const struct http_response *response)
{
    char error[64] = "";
    call->error.http_status = response->status;
    (void)text_copy(call->error.request_id, sizeof call->error.request_id, response->request_id);
    enum ekm_rc rc = wire_read_token_error(call, &response->body, error, sizeof error);
    if (rc != EKM_OK) {
        return rc;
    }
    bool passes = token_status_passes(response->status, error[0] != '\0') ||
                  strcmp(error, "temporarily_unavailable") == 0 ||
                  token_number_passes(call->error.aadsts);
    if (error[0] == '\0') {
        return vault_fail_foreign(call, response,
                                  passes ? EKM_TOKEN_UNAVAILABLE : EKM_TOKEN_FAILED);
    }
    if (passes) {
        return call_fail(call, EKM_TOKEN_UNAVAILABLE, "%s", error);
    }
    if (strcmp(error, "invalid_client") == 0 || strcmp(error, "unauthorized_client") == 0 ||
        strcmp(error, "invalid_grant") == 0) {
        return call_fail(call, EKM_BAD_CREDENTIALS, "%s", error);
    }
    return call_fail(call, EKM_TOKEN_FAILED, "%s", error);
}
