/*
 * Sends a request to another address than that of its host name, with authorities of its own: for
 * the token proxy of AKS.
 *
 * Borrows its texts. http_easy.c and http_options.c call it; any thread.
 */
#ifndef AKVEKM_NET_HTTP_DETOUR_H
#define AKVEKM_NET_HTTP_DETOUR_H

#include <openssl/ssl.h>

#include "base/err.h"

struct http_detour {
    const char *connect_to;  /* HOST:PORT:CONNECT-HOST:CONNECT-PORT */
    const char *authorities; /* PEM: only these are trusted; NULL: the usual ones */
};

/* Makes the connection trust the detour's authorities. False: none can be read, or no memory. */
bool http_detour_trust(const struct http_detour *detour, SSL_CTX *context);

#endif
