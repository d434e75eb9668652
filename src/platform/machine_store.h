/*
 * Certificates of the machine's own store, LocalMachine\My of Windows. Their keys stay in the
 * store.
 *
 * Other systems have no such store, and nothing is ever found. The caller frees. Any thread.
 */
#ifndef AKVEKM_PLATFORM_MACHINE_STORE_H
#define AKVEKM_PLATFORM_MACHINE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLAT_THUMBPRINT_BYTES 20
#define PLAT_SIGNATURE_MAX    2048

struct plat_store_certificate {
    void *native;  /* NULL: none */
    uintptr_t key; /* of the key storage provider */
    bool owns_key;
    const uint8_t *der;
    size_t der_len;
};

enum plat_store {
    PLAT_STORE_OK,
    PLAT_STORE_ABSENT, /* no such certificate */
    PLAT_STORE_NO_KEY, /* the certificate has no key, or this account may not use it */
    PLAT_STORE_FAILED
};

/* Whether the system has such a store. */
bool plat_store_exists(void);
/* `error` gets the system's own error number. */
enum plat_store plat_store_open(const uint8_t thumbprint[PLAT_THUMBPRINT_BYTES],
                                struct plat_store_certificate *out, uint32_t *error);
/* Signs a SHA-256 digest with its RSA key: PSS with a salt of 32 bytes, or PKCS #1. */
enum plat_store plat_store_sign(const struct plat_store_certificate *certificate, bool pss,
                                const uint8_t digest[32], uint8_t *out, size_t cap, size_t *len,
                                uint32_t *error);
void plat_store_close(struct plat_store_certificate *certificate); /* accepts an empty one */

#endif
