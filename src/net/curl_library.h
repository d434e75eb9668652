/*
 * The linked libcurl: starts it with the right allocator, and checks it.
 *
 * Owns nothing. http.c, the provider's start and the tool call it, one thread at a time.
 */
#ifndef AKVEKM_NET_CURL_LIBRARY_H
#define AKVEKM_NET_CURL_LIBRARY_H

#include <stddef.h>

#include <curl/curl.h>

#include "base/err.h"

/* Initializes OpenSSL; may be called repeatedly. Call it before any other function of OpenSSL,
 * because a private OpenSSL accepts its allocator and its clean-up setting only then. False: no
 * memory. */
bool curl_library_prepare(void);
/* False: no memory. Each success needs a curl_global_cleanup. */
bool curl_library_start(void);
/* EKM_OK: curl uses the same OpenSSL as this library (3 or newer), resolves names in a thread, and
 * is at least as new as the build needs. Otherwise EKM_CONFIGURATION with a reason. */
enum ekm_rc curl_library_check(char *reason, size_t reason_cap) EKM_MUST_CHECK;

/* The major version of the OpenSSL that curl uses, from a text like "OpenSSL/3.0.15 zlib/1.2". 0:
 * curl uses another library. */
unsigned long curl_library_openssl(const char *ssl_version);

/* Whether writing to a broken connection may raise SIGPIPE. From 7.87 on curl also writes OpenSSL's
 * records itself, by send() with MSG_NOSIGNAL. */
bool curl_library_may_signal(void);

/* Lets a multi handle close while its name lookup hangs. From 8.20 on the option of the easy
 * handles is not enough. */
void curl_library_set_quick_exit(CURLM *multi);

/* "curl 7.88.1, OpenSSL/3.0.15": for the log's first line. */
void curl_library_versions(char *out, size_t cap);

/* The source packages of the private libraries, "openssl 3.0.20-1~deb12u2, ..."; "" with the
 * system's libraries. */
const char *curl_library_inside(void);

#endif
