#include "vault/token_request.h"

#include <string.h>

#include "base/text.h"
#include "net/http_retry.h"
#include "platform/system.h"
#include "vault/assertion.h"
#include "vault/entra.h"
#include "vault/federated_identity.h"
#include "vault/identity_response.h"
#include "vault/managed_identity.h"
#include "vault/workload_identity.h"

#define URL_MAX    2560   /* an endpoint, and an ARM id with every byte escaped */
#define FORM_MAX   200000 /* the longest token file, every byte escaped */
#define HEADER_MAX 4200
#define WAY_MAX    1024
#define CA_MAX     65536

static enum ekm_rc token_request_secret(struct call *call, struct token_request *request)
{
    const struct entra_proof proof = {false, buf_text(request->secret), request->secret->len};
    return entra_request(call, request, request->who->client_id, &proof);
}

static enum ekm_rc token_request_sign(struct call *call, struct token_request *request,
                                      struct buf *assertion)
{
    struct certificate certificate;
    struct buf audience = BUF_EMPTY(URL_MAX);
    char detail[64];
    enum ekm_rc rc = certificate_open(call, request->who->name, &certificate);
    if (certificate.thumbprint[0] != '\0') {
        (void)text_format(detail, sizeof detail, "thumbprint=%s", certificate.thumbprint);
        sign_in_describe(request->who, detail, call->sign_in, sizeof call->sign_in);
        request->expiry_s = certificate.expiry_s;
        request->proof = certificate_proof(&certificate);
    }
    if (rc != EKM_OK) {
        goto out;
    }
    if (entra_endpoint(&request->where, &audience) != EKM_OK) {
        rc = call_fail(call, EKM_OUT_OF_MEMORY, "the token request");
        goto out;
    }
    rc = assertion_write(call, &certificate, request->who->client_id, buf_text(&audience),
                         assertion);
out:
    certificate_close(&certificate);
    buf_free(&audience);
    return rc;
}

/* Entra accepts an assertion only once. If the response to it is lost or late, Entra may have seen
 * it, so each retry and copy gets its own. The proof stays that of the first one: a refusal may
 * answer any of them, and must not count as one of a certificate that is new meanwhile. */
static enum ekm_rc token_request_sign_anew(struct call *call, void *context, struct buf *form)
{
    struct token_request *request = context;
    const uint64_t first_proof = request->proof;
    struct buf assertion = BUF_EMPTY(ASSERTION_MAX);
    enum ekm_rc rc = token_request_sign(call, request, &assertion);
    request->proof = first_proof;
    if (rc != EKM_OK) {
        goto out;
    }
    const struct entra_proof proof = {true, buf_text(&assertion), assertion.len};
    rc = entra_write_form(request, request->who->client_id, &proof, form);
out:
    buf_free(&assertion);
    return rc;
}

static enum ekm_rc token_request_certificate(struct call *call, struct token_request *request)
{
    struct buf assertion = BUF_EMPTY(ASSERTION_MAX);
    enum ekm_rc rc = token_request_sign(call, request, &assertion);
    if (rc != EKM_OK) {
        goto out;
    }
    const struct entra_proof proof = {true, buf_text(&assertion), assertion.len};
    rc = entra_request(call, request, request->who->client_id, &proof);
    request->http.rewrite = token_request_sign_anew;
    request->http.context = request;
out:
    buf_free(&assertion);
    return rc;
}

enum ekm_rc token_request_make(struct call *call, const struct sign_in *who,
                               const struct buf *secret, const struct challenge *where,
                               token_getter *get_token, struct token_request *out)
{
    static enum ekm_rc (*const makers[SIGN_IN_FORM_COUNT])(struct call *,
                                                           struct token_request *) = {
        [SIGN_IN_SECRET] = token_request_secret,
        [SIGN_IN_CERTIFICATE] = token_request_certificate,
        [SIGN_IN_MANAGED_IDENTITY] = managed_identity_request,
        [SIGN_IN_WORKLOAD_IDENTITY] = workload_identity_request,
        [SIGN_IN_FEDERATED_IDENTITY] = federated_identity_request,
    };
    const struct buf url = BUF_EMPTY(URL_MAX), header = BUF_EMPTY(HEADER_MAX);
    const struct buf form = BUF_EMPTY(FORM_MAX), way = BUF_EMPTY(WAY_MAX), pem = BUF_EMPTY(CA_MAX);
    memset(out, 0, sizeof *out);
    out->url = url;
    out->header = header;
    out->form = form;
    out->way = way;
    out->authorities = pem;
    out->who = who;
    out->secret = secret;
    out->get_token = get_token;
    out->where = *where;
    out->asked_ms = plat_now_ms();
    sign_in_describe(who, "", call->sign_in, sizeof call->sign_in);
    return makers[who->form](call, out);
}

uint64_t token_request_proof(struct call *call, const struct sign_in *who)
{
    const struct call_error before = call->error;
    struct certificate certificate;
    uint64_t proof = 0;
    if (who->form == SIGN_IN_WORKLOAD_IDENTITY) {
        proof = workload_identity_proof(call);
    } else if (who->form == SIGN_IN_CERTIFICATE) {
        proof = certificate_open(call, who->name, &certificate) == EKM_OK
                    ? certificate_proof(&certificate)
                    : 0;
        certificate_close(&certificate);
    }
    call->error = before;
    return proof;
}

enum ekm_rc token_request_read(struct call *call, struct token_request *request,
                               const struct http_response *response, struct token_value *out)
{
    return request->who->form == SIGN_IN_MANAGED_IDENTITY
               ? managed_identity_read(call, request, response, out)
               : entra_read(call, response, out);
}

enum ekm_rc token_request_perform(struct call *call, struct token_request *request,
                                  struct token_value *out)
{
    struct http_response response;
    http_response_init(&response);
    enum ekm_rc rc = http_retry_perform(call, &request->http, &response);
    if (rc != EKM_OK && request->who->form == SIGN_IN_MANAGED_IDENTITY) {
        rc = identity_response_unreached(call, request, rc);
    }
    if (rc != EKM_OK) {
        goto out;
    }
    rc = token_request_read(call, request, &response, out);
out:
    http_response_free(&response);
    return rc;
}

void token_request_free(struct token_request *request)
{
    buf_free(&request->url);
    buf_free(&request->header);
    buf_free(&request->form);
    buf_free(&request->way);
    buf_free(&request->authorities);
}

void token_value_init(struct token_value *value)
{
    const struct buf empty = BUF_EMPTY(HTTP_BODY_MAX);
    *value = (struct token_value){.text = empty};
}

void token_value_free(struct token_value *value)
{
    buf_free(&value->text);
}
