/*
 * One curl handle. Options that all requests share are set once; the others are set for each
 * request and cleared after it.
 *
 * Owns the handle and its error text; borrows the header with the token. Belongs to one thread.
 */
#ifndef AKVEKM_NET_HTTP_EASY_H
#define AKVEKM_NET_HTTP_EASY_H

#include "net/http_transfer.h"

/* False: no memory, and nothing to close. The struct must not move, because curl points to it. */
bool http_easy_open(struct http_easy *easy, struct http_client *client);
void http_easy_close(struct http_easy *easy);

/* Clears the response, and adds a request to a multi handle. Request, response and call must live
 * until http_easy_end, which must follow in any case. False: no memory. */
bool http_easy_begin(struct http_easy *easy, CURLM *multi, struct call *call,
                     const struct http_request *request,
                     struct http_response *response) EKM_MUST_CHECK;
/* Whether the transfer must start again: then the handle is prepared and must be added to the multi
 * handle once more. */
bool http_easy_goes_again(struct http_easy *easy, CURLcode result);
/* Reads the outcome and forgets the request. `result` counts only if http_easy_begin succeeded.
 * Returns what http_perform does; an error is set in the call. */
enum ekm_rc http_easy_end(struct http_easy *easy, CURLcode result) EKM_MUST_CHECK;
void http_easy_forget(struct http_easy *easy); /* forgets the request without an outcome */

#endif
