/*
 * Formats a request's head faster than the private libcurl does.
 *
 * curl formats each head byte by byte. Most of a head is the token, so this takes half of curl's
 * instructions for a warm request. In a build with a private curl (packages, DLL) the linker
 * redirects curl's calls to here (--wrap, cmake/AkvekmCurlFormat.cmake). A curl in which the
 * function has another name keeps its own. Text and %s are copied in blocks; any other format goes
 * to curl's function. Any thread.
 */
#ifndef AKVEKM_NET_CURL_FORMAT_H
#define AKVEKM_NET_CURL_FORMAT_H

#include <curl/curl.h>
#include <stdarg.h>
#include <stddef.h>

struct dynbuf; /* curl's growing string */

/* Replaces curl's asprintf. The text comes from curl's allocator. NULL: no memory. */
char *__wrap_curl_maprintf(const char *format, ...);
/* Appends to the string. Returns 0, or 1 after a failure, which has freed the string. */
int AKVEKM_CURL_WRAP(struct dynbuf *out, const char *format, va_list arguments);
/* curl's own: its allocator, the function that is replaced, and the one that appends bytes. The
 * last one frees the string when it fails. */
extern curl_malloc_callback Curl_cmalloc;
int AKVEKM_CURL_REAL(struct dynbuf *out, const char *format, va_list arguments);
CURLcode AKVEKM_CURL_ADDN(struct dynbuf *out, const void *bytes, size_t len);

#endif
