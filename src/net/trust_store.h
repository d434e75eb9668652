/*
 * The trusted certificates: the system's store and ca_file. They are read once per process instead
 * of once per connection, and again after a server's certificate was refused.
 *
 * Owns one X509_STORE. http.c starts and stops it. Between, any thread may call the rest:
 * http_easy.c and the tool apply the store, http_failure.c doubts it.
 */
#ifndef AKVEKM_NET_TRUST_STORE_H
#define AKVEKM_NET_TRUST_STORE_H

#include <stddef.h>

#include <openssl/ssl.h>

#include "base/call.h"

/* Checks the rights of ca_file and reads it. EKM_CONFIGURATION with a reason; EKM_OUT_OF_MEMORY. */
enum ekm_rc trust_store_start(const struct config *config, char *reason,
                              size_t reason_cap) EKM_MUST_CHECK;
void trust_store_stop(void);

/* Gives the store to a connection's context. The first connection reads the system's certificates.
 * If they cannot be read, each later connection tries again. Then EKM_CERTIFICATE_REFUSED, unless
 * there is a ca_file.
 * Waits for another thread that reads them until the call's deadline (EKM_DEADLINE) or abort
 * (EKM_CLOSING). Sets nothing in the call. */
enum ekm_rc trust_store_apply(SSL_CTX *context, const struct call *call) EKM_MUST_CHECK;
/* Called when a server's certificate was refused: the trusted certificates may have changed since
 * they were read, or memory was short. They are read again at the next connection, at most once in
 * ten seconds. */
void trust_store_doubt(void);

#endif
