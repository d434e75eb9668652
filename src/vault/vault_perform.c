#include "vault/vault_perform.h"

#include "net/http_retry.h"
#include "platform/system.h"

/* Adjusts the outcome `rc` of a request: if the patience ended it before the call's own deadline,
 * the vault did not answer. */
static enum ekm_rc vault_perform_judge(struct call *call, const char *host, enum ekm_rc rc)
{
    if (rc == EKM_DEADLINE && call_patience_is_over(&call->patience) &&
        call->deadline_ms > plat_now_ms()) {
        rc = call_fail(call, EKM_NO_ANSWER, "%s: no answer so far, another vault can do it", host);
    }
    call->error.at_vault = true;
    return rc;
}

enum ekm_rc vault_perform(struct call *call, const char *host, const struct http_request *request,
                          struct http_response *response)
{
    call_patience_begin(&call->patience);
    enum ekm_rc rc = http_retry_perform(call, request, response);
    if (rc == EKM_OK && response->status < 400) {
        call_patience_note_response(&call->patience);
    }
    rc = vault_perform_judge(call, host, rc);
    call_patience_end(&call->patience);
    return rc;
}

bool vault_perform_all(struct call *call, const char *host, struct http_item *items, size_t count)
{
    const struct call_error before = call->error;
    call_patience_begin(&call->patience);
    bool tried = http_retry_try_all(call, items, count);
    for (size_t i = 0; tried && i < count; i++) {
        if (items[i].request->to_entra || items[i].request->local) {
            continue;
        }
        if (items[i].rc == EKM_OK && items[i].response->status < 500) {
            call_patience_note_response(&call->patience);
        }
        call->error = items[i].error;
        items[i].rc = vault_perform_judge(call, host, items[i].rc);
        items[i].error = call->error;
    }
    call_patience_end(&call->patience);
    call->error = before;
    return tried;
}
