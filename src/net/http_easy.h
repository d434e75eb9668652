/*
 * One curl handle. Options that all requests share are set once; the others are set for each
 * request and cleared after it.
 *
 * Owns the handle and its error text; borrows the header with the token. Belongs to one thread.
 */
#ifndef AKVEKM_NET_HTTP_EASY_H
#define AKVEKM_NET_HTTP_EASY_H

#include <stdatomic.h>

#include <curl/curl.h>

#include "net/http.h"
#include "net/http_doubt.h"

/* What every handle is made from, from Initialize to Free. */
struct http_client {
    const struct config *config;
    struct curl_slist *connect_to;
    CURLSH *share;
    atomic_uint_fast64_t names_doubted_ms; /* until then names are resolved again */
    bool may_signal;                       /* see curl_library_may_signal */
    char user_agent[256];
};

struct http_easy {
    CURL *curl;
    struct http_client *client;
    struct call *call;
    const struct http_request *request;
    struct http_response *response;
    struct curl_slist headers[6], way; /* linked as far as in use; borrow their texts */
    char id_header[64], type_header[80];
    enum ekm_rc body_rc;
    size_t header_len, body_given, body_sent, head_len;
    bool alone, leads; /* its thread has no other transfer; others may wait for its TLS session */
    bool header_ended, proxied, looks_up_anew, head_sent, sent;
    bool has_connected; /* began a connection of its own in this transfer, at opened_ms */
    uint64_t opened_ms, sent_ms, until_ms; /* sent_ms: 0 until the head has left */
    struct http_trial trial;
    char error[CURL_ERROR_SIZE];
};

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
