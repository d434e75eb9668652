/*
 * The C library's getaddrinfo, for a test that defines its own. curl then calls the one of the
 * test.
 */
#ifndef AKVEKM_NETWORK_LIBC_RESOLVER_H
#define AKVEKM_NETWORK_LIBC_RESOLVER_H

#include <netdb.h>

/* As getaddrinfo. Fails with EAI_SYSTEM where the C library has none. */
int libc_resolve(const char *node, const char *service, const struct addrinfo *hints,
                 struct addrinfo **result);

#endif
