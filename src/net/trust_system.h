/*
 * Adds the certificates that the system trusts to an OpenSSL store.
 *
 * Owns nothing. trust_store.c calls it, once for each store, from any thread.
 */
#ifndef AKVEKM_NET_TRUST_SYSTEM_H
#define AKVEKM_NET_TRUST_SYSTEM_H

#include <stdbool.h>

#include <openssl/x509.h>

/* False: the system's store cannot be read, or is empty. Leaves OpenSSL's error queue empty. */
bool trust_system_load(X509_STORE *store);

#endif
