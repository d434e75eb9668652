#include "vault/managed_identity.h"

#include <string.h>

#include "base/text.h"
#include "vault/arc.h"
#include "vault/identity_endpoint.h"
#include "vault/identity_response.h"

enum ekm_rc managed_identity_request(struct call *call, struct token_request *request)
{
    char resource[sizeof request->where.resource + 8];
    bool has_scheme = strstr(request->where.resource, "://") != NULL;
    (void)text_format(resource, sizeof resource, "%s%s", has_scheme ? "" : "https://",
                      request->where.resource);
    enum ekm_rc rc = identity_endpoint_request(call, resource, request);
    request->http.refusal = identity_response_refusal;
    return rc;
}

enum ekm_rc managed_identity_read(struct call *call, struct token_request *request,
                                  const struct http_response *response, struct token_value *out)
{
    if (request->source == IDENTITY_SOURCE_ARC) {
        return arc_read(call, request, response, out);
    }
    return response->status == 200 ? identity_response_read(call, request, response, out)
                                   : identity_response_refusal(call, response);
}
