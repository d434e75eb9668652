/*
 * RSA public keys: from modulus and exponent to the thumbprint, the CNG blob, and wrapping on this
 * machine.
 *
 * Rules: thumbprint.md (KB 4470999), ekm-abi.md section 3 (BCRYPT_RSAPUBLIC_BLOB), RFC 8017 for
 * sizes. Values are plain structs that may be copied; any thread.
 */
#ifndef AKVEKM_BASE_RSA_PUBLIC_H
#define AKVEKM_BASE_RSA_PUBLIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define RSA_MAX_BYTES        512
#define THUMBPRINT_BYTES     20
#define THUMBPRINT_MAX_BYTES 32
#define CNG_BLOB_MAX_BYTES   (24 + 4 + RSA_MAX_BYTES)

struct thumbprint {
    uint8_t bytes[THUMBPRINT_MAX_BYTES];
    size_t len; /* 20 for this library, 1 to 32 for other connectors */
};
bool thumbprint_set(struct thumbprint *thumbprint, const uint8_t *bytes, size_t len);
bool thumbprint_equal(const struct thumbprint *a, const struct thumbprint *b);
/* Equal in either byte order (thumbprint.md). */
bool thumbprint_same(const struct thumbprint *a, const struct thumbprint *b);
/* Upper-case hex, at most 64 characters. */
void thumbprint_text(const struct thumbprint *thumbprint, char out[2 * THUMBPRINT_MAX_BYTES + 1]);

enum rsa_algorithm { RSA_OAEP_256, RSA_OAEP, RSA1_5, RSA_ALGORITHM_COUNT };
const char *rsa_algorithm_name(enum rsa_algorithm algorithm); /* as in JSON Web Algorithms */

struct rsa_public {
    uint32_t bits; /* 2048, 3072 or 4096 */
    uint32_t exponent;
    uint8_t modulus[RSA_MAX_BYTES]; /* big-endian, bits / 8 bytes */
};
/* Numbers are big-endian; leading zeros are allowed. EKM_NOT_SUPPORTED for another size, an even
 * modulus, or an exponent that is even, below 3 or longer than 32 bits. */
enum ekm_rc rsa_public_set(struct rsa_public *key, const uint8_t *n, size_t n_len, const uint8_t *e,
                           size_t e_len) EKM_MUST_CHECK;
enum ekm_rc rsa_public_thumbprint(const struct rsa_public *key,
                                  struct thumbprint *out) EKM_MUST_CHECK;
/* Whether the key gives this thumbprint, in either byte order. */
bool rsa_public_matches(const struct rsa_public *key, const struct thumbprint *thumbprint);
/* Writes at most CNG_BLOB_MAX_BYTES and returns the length. */
size_t rsa_public_cng_blob(const struct rsa_public *key, uint8_t out[CNG_BLOB_MAX_BYTES]);
size_t rsa_public_max_plain(uint32_t bits, enum rsa_algorithm algorithm);
enum ekm_rc rsa_public_wrap(const struct rsa_public *key, enum rsa_algorithm algorithm,
                            const uint8_t *plain, size_t len, struct buf *out) EKM_MUST_CHECK;

#endif
