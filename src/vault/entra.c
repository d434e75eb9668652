#include "vault/entra.h"

#include <string.h>

#include "base/codec.h"
#include "base/text.h"
#include "vault/token_refusal.h"
#include "vault/vault_status.h"
#include "vault/wire.h"

enum ekm_rc entra_endpoint(const struct challenge *where, struct buf *out)
{
    return buf_append_format(out, "https://%s/%s/oauth2/v2.0/token", where->authority,
                             where->tenant);
}

enum ekm_rc entra_write_form(const struct token_request *request, const char *client_id,
                             const struct entra_proof *proof, struct buf *form)
{
    static const char assertion[] =
        "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&"
        "client_assertion=";
    /* Reserves all at once, because a buffer that grows is copied and wiped. */
    enum ekm_rc rc = buf_reserve(form, 3 * proof->len + 768);
    if (rc != EKM_OK) {
        return rc;
    }
    rc = buf_append_format(form, "client_id=%s&scope=https%%3A%%2F%%2F%s%%2F.default&%s", client_id,
                           request->where.resource,
                           proof->is_assertion ? assertion : "client_secret=");
    if (rc != EKM_OK) {
        return rc;
    }
    rc = url_escape(proof->text, proof->len, form);
    if (rc != EKM_OK) {
        return rc;
    }
    return buf_append_text(form, "&grant_type=client_credentials");
}

static enum ekm_rc entra_write(struct token_request *request, const char *client_id,
                               const struct entra_proof *proof)
{
    enum ekm_rc rc = entra_endpoint(&request->where, &request->url);
    if (rc != EKM_OK) {
        return rc;
    }
    return entra_write_form(request, client_id, proof, &request->form);
}

enum ekm_rc entra_request(struct call *call, struct token_request *request, const char *client_id,
                          const struct entra_proof *proof)
{
    enum ekm_rc rc = entra_write(request, client_id, proof);
    if (rc != EKM_OK) {
        return call_fail(call, rc, "the token request");
    }
    (void)text_copy(request->host, sizeof request->host, request->where.authority);
    request->http = (struct http_request){.method = HTTP_POST,
                                          .url = buf_text(&request->url),
                                          .host = request->host,
                                          .content_type = "application/x-www-form-urlencoded",
                                          .body = request->form.data,
                                          .body_len = request->form.len,
                                          .secret_body = true,
                                          .to_entra = true,
                                          .refusal = token_refusal};
    return EKM_OK;
}

enum ekm_rc entra_read(struct call *call, const struct http_response *response,
                       struct token_value *out)
{
    struct wire_token facts;
    if (response->status != 200) {
        return token_refusal(call, response);
    }
    enum ekm_rc rc = wire_read_token(call, &response->body, &out->text, &facts);
    if (rc == EKM_TOKEN_NOT_JSON) {
        rc = vault_fail_foreign(call, response, rc);
    }
    out->life_s = facts.expires_in_s;
    out->refresh_s = facts.refresh_in_s;
    return rc;
}
