#include "vault/certificate.h"

#include <openssl/rsa.h>
#include <string.h>

#include "base/codec.h"
#include "base/text.h"
#include "base/whole_file.h"
#include "platform/system.h"

#define FILE_MAX      65536
#define PASSWORD_MAX  1024
#define CERT_PATH_CAP 1200

static enum ekm_rc certificate_fail(struct call *call, const char *path, const char *why)
{
    return call_fail(call, EKM_CERTIFICATE_UNUSABLE, "%.180s: %s", path, why);
}

/* Reads the whole file. Checks its rights first, like those of the configuration. *absent: there is
 * no such file. */
static enum ekm_rc certificate_read_file(struct call *call, const char *path, size_t max,
                                         struct buf *out, bool *absent)
{
    *absent = false;
    if (buf_reserve(out, max) != EKM_OK) {
        return call_fail(call, EKM_OUT_OF_MEMORY, "the certificate");
    }
    enum plat_io io = whole_file_read(path, PLAT_TRUST_REQUIRED, max, out);
    *absent = io == PLAT_IO_ABSENT;
    if (io != PLAT_IO_OK) {
        char why[160];
        plat_file_explain(path, io, why, sizeof why);
        return certificate_fail(call, path, why);
    }
    return EKM_OK;
}

static bool certificate_path(const struct call *call, const char *name, const char *end, char *out)
{
    const char *folder = call->config->sign_in.certificate_folder;
    size_t len = strlen(folder);
    bool has_slash = len > 0 && (folder[len - 1] == '/' || folder[len - 1] == '\\');
    return text_format(out, CERT_PATH_CAP, "%s%s%s%s", folder, has_slash ? "" : "/", name, end);
}

/* Reads the password, without the line end that editors add. Without a file it is empty. */
static enum ekm_rc certificate_read_password(struct call *call, const char *name, struct buf *out)
{
    char path[CERT_PATH_CAP];
    bool absent = false;
    if (!certificate_path(call, name, ".password", path)) {
        return certificate_fail(call, name, "the path is too long");
    }
    enum ekm_rc rc = certificate_read_file(call, path, PASSWORD_MAX, out, &absent);
    if (absent) {
        call_clear_error(call);
        return EKM_OK;
    }
    if (rc != EKM_OK) {
        return rc;
    }
    while (out->len > 0 && strchr("\r\n", out->data[out->len - 1]) != NULL) {
        out->data[--out->len] = 0;
    }
    return EKM_OK;
}

static enum ekm_rc certificate_parse(struct call *call, const char *name, const char *path,
                                     bool is_pfx, const struct buf *content,
                                     struct certificate *out)
{
    struct buf password = BUF_EMPTY(PASSWORD_MAX);
    const char *why = "";
    enum ekm_rc rc = is_pfx ? certificate_read_password(call, name, &password) : EKM_OK;
    if (rc != EKM_OK) {
        goto out;
    }
    rc = is_pfx ? certificate_file_read_pfx(content, buf_text(&password), &out->pair, &why)
                : certificate_file_read_pem(content, &out->pair, &why);
    if (rc != EKM_OK) {
        rc = call_fail(call, rc, "%.180s: %s", path, why);
    }
out:
    buf_free(&password);
    return rc;
}

static enum ekm_rc certificate_open_file(struct call *call, const char *name,
                                         struct certificate *out)
{
    struct buf content = BUF_EMPTY(FILE_MAX);
    char path[CERT_PATH_CAP];
    bool absent = false, is_pfx = false;
    if (!certificate_path(call, name, ".pem", path)) {
        return certificate_fail(call, name, "the path is too long");
    }
    enum ekm_rc rc = certificate_read_file(call, path, FILE_MAX, &content, &absent);
    if (absent) {
        is_pfx = true;
        (void)certificate_path(call, name, ".pfx", path);
        rc = certificate_read_file(call, path, FILE_MAX, &content, &absent);
    }
    if (absent) {
        (void)certificate_path(call, name, "", path);
        rc = certificate_fail(call, path, "there is no .pem or .pfx of this name");
    }
    if (rc != EKM_OK) {
        goto out;
    }
    call_clear_error(call);
    rc = certificate_parse(call, name, path, is_pfx, &content, out);
out:
    buf_free(&content);
    return rc;
}

static enum ekm_rc certificate_open_store(struct call *call, const char *name,
                                          struct certificate *out)
{
    static const char *const reasons[] = {
        [PLAT_STORE_OK] = "",
        [PLAT_STORE_ABSENT] = "is not there",
        [PLAT_STORE_NO_KEY] = "has no key that this account may use",
        [PLAT_STORE_FAILED] = "cannot be opened",
    };
    uint8_t thumbprint[PLAT_THUMBPRINT_BYTES];
    uint32_t error = 0;
    (void)hex_decode(name, sizeof thumbprint, thumbprint);
    enum plat_store result = plat_store_open(thumbprint, &out->store, &error);
    if (result != PLAT_STORE_OK) {
        return call_fail(call, EKM_CERTIFICATE_UNUSABLE, "LocalMachine\\My %.40s: %s (%08X)", name,
                         reasons[result], (unsigned)error);
    }
    const uint8_t *at = out->store.der;
    out->pair.leaf = d2i_X509(NULL, &at, (long)out->store.der_len);
    return out->pair.leaf != NULL ? EKM_OK
                                  : certificate_fail(call, name, "the certificate cannot be read");
}

