/*
 * The trusted certificates: the system's store and ca_file. They are read once per process instead
 * of once per connection, and again after a server's certificate was refused.
 *
 * Owns one X509_STORE. http.c calls it; trust_store_apply from any thread between start and stop.
 */
#ifndef AKVEKM_NET_TRUST_STORE_H
#define AKVEKM_NET_TRUST_STORE_H

#include <stddef.h>

#include <openssl/ssl.h>

#include "base/call.h"

/* Reads ca_file, after checking its rights; EKM_CONFIGURATION with a reason, EKM_OUT_OF_MEMORY. */
enum ekm_rc trust_store_start(const struct config *config, char *reason,
                              size_t reason_cap) EKM_MUST_CHECK;
void trust_store_stop(void);

/* Gives the store to a connection's context. The system's certificates are read at the first one,
 * and at each one while they cannot be: EKM_CERTIFICATE_REFUSED if there is no ca_file either.
 * Waits for another thread that reads them until the call's deadline (EKM_DEADLINE) or abort
 * (EKM_CLOSING). Sets nothing in the call. */
enum ekm_rc trust_store_apply(SSL_CTX *context, const struct call *call) EKM_MUST_CHECK;
/* Called when a server's certificate was refused: the trusted certificates may have changed since
 * they were read, or memory was short. They are read again at the next connection, at most once in
 * ten seconds. */
void trust_store_doubt(void);

#endif
