/*
 * The libcurl that is linked: started with the right allocator, and judged.
 *
 * Owns nothing. Called by http.c, by one thread at a time.
 */
#ifndef AKVEKM_NET_CURL_LIBRARY_H
#define AKVEKM_NET_CURL_LIBRARY_H

#include <stddef.h>

#include <curl/curl.h>

#include "base/err.h"

/* Makes OpenSSL ready; as often as one likes. Before anything else of OpenSSL is called: one that
 * is inside takes its allocator and its way to end then alone. False: no memory. */
bool curl_library_prepare(void);
/* False: no memory. Each success is matched by a curl_global_cleanup. */
bool curl_library_start(void);
/* EKM_CONFIGURATION with a reason unless its TLS is the OpenSSL that this library uses, 3 or newer,
 * it resolves in a thread of its own, and is no older than what the build relied on. */
enum ekm_rc curl_library_check(char *reason, size_t reason_cap) EKM_MUST_CHECK;

/* The major version in "OpenSSL/3.0.15 zlib/1.2": of the TLS library in use. 0: another one. */
unsigned long curl_library_openssl(const char *ssl_version);

/* Whether writing to a broken connection may raise SIGPIPE: from 7.87 on curl writes for OpenSSL as
 * well, by send() with MSG_NOSIGNAL. */
bool curl_library_may_signal(void);

/* Lets a multi handle be closed while a name lookup of it hangs: from 8.20 on, the option of its
 * easy handles alone does not. */
void curl_library_set_quick_exit(CURLM *multi);

/* "curl 7.88.1, OpenSSL/3.0.15": for the log's first line. */
void curl_library_versions(char *out, size_t cap);

/* The source packages of the libraries that are inside, "openssl 3.0.20-1~deb12u2, ..."; "" where
 * the system's are used. */
const char *curl_library_inside(void);

#endif
