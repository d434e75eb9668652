/*
 * Limits how long a call waits for a host that another host stands in for.
 *
 * A call gives up such a host when no call had an answer from it for a while. Answers to other
 * calls count, so that one slow request alone is no reason. A watch belongs to its host and is
 * shared by all threads; a patience is part of a call record.
 */
#ifndef AKVEKM_BASE_CALL_PATIENCE_H
#define AKVEKM_BASE_CALL_PATIENCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define CALL_SILENCE_MS 800 /* a host without an answer for so long is given up */

struct call_watch {
    _Atomic uint64_t response_ms; /* plat_now_ms of the last answer; 0: there was none */
    atomic_bool is_down;          /* another call gave it up, so waiting is useless */
};

struct call_patience {
    struct call_watch *watch; /* NULL: the host may use all of the call's time */
    bool is_active;           /* a request to the host is in flight */
    bool is_probe;            /* the call checks whether a host that is down is back */
    uint64_t from_ms;         /* when the present silence began */
    uint64_t silent_ms;       /* the length of the silence when the last request ended */
    uint64_t end_ms;          /* the wait ends then, even if the host answers other calls */
};

/* Call these around each request to the host. The time between two requests does not count. */
void call_patience_begin(struct call_patience *patience);
void call_patience_end(struct call_patience *patience);
/* The host itself answered, not a device on the way. */
void call_patience_note_response(const struct call_patience *patience);
bool call_patience_is_over(const struct call_patience *patience);

#endif
