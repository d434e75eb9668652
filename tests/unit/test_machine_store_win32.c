/* A certificate of LocalMachine\My, found by its thumbprint, and a key of CNG that signs where it
 * is. Store, key and signature are the system's; of Wine's, which knows no link from a certificate
 * to a key of CNG, that link alone is made up. */
// only: windows
// wrap: __imp_CryptAcquireCertificatePrivateKey NCryptSignHash NCryptFreeObject plat_unix_time_ms
#include <windows.h>

#include <bcrypt.h>
#include <ncrypt.h>
#include <wincrypt.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/codec.h"
#include "base/text.h"
#include "vault/assertion.h"

#define NOW_S  1700000000
#define DAY_S  86400
#define CLIENT "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"

static struct config config;
static struct call call;
static NCRYPT_PROV_HANDLE provider;
static NCRYPT_KEY_HANDLE machine_key;
static EVP_PKEY *public_key;
static char thumbprint[41];
static struct {
    DWORD acquire_error, spec, pss_error, flags_seen;
    bool owns;
    unsigned freed, signed_pss, signed_pkcs1;
    bool silent;
} world;

int64_t __wrap_plat_unix_time_ms(void);
int64_t __wrap_plat_unix_time_ms(void)
{
    return (int64_t)NOW_S * 1000;
}

static BOOL WINAPI acquire_key(PCCERT_CONTEXT certificate, DWORD flags, void *parameters,
                               HCRYPTPROV_OR_NCRYPT_KEY_HANDLE *key, DWORD *spec, BOOL *owns)
{
    assert_non_null(certificate);
    assert_null(parameters);
    world.flags_seen = flags;
    if (world.acquire_error != 0) {
        SetLastError(world.acquire_error);
        return FALSE;
    }
    *key = machine_key;
    *spec = world.spec;
    *owns = world.owns;
    return TRUE;
}

/* The header calls an imported function by a pointer of this name. */
extern BOOL(WINAPI *const __wrap___imp_CryptAcquireCertificatePrivateKey)(
    PCCERT_CONTEXT, DWORD, void *, HCRYPTPROV_OR_NCRYPT_KEY_HANDLE *, DWORD *, BOOL *);
BOOL(WINAPI *const __wrap___imp_CryptAcquireCertificatePrivateKey)
(PCCERT_CONTEXT, DWORD, void *, HCRYPTPROV_OR_NCRYPT_KEY_HANDLE *, DWORD *, BOOL *) = acquire_key;

SECURITY_STATUS WINAPI __real_NCryptSignHash(NCRYPT_KEY_HANDLE key, void *padding, PBYTE hash,
                                             DWORD hash_len, PBYTE out, DWORD cap, DWORD *len,
                                             DWORD flags);
SECURITY_STATUS WINAPI __wrap_NCryptSignHash(NCRYPT_KEY_HANDLE key, void *padding, PBYTE hash,
                                             DWORD hash_len, PBYTE out, DWORD cap, DWORD *len,
                                             DWORD flags);
SECURITY_STATUS WINAPI __wrap_NCryptSignHash(NCRYPT_KEY_HANDLE key, void *padding, PBYTE hash,
                                             DWORD hash_len, PBYTE out, DWORD cap, DWORD *len,
                                             DWORD flags)
{
    bool pss = (flags & BCRYPT_PAD_PSS) != 0;
    world.silent = (flags & NCRYPT_SILENT_FLAG) != 0;
    world.signed_pss += pss;
    world.signed_pkcs1 += !pss;
    /* Wine 8 takes no other flags. */
    return pss && world.pss_error != 0
               ? (SECURITY_STATUS)world.pss_error
               : __real_NCryptSignHash(key, padding, hash, hash_len, out, cap, len,
                                       flags & ~(DWORD)NCRYPT_SILENT_FLAG);
}

SECURITY_STATUS WINAPI __wrap_NCryptFreeObject(NCRYPT_HANDLE object);
SECURITY_STATUS WINAPI __wrap_NCryptFreeObject(NCRYPT_HANDLE object)
{
    assert_int_equal(object, machine_key);
    world.freed++;
    return ERROR_SUCCESS;
}

