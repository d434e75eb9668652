/* A file of certificates is used whole: what cannot be read in it is named by its line, the rest
 * counts. */
// only: posix
// with: scratch.c
#include "net/trust_bundle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/config.h"
#include "base/log.h"
#include "base/text.h"
#include "scratch.h"

#define DAY 86400L

static struct config config;
static char content[16384], text[32768];
static unsigned lines;

static int set_up(void **state)
{
    config_defaults(&config);
    text[0] = '\0';
    lines = 1;
    return make_folder(state);
}

static int tear_down(void **state)
{
    log_stop();
    return remove_folder(state);
}

/* Adds to the file; gives the line at which that begins. */
static unsigned test_trust_bundle_add(const char *piece)
{
    unsigned first = lines;
    size_t len = strlen(text);
    assert_true(text_copy(text + len, sizeof text - len, piece));
    for (const char *at = piece; (at = strchr(at, '\n')) != NULL; at++) {
        lines++;
    }
    return first;
}

/* A certificate that is valid from now on less a day, to `days` from now. */
static const char *trust_bundle_certificate(const char *name, long days)
{
    static char pem[4096];
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *made = X509_new();
    BIO *bio = BIO_new(BIO_s_mem());
    assert_non_null(key);
    assert_int_equal(X509_set_version(made, 2), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(made), 1), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(made), -2 * DAY));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(made), days * DAY));
    assert_int_equal(X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                                                (const unsigned char *)name, -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(made, X509_get_subject_name(made)), 1);
    assert_int_equal(X509_set_pubkey(made, key), 1);
    assert_true(X509_sign(made, key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_bio_X509(bio, made), 1);
    int len = BIO_read(bio, pem, sizeof pem - 1);
    assert_true(len > 0);
    pem[len] = '\0';
    BIO_free(bio);
    X509_free(made);
    EVP_PKEY_free(key);
    return pem;
}

/* The number of them in the store afterwards; `content` has the lines of the log. */
static int read_bundle(size_t wanted_count, bool say)
{
    size_t count = 0;
    X509_STORE *store = X509_STORE_new();
    (void)text_copy(config.log_file, sizeof config.log_file, path);
    log_start(&config);
    assert_int_equal(trust_bundle_add(store, text, "ca.pem", say, &count), EKM_OK);
    log_stop();
    assert_int_equal(get(path, PLAT_TRUST_ANY, content, sizeof content), PLAT_IO_OK);
    assert_int_equal(ERR_peek_error(), 0);
    assert_int_equal(count, wanted_count);
    int stored = sk_X509_OBJECT_num(X509_STORE_get0_objects(store));
    X509_STORE_free(store);
    return stored;
}

static void trust_bundle_told(unsigned line, const char *what)
{
    char expected[200];
    (void)snprintf(expected, sizeof expected, "text=\"ca.pem:%u: %s", line, what);
    if (strstr(content, expected) == NULL) {
        fail_msg("no '%s' in: %s", expected, content);
    }
}

static void test_the_rest_counts(void **state)
{
    (void)state;
    (void)test_trust_bundle_add("\xEF\xBB\xBF# authorities\n\n");
    (void)test_trust_bundle_add(trust_bundle_certificate("one", 1));
    unsigned damaged =
        test_trust_bundle_add("-----BEGIN CERTIFICATE-----\nMIIB!!!!\n-----END CERTIFICATE-----\n");
    (void)test_trust_bundle_add(trust_bundle_certificate("two", 1));
    unsigned not_one =
        test_trust_bundle_add("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    unsigned crl =
        test_trust_bundle_add("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n");
    unsigned open = test_trust_bundle_add("-----BEGIN CERTIFICATE-----\nMIIB\n");
    (void)test_trust_bundle_add(trust_bundle_certificate("three", 1));
    unsigned indented = test_trust_bundle_add(
        "  -----BEGIN CERTIFICATE-----\n  AAAA\n  -----END CERTIFICATE-----\n");
    (void)test_trust_bundle_add("# -----BEGIN CERTIFICATE----- is how one begins\n");
    unsigned last = test_trust_bundle_add("-----BEGIN CERTIFICATE-----\nMIIB");
    assert_int_equal(read_bundle(3, true), 3);
    trust_bundle_told(damaged, "this certificate cannot be read and is left out");
    trust_bundle_told(not_one, "this certificate cannot be read and is left out");
    trust_bundle_told(crl, "this is not a certificate; it is left out");
    trust_bundle_told(open, "this BEGIN has no END; it is left out");
    trust_bundle_told(last, "this BEGIN has no END; it is left out");
    trust_bundle_told(indented, "this BEGIN is indented; it is left out");
}

/* It would hide its successor of the same name. */
static void test_an_expired_one_is_left_out(void **state)
{
    (void)state;
    (void)test_trust_bundle_add(trust_bundle_certificate("same", 1));
    unsigned expired = test_trust_bundle_add(trust_bundle_certificate("same", -1));
    assert_int_equal(read_bundle(2, true), 1);
    trust_bundle_told(expired, "this certificate has expired and is left out");
}

static void test_it_is_said_once_and_not_without_end(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        (void)test_trust_bundle_add(
            "-----BEGIN CERTIFICATE-----\r\nAAAA\r\n-----END CERTIFICATE-----\r\n");
    }
    (void)test_trust_bundle_add(trust_bundle_certificate("one", 1));
    assert_int_equal(read_bundle(1, false), 1);
    assert_string_equal(content, "");
    assert_int_equal(read_bundle(1, true), 1);
    trust_bundle_told(58, "this certificate");
    assert_null(strstr(content, "ca.pem:61:"));
    assert_non_null(strstr(content, "100 certificates are left out in total"));
}

static void test_a_file_without_any(void **state)
{
    (void)state;
    assert_int_equal(read_bundle(0, true), 0);
    (void)test_trust_bundle_add("no certificate here\n");
    assert_int_equal(read_bundle(0, true), 0);
    assert_string_equal(content, "");
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_the_rest_counts),
        EACH(test_an_expired_one_is_left_out),
        EACH(test_it_is_said_once_and_not_without_end),
        EACH(test_a_file_without_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
