/*
 * Reads RSA private keys in DER form and leaves no copies. OpenSSL's own decoders free their copies
 * without wiping them.
 *
 * Pure functions; any thread. The caller wipes the DER and frees the key.
 */
#ifndef AKVEKM_VAULT_RSA_KEY_H
#define AKVEKM_VAULT_RSA_KEY_H

#include <openssl/evp.h>

#include "base/buf.h"

/* Reads an RSAPrivateKey of PKCS #1 (RFC 8017, appendix A.1.2) with two primes.
 * EKM_INVALID_ARGUMENT: it is none. EKM_NOT_SUPPORTED: it has less than 2048 or more than 16384
 * bits. EKM_OUT_OF_MEMORY. */
enum ekm_rc rsa_key_read(const uint8_t *der, size_t len, EVP_PKEY **out) EKM_MUST_CHECK;
/* Reads the PrivateKeyInfo of PKCS #8 (RFC 5208) around such a key. The same errors;
 * EKM_NOT_SUPPORTED also if the key is not RSA. */
enum ekm_rc rsa_key_read_pkcs8(const uint8_t *der, size_t len, EVP_PKEY **out) EKM_MUST_CHECK;

#endif
