/* Authorities that are read when a chain names them: the same are trusted as if all were read. */
// only: posix
// with: scratch.c
#include "net/trust_index.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/text.h"
#include "scratch.h"

#define DAY     86400L
#define THREADS 8

struct pair {
    EVP_PKEY *key;
    X509 *certificate;
};

static char text[65536];
static X509_STORE *store;

static int set_up(void **state)
{
    text[0] = '\0';
    store = X509_STORE_new();
    (void)X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
    return make_folder(state);
}

static int tear_down(void **state)
{
    X509_STORE_free(store);
    return remove_folder(state);
}

static void pair_free(struct pair *pair)
{
    X509_free(pair->certificate);
    EVP_PKEY_free(pair->key);
}

/* OpenSSL distinguishes two issuers of one name by the identifiers of their keys. */
static void trust_index_extend(X509 *x, const X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, (X509 *)(uintptr_t)issuer, x, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    assert_int_equal(X509_add_ext(x, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* Signed by `by`, or by itself; the name's text has that type of ASN.1. */
static struct pair trust_index_make(const char *name, int type, const struct pair *by)
{
    struct pair made = {EVP_EC_gen("P-256"), X509_new()};
    X509 *x = made.certificate;
    bool is_old = type == V_ASN1_PRINTABLESTRING; /* of version 1, which has no extensions */
    assert_int_equal(X509_set_version(x, is_old ? 0 : 2), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x), 1), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x), -DAY));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x), DAY));
    assert_int_equal(X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", type,
                                                (const unsigned char *)name, -1, -1, 0),
                     1);
    const X509 *issuer = by != NULL ? by->certificate : x;
    assert_int_equal(X509_set_issuer_name(x, X509_get_subject_name(issuer)), 1);
    assert_int_equal(X509_set_pubkey(x, made.key), 1);
    if (!is_old) {
        trust_index_extend(x, issuer, NID_basic_constraints, "critical,CA:TRUE");
        trust_index_extend(x, issuer, NID_subject_key_identifier, "hash");
        trust_index_extend(x, issuer, NID_authority_key_identifier, "keyid");
    }
    assert_true(X509_sign(x, by != NULL ? by->key : made.key, EVP_sha256()) > 0);
    return made;
}

static void add_text(const char *piece)
{
    size_t len = strlen(text);
    assert_true(text_copy(text + len, sizeof text - len, piece));
}

static void test_trust_index_add(const struct pair *pair)
{
    char pem[4096];
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_X509(bio, pair->certificate), 1);
    int len = BIO_read(bio, pem, sizeof pem - 1);
    assert_true(len > 0);
    pem[len] = '\0';
    BIO_free(bio);
    add_text(pem);
}

static bool trust_index_load(void)
{
    put(path, text, 0600);
    bool loaded = trust_index_load_file(store, path);
    assert_int_equal(ERR_peek_error(), 0);
    return loaded;
}

static int trust_index_held(void)
{
    return sk_X509_OBJECT_num(X509_STORE_get0_objects(store));
}

static bool trust_index_verify(const struct pair *leaf)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    assert_int_equal(X509_STORE_CTX_init(context, store, leaf->certificate, NULL), 1);
    bool right = X509_verify_cert(context) == 1;
    X509_STORE_CTX_free(context);
    return right;
}

static void test_only_the_named_one_is_read(void **state)
{
    (void)state;
    struct pair first = trust_index_make("First", MBSTRING_ASC, NULL),
                second = trust_index_make("Second", MBSTRING_ASC, NULL);
    struct pair other = trust_index_make("Other", MBSTRING_ASC, NULL),
                leaf = trust_index_make("leaf", MBSTRING_ASC, &second);
    struct pair foreign = trust_index_make("leaf", MBSTRING_ASC, &other);
    add_text("# Second\n");
    test_trust_index_add(&first);
    add_text("\nSecond\r\n======\r\n");
    test_trust_index_add(&second);
    assert_true(trust_index_load());
    assert_int_equal(trust_index_held(), 0);
    assert_true(trust_index_verify(&leaf));
    assert_int_equal(trust_index_held(), 1);
    assert_false(trust_index_verify(&foreign));
    assert_true(trust_index_verify(&leaf));
    assert_true(trust_index_verify(&first));
    assert_int_equal(trust_index_held(), 2);
    pair_free(&first);
    pair_free(&second);
    pair_free(&other);
    pair_free(&leaf);
    pair_free(&foreign);
}

/* An authority that changed its key has two certificates. */
static void test_several_keys_of_one_name(void **state)
{
    (void)state;
    struct pair old = trust_index_make("Root", MBSTRING_ASC, NULL),
                new = trust_index_make("Root", MBSTRING_ASC, NULL);
    struct pair of_old = trust_index_make("leaf", MBSTRING_ASC, &old),
                of_new = trust_index_make("leaf", MBSTRING_ASC, &new);
    test_trust_index_add(&old);
    test_trust_index_add(&new);
    assert_true(trust_index_load());
    assert_true(trust_index_verify(&of_new));
    assert_true(trust_index_verify(&of_old));
    assert_int_equal(trust_index_held(), 2);
    pair_free(&old);
    pair_free(&new);
    pair_free(&of_old);
    pair_free(&of_new);
}

