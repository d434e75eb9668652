/*
 * The copies of a request whose response was late, and the best outcome so far of the first request
 * and its copies.
 *
 * Owns the copies and their responses, from the first copy to the outcome of the item. Called by
 * http_hedge.c, by the thread that has the handle. Rule: specification.md section 7.
 */
#ifndef AKVEKM_NET_HTTP_COPIES_H
#define AKVEKM_NET_HTTP_COPIES_H

#include "net/http_pool.h"
#include "net/throttle.h"

/* How good an outcome is. */
enum http_rank {
    HTTP_RANK_FAILURE = 1, /* the transport failed */
    HTTP_RANK_RESPONSE,    /* a retry may get another response */
    HTTP_RANK_LIMIT,       /* 429, which must not be missed */
    HTTP_RANK_GOOD
};

struct http_outcome {
    enum http_rank rank;
    enum ekm_rc rc;
    struct http_response *response; /* NULL: none yet */
    struct call_error error;
    char request_id[64], proxy[160], peer[64]; /* copied from the call */
};

struct http_copies {
    unsigned under_way; /* requests in flight, including the first one */
    unsigned asked;
    uint64_t asked_ms; /* when the first copy was sent */
    struct throttle_pass pass;
    struct http_outcome best;
    struct http_request requests[HTTP_COPIES];
    struct http_response responses[HTTP_COPIES];
    struct buf bodies[HTTP_COPIES]; /* of copies that need their own body */
};

/* False: no memory. */
bool http_copies_make(struct http_item *item);
void http_copies_free(struct http_item *item);
/* Notes the outcome of the item's first request or of a copy; its error is in the call. A 429 slows
 * all calls to the host at once. */
enum http_rank http_copies_note(struct call *call, const struct http_item *item,
                                struct http_response *response, enum ekm_rc rc);
/* Notes the outcome that becomes the item's, regardless of earlier ones. */
void http_copies_note_last(struct call *call, const struct http_item *item,
                           struct http_response *response, enum ekm_rc rc);
/* The best outcome becomes the item's and the call's; frees the copies. */
void http_copies_settle(struct call *call, struct http_item *item);

#endif
