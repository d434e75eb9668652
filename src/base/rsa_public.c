#include "base/rsa_public.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base/codec.h"

bool thumbprint_set(struct thumbprint *thumbprint, const uint8_t *bytes, size_t len)
{
    memset(thumbprint, 0, sizeof *thumbprint);
    if (len == 0 || len > sizeof thumbprint->bytes) {
        return false;
    }
    memcpy(thumbprint->bytes, bytes, len);
    thumbprint->len = len;
    return true;
}

bool thumbprint_equal(const struct thumbprint *a, const struct thumbprint *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

void thumbprint_text(const struct thumbprint *thumbprint, char out[2 * THUMBPRINT_MAX_BYTES + 1])
{
    hex_encode(thumbprint->bytes, thumbprint->len, out);
}

const char *rsa_algorithm_name(enum rsa_algorithm algorithm)
{
    static const char *const names[] = {"RSA-OAEP-256", "RSA-OAEP", "RSA1_5"};
    return algorithm < RSA_ALGORITHM_COUNT ? names[algorithm] : "";
}

static size_t leading_zeros(const uint8_t *number, size_t len)
{
    size_t zeros = 0;
    while (zeros < len && number[zeros] == 0) {
        zeros++;
    }
    return zeros;
}

enum ekm_rc rsa_public_set(struct rsa_public *key, const uint8_t *n, size_t n_len, const uint8_t *e,
                           size_t e_len)
{
    size_t n_zeros = leading_zeros(n, n_len), e_zeros = leading_zeros(e, e_len);
    n += n_zeros;
    n_len -= n_zeros;
    e += e_zeros;
    e_len -= e_zeros;
    bool sized = n_len == 256 || n_len == 384 || n_len == 512;
    /* The top bit must be set, or the number is shorter than its bytes. */
    if (!sized || (n[0] & 0x80) == 0 || (n[n_len - 1] & 1) == 0 || e_len == 0 || e_len > 4) {
        return EKM_NOT_SUPPORTED;
    }
    uint32_t exponent = 0;
    for (size_t i = 0; i < e_len; i++) {
        exponent = exponent << 8 | e[i];
    }
    if (exponent < 3 || (exponent & 1) == 0) {
        return EKM_NOT_SUPPORTED;
    }
    memset(key, 0, sizeof *key);
    key->bits = (uint32_t)n_len * 8;
    key->exponent = exponent;
    memcpy(key->modulus, n, n_len);
    return EKM_OK;
}

static uint8_t *put_le32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        *at++ = (uint8_t)(value >> (8 * i));
    }
    return at;
}

/* thumbprint.md: SHA-1 of a strong-name public key blob, in reverse order. */
enum ekm_rc rsa_public_thumbprint(const struct rsa_public *key, struct thumbprint *out)
{
    static const uint8_t strong_name[] = {0x00, 0x24, 0x00, 0x00, 0x04, 0x80, 0x00, 0x00};
    static const uint8_t public_key[] = {0x06, 0x02, 0x00, 0x00, 0x00, 0xA4,
                                         0x00, 0x00, 'R',  'S',  'A',  '1'};
    uint8_t blob[8 + 4 + 20 + RSA_MAX_BYTES], digest[THUMBPRINT_BYTES], *at = blob;
    uint32_t modulus_len = key->bits / 8;
    unsigned digest_len = 0;
    memcpy(at, strong_name, sizeof strong_name);
    at = put_le32(at + sizeof strong_name, 20 + modulus_len);
    memcpy(at, public_key, sizeof public_key);
    at = put_le32(at + sizeof public_key, key->bits);
    at = put_le32(at, key->exponent);
    for (uint32_t i = modulus_len; i > 0; i--) {
        *at++ = key->modulus[i - 1];
    }
    if (EVP_Digest(blob, (size_t)(at - blob), digest, &digest_len, EVP_sha1(), NULL) != 1 ||
        digest_len != sizeof digest) {
        return EKM_INTERNAL;
    }
    memset(out, 0, sizeof *out);
    out->len = sizeof digest;
    for (size_t i = 0; i < sizeof digest; i++) {
        out->bytes[i] = digest[sizeof digest - 1 - i];
    }
    return EKM_OK;
}

