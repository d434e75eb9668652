/*
 * A queue of calls that wait for a resource under a lock. It is sorted by deadline, and each call
 * is woken alone.
 *
 * Owns nothing: a place is on its caller's stack. Call every function under the lock that guards
 * the queue, and also `plat_cond_broadcast(&place->turn)`. http_pool.c and throttle.c use it.
 */
#ifndef AKVEKM_NET_WAIT_QUEUE_H
#define AKVEKM_NET_WAIT_QUEUE_H

#include "platform/thread.h"

struct wait_queue_place {
    uint64_t deadline_ms;
    const char *host;
    struct plat_cond turn;
    struct wait_queue_place *next;
};

/* Adds the place behind all places with the same deadline. Sets `turn` and `next`. */
void wait_queue_join(struct wait_queue_place **line, struct wait_queue_place *place);
void wait_queue_leave(struct wait_queue_place **line, const struct wait_queue_place *place);

#endif
