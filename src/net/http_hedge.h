/*
 * Hedged tries: a request whose response is late is sent once more over a new connection of the
 * same handle.
 *
 * Owns nothing: http_copies.h owns the copies, and hedge.h says when a response is late. http.c
 * calls it in the thread that has the handle. Rule: specification.md section 7.
 */
#ifndef AKVEKM_NET_HTTP_HEDGE_H
#define AKVEKM_NET_HTTP_HEDGE_H

#include "net/http_pool.h"

/* The work of one easy handle. The last HTTP_COPIES easy handles send only copies. */
struct http_slot {
    struct http_item *item; /* NULL: idle */
    uint64_t look_ms;       /* when its response may be late */
    uint64_t seen_ms;       /* the event that look_ms counts from */
    size_t progress;        /* bytes of the response when it was late */
    bool passed;            /* a later copy is watched instead, or none can be made */
};

/* The items that share one handle: those in flight, and those not begun yet. */
struct http_batch {
    struct call *call;
    struct http_handle *handle;
    struct http_item *items;
    size_t count, next, under_way;
    bool idle;          /* the handle was idle for a while before the batch */
    uint64_t proven_ms; /* the handle's value before the batch */
    struct http_slot slots[HTTP_EASIES];
};

/* Sends late requests once more, where hedge.h allows it. Returns the milliseconds until it must be
 * called again, at most `slice_ms`. */
uint64_t http_hedge_look(struct http_batch *batch, uint64_t slice_ms);

/* Takes the result of a request whose item has copies. True: the item has its outcome, and nothing
 * of it is in flight; with `is_last` the outcome is this one. False: another request of the item
 * may still do better. */
bool http_hedge_end(struct http_batch *batch, size_t slot, CURLcode result,
                    bool is_last) EKM_MUST_CHECK;

/* Notes for the host and for the handle how long a finished request took. */
void http_hedge_note(const struct http_batch *batch, const struct http_easy *easy,
                     const struct http_request *request, const struct http_response *response,
                     enum ekm_rc rc);

#endif
