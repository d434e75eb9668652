#include "vault/vault_status.h"

#include <string.h>

#include "base/text.h"
#include "net/backoff.h"
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
        {"ForbiddenByNsp", EKM_FIREWALL}, /* network security perimeter */
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

/* ObjectIsBeingDeleted and ObjectIsBeingRecovered end after some seconds.
 * ObjectIsDeletedButRecoverable does not. */
static bool is_busy(const struct call_error *error)
{
    static const char being[] = "ObjectIsBeing";
    return text_equal_nocase_n(error->inner_code, being, sizeof being - 1) ||
           text_equal_nocase_n(error->azure_code, being, sizeof being - 1);
}

/* A response without the vault's error. A vault in trouble may send a bare 5xx. A page with 400 or
 * 5xx comes from a front end or proxy that fails for a moment. */
static enum ekm_rc classify_foreign(const struct http_response *response)
{
    if (response->status >= 500 && response->body.len == 0) {
        return backoff_retries_status(response->status) ? EKM_SERVER_ERROR : EKM_SERVER_REFUSED;
    }
    return response->status >= 500 || response->status == 400 || response->status == 408
               ? EKM_NOT_VAULT_PASSING
               : EKM_NOT_VAULT;
}

static enum ekm_rc classify_own(const struct call_error *error, long status)
{
    switch (status) {
    case 403:
        return vault_status_forbidden(error);
    case 404:
        return EKM_KEY_NOT_FOUND;
    case 408:
        return EKM_REQUEST_LATE;
    case 409:
        return is_busy(error) ? EKM_KEY_BUSY : EKM_REQUEST_REFUSED;
    default:
        return status < 500                     ? EKM_REQUEST_REFUSED
               : backoff_retries_status(status) ? EKM_SERVER_ERROR
                                                : EKM_SERVER_REFUSED;
    }
}

bool vault_status_is_outage(const struct call_error *error, enum ekm_rc rc)
{
    switch (rc) {
    case EKM_HOST_NOT_RESOLVED:
    case EKM_CONNECT_FAILED:
    case EKM_PROXY:
    case EKM_PROXY_UNREACHABLE:
    case EKM_TLS_FAILED:
    case EKM_CERTIFICATE_REFUSED:
    case EKM_CERTIFICATE_EARLY:
    case EKM_NO_ANSWER:
    case EKM_CONNECTION_BROKEN:
    case EKM_ANSWER_TOO_BIG:
    case EKM_DEADLINE:
    case EKM_THROTTLED:
    case EKM_REQUEST_LATE:
    case EKM_SERVER_ERROR:
    case EKM_SERVER_REFUSED:
    case EKM_NOT_VAULT:
    case EKM_NOT_VAULT_PASSING:
    case EKM_UNEXPECTED_STATUS:
        return true;
    case EKM_CHALLENGE_MALFORMED:
        return error->http_status != 401; /* a 401 comes from a vault: it demands a token */
    default:
        /* A response whose form cannot be a vault's. */
        return (rc >= EKM_KEY_NOT_JSON && rc <= EKM_KEY_BAD_ID) ||
               (rc >= EKM_WRAP_BAD_VALUE && rc <= EKM_UNWRAP_EMPTY);
    }
}

/* A vault never redirects, whatever the body says. A 429 is a throttle, whoever sends it. */
static enum ekm_rc vault_status_classify(const struct call_error *error,
                                         const struct http_response *response, bool is_own)
{
    long status = response->status;
    if (status >= 200 && status < 300) {
        return EKM_UNEXPECTED_STATUS;
    }
    if (status == 401) {
        return EKM_UNAUTHORIZED;
    }
    if (status == 429) {
        return EKM_THROTTLED;
    }
    if (status < 400) {
        return EKM_NOT_VAULT;
    }
    return is_own ? classify_own(error, status) : classify_foreign(response);
}

enum ekm_rc vault_fail_foreign(struct call *call, const struct http_response *response,
                               enum ekm_rc rc)
{
    const char *type = response->content_type;
    call->error.http_status = response->status;
    return call_fail(call, rc, "answered with %.63s%s", type[0] != '\0' ? type : "no content type",
                     response->body.len == 0 ? ", no body" : "");
}

bool vault_is_page(const struct http_response *response, bool is_own)
{
    return !is_own && response->body.len > 0 && strcmp(buf_text(&response->body), "OK") != 0;
}

enum ekm_rc vault_status(struct call *call, const struct http_response *response)
{
    bool is_own = false;
    call->error.http_status = response->status;
    (void)text_copy(call->error.request_id, sizeof call->error.request_id, response->request_id);
    enum ekm_rc rc = wire_read_error(call, &response->body, &is_own);
    if (rc != EKM_OK) {
        return rc;
    }
    rc = vault_status_classify(&call->error, response, is_own);
    return is_own && response->status >= 400 ? call_fail(call, rc, NULL)
                                             : vault_fail_foreign(call, response, rc);
}

enum ekm_rc vault_refusal(struct call *call, const struct http_response *response)
{
    enum ekm_rc rc = vault_status(call, response);
    if (rc == EKM_THROTTLED || !vault_status_is_outage(&call->error, rc)) {
        call_patience_note_response(&call->patience);
    }
    return rc;
}
