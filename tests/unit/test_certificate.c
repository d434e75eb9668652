// wrap: plat_now_ms plat_unix_time_ms plat_cond_wait_until
// with: fake_clock.c
/* Certificates of applications: what files are taken, what is refused, and that what is signed is
 * what Entra checks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>

#include "base/codec.h"
#include "base/text.h"
#include "fake_clock.h"
#include "temporary.h"
#include "vault/assertion.h"

#define NOW_S  1700000000
#define DAY_S  86400
#define CLIENT "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"

static struct config config;
static struct call call;
static EVP_PKEY *key, *other_key, *small_key, *ec_key;
static X509 *leaf, *other_leaf;
static char folder[300];

static X509 *make_certificate(EVP_PKEY *of, int64_t begin_s, int64_t end_s)
{
    X509 *made = X509_new();
    assert_non_null(made);
    ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(made), (time_t)begin_s));
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(made), (time_t)end_s));
    assert_int_equal(X509_set_pubkey(made, of), 1);
    assert_true(X509_sign(made, of, EVP_sha256()) > 0);
    return made;
}

static int make_keys(void **state)
{
    (void)state;
    key = EVP_RSA_gen(2048);
    other_key = EVP_RSA_gen(2048);
    small_key = EVP_RSA_gen(1024);
    ec_key = EVP_EC_gen("P-256");
    leaf = make_certificate(key, NOW_S - DAY_S, NOW_S + 90 * DAY_S);
    other_leaf = make_certificate(other_key, NOW_S - DAY_S, NOW_S + 90 * DAY_S);
    return key != NULL && other_key != NULL && small_key != NULL && ec_key != NULL ? 0 : -1;
}

static int free_keys(void **state)
{
    (void)state;
    EVP_PKEY_free(key);
    EVP_PKEY_free(other_key);
    EVP_PKEY_free(small_key);
    EVP_PKEY_free(ec_key);
    X509_free(leaf);
    X509_free(other_leaf);
    return 0;
}

static int set_up(void **state)
{
    config_defaults(&config);
    (void)state;
    fake_clock_reset();
    if (!temporary_make(folder, sizeof folder)) {
        return -1;
    }
    (void)text_copy(config.sign_in.certificate_folder, sizeof config.sign_in.certificate_folder,
                    folder);
    call_begin(&call, "Test", &config);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return temporary_remove(folder) ? 0 : -1;
}

static void write_file(const char *name, const void *data, size_t len)
{
    char path[400];
    assert_true(text_format(path, sizeof path, "%s/%s", folder, name));
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

enum part { KEY_PKCS8, KEY_PKCS1, KEY_ENCRYPTED, CERTIFICATE };

static void append_pem(BIO *out, enum part part, EVP_PKEY *of, X509 *certificate)
{
    int right = 0;
    switch (part) {
    case KEY_PKCS8:
        right = PEM_write_bio_PrivateKey(out, of, NULL, NULL, 0, NULL, NULL);
        break;
    case KEY_PKCS1:
        right = PEM_write_bio_PrivateKey_traditional(out, of, NULL, NULL, 0, NULL, NULL);
        break;
    case KEY_ENCRYPTED:
        right = PEM_write_bio_PKCS8PrivateKey(out, of, EVP_aes_256_cbc(), "pass", 4, NULL, NULL);
        break;
    case CERTIFICATE:
        right = PEM_write_bio_X509(out, certificate);
        break;
    }
    assert_int_equal(right, 1);
}

static void write_bio(const char *name, BIO *content)
{
    char *data = NULL;
    long len = BIO_get_mem_data(content, &data);
    write_file(name, data, (size_t)len);
    BIO_free(content);
}

static void write_pair(const char *name, enum part part, EVP_PKEY *of, X509 *certificate)
{
    BIO *out = BIO_new(BIO_s_mem());
    append_pem(out, CERTIFICATE, NULL, certificate);
    append_pem(out, part, of, NULL);
    write_bio(name, out);
}

static void write_pfx(const char *name, const char *password, EVP_PKEY *of, X509 *certificate)
{
    PKCS12 *pfx = PKCS12_create(password, "sql", of, certificate, NULL, 0, 0, 0, 0, 0);
    assert_non_null(pfx);
    BIO *out = BIO_new(BIO_s_mem());
    assert_int_equal(i2d_PKCS12_bio(out, pfx), 1);
    PKCS12_free(pfx);
    write_bio(name, out);
}

static void certificate_expect(const char *name, enum ekm_rc rc, const char *note)
{
    struct certificate certificate;
    enum ekm_rc got = certificate_open(&call, name, &certificate);
    certificate_close(&certificate);
    if (got != rc || (note[0] != '\0' && strstr(call.error.note, note) == NULL)) {
        fail_msg("%s: %s, %s", name, ekm_name(got), call.error.note);
    }
}

static void test_files_that_are_taken(void **state)
{
    (void)state;
    write_pair("a.pem", KEY_PKCS8, key, leaf);
    certificate_expect("a", EKM_OK, "");
    write_pair("b.pem", KEY_PKCS1, key, leaf);
    certificate_expect("b", EKM_OK, "");
    write_pfx("c.pfx", "", key, leaf);
    certificate_expect("c", EKM_OK, "");
    write_pfx("d.pfx", NULL, key, leaf);
    certificate_expect("d", EKM_OK, "");
    write_pfx("e.pfx", "Pass", key, leaf);
    write_file("e.password", "Pass\r\n", 6);
    certificate_expect("e", EKM_OK, "");
    /* A chain: the certificate of the key counts, wherever it is. */
    BIO *chain = BIO_new(BIO_s_mem());
    append_pem(chain, CERTIFICATE, NULL, other_leaf);
    append_pem(chain, CERTIFICATE, NULL, leaf);
    append_pem(chain, KEY_PKCS8, key, NULL);
    write_bio("f.pem", chain);
    struct certificate certificate;
    assert_int_equal(certificate_open(&call, "f", &certificate), EKM_OK);
    assert_int_equal(X509_cmp(certificate.pair.leaf, leaf), 0);
    assert_int_equal(certificate.expiry_s, NOW_S + 90 * DAY_S);
    certificate_close(&certificate);
}

