/*
 * What of a request must not stay behind in curl's memory: bodies with a secret, heads with a
 * token.
 *
 * Owns nothing. Called by http_easy.c and http.c; a handle belongs to one thread at a time.
 */
#ifndef AKVEKM_NET_HTTP_SEND_H
#define AKVEKM_NET_HTTP_SEND_H

#include "net/http_transfer.h"

/* Once for each handle. */
bool http_send_prepare(struct http_easy *easy);
/* The request's body, and with it the method POST. */
bool http_send_body(struct http_easy *easy);
/* After curl was at work, and at the end: what it freed of a request that has just been sent. */
void http_send_wipe(struct http_easy *easy);

#endif
