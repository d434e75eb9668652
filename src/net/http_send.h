/*
 * Sends requests so that no secret remains in curl's memory: neither a body with a secret nor a
 * head with a token.
 *
 * Owns nothing. http_easy.c, http_options.c and http.c call it; a handle belongs to one thread at a
 * time.
 */
#ifndef AKVEKM_NET_HTTP_SEND_H
#define AKVEKM_NET_HTTP_SEND_H

#include "net/http_transfer.h"

/* Sets the callbacks, once for each handle. Here and below, false means no memory. */
bool http_send_prepare(struct http_easy *easy);
/* Sets the request's body and the method POST. */
bool http_send_body(struct http_easy *easy);
/* Wipes the blocks that curl freed after it sent a request. Call it after each run of curl and at
 * the request's end. */
void http_send_wipe(struct http_easy *easy);

#endif
