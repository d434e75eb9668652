/*
 * Hedged tries: a request whose response is late is sent once more over a new connection of the
 * same handle.
 *
 * Owns nothing; http_copies.h owns the copies, hedge.h says when. Called by http.c, by the thread
 * that has the handle. Rule: specification.md section 7.
 */
#ifndef AKVEKM_NET_HTTP_HEDGE_H
#define AKVEKM_NET_HTTP_HEDGE_H

#include "net/http_pool.h"

/* What one easy does; the last HTTP_COPIES of them do copies alone. */
struct http_slot {
    struct http_item *item; /* NULL: nothing */
    uint64_t look_ms;       /* when its answer may be late */
    uint64_t seen_ms;       /* the event that look_ms counts from */
    size_t progress;        /* of the response, when it was late */
    bool passed;            /* a later copy is looked at instead */
};

/* The items that share one handle: those under way, and what comes next. */
struct http_batch {
    struct call *call;
    struct http_handle *handle;
    struct http_item *items;
    size_t count, next, under_way;
    bool idle;          /* the handle was so for a while */
    uint64_t proven_ms; /* the handle's, before these */
    struct http_slot slots[HTTP_EASIES];
};

/* Sends what is late once more where that is allowed. Gives how long nothing else will be late, at
 * most `slice_ms`. */
uint64_t http_hedge_look(struct http_batch *batch, uint64_t slice_ms);

/* One of the easies of an item with copies ended so. True: the item has its outcome, which is this
 * one if `is_last`, and nothing of it is under way. False: others may still do better. */
bool http_hedge_end(struct http_batch *batch, size_t slot, CURLcode result,
                    bool is_last) EKM_MUST_CHECK;

/* A request that ended: what its host and its handle are known by from now on. */
void http_hedge_note(const struct http_batch *batch, const struct http_easy *easy,
                     const struct http_request *request, const struct http_response *response,
                     enum ekm_rc rc);

#endif
