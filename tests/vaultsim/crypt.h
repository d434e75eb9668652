/*
 * The RSA operations of the service: encrypt, decrypt, sign, verify by JWA algorithm name.
 *
 * Pure functions, any thread; the caller holds no lock. Every `out` holds CRYPT_MAX bytes.
 */
#ifndef VAULTSIM_CRYPT_H
#define VAULTSIM_CRYPT_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CRYPT_MAX 1024

enum crypt_rc {
    CRYPT_OK,
    CRYPT_UNKNOWN_ALGORITHM, /* or not one for this kind of operation */
    CRYPT_BAD_LENGTH,
    CRYPT_BAD_PADDING, /* the OAEP padding is wrong */
    CRYPT_REFUSED,     /* any other failure of the private-key operation */
};

struct crypt_bytes {
    const uint8_t *bytes;
    size_t len;
};

enum crypt_rc crypt_encrypt(EVP_PKEY *pkey, const char *alg, struct crypt_bytes plain, uint8_t *out,
                            size_t *out_len);
/* implicit_rejection: where the padding is wrong, RSA1_5 returns pseudo-random bytes, always the
 * same for the same input. */
enum crypt_rc crypt_decrypt(EVP_PKEY *pkey, const char *alg, bool implicit_rejection,
                            struct crypt_bytes cipher, uint8_t *out, size_t *out_len);
enum crypt_rc crypt_sign(EVP_PKEY *pkey, const char *alg, struct crypt_bytes digest, uint8_t *out,
                         size_t *out_len);
enum crypt_rc crypt_verify(EVP_PKEY *pkey, const char *alg, struct crypt_bytes digest,
                           struct crypt_bytes signature, bool *is_valid);

#endif