static bool certificate_is_thumbprint(const char *name)
{
    uint8_t thumbprint[PLAT_THUMBPRINT_BYTES];
    return strlen(name) == 2 * sizeof thumbprint && hex_decode(name, sizeof thumbprint, thumbprint);
}

static int64_t certificate_seconds(const ASN1_TIME *time)
{
    struct tm none;
    int days = 0, seconds = 0;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    bool right = epoch != NULL && ASN1_TIME_to_tm(time, &none) == 1 &&
                 ASN1_TIME_diff(&days, &seconds, epoch, time) == 1;
    ASN1_TIME_free(epoch);
    return right ? (int64_t)days * 86400 + seconds : -1;
}

static void certificate_date(int64_t unix_s, char out[11])
{
    struct plat_time date;
    plat_calendar(unix_s * 1000, &date);
    (void)text_format(out, 11, "%04u-%02u-%02u", (unsigned)date.year % 10000,
                      (unsigned)date.month % 100, (unsigned)date.day % 100);
}

static enum ekm_rc certificate_check(struct call *call, struct certificate *out)
{
    uint8_t sha1[EVP_MAX_MD_SIZE];
    unsigned len = 0, sha256_len = 0;
    char date[11];
    const X509 *leaf = out->pair.leaf;
    if (X509_digest(leaf, EVP_sha1(), sha1, &len) != 1 ||
        X509_digest(leaf, EVP_sha256(), out->sha256, &sha256_len) != 1) {
        return call_fail(call, EKM_OUT_OF_MEMORY, "a certificate's thumbprint");
    }
    hex_encode(sha1, PLAT_THUMBPRINT_BYTES, out->thumbprint);
    int64_t now_s = plat_unix_time_ms() / 1000;
    int64_t begin_s = certificate_seconds(X509_get0_notBefore(leaf));
    out->expiry_s = certificate_seconds(X509_get0_notAfter(leaf));
    bool early = now_s < begin_s;
    certificate_date(early ? begin_s : out->expiry_s, date);
    if (early || now_s > out->expiry_s) {
        return call_fail(call, EKM_CERTIFICATE_DATES, "certificate %s %s %s", out->thumbprint,
                         early ? "is valid only from" : "expired on", date);
    }
    return EKM_OK;
}

/* Opens the file, again if it is unusable: a writer may renew it in place. */
static enum ekm_rc certificate_open_renewed(struct call *call, const char *name,
                                            struct certificate *out)
{
    for (int i = 0;; i++) {
        enum ekm_rc rc = certificate_open_file(call, name, out);
        if ((rc != EKM_CERTIFICATE_UNUSABLE && rc != EKM_CERTIFICATE_PAIR) ||
            i == WHOLE_FILE_TRIES) {
            return rc;
        }
        const struct call_error error = call->error;
        rc = call_sleep(call, WHOLE_FILE_WAIT_MS);
        if (rc != EKM_OK) {
            return rc;
        }
        call->error = error;
    }
}

enum ekm_rc certificate_open(struct call *call, const char *name, struct certificate *out)
{
    memset(out, 0, sizeof *out);
    bool in_store = plat_store_exists() && certificate_is_thumbprint(name);
    enum ekm_rc rc = in_store ? certificate_open_store(call, name, out)
                              : certificate_open_renewed(call, name, out);
    if (rc != EKM_OK) {
        return rc;
    }
    return certificate_check(call, out);
}

static bool certificate_sign_digest(EVP_PKEY *key, bool pss, const uint8_t digest[32],
                                    struct buf *out)
{
    size_t len = out->max - out->len;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    bool right = context != NULL && EVP_PKEY_sign_init(context) == 1 &&
                 EVP_PKEY_CTX_set_rsa_padding(context, pss ? RSA_PKCS1_PSS_PADDING
                                                           : RSA_PKCS1_PADDING) == 1 &&
                 EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1 &&
                 (!pss || EVP_PKEY_CTX_set_rsa_pss_saltlen(context, 32) == 1) &&
                 EVP_PKEY_sign(context, out->data + out->len, &len, digest, 32) == 1;
    EVP_PKEY_CTX_free(context);
    out->len += right ? len : 0;
    return right;
}

enum ekm_rc certificate_sign(struct call *call, const struct certificate *certificate, bool pss,
                             const struct buf *data, struct buf *out)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    uint32_t error = 0;
    size_t len = 0;
    if (buf_reserve(out, PLAT_SIGNATURE_MAX) != EKM_OK ||
        EVP_Digest(data->data, data->len, digest, NULL, EVP_sha256(), NULL) != 1) {
        return call_fail(call, EKM_OUT_OF_MEMORY, "a signature");
    }
    bool right;
    if (certificate->pair.key != NULL) {
        right = certificate_sign_digest(certificate->pair.key, pss, digest, out);
    } else {
        right = plat_store_sign(&certificate->store, pss, digest, out->data + out->len,
                                PLAT_SIGNATURE_MAX, &len, &error) == PLAT_STORE_OK;
        out->len += len;
    }
    return right ? EKM_OK
                 : call_fail(call, EKM_CERTIFICATE_UNUSABLE,
                             "the key of certificate %s does not sign (%08X)",
                             certificate->thumbprint, (unsigned)error);
}

uint64_t certificate_proof(const struct certificate *certificate)
{
    uint64_t proof = 0;
    memcpy(&proof, certificate->sha256, sizeof proof);
    return proof | 1;
}

void certificate_close(struct certificate *certificate)
{
    certificate_pair_free(&certificate->pair);
    plat_store_close(&certificate->store);
}