static bool make_machine_key(void)
{
    DWORD bits = 2048;
    return NCryptOpenStorageProvider(&provider, MS_KEY_STORAGE_PROVIDER, 0) == ERROR_SUCCESS &&
           NCryptCreatePersistedKey(provider, &machine_key, BCRYPT_RSA_ALGORITHM, NULL, 0, 0) ==
               ERROR_SUCCESS &&
           NCryptSetProperty(machine_key, NCRYPT_LENGTH_PROPERTY, (PBYTE)&bits, sizeof bits, 0) ==
               ERROR_SUCCESS &&
           NCryptFinalizeKey(machine_key, 0) == ERROR_SUCCESS;
}

/* Out of the key, as only its public half may leave. */
static EVP_PKEY *read_public_key(void)
{
    uint8_t blob[1024];
    DWORD len = 0;
    if (NCryptExportKey(machine_key, 0, BCRYPT_RSAPUBLIC_BLOB, NULL, blob, sizeof blob, &len, 0) !=
        ERROR_SUCCESS) {
        return NULL;
    }
    const BCRYPT_RSAKEY_BLOB *head = (const void *)blob;
    const uint8_t *e = blob + sizeof *head, *n = e + head->cbPublicExp;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *e_number = BN_bin2bn(e, (int)head->cbPublicExp, NULL);
    BIGNUM *n_number = BN_bin2bn(n, (int)head->cbModulus, NULL);
    (void)OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n_number);
    (void)OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e_number);
    OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *made = NULL;
    (void)EVP_PKEY_fromdata_init(context);
    (void)EVP_PKEY_fromdata(context, &made, EVP_PKEY_PUBLIC_KEY, parameters);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(build);
    BN_free(e_number);
    BN_free(n_number);
    return made;
}

static HCERTSTORE open_store(void)
{
    return CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0, CERT_SYSTEM_STORE_LOCAL_MACHINE, L"MY");
}

/* Closing writes the change, once no certificate of the store is held. */
static bool put_in_store(const uint8_t *der, DWORD len)
{
    HCERTSTORE store = open_store();
    bool put =
        store != NULL && CertAddEncodedCertificateToStore(store, X509_ASN_ENCODING, der, len,
                                                          CERT_STORE_ADD_REPLACE_EXISTING, NULL);
    return CertCloseStore(store, 0) && put;
}

static void take_from_store(void)
{
    uint8_t sha1[20];
    CRYPT_HASH_BLOB hash = {sizeof sha1, sha1};
    HCERTSTORE store = open_store();
    assert_true(hex_decode(thumbprint, sizeof sha1, sha1));
    PCCERT_CONTEXT found =
        CertFindCertificateInStore(store, X509_ASN_ENCODING, 0, CERT_FIND_SHA1_HASH, &hash, NULL);
    if (found != NULL) {
        (void)CertDeleteCertificateFromStore(found); /* and frees it */
    }
    (void)CertCloseStore(store, 0);
}

/* The certificate of that key, signed by another one, into the store; gives its thumbprint. */
static bool put_certificate(void)
{
    uint8_t sha1[EVP_MAX_MD_SIZE], *der = NULL;
    unsigned sha1_len = 0;
    EVP_PKEY *issuer = EVP_RSA_gen(2048);
    X509 *made = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
    (void)ASN1_TIME_set(X509_getm_notBefore(made), NOW_S - DAY_S);
    (void)ASN1_TIME_set(X509_getm_notAfter(made), NOW_S + 90L * DAY_S);
    (void)X509_set_pubkey(made, public_key);
    (void)X509_sign(made, issuer, EVP_sha256());
    (void)X509_digest(made, EVP_sha1(), sha1, &sha1_len);
    hex_encode(sha1, 20, thumbprint);
    int len = i2d_X509(made, &der);
    bool put = len > 0 && put_in_store(der, (DWORD)len);
    OPENSSL_free(der);
    X509_free(made);
    EVP_PKEY_free(issuer);
    return put;
}

static int set_up_all(void **state)
{
    (void)state;
    if (!make_machine_key() || (public_key = read_public_key()) == NULL) {
        puts("this system makes no key of CNG");
        return -1;
    }
    config_defaults(&config);
    config.log_level = LEVEL_NONE;
    return put_certificate() ? 0 : -1;
}

static int tear_down_all(void **state)
{
    (void)state;
    take_from_store();
    EVP_PKEY_free(public_key);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    world.spec = CERT_NCRYPT_KEY_SPEC;
    world.owns = true;
    call_begin(&call, "Test", &config);
    return 0;
}

