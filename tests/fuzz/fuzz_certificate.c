/* Files of certificates: whatever is in them, a pair that comes out is one, and nothing is left of
 * what does not. */
#include "fuzz.h"

// aims: src/vault/certificate_file.c src/vault/rsa_key.c

#include <openssl/err.h>
#include <string.h>

#include "vault/certificate_file.h"
#include "vault/rsa_key.h"

static void fuzz_certificate_check(enum ekm_rc rc, struct certificate_pair *pair, const char *why)
{
    FUZZ_CHECK(rc == EKM_OK || rc == EKM_CERTIFICATE_UNUSABLE || rc == EKM_CERTIFICATE_PAIR);
    FUZZ_CHECK(why != NULL);
    if (rc == EKM_OK) {
        FUZZ_CHECK(pair->key != NULL && pair->leaf != NULL);
        FUZZ_CHECK(EVP_PKEY_get_base_id(pair->key) == EVP_PKEY_RSA);
        FUZZ_CHECK(EVP_PKEY_get_bits(pair->key) >= 2041);
        FUZZ_CHECK(EVP_PKEY_eq(X509_get0_pubkey(pair->leaf), pair->key) == 1);
    } else {
        FUZZ_CHECK(pair->key == NULL && pair->leaf == NULL && why[0] != '\0');
    }
    certificate_pair_free(pair);
}

static void read_keys(const uint8_t *data, size_t size)
{
    EVP_PKEY *key = NULL;
    if (rsa_key_read(data, size, &key) != EKM_OK) {
        FUZZ_CHECK(key == NULL);
    }
    EVP_PKEY_free(key);
    key = NULL;
    if (rsa_key_read_pkcs8(data, size, &key) != EKM_OK) {
        FUZZ_CHECK(key == NULL);
    }
    EVP_PKEY_free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct certificate_pair pair;
    struct buf content;
    const char *why = NULL;
    fuzz_body(&content, data, size);
    enum ekm_rc rc = certificate_file_read_pem(&content, &pair, &why);
    fuzz_certificate_check(rc, &pair, why);
    why = NULL;
    rc = certificate_file_read_pfx(&content, "", &pair, &why);
    fuzz_certificate_check(rc, &pair, why);
    read_keys(data, size);
    buf_free(&content);
    ERR_clear_error();
    return 0;
}
