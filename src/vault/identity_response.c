#include "vault/identity_response.h"

#include <string.h>

#include "base/text.h"
#include "platform/system.h"
#include "vault/vault_status.h"
#include "vault/wire.h"

/* Whether the status is transient. 404 and 410 mean that the endpoint is being updated and will be
 * available again within 70 s. */
static bool identity_response_passes(long status)
{
    return status == 404 || status == 408 || status == 410 || status == 429 || status >= 500;
}

enum ekm_rc identity_response_refusal(struct call *call, const struct http_response *response)
{
    char error[64] = "";
    call->error.http_status = response->status;
    enum ekm_rc rc = wire_read_identity_error(call, &response->body, error, sizeof error);
    if (rc != EKM_OK) {
        return rc;
    }
    (void)text_copy(call->error.azure_code, sizeof call->error.azure_code, error);
    if (identity_response_passes(response->status)) {
        return call_fail(call, EKM_IDENTITY_UNAVAILABLE, "%s", error);
    }
    return call_fail(call, EKM_IDENTITY_REFUSED,
                     "%s: the identity is not assigned, or several "
                     "are and SECRET names none",
                     error[0] != '\0' ? error : "no reason given");
}

/* An agent of Azure Arc that knows only the machine's own identity ignores a selector without an
 * error. So a token from it counts only if the response names the selected identity. */
static bool identity_response_is_asked_for(const struct token_request *request,
                                           const struct wire_token *facts)
{
    const struct sign_in *who = request->who;
    if (request->source != IDENTITY_SOURCE_ARC) {
        return true;
    }
    switch (who->selector) {
    case IDENTITY_BY_CLIENT_ID:
        return text_equal_nocase(facts->client_id, who->name);
    case IDENTITY_BY_OBJECT_ID:
        return text_equal_nocase(facts->object_id, who->name);
    case IDENTITY_BY_RESOURCE_ID:
        return text_equal_nocase(facts->resource_id, who->name);
    default:
        return true;
    }
}

static uint64_t identity_response_life_s(const struct wire_token *facts)
{
    int64_t now_s = plat_unix_time_ms() / 1000;
    if (facts->expires_in_s > 0) {
        return facts->expires_in_s;
    }
    return facts->expires_on_s > now_s ? (uint64_t)(facts->expires_on_s - now_s) : 0;
}

enum ekm_rc identity_response_read(struct call *call, const struct token_request *request,
                                   const struct http_response *response, struct token_value *out)
{
    struct wire_token facts;
    enum ekm_rc rc = wire_read_token(call, &response->body, &out->text, &facts);
    out->life_s = identity_response_life_s(&facts);
    out->refresh_s = facts.refresh_in_s;
    if (rc == EKM_TOKEN_NOT_JSON) {
        return vault_fail_foreign(call, response, rc);
    }
    if (rc != EKM_OK) {
        return rc;
    }
    if (!identity_response_is_asked_for(request, &facts)) {
        buf_clear(&out->text);
        return call_fail(call, EKM_IDENTITY_OTHER,
                         "the agent does not name the identity that SECRET asks for: it is too old "
                         "for user-assigned identities");
    }
    return EKM_OK;
}

enum ekm_rc identity_response_unreached(struct call *call, const struct token_request *request,
                                        enum ekm_rc rc)
{
    char note[sizeof call->error.note];
    (void)text_copy(note, sizeof note, call->error.note);
    switch (rc) {
    case EKM_CONNECT_FAILED:
    case EKM_HOST_NOT_RESOLVED:
        return call_fail(call, EKM_IDENTITY_NO_SOURCE, "%s: %.200s",
                         identity_source_name(request->source), note);
    case EKM_NO_ANSWER:
    case EKM_CONNECTION_BROKEN:
    case EKM_ANSWER_TOO_BIG:
        return call_fail(call, EKM_IDENTITY_UNAVAILABLE, "%s: %.200s", ekm_text(rc), note);
    default:
        return rc;
    }
}
