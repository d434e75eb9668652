#include "crypt.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <string.h>

#include "encode.h"
#include "material.h"

#define PKCS1_OVERHEAD 11 /* RFC 8017, 7.2.1 */

/* The digest of an OAEP algorithm; NULL with *is_pkcs1 for RSA1_5; false: another name. */
static bool encryption_of(const char *alg, const EVP_MD **oaep)
{
    *oaep = strcmp(alg, "RSA-OAEP-256") == 0 ? EVP_sha256()
            : strcmp(alg, "RSA-OAEP") == 0   ? EVP_sha1()
                                             : NULL;
    return *oaep != NULL || strcmp(alg, "RSA1_5") == 0;
}

static bool set_padding(EVP_PKEY_CTX *ctx, int padding, const EVP_MD *oaep)
{
    return EVP_PKEY_CTX_set_rsa_padding(ctx, padding) == 1 &&
           (padding != RSA_PKCS1_OAEP_PADDING || (EVP_PKEY_CTX_set_rsa_oaep_md(ctx, oaep) == 1 &&
                                                  EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, oaep) == 1));
}

enum crypt_rc crypt_encrypt(EVP_PKEY *pkey, const char *alg, struct crypt_bytes plain, uint8_t *out,
                            size_t *out_len)
{
    const EVP_MD *oaep = NULL;
    if (!material_is_rsa(pkey) || !encryption_of(alg, &oaep)) {
        return CRYPT_UNKNOWN_ALGORITHM;
    }
    size_t modulus_len = (size_t)EVP_PKEY_get_size(pkey);
    size_t overhead = oaep != NULL ? 2 * (size_t)EVP_MD_get_size(oaep) + 2 : PKCS1_OVERHEAD;
    if (plain.len + overhead > modulus_len) {
        return CRYPT_BAD_LENGTH;
    }
    EVP_PKEY_CTX *ctx = must(EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL));
    *out_len = CRYPT_MAX;
    bool is_done =
        EVP_PKEY_encrypt_init(ctx) == 1 &&
        set_padding(ctx, oaep != NULL ? RSA_PKCS1_OAEP_PADDING : RSA_PKCS1_PADDING, oaep) &&
        EVP_PKEY_encrypt(ctx, out, out_len, plain.bytes, plain.len) == 1;
    EVP_PKEY_CTX_free(ctx);
    return is_done ? CRYPT_OK : CRYPT_REFUSED;
}

static bool decrypt_padded(EVP_PKEY *pkey, int padding, const EVP_MD *oaep,
                           struct crypt_bytes cipher, uint8_t *out, size_t *out_len)
{
    EVP_PKEY_CTX *ctx = must(EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL));
    *out_len = CRYPT_MAX;
    bool is_done = EVP_PKEY_decrypt_init(ctx) == 1 && set_padding(ctx, padding, oaep) &&
                   EVP_PKEY_decrypt(ctx, out, out_len, cipher.bytes, cipher.len) == 1;
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return is_done;
}

/* Bytes that depend only on the private part of the key and the cipher text, as in OpenSSL 3.2. The
 * length is one that a wrapped key could have. */
static void reject_implicitly(EVP_PKEY *pkey, struct crypt_bytes cipher, size_t modulus_len,
                              uint8_t *out, size_t *out_len)
{
    uint8_t key[512] = {0}, block[32];
    BIGNUM *d = NULL;
    if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_D, &d) == 1) {
        BN_bn2bin(d, key);
        BN_clear_free(d);
    }
    EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key, sizeof key, cipher.bytes, cipher.len, block,
              sizeof block, NULL);
    *out_len = 16 + (size_t)(block[0] << 8 | block[1]) % (modulus_len - PKCS1_OVERHEAD - 15);
    for (size_t at = 0; at < *out_len; at += sizeof block) {
        EVP_Q_digest(NULL, "SHA256", NULL, block, sizeof block, block, NULL);
        size_t left = *out_len - at;
        memcpy(out + at, block, left < sizeof block ? left : sizeof block);
    }
}

/* Removes the padding here, because versions of OpenSSL differ in what they do with a bad one. */
static enum crypt_rc decrypt_pkcs1(EVP_PKEY *pkey, bool implicit_rejection,
                                   struct crypt_bytes cipher, uint8_t *out, size_t *out_len)
{
    uint8_t block[CRYPT_MAX];
    size_t len = 0, zero = 2;
    if (!decrypt_padded(pkey, RSA_NO_PADDING, NULL, cipher, block, &len)) {
        return CRYPT_REFUSED;
    }
    while (zero < len && block[zero] != 0) {
        zero++;
    }
    if (len >= PKCS1_OVERHEAD && block[0] == 0 && block[1] == 2 && zero >= 10 && zero < len) {
        *out_len = len - zero - 1;
        memcpy(out, block + zero + 1, *out_len);
        return CRYPT_OK;
    }
    if (!implicit_rejection) {
        return CRYPT_REFUSED;
    }
    reject_implicitly(pkey, cipher, len, out, out_len);
    return CRYPT_OK;
}

