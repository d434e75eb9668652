/*
 * Those who wait for something that is given out under a lock, the one whose time ends first in
 * front; each is woken alone.
 *
 * Owns nothing: a place lies on its caller's stack, and every function is called under the lock
 * that guards the line, `plat_cond_broadcast(&place->turn)` too. Used by http_pool.c and
 * patience.c.
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

/* Behind all with the same deadline. Sets `turn` and `next`. */
void wait_queue_join(struct wait_queue_place **line, struct wait_queue_place *place);
void wait_queue_leave(struct wait_queue_place **line, const struct wait_queue_place *place);

#endif
