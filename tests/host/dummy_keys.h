/*
 * The keys of the dummy provider: RSA keys in the folder that DUMMY_FOLDER names.
 *
 * - <name>.<version>.pem: the key; the highest version is the newest
 * - <name>.<version>.disabled beside it: the key answers with code 5004
 * - <name>.<version>.thumb: its thumbprint in hex (else SHA-1 of the modulus), as an older provider
 *   would have it
 * - <name>.<version>.pkcs1: it wraps by RSA1_5 (else RSA-OAEP); either is unwrapped, RSA-OAEP-256
 *   is not
 */
#ifndef EKMHOST_DUMMY_KEYS_H
#define EKMHOST_DUMMY_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/types.h>

#include <akvekm/sqlcrypt.h>

enum { DUMMY_THUMB_LEN = 20 };

struct dummy_key {
    char name[64];
    int version;
    EVP_PKEY *key; /* the finder's, for EVP_PKEY_free */
    uint8_t thumb[SQLCP_MAX_THUMBPRINT_BYTES];
    uint32_t thumb_len;
    bool disabled, pkcs1;
};

/* By thumbprint, by name (the newest, unless "name/version"), or the nth of all. */
bool dummy_keys_find(const char *name_and_version, const SqlCpData *thumb, int nth,
                     struct dummy_key *found);
uint32_t dummy_keys_bits(const struct dummy_key *key);
/* One block in either direction. *len is the size of the buffer before, and of the result after the
 * call. */
bool dummy_keys_crypt(const struct dummy_key *key, const SqlCpData *in, uint8_t *out, size_t *len,
                      bool encrypt);

#endif