static void test_files_that_are_refused(void **state)
{
    (void)state;
    certificate_expect("none", EKM_CERTIFICATE_UNUSABLE, "no .pem or .pfx of this name");
    write_pair("pair.pem", KEY_PKCS8, key, other_leaf);
    certificate_expect("pair", EKM_CERTIFICATE_PAIR, "");
    write_pfx("pass.pfx", "Pass", key, leaf);
    certificate_expect("pass", EKM_CERTIFICATE_UNUSABLE, "password");
    write_file("pass.password", "Wrong", 5);
    certificate_expect("pass", EKM_CERTIFICATE_UNUSABLE, "password");
    write_pair("encrypted.pem", KEY_ENCRYPTED, key, leaf);
    certificate_expect("encrypted", EKM_CERTIFICATE_UNUSABLE, "encrypted");
    X509 *small = make_certificate(small_key, NOW_S - 1, NOW_S + DAY_S);
    write_pair("small.pem", KEY_PKCS8, small_key, small);
    certificate_expect("small", EKM_CERTIFICATE_UNUSABLE, "2048");
    X509_free(small);
    X509 *ec = make_certificate(ec_key, NOW_S - 1, NOW_S + DAY_S);
    write_pair("ec.pem", KEY_PKCS8, ec_key, ec);
    certificate_expect("ec", EKM_CERTIFICATE_UNUSABLE, "RSA");
    X509_free(ec);
    write_file("empty.pem", "", 0);
    certificate_expect("empty", EKM_CERTIFICATE_UNUSABLE, "no private key");
    write_file("junk.pfx", "junk", 4);
    certificate_expect("junk", EKM_CERTIFICATE_UNUSABLE, "PKCS #12");
    write_file("half.pem", "-----BEGIN PRIVATE KEY-----\nMIIEvg", 34);
    certificate_expect("half", EKM_CERTIFICATE_UNUSABLE, "no private key");
}

/* 40 hex digits name a certificate of the machine's own store, where there is one; else a file. */
static void test_thumbprints(void **state)
{
    static const char thumbprint[] = "0123456789abcdef0123456789ABCDEF01234567";
    (void)state;
    certificate_expect(thumbprint, EKM_CERTIFICATE_UNUSABLE,
                       plat_store_exists() ? "LocalMachine" : "no .pem or .pfx of this name");
    write_pair("0123456789abcdef0123456789ABCDEF01234567.pem", KEY_PKCS8, key, leaf);
    certificate_expect(thumbprint, plat_store_exists() ? EKM_CERTIFICATE_UNUSABLE : EKM_OK, "");
}

