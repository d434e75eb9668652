/*
 * The options of a curl handle that differ between requests. They are set for a request and reset
 * after it.
 *
 * Owns nothing. http_easy.c calls it; a handle belongs to one thread at a time.
 */
#ifndef AKVEKM_NET_HTTP_OPTIONS_H
#define AKVEKM_NET_HTTP_OPTIONS_H

#include "net/http_transfer.h"

/* Allows HTTPS, and with `plain` also HTTP. Here and below, false means no memory. */
bool http_options_protocols(CURL *curl, bool plain);
/* Sets the proxy, "" for none. curl then never reads one from the environment. */
bool http_options_proxy(CURL *curl, const char *proxy);

/* Sets the options of the handle's request. Its time limits come from the call's deadline and the
 * configuration. */
bool http_options_set(struct http_easy *easy);
/* Resets the options, so that nothing of the request remains in the handle. */
void http_options_forget(struct http_easy *easy);

#endif
