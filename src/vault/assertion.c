#include "vault/assertion.h"

#include "base/codec.h"
#include "platform/system.h"

static enum ekm_rc assertion_write_head(const struct certificate *certificate, bool pss,
                                        struct buf *out)
{
    struct buf json = BUF_EMPTY(512);
    enum ekm_rc rc = buf_append_format(&json, "{\"alg\":\"%s\",\"typ\":\"JWT\",\"x5t#S256\":\"",
                                       pss ? "PS256" : "RS256");
    if (rc != EKM_OK) {
        goto out;
    }
    rc = base64url_encode(certificate->sha256, sizeof certificate->sha256, &json);
    if (rc != EKM_OK) {
        goto out;
    }
    rc = buf_append_text(&json, "\"}");
    if (rc != EKM_OK) {
        goto out;
    }
    rc = base64url_encode(json.data, json.len, out);
out:
    buf_free(&json);
    return rc;
}

/* Client ID and audience need no JSON escapes: they consist of GUIDs and of checked names of hosts
 * and tenants. */
static enum ekm_rc assertion_write_claims(const char *client_id, const char *audience,
                                          struct buf *out)
{
    struct buf json = BUF_EMPTY(2048);
    char id[37];
    long long now_s = plat_unix_time_ms() / 1000, end_s = now_s + ASSERTION_LIFE_S;
    if (!uuid_make(id)) {
        return EKM_INTERNAL;
    }
    enum ekm_rc rc = buf_append_format(
        &json,
        "{\"aud\":\"%s\",\"iss\":\"%s\",\"sub\":\"%s\",\"jti\":\"%s\",\"nbf\":%lld,\"iat\":%lld,"
        "\"exp\":%lld}",
        audience, client_id, client_id, id, now_s, now_s, end_s);
    if (rc != EKM_OK) {
        goto out;
    }
    rc = base64url_encode(json.data, json.len, out);
out:
    buf_free(&json);
    return rc;
}

static enum ekm_rc assertion_write_unsigned(const struct certificate *certificate, bool pss,
                                            const char *client_id, const char *audience,
                                            struct buf *out)
{
    enum ekm_rc rc = assertion_write_head(certificate, pss, out);
    if (rc != EKM_OK) {
        return rc;
    }
    rc = buf_append_text(out, ".");
    if (rc != EKM_OK) {
        return rc;
    }
    return assertion_write_claims(client_id, audience, out);
}

static enum ekm_rc assertion_append_signature(const struct buf *signature, struct buf *out)
{
    enum ekm_rc rc = buf_append_text(out, ".");
    if (rc != EKM_OK) {
        return rc;
    }
    return base64url_encode(signature->data, signature->len, out);
}

static enum ekm_rc assertion_write_as(struct call *call, const struct certificate *certificate,
                                      bool pss, const char *client_id, const char *audience,
                                      struct buf *out)
{
    struct buf signature = BUF_EMPTY(PLAT_SIGNATURE_MAX + 1);
    buf_clear(out);
    enum ekm_rc rc = assertion_write_unsigned(certificate, pss, client_id, audience, out);
    if (rc != EKM_OK) {
        rc = call_fail(call, rc, "an assertion");
        goto out;
    }
    rc = certificate_sign(call, certificate, pss, out, &signature);
    if (rc != EKM_OK) {
        goto out;
    }
    rc = assertion_append_signature(&signature, out);
    if (rc != EKM_OK) {
        rc = call_fail(call, rc, "an assertion");
    }
out:
    buf_free(&signature);
    return rc;
}

enum ekm_rc assertion_write(struct call *call, const struct certificate *certificate,
                            const char *client_id, const char *audience, struct buf *out)
{
    enum ekm_rc rc = assertion_write_as(call, certificate, true, client_id, audience, out);
    if (rc == EKM_CERTIFICATE_UNUSABLE) {
        call_clear_error(call);
        rc = assertion_write_as(call, certificate, false, client_id, audience, out);
    }
    return rc;
}
