/*
 * The certificates that the system trusts, put into a store of OpenSSL's.
 *
 * Owns nothing. Called by trust_store.c, once for each store; any thread.
 */
#ifndef AKVEKM_NET_TRUST_SYSTEM_H
#define AKVEKM_NET_TRUST_SYSTEM_H

#include <stdbool.h>

#include <openssl/x509.h>

/* False: the system's store cannot be read, or holds nothing. Leaves OpenSSL's queue empty. */
bool trust_system_load(X509_STORE *store);

#endif
