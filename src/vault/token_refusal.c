#include "vault/token_refusal.h"

#include <string.h>

#include "base/text.h"
#include "net/backoff.h"
#include "vault/aadsts.h"
#include "vault/vault_status.h"
#include "vault/wire.h"

/* Whether the status alone makes a response transient. Without Entra's error it is a page of a
 * proxy or front end; such a page with 400 is transient as well. */
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
    const struct aadsts *known = aadsts_find(call->error.aadsts);
    const char *colon = known != NULL ? ": " : "", *meaning = known != NULL ? known->text : "";
    bool passes = token_status_passes(response->status, error[0] != '\0') ||
                  strcmp(error, "temporarily_unavailable") == 0 ||
                  (known != NULL && known->rc == EKM_TOKEN_UNAVAILABLE);
    if (error[0] == '\0') {
        return vault_fail_foreign(call, response,
                                  passes ? EKM_TOKEN_UNAVAILABLE : EKM_TOKEN_FAILED);
    }
    if (passes) {
        return call_fail(call, EKM_TOKEN_UNAVAILABLE, "%s%s%s", error, colon, meaning);
    }
    enum ekm_rc rc_of_word = strcmp(error, "invalid_client") == 0 ||
                                     strcmp(error, "unauthorized_client") == 0 ||
                                     strcmp(error, "invalid_grant") == 0
                                 ? EKM_BAD_CREDENTIALS
                                 : EKM_TOKEN_FAILED;
    rc = known != NULL && known->rc != EKM_OK ? known->rc : rc_of_word;
    return call_fail(call, rc, "%s%s%s", error, colon, meaning);
}
