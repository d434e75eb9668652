/*
 * A way to a service by another address than its name's, with authorities of its own: for the token
 * proxy of AKS.
 *
 * Borrows its texts. Called by http_easy.c and http_options.c; any thread.
 */
#ifndef AKVEKM_NET_HTTP_DETOUR_H
#define AKVEKM_NET_HTTP_DETOUR_H

#include <openssl/ssl.h>

#include "base/err.h"

struct http_detour {
    const char *connect_to;  /* HOST:PORT:CONNECT-HOST:CONNECT-PORT */
    const char *authorities; /* PEM: these alone are trusted; NULL: those of everybody */
};

/* Makes the detour's authorities those of the connection. False: none can be read, or no memory. */
bool http_detour_trust(const struct http_detour *detour, SSL_CTX *context);

#endif
