/*
 * Remembers the results of private-key operations. Otherwise load tests and benchmarks, which
 * repeat one operation, would measure the RSA of vaultsim.
 *
 * Owns a table of fixed size under a lock; any thread.
 */
#ifndef VAULTSIM_MEMO_H
#define VAULTSIM_MEMO_H

#include "crypt.h"

/* Like crypt_decrypt, but returns an earlier success with this key, algorithm and cipher text from
 * memory. */
enum crypt_rc memo_decrypt(EVP_PKEY *pkey, const char *alg, bool implicit_rejection,
                           struct crypt_bytes cipher, uint8_t *out, size_t *out_len);

#endif
