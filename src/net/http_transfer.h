/*
 * A curl easy handle with its request, and the data that all handles are made from.
 *
 * Plain values. http_easy.c owns the handle; http_easy.h says which thread may use it.
 */
#ifndef AKVEKM_NET_HTTP_TRANSFER_H
#define AKVEKM_NET_HTTP_TRANSFER_H

#include <stdatomic.h>

#include <curl/curl.h>

#include "net/http_doubt.h"
#include "net/http_message.h"

/* Every handle is made from this. It lives from Initialize to Free. */
struct http_client {
    const struct config *config;
    struct curl_slist *connect_to;
    CURLSH *share;
    atomic_uint_fast64_t names_doubted_ms; /* until then each request resolves its name anew */
    bool may_signal;                       /* see curl_library_may_signal */
    char user_agent[256];
};

struct http_easy {
    CURL *curl;
    struct http_client *client;
    struct call *call;
    const struct http_request *request;
    struct http_response *response;
    struct curl_slist headers[6], way; /* linked as far as they are in use; borrow their texts */
    char id_header[64], type_header[80];
    enum ekm_rc body_rc;
    size_t header_len, body_given, body_sent, head_len;
    bool alone; /* its thread has no other transfer */
    bool leads; /* other connections may wait for its TLS session */
    bool begun; /* curl has the request */
    bool header_ended, proxied, looks_up_anew, head_sent, sent;
    bool withheld;                         /* a copy, not sent because the host throttles by now */
    bool has_connected;                    /* this transfer began a new connection, at opened_ms */
    uint64_t opened_ms, sent_ms, until_ms; /* sent_ms: 0 until the head is sent */
    char origin[280];                      /* of the URL that curl has, or empty */
    struct http_trial trial;
    char error[CURL_ERROR_SIZE];
};

#endif
