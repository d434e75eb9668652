/*
 * Authorities known by their names alone: one is read in full when a chain names it.
 *
 * A system trusts some 150, a connection needs one, and reading all of them takes OpenSSL as long
 * as ten handshakes. An index belongs to one thread until it is attached to a store, which frees it
 * then; from there on any thread. Leaves OpenSSL's queue empty.
 */
#ifndef AKVEKM_NET_TRUST_INDEX_H
#define AKVEKM_NET_TRUST_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/x509.h>

struct trust_index;

/* For at most that many bytes of certificates. NULL: no memory. */
struct trust_index *trust_index_new(size_t max_bytes);
/* False: no certificate by its form, or no memory. */
bool trust_index_add(struct trust_index *index, const uint8_t *der, size_t len);
/* Takes the index over in any case. False: it holds nothing, or no memory. What the store holds
 * already hides nothing of the same name. */
bool trust_index_attach(struct trust_index *index, X509_STORE *store);

/* As X509_STORE_load_file, for a file that may hold hundreds; what cannot be read in it is left
 * out. */
bool trust_index_load_file(X509_STORE *store, const char *path);

#endif
