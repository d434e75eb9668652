#include "vault/vault_status.h"

#include <string.h>

#include "base/text.h"
#include "vault/wire.h"

static enum ekm_rc vault_status_forbidden(const struct call_error *error)
{
    static const struct {
        const char *inner;
        enum ekm_rc rc;
    } known[] = {
        {"KeyDisabled", EKM_KEY_DISABLED},
        {"ForbiddenByFirewall", EKM_FIREWALL},
        {"ForbiddenByConnection", EKM_FIREWALL},
        {"KeyOperationForbidden", EKM_KEY_OPERATION},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (text_equal_nocase(error->inner_code, known[i].inner) ||
            text_equal_nocase(error->azure_code, known[i].inner)) {
            return known[i].rc;
        }
    }
    return EKM_FORBIDDEN;
}

static enum ekm_rc vault_status_classify(const struct call_error *error, long status,
                                         enum ekm_rc success)
{
    if (status >= 200 && status < 300) {
        return success;
    }
    switch (status) {
    case 401:
        return EKM_UNAUTHORIZED;
    case 403:
        return vault_status_forbidden(error);
    case 404:
        return EKM_KEY_NOT_FOUND;
    case 429:
        return EKM_THROTTLED;
    default:
        return status >= 500 ? EKM_SERVER_ERROR : EKM_REQUEST_REFUSED;
    }
}

enum ekm_rc vault_status(struct call *call, const struct http_response *response,
                         enum ekm_rc success)
{
    call->error.http_status = response->status;
    (void)text_copy(call->error.request_id, sizeof call->error.request_id, response->request_id);
    enum ekm_rc rc = wire_read_error(call, &response->body);
    return rc != EKM_OK
               ? rc
               : call_fail(call, vault_status_classify(&call->error, response->status, success),
                           NULL);
}
