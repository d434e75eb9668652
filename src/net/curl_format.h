/*
 * A faster way for the libcurl inside to write a request's head.
 *
 * Curl formats each head, most of which is the token, byte by byte: half of its instructions for a
 * warm request. Where curl is inside (packages, DLL) the linker sends its calls here (--wrap,
 * cmake/AkvekmCurlFormat.cmake); a curl that names the function otherwise goes its own way. Text
 * and %s are copied at once, all else is left to curl. Any thread.
 */
#ifndef AKVEKM_NET_CURL_FORMAT_H
#define AKVEKM_NET_CURL_FORMAT_H

#include <curl/curl.h>
#include <stdarg.h>
#include <stddef.h>

struct dynbuf; /* curl's growing string */

/* Curl's asprintf; the text is of the allocator that curl was given. NULL: no memory. */
char *__wrap_curl_maprintf(const char *format, ...);
/* 0, or 1 with the string freed. */
int AKVEKM_CURL_WRAP(struct dynbuf *out, const char *format, va_list arguments);
/* Curl's own: its allocator, and functions of which the second frees the string when it fails. */
extern curl_malloc_callback Curl_cmalloc;
int AKVEKM_CURL_REAL(struct dynbuf *out, const char *format, va_list arguments);
CURLcode AKVEKM_CURL_ADDN(struct dynbuf *out, const void *bytes, size_t len);

#endif
