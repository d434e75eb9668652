/*
 * The pool of curl handles: bounded, last in first out, preferring one that spoke to the same host
 * before.
 *
 * Owns the handles, each with its own kept-alive connections and TLS sessions, and the DNS cache
 * that they share. Called by http.c; any thread between start and stop. A handle in use belongs to
 * one thread.
 */
#ifndef AKVEKM_NET_HTTP_POOL_H
#define AKVEKM_NET_HTTP_POOL_H

#include <curl/curl.h>

#include "base/call.h"

struct http_handle {
    CURL *easy;
    char last_host[254];
    char error[CURL_ERROR_SIZE];
    struct http_handle *below; /* in the pile of idle ones */
};

/* `prepare` sets what all requests share on a new handle; false fails the request that wanted it.
 */
enum ekm_rc http_pool_start(uint32_t max_handles,
                            bool (*prepare)(struct http_handle *handle)) EKM_MUST_CHECK;
/* Closes every connection; no handle may be in use. */
void http_pool_stop(void);

/* Waits for a free one until the call's deadline or abort. */
enum ekm_rc http_pool_take(struct call *call, const char *host,
                           struct http_handle **out) EKM_MUST_CHECK;
void http_pool_give(struct http_handle *handle, const char *host);

CURLSH *http_pool_share(void);

#endif
