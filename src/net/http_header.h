/*
 * Reads the header lines of a response that the library needs into struct http_response.
 *
 * Owns nothing. http_easy.c calls it from inside a transfer, in any thread.
 */
#ifndef AKVEKM_NET_HTTP_HEADER_H
#define AKVEKM_NET_HTTP_HEADER_H

#include "net/http_message.h"

/* Reads one line of `len` bytes, which need not be terminated. A value that is too long for its
 * field is cut; a WWW-Authenticate value that no longer fits is left out. True: a status line. It
 * clears the fields, because an interim response (1xx) may have come before. */
bool http_header_read(const char *line, size_t len, struct http_response *response);

#endif