static void test_dates(void **state)
{
    (void)state;
    write_pair("a.pem", KEY_PKCS8, key, leaf);
    certificate_expect("a", EKM_OK, "");
    fake_clock_advance(91ULL * DAY_S * 1000);
    certificate_expect("a", EKM_CERTIFICATE_DATES, "expired on 2024-02-12");
    X509 *early = make_certificate(key, NOW_S + 92 * DAY_S, NOW_S + 100 * DAY_S);
    write_pair("a.pem", KEY_PKCS8, key, early);
    X509_free(early);
    certificate_expect("a", EKM_CERTIFICATE_DATES, "valid only from 2024-02-14");
    fake_clock_advance(1ULL * DAY_S * 1000);
    certificate_expect("a", EKM_OK, "");
}

static void read_part(const char **at, char end, struct buf *out)
{
    size_t len = end != '\0' ? (size_t)(strchr(*at, end) - *at) : strlen(*at);
    assert_int_equal(base64_decode(*at, len, out), EKM_OK);
    *at += len + 1;
}

static void check_signature(const struct buf *assertion, const struct buf *signature, bool pss)
{
    const char *dot = strrchr(buf_text(assertion), '.');
    EVP_PKEY_CTX *padding = NULL;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestVerifyInit(context, &padding, EVP_sha256(), NULL, key), 1);
    assert_int_equal(
        EVP_PKEY_CTX_set_rsa_padding(padding, pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING), 1);
    assert_true(!pss || EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, 32) == 1);
    assert_int_equal(EVP_DigestVerify(context, signature->data, signature->len, assertion->data,
                                      (size_t)(dot - buf_text(assertion))),
                     1);
    EVP_MD_CTX_free(context);
}

static void test_assertions(void **state)
{
    struct certificate certificate;
    struct buf assertion = BUF_EMPTY(ASSERTION_MAX), head = BUF_EMPTY(4096),
               claims = BUF_EMPTY(4096), signature = BUF_EMPTY(4096),
               again = BUF_EMPTY(ASSERTION_MAX);
    char expected[256];
    (void)state;
    write_pair("a.pem", KEY_PKCS8, key, leaf);
    assert_int_equal(certificate_open(&call, "a", &certificate), EKM_OK);
    assert_int_equal(assertion_write(&call, &certificate, CLIENT, "https://login/t", &assertion),
                     EKM_OK);
    assert_int_equal(assertion_write(&call, &certificate, CLIENT, "https://login/t", &again),
                     EKM_OK);
    assert_string_not_equal(buf_text(&assertion), buf_text(&again)); /* a fresh jti */
    const char *at = buf_text(&assertion);
    assert_null(strchr(at, '='));
    read_part(&at, '.', &head);
    read_part(&at, '.', &claims);
    read_part(&at, '\0', &signature);
    assert_non_null(strstr(buf_text(&head), "\"alg\":\"PS256\",\"typ\":\"JWT\",\"x5t#S256\":\""));
    (void)text_format(expected, sizeof expected,
                      "{\"aud\":\"https://login/t\",\"iss\":\"%s\",\"sub\":\"%s\",\"jti\":\"",
                      CLIENT, CLIENT);
    assert_int_equal(strncmp(buf_text(&claims), expected, strlen(expected)), 0);
    (void)text_format(expected, sizeof expected, "\"nbf\":%d,\"iat\":%d,\"exp\":%d}", NOW_S, NOW_S,
                      NOW_S + 600);
    assert_non_null(strstr(buf_text(&claims), expected));
    check_signature(&assertion, &signature, true);
    buf_clear(&signature);
    struct buf data = BUF_EMPTY(16);
    assert_int_equal(buf_append_text(&data, "x.y"), EKM_OK);
    assert_int_equal(certificate_sign(&call, &certificate, false, &data, &signature), EKM_OK);
    data.len = 1;
    data.data[1] = '\0';
    certificate_close(&certificate);
    buf_free(&data);
    buf_free(&assertion);
    buf_free(&again);
    buf_free(&head);
    buf_free(&claims);
    buf_free(&signature);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_files_that_are_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_files_that_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_thumbprints, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_dates, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_assertions, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
