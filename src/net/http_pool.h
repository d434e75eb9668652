/*
 * The pool of multi handles. It is bounded and last in, first out. It prefers a handle that was
 * used for the same host.
 *
 * Owns the handles, each with its own kept-alive connections, and the DNS cache that they share.
 * http.c calls it, from any thread between start and stop. A handle in use belongs to one thread.
 */
#ifndef AKVEKM_NET_HTTP_POOL_H
#define AKVEKM_NET_HTTP_POOL_H

#include "net/http_easy.h"
#include "net/http_item.h"

#define HTTP_COPIES 2 /* how often a late request is sent again at most */
#define HTTP_EASIES (HTTP_AT_ONCE + HTTP_COPIES)

struct http_handle {
    CURLM *multi;                         /* keeps the connections */
    struct http_easy easies[HTTP_EASIES]; /* the first is always open */
    char host[TEXT_HOST_CAP];             /* the host of its present or last request */
    bool doubted;                         /* its connections must not be used again */
    bool has_several;                     /* it may have several connections to its host */
    uint64_t given_ms;                    /* when it was returned to the pool */
    uint64_t proven_ms;                   /* when one of its connections last worked */
    uint64_t opened_ms;                   /* when its newest connection was begun */
    struct http_handle *below;            /* the next one on the stack of idle handles */
    struct http_handle *next;             /* in the list of all handles */
};

/* Makes `client->share`. Every handle is made from `client`. EKM_OUT_OF_MEMORY. */
enum ekm_rc http_pool_start(struct http_client *client) EKM_MUST_CHECK;
/* Closes every connection; no handle may be in use. */
void http_pool_stop(void);

/* Waits for a free handle until the call's deadline (EKM_DEADLINE) or its abort flag (EKM_CLOSING).
 * The host
 * with the fewest handles in use comes first; within a host, the call with the least time left.
 * EKM_OUT_OF_MEMORY. Errors are set in the call. */
enum ekm_rc http_pool_take(struct call *call, const char *host,
                           struct http_handle **out) EKM_MUST_CHECK;
/* Closes the connections of a handle in use whose easy handles are idle. Without memory they stay
 * open. */
void http_pool_drop_connections(struct http_handle *handle);
/* Returns a handle. Closes its connections if they are in doubt. Also frees handles that were idle
 * for so long that curl would not use their connections again: the peers have closed most of them
 * by then. */
void http_pool_give(struct http_handle *handle);

#endif
