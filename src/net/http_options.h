/*
 * What differs between requests, as options of a curl handle: set for each, and taken back after
 * it.
 *
 * Owns nothing. Called by http_easy.c; a handle belongs to one thread at a time.
 */
#ifndef AKVEKM_NET_HTTP_OPTIONS_H
#define AKVEKM_NET_HTTP_OPTIONS_H

#include "net/http_transfer.h"

/* HTTPS alone, or plain HTTP too. Here and below false: no memory. */
bool http_options_protocols(CURL *curl, bool plain);
/* Through this proxy; "" for none. Curl never reads the environment then. */
bool http_options_proxy(CURL *curl, const char *proxy);

/* For the handle's request, of its call. */
bool http_options_set(struct http_easy *easy);
/* Nothing of this request stays behind in the handle. */
void http_options_forget(struct http_easy *easy);

#endif
