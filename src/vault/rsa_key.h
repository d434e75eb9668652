/*
 * Reads RSA private keys in DER form without leaving copies; OpenSSL's own decoders free their
 * copies unwiped.
 *
 * Pure functions; any thread. The caller wipes the DER and frees the key.
 */
#ifndef AKVEKM_VAULT_RSA_KEY_H
#define AKVEKM_VAULT_RSA_KEY_H

#include <openssl/evp.h>

#include "base/buf.h"

/* RSAPrivateKey of PKCS #1 (RFC 8017, appendix A.1.2), two primes. EKM_INVALID_ARGUMENT if it is
 * not one, EKM_NOT_SUPPORTED below 2048 bits or above 16384, EKM_OUT_OF_MEMORY. */
enum ekm_rc rsa_key_read(const uint8_t *der, size_t len, EVP_PKEY **out) EKM_MUST_CHECK;
/* PrivateKeyInfo of PKCS #8 (RFC 5208) around one. EKM_NOT_SUPPORTED for keys that are not RSA. */
enum ekm_rc rsa_key_read_pkcs8(const uint8_t *der, size_t len, EVP_PKEY **out) EKM_MUST_CHECK;

#endif
