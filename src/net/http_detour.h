/*
 * Sends a request to another address than its host name's, and trusts other authorities there. The
 * token proxy of AKS needs it.
 *
 * Borrows its texts. http_easy.c and http_options.c use it, in any thread.
 */
#ifndef AKVEKM_NET_HTTP_DETOUR_H
#define AKVEKM_NET_HTTP_DETOUR_H

#include <openssl/ssl.h>

#include "base/err.h"

struct http_detour {
    const char *connect_to;  /* HOST:PORT:CONNECT-HOST:CONNECT-PORT */
    const char *authorities; /* PEM; only these are trusted. NULL: the usual ones */
};

/* Makes the connection trust the detour's authorities only. False: none can be read, or no
 * memory. */
bool http_detour_trust(const struct http_detour *detour, SSL_CTX *context);

#endif
