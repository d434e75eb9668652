/*
 * The header lines of an answer that the library looks at, into struct http_response.
 *
 * Called by http.c from inside a transfer. Any thread.
 */
#ifndef AKVEKM_NET_HTTP_HEADER_H
#define AKVEKM_NET_HTTP_HEADER_H

#include "net/http_message.h"

/* One line of `len` bytes, not terminated. True: a status line, which forgets what an interim
 * answer said. */
bool http_header_read(const char *line, size_t len, struct http_response *response);

#endif