bool thumbprint_same(const struct thumbprint *a, const struct thumbprint *b)
{
    bool reversed = a->len == b->len;
    for (size_t i = 0; reversed && i < a->len; i++) {
        reversed = a->bytes[i] == b->bytes[a->len - 1 - i];
    }
    return reversed || thumbprint_equal(a, b);
}

bool rsa_public_matches(const struct rsa_public *key, const struct thumbprint *thumbprint)
{
    struct thumbprint ours;
    return thumbprint->len == THUMBPRINT_BYTES && rsa_public_thumbprint(key, &ours) == EKM_OK &&
           thumbprint_same(&ours, thumbprint);
}

size_t rsa_public_cng_blob(const struct rsa_public *key, uint8_t out[CNG_BLOB_MAX_BYTES])
{
    uint32_t modulus_len = key->bits / 8, exponent_len = 1;
    while (exponent_len < 4 && key->exponent >> (8 * exponent_len) != 0) {
        exponent_len++;
    }
    uint8_t *at = put_le32(out, 0x31415352); /* "RSA1" */
    at = put_le32(at, key->bits);
    at = put_le32(at, exponent_len);
    at = put_le32(at, modulus_len);
    at = put_le32(at, 0);
    at = put_le32(at, 0);
    for (uint32_t i = exponent_len; i > 0; i--) {
        *at++ = (uint8_t)(key->exponent >> (8 * (i - 1)));
    }
    memcpy(at, key->modulus, modulus_len);
    return (size_t)(at - out) + modulus_len;
}

size_t rsa_public_max_plain(uint32_t bits, enum rsa_algorithm algorithm)
{
    static const size_t overhead[] = {66, 42, 11}; /* RFC 8017: 2 hLen + 2, or 11 */
    return bits / 8 - overhead[algorithm];
}

static EVP_PKEY *make_pkey(const struct rsa_public *key)
{
    EVP_PKEY *pkey = NULL;
    BIGNUM *n = BN_bin2bn(key->modulus, (int)(key->bits / 8), NULL), *e = BN_new();
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    if (n != NULL && e != NULL && build != NULL && context != NULL &&
        BN_set_word(e, key->exponent) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1 &&
        (params = OSSL_PARAM_BLD_to_param(build)) != NULL && EVP_PKEY_fromdata_init(context) == 1 &&
        EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(e);
    BN_free(n);
    return pkey;
}

static bool set_padding(EVP_PKEY_CTX *context, enum rsa_algorithm algorithm)
{
    if (algorithm == RSA1_5) {
        return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
    }
    const EVP_MD *hash = algorithm == RSA_OAEP_256 ? EVP_sha256() : EVP_sha1();
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_oaep_md(context, hash) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(context, hash) == 1;
}

enum ekm_rc rsa_public_wrap(const struct rsa_public *key, enum rsa_algorithm algorithm,
                            const uint8_t *plain, size_t len, struct buf *out)
{
    size_t size = key->bits / 8;
    enum ekm_rc rc = len > rsa_public_max_plain(key->bits, algorithm) ? EKM_INVALID_ARGUMENT
                                                                      : buf_reserve(out, size);
    if (rc != EKM_OK) {
        return rc;
    }
    EVP_PKEY *pkey = make_pkey(key);
    EVP_PKEY_CTX *context = pkey != NULL ? EVP_PKEY_CTX_new(pkey, NULL) : NULL;
    rc = EKM_INTERNAL;
    if (context != NULL && EVP_PKEY_encrypt_init(context) == 1 && set_padding(context, algorithm) &&
        EVP_PKEY_encrypt(context, out->data + out->len, &size, plain, len) == 1) {
        out->len += size;
        out->data[out->len] = 0;
        rc = EKM_OK;
    }
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(pkey);
    return rc;
}