/* As Entra does it: the third part over the first two. */
static bool machine_store_verifies(const char *text, bool pss)
{
    const char *second = strchr(text, '.'), *third = strrchr(text, '.');
    struct buf signature = BUF_EMPTY(1024);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key = NULL;
    assert_true(second != NULL && third > second);
    assert_int_equal(base64_decode(third + 1, strlen(third + 1), &signature), EKM_OK);
    bool right =
        EVP_DigestVerifyInit(context, &key, EVP_sha256(), NULL, public_key) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(key, pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) == 1 &&
        (!pss || EVP_PKEY_CTX_set_rsa_pss_saltlen(key, 32) == 1) &&
        EVP_DigestVerify(context, signature.data, signature.len, (const uint8_t *)text,
                         (size_t)(third - text)) == 1;
    EVP_MD_CTX_free(context);
    buf_free(&signature);
    return right;
}

static enum ekm_rc machine_store_sign(const char *name, struct buf *out)
{
    struct certificate certificate;
    enum ekm_rc rc = certificate_open(&call, name, &certificate);
    if (rc == EKM_OK) {
        assert_string_equal(certificate.thumbprint, thumbprint);
        assert_int_equal(certificate.expiry_s, NOW_S + 90 * DAY_S);
        rc = assertion_write(&call, &certificate, CLIENT, "https://login.example/t", out);
    }
    certificate_close(&certificate);
    return rc;
}

static void test_the_key_signs_inside_the_store(void **state)
{
    struct buf out = BUF_EMPTY(ASSERTION_MAX);
    (void)state;
    assert_int_equal(machine_store_sign(thumbprint, &out), EKM_OK);
    assert_true(machine_store_verifies(buf_text(&out), true));
    assert_int_equal(world.signed_pss, 1);
    assert_int_equal(world.freed, 1);
    assert_true(world.silent); /* a service has no user who could answer */
    assert_int_equal(world.flags_seen,
                     CRYPT_ACQUIRE_SILENT_FLAG | CRYPT_ACQUIRE_PREFER_NCRYPT_KEY_FLAG);
    buf_free(&out);
}

static void test_upper_and_lower_case(void **state)
{
    char lower[41];
    struct buf out = BUF_EMPTY(ASSERTION_MAX);
    (void)state;
    (void)text_copy(lower, sizeof lower, thumbprint);
    text_lower(lower);
    world.owns = false; /* the handle is the certificate's own */
    assert_int_equal(machine_store_sign(lower, &out), EKM_OK);
    assert_int_equal(world.freed, 0);
    buf_free(&out);
}

/* As old smart cards and TPM 1.2 do. */
static void test_a_key_without_pss(void **state)
{
    struct buf out = BUF_EMPTY(ASSERTION_MAX);
    (void)state;
    world.pss_error = (DWORD)NTE_NOT_SUPPORTED;
    assert_int_equal(machine_store_sign(thumbprint, &out), EKM_OK);
    assert_true(machine_store_verifies(buf_text(&out), false));
    assert_int_equal(world.signed_pkcs1, 1);
    assert_int_equal(world.freed, 1);
    buf_free(&out);
}

static void test_what_cannot_be_used(void **state)
{
    struct buf out = BUF_EMPTY(ASSERTION_MAX);
    (void)state;
    world.acquire_error = (DWORD)CRYPT_E_NO_KEY_PROPERTY;
    assert_int_equal(machine_store_sign(thumbprint, &out), EKM_CERTIFICATE_UNUSABLE);
    assert_non_null(strstr(call.error.note, "has no key that this account may use (8009200B)"));
    set_up(NULL);
    assert_int_equal(machine_store_sign("00112233445566778899AABBCCDDEEFF00112233", &out),
                     EKM_CERTIFICATE_UNUSABLE);
    assert_non_null(strstr(call.error.note, "is not there"));
    assert_int_equal(world.freed, 0);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* First: a key of Wine 8 that has signed by PSS signs in no other way any more. */
        cmocka_unit_test_setup(test_a_key_without_pss, set_up),
        cmocka_unit_test_setup(test_the_key_signs_inside_the_store, set_up),
        cmocka_unit_test_setup(test_upper_and_lower_case, set_up),
        cmocka_unit_test_setup(test_what_cannot_be_used, set_up),
    };
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
