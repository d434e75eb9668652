/*
 * A queue of calls that wait for something given out under a lock, sorted by deadline; each is
 * woken alone.
 *
 * Owns nothing: a place is on its caller's stack. Every function is called under the lock that
 * guards the queue, `plat_cond_broadcast(&place->turn)` too. http_pool.c and throttle.c use it.
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

/* Puts it behind all with the same deadline. Sets `turn` and `next`. */
void wait_queue_join(struct wait_queue_place **line, struct wait_queue_place *place);
void wait_queue_leave(struct wait_queue_place **line, const struct wait_queue_place *place);

#endif
