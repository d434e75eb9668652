#include "vault/federated_identity.h"

#include <string.h>

#include "base/text.h"
#include "vault/entra.h"
#include "vault/token_slot.h"

/* The audience of the identity's token, by cloud. */
static const char *federated_audience(const char *authority)
{
    if (text_ends_nocase(authority, ".us")) {
        return "api://AzureADTokenExchangeUSGov";
    }
    if (text_ends_nocase(authority, ".cn")) {
        return "api://AzureADTokenExchangeChina";
    }
    return "api://AzureADTokenExchange";
}

static enum ekm_rc federated_get_assertion(struct call *call, const struct token_request *request,
                                           struct token **out)
{
    struct challenge where;
    struct sign_in who = *request->who;
    who.form = SIGN_IN_MANAGED_IDENTITY;
    who.client_id[0] = '\0';
    memset(&where, 0, sizeof where);
    (void)text_copy(where.resource, sizeof where.resource,
                    federated_audience(request->where.authority));
    return request->get_token(call, &who, &where, out);
}

/* Describes the application again, because the fetch of the identity's token described the
 * identity. */
static void federated_describe(struct call *call, const struct token_request *request)
{
    char detail[sizeof call->sign_in];
    const char *source = strstr(call->sign_in, "source=");
    (void)text_copy_n(detail, sizeof detail, source != NULL ? source : "",
                      source != NULL ? strcspn(source, " ") : 0);
    sign_in_describe(request->who, detail, call->sign_in, sizeof call->sign_in);
}

enum ekm_rc federated_identity_request(struct call *call, struct token_request *request)
{
    struct token *token = NULL;
    enum ekm_rc rc = federated_get_assertion(call, request, &token);
    federated_describe(call, request);
    if (rc != EKM_OK) {
        goto out;
    }
    const char *text = token_header(token) + sizeof TOKEN_HEADER - 1;
    const struct entra_proof proof = {true, text, strlen(text)};
    rc = entra_request(call, request, request->who->client_id, &proof);
out:
    token_release(token);
    return rc;
}
