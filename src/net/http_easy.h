/*
 * One curl handle. Options that all requests share are set once; the others are set for each
 * request and cleared after it.
 *
 * Owns the handle and its error text; borrows the header with the token. Belongs to one thread.
 */
#ifndef AKVEKM_NET_HTTP_EASY_H
#define AKVEKM_NET_HTTP_EASY_H

#include "net/http_transfer.h"

/* False: no memory, nothing to close. The handle stays where it is: curl points to it. */
bool http_easy_open(struct http_easy *easy, struct http_client *client);
void http_easy_close(struct http_easy *easy);

/* Prepares a request for a multi handle and clears the response. request, answer and call must stay
 * until http_easy_end, which must follow in any case. EKM_OUT_OF_MEMORY, not set in the call. */
enum ekm_rc http_easy_begin(struct http_easy *easy, struct call *call,
                            const struct http_request *request,
                            struct http_response *response) EKM_MUST_CHECK;
bool http_easy_goes_again(struct http_easy *easy, CURLcode result); /* to be added once more */
/* Reads the outcome, `rc` if the transfer was never made, and forgets the request. As http_perform,
 * set in the call. */
enum ekm_rc http_easy_end(struct http_easy *easy, enum ekm_rc rc, CURLcode result) EKM_MUST_CHECK;
void http_easy_forget(struct http_easy *easy); /* the same without an outcome */

#endif