/* The certificates of ca_file are looked at first, and must not hide those of the system with the
 * same name. */
static void test_one_of_the_name_that_the_store_has(void **state)
{
    (void)state;
    struct pair mine = trust_index_make("Root", MBSTRING_ASC, NULL),
                system = trust_index_make("Root", MBSTRING_ASC, NULL);
    struct pair leaf = trust_index_make("leaf", MBSTRING_ASC, &system),
                of_mine = trust_index_make("l", MBSTRING_ASC, &mine);
    assert_int_equal(X509_STORE_add_cert(store, mine.certificate), 1);
    test_trust_index_add(&system);
    assert_true(trust_index_load());
    assert_true(trust_index_verify(&leaf));
    assert_true(trust_index_verify(&of_mine));
    pair_free(&mine);
    pair_free(&system);
    pair_free(&leaf);
    pair_free(&of_mine);
}

/* Upper case, blanks and the type of the text make no other name (RFC 5280, section 7.1). */
static void test_names_that_are_written_otherwise(void **state)
{
    (void)state;
    struct pair root = trust_index_make("The Root", V_ASN1_PRINTABLESTRING, NULL);
    struct pair as = trust_index_make("THE  ROOT", V_ASN1_UTF8STRING, NULL);
    const struct pair signer = {root.key, as.certificate};
    struct pair leaf = trust_index_make("leaf", MBSTRING_ASC, &signer);
    test_trust_index_add(&root);
    assert_true(trust_index_load());
    assert_true(trust_index_verify(&leaf));
    pair_free(&root);
    pair_free(&as);
    pair_free(&leaf);
}

static void test_what_cannot_be_read(void **state)
{
    (void)state;
    struct pair root = trust_index_make("Root", MBSTRING_ASC, NULL),
                leaf = trust_index_make("leaf", MBSTRING_ASC, &root);
    assert_false(trust_index_load()); /* empty */
    add_text("nothing\n");
    assert_false(trust_index_load());
    add_text("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
             "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n"
             "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n");
    assert_false(trust_index_load());
    test_trust_index_add(&root);
    add_text("-----BEGIN CERTIFICATE-----\nMIIBkTCB");
    assert_true(trust_index_load());
    assert_true(trust_index_verify(&leaf));
    assert_false(trust_index_load_file(store, "/nowhere/bundle.pem"));
    pair_free(&root);
    pair_free(&leaf);
}

/* Files with anything else go to OpenSSL whole, as they always did. */
static void test_a_file_with_more_than_certificates(void **state)
{
    (void)state;
    struct pair root = trust_index_make("Root", MBSTRING_ASC, NULL),
                leaf = trust_index_make("leaf", MBSTRING_ASC, &root);
    char pem[4096];
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_X509_AUX(bio, root.certificate), 1);
    int len = BIO_read(bio, pem, sizeof pem - 1);
    pem[len > 0 ? len : 0] = '\0';
    BIO_free(bio);
    add_text(pem);
    assert_true(trust_index_load());
    assert_int_equal(trust_index_held(), 1);
    assert_true(trust_index_verify(&leaf));
    pair_free(&root);
    pair_free(&leaf);
}

static void test_der_by_itself(void **state)
{
    (void)state;
    struct pair root = trust_index_make("Root", MBSTRING_ASC, NULL),
                leaf = trust_index_make("leaf", MBSTRING_ASC, &root);
    unsigned char *der = NULL;
    int len = i2d_X509(root.certificate, &der);
    struct trust_index *index = trust_index_new(65536);
    assert_true(len > 0);
    for (int cut = 0; cut < len; cut += 7) {
        (void)trust_index_add(index, der, (size_t)cut / 8);
    }
    assert_true(trust_index_add(index, der, (size_t)len));
    assert_true(trust_index_attach(index, store));
    assert_true(trust_index_verify(&leaf));
    index = trust_index_new(10);
    assert_false(trust_index_add(index, der, (size_t)len));
    assert_false(trust_index_attach(index, store));
    assert_false(trust_index_attach(NULL, store));
    OPENSSL_free(der);
    pair_free(&root);
    pair_free(&leaf);
}

static atomic_bool go;
static atomic_uint verified;

static void *verify_together(void *leaf)
{
    while (!atomic_load(&go)) {
    }
    for (int i = 0; i < 50; i++) {
        atomic_fetch_add(&verified, trust_index_verify(leaf));
    }
    return NULL;
}

static void test_several_threads_at_once(void **state)
{
    (void)state;
    struct pair root = trust_index_make("Root", MBSTRING_ASC, NULL),
                leaf = trust_index_make("leaf", MBSTRING_ASC, &root);
    pthread_t threads[THREADS];
    test_trust_index_add(&root);
    assert_true(trust_index_load());
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, verify_together, &leaf), 0);
    }
    atomic_store(&go, true);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(atomic_load(&verified), THREADS * 50);
    assert_int_equal(trust_index_held(), 1);
    pair_free(&root);
    pair_free(&leaf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_only_the_named_one_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_several_keys_of_one_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_of_the_name_that_the_store_has, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names_that_are_written_otherwise, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_file_with_more_than_certificates, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_der_by_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_several_threads_at_once, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