enum crypt_rc crypt_decrypt(EVP_PKEY *pkey, const char *alg, bool implicit_rejection,
                            struct crypt_bytes cipher, uint8_t *out, size_t *out_len)
{
    const EVP_MD *oaep = NULL;
    if (!material_is_rsa(pkey) || !encryption_of(alg, &oaep)) {
        return CRYPT_UNKNOWN_ALGORITHM;
    }
    if (cipher.len != (size_t)EVP_PKEY_get_size(pkey)) {
        return CRYPT_BAD_LENGTH;
    }
    if (oaep == NULL) {
        return decrypt_pkcs1(pkey, implicit_rejection, cipher, out, out_len);
    }
    return decrypt_padded(pkey, RSA_PKCS1_OAEP_PADDING, oaep, cipher, out, out_len)
               ? CRYPT_OK
               : CRYPT_BAD_PADDING;
}

/* RS256 ... PS512 */
static bool signature_of(const char *alg, const EVP_MD **digest, int *padding)
{
    *padding = strncmp(alg, "RS", 2) == 0   ? RSA_PKCS1_PADDING
               : strncmp(alg, "PS", 2) == 0 ? RSA_PKCS1_PSS_PADDING
                                            : 0;
    const char *bits = strlen(alg) == 5 ? alg + 2 : "";
    *digest = strcmp(bits, "256") == 0   ? EVP_sha256()
              : strcmp(bits, "384") == 0 ? EVP_sha384()
              : strcmp(bits, "512") == 0 ? EVP_sha512()
                                         : NULL;
    return *padding != 0 && *digest != NULL;
}

static bool set_signature(EVP_PKEY_CTX *ctx, const EVP_MD *digest, int padding)
{
    return EVP_PKEY_CTX_set_rsa_padding(ctx, padding) == 1 &&
           EVP_PKEY_CTX_set_signature_md(ctx, digest) == 1 &&
           (padding != RSA_PKCS1_PSS_PADDING ||
            EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1);
}

/* Whether key, algorithm and length of the digest match. */
static enum crypt_rc crypt_check_signature(EVP_PKEY *pkey, const char *alg,
                                           struct crypt_bytes digest, const EVP_MD **md,
                                           int *padding)
{
    if (!material_is_rsa(pkey) || !signature_of(alg, md, padding)) {
        return CRYPT_UNKNOWN_ALGORITHM;
    }
    return digest.len == (size_t)EVP_MD_get_size(*md) ? CRYPT_OK : CRYPT_BAD_LENGTH;
}

enum crypt_rc crypt_sign(EVP_PKEY *pkey, const char *alg, struct crypt_bytes digest, uint8_t *out,
                         size_t *out_len)
{
    const EVP_MD *md = NULL;
    int padding = 0;
    enum crypt_rc rc = crypt_check_signature(pkey, alg, digest, &md, &padding);
    if (rc != CRYPT_OK) {
        return rc;
    }
    EVP_PKEY_CTX *ctx = must(EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL));
    *out_len = CRYPT_MAX;
    bool is_done = EVP_PKEY_sign_init(ctx) == 1 && set_signature(ctx, md, padding) &&
                   EVP_PKEY_sign(ctx, out, out_len, digest.bytes, digest.len) == 1;
    EVP_PKEY_CTX_free(ctx);
    return is_done ? CRYPT_OK : CRYPT_REFUSED;
}

enum crypt_rc crypt_verify(EVP_PKEY *pkey, const char *alg, struct crypt_bytes digest,
                           struct crypt_bytes signature, bool *is_valid)
{
    const EVP_MD *md = NULL;
    int padding = 0;
    enum crypt_rc rc = crypt_check_signature(pkey, alg, digest, &md, &padding);
    if (rc != CRYPT_OK) {
        return rc;
    }
    EVP_PKEY_CTX *ctx = must(EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL));
    *is_valid = EVP_PKEY_verify_init(ctx) == 1 && set_signature(ctx, md, padding) &&
                EVP_PKEY_verify(ctx, signature.bytes, signature.len, digest.bytes, digest.len) == 1;
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return CRYPT_OK;
}
