/*
 * The pool of multi handles: bounded, last in first out, preferring one that spoke to the same host
 * before.
 *
 * Owns the handles, each with its own kept-alive connections, and the DNS cache that they share.
 * Called by http.c; any thread between start and stop. A handle in use belongs to one thread.
 */
#ifndef AKVEKM_NET_HTTP_POOL_H
#define AKVEKM_NET_HTTP_POOL_H

#include "net/http_easy.h"
#include "net/http_item.h"

#define HTTP_COPIES 2 /* what is late is sent so many times more at most */
#define HTTP_EASIES (HTTP_AT_ONCE + HTTP_COPIES)

struct http_handle {
    CURLM *multi;                         /* keeps the connections */
    struct http_easy easies[HTTP_EASIES]; /* the first is always open */
    char host[254];                       /* that it works for, or did last */
    bool doubted;                         /* its connections are not used again */
    bool has_several;                     /* connections to its host, it may be */
    uint64_t given_ms;                    /* when it was given back */
    uint64_t proven_ms;                   /* when one of its connections was last in order */
    uint64_t opened_ms;                   /* when its youngest connection was begun */
    struct http_handle *below;            /* in the pile of idle ones */
    struct http_handle *next;             /* of all */
};

/* Every handle is made from `client`, whose share is made here. */
enum ekm_rc http_pool_start(struct http_client *client) EKM_MUST_CHECK;
/* Closes every connection; no handle may be in use. */
void http_pool_stop(void);

/* Waits for a free one until the call's deadline or abort. Those at the host with the fewest
 * handles go first, of them who has least time. */
enum ekm_rc http_pool_take(struct call *call, const char *host,
                           struct http_handle **out) EKM_MUST_CHECK;
/* Of a handle in use whose easies are idle. Keeps them where there is no memory. */
void http_pool_drop_connections(struct http_handle *handle);
/* Closes the handle's connections where they are in doubt, and those of handles that were idle for
 * so long that curl would use theirs no more: the peers have closed most of them by then. */
void http_pool_give(struct http_handle *handle);

#endif
