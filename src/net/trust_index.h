/*
 * An index of certificate authorities by name. A certificate is parsed only when a chain needs it.
 *
 * A system trusts about 150 authorities, a connection needs one, and OpenSSL needs the time of ten
 * handshakes to parse all. An index belongs to one thread until it is attached to a store. The
 * store then owns it and frees it, and any thread may use it. Leaves OpenSSL's error queue empty.
 */
#ifndef AKVEKM_NET_TRUST_INDEX_H
#define AKVEKM_NET_TRUST_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/x509.h>

struct trust_index;

/* Makes an index for at most `max_bytes` of certificates in DER form. NULL: no memory. */
struct trust_index *trust_index_new(size_t max_bytes);
/* Adds a certificate. False: it does not have the form of one, it does not fit, or no memory. */
bool trust_index_add(struct trust_index *index, const uint8_t *der, size_t len);
/* Hands the index to the store; frees it on failure. `index` may be NULL. False: it is empty, or no
 * memory. A certificate that the store already has does not hide indexed ones of the same name. */
bool trust_index_attach(struct trust_index *index, X509_STORE *store);

/* Does what X509_STORE_load_file does, faster for a file with hundreds of certificates. Leaves out
 * certificates that cannot be read. False: none was loaded, or no memory. */
bool trust_index_load_file(X509_STORE *store, const char *path);

#endif
