/*
 * Answers of private-key operations, kept for those who ask for the same again and again: load
 * tests and benchmarks, which would otherwise measure RSA in vaultsim.
 *
 * Owns a table of fixed size under a lock; any thread may call.
 */
#ifndef VAULTSIM_MEMO_H
#define VAULTSIM_MEMO_H

#include "crypt.h"

/* crypt_decrypt, but what succeeded before with this key, algorithm and cipher text comes from
 * memory. */
enum crypt_rc memo_decrypt(EVP_PKEY *pkey, const char *alg, bool implicit_rejection,
                           struct crypt_bytes cipher, uint8_t *out, size_t *out_len);

#endif
