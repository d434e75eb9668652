#include "sign.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "client.h"

static EVP_PKEY *key, *other_key;
static X509 *certificate;
static char certificate_json[8192];

static X509 *make_certificate(EVP_PKEY *pkey)
{
    X509 *made = X509_new();
    X509_NAME *name = X509_get_subject_name(made);
    X509_set_version(made, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made), 4711);
    X509_gmtime_adj(X509_getm_notBefore(made), -3600);
    X509_gmtime_adj(X509_getm_notAfter(made), 86400);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"sql", -1, -1, 0);
    X509_set_issuer_name(made, name);
    X509_set_pubkey(made, pkey);
    assert_true(X509_sign(made, pkey, EVP_sha256()) > 0);
    return made;
}

void sign_open(void)
{
    char *data = NULL, *out = certificate_json;
    key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    other_key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    certificate = make_certificate(key);
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, certificate);
    long len = BIO_get_mem_data(bio, &data);
    for (long i = 0; i < len; i++) {
        out += sprintf(out, data[i] == '\n' ? "\\n" : "%c", data[i]);
    }
    BIO_free(bio);
}

void sign_close(void)
{
    EVP_PKEY_free(key);
    EVP_PKEY_free(other_key);
    X509_free(certificate);
}

const char *sign_certificate(void)
{
    return certificate_json;
}

/* OpenSSL writes the standard alphabet with padding. */
static char *sign_encode(const void *bytes, size_t len, bool is_url)
{
    char *text = malloc((len + 2) / 3 * 4 + 1);
    assert_non_null(text);
    EVP_EncodeBlock((unsigned char *)text, bytes, (int)len);
    for (char *c = text; is_url && *c != '\0'; c++) {
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
    }
    if (is_url) {
        text[strcspn(text, "=")] = '\0';
    }
    return text;
}

static char *header_of(const struct sign_what *what)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    char *text = NULL;
    bool is_sha1 = what->thumbprint == SIGN_X5T || what->thumbprint == SIGN_X5T_PAD;
    bool is_padded = what->thumbprint == SIGN_X5T_PAD || what->thumbprint == SIGN_S256_PAD;
    X509_digest(certificate, is_sha1 ? EVP_sha1() : EVP_sha256(), digest, &len);
    char *thumbprint = sign_encode(digest, len, !is_padded);
    const char *alg = what->alg != NULL ? what->alg : "PS256";
    if (what->thumbprint == SIGN_NONE) {
        assert_true(asprintf(&text, "{\"alg\":\"%s\",\"typ\":\"JWT\"}", alg) > 0);
    } else {
        assert_true(asprintf(&text, "{\"alg\":\"%s\",\"typ\":\"JWT\",\"%s\":\"%s\"}", alg,
                             is_sha1 ? "x5t" : "x5t#S256", thumbprint) > 0);
    }
    free(thumbprint);
    return text;
}

static char *claims_of(const struct sign_what *what)
{
    uint8_t random[16];
    char *text = NULL;
    long now = (long)time(NULL);
    bool is_usual = what->nbf_s == 0 && what->exp_s == 0;
    const char *quote = what->has_text_times ? "\"" : "";
    RAND_bytes(random, sizeof random);
    char *jti = sign_encode(random, sizeof random, true);
    assert_true(
        asprintf(&text,
                 "{\"aud\":\"%s\",\"iss\":\"%s\",\"sub\":\"%s\",\"jti\":\"%s\",\"nbf\":%s%ld%s,"
                 "\"exp\":%s%ld%s}",
                 what->aud != NULL ? what->aud : "https://" LOGIN "/" TENANT "/oauth2/v2.0/token",
                 what->iss != NULL ? what->iss : CLIENT, what->sub != NULL ? what->sub : CLIENT,
                 what->jti != NULL ? what->jti : jti, quote, now + what->nbf_s, quote, quote,
                 now + (is_usual ? 600 : what->exp_s), quote) > 0);
    free(jti);
    return text;
}

static char *signature_of(const struct sign_what *what, const char *text)
{
    uint8_t out[256];
    size_t len = sizeof out;
    EVP_PKEY_CTX *pkey_context = NULL;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY *pkey = what->has_other_key ? other_key : key;
    assert_int_equal(EVP_DigestSignInit(context, &pkey_context, EVP_sha256(), NULL, pkey), 1);
    if (what->alg == NULL || strcmp(what->alg, "PS256") == 0) {
        EVP_PKEY_CTX_set_rsa_padding(pkey_context, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(pkey_context, 32);
    }
    assert_int_equal(EVP_DigestSign(context, out, &len, (const unsigned char *)text, strlen(text)),
                     1);
    EVP_MD_CTX_free(context);
    return sign_encode(out, len, true);
}

char *sign_assertion(const struct sign_what *what)
{
    char *header = header_of(what), *claims = claims_of(what), *text = NULL, *token = NULL;
    char *first = sign_encode(header, strlen(header), true);
    char *second = sign_encode(claims, strlen(claims), true);
    assert_true(asprintf(&text, "%s.%s", first, second) > 0);
    char *signature = signature_of(what, text);
    assert_true(asprintf(&token, "%s.%s", text, signature) > 0);
    free(signature);
    free(text);
    free(first);
    free(second);
    free(header);
    free(claims);
    return token;
}
