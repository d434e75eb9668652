/*
 * How long a call waits for a host that another one stands in for.
 *
 * Such a host is given up when nobody had an answer of it for a while: what it answers to any call
 * counts, so that one slow request alone is no reason. A watch belongs to its host and is shared by
 * all threads; a patience is part of a call record.
 */
#ifndef AKVEKM_BASE_CALL_PATIENCE_H
#define AKVEKM_BASE_CALL_PATIENCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define CALL_SILENCE_MS 800 /* so long without an answer is silence */

struct call_watch {
    _Atomic uint64_t answer_ms; /* plat_now_ms of the last answer; 0: there was none */
    atomic_bool is_down;        /* given up by another call: no use in waiting on */
};

struct call_patience {
    struct call_watch *watch; /* NULL: the host has all of the call's time */
    bool is_active;           /* a request to the host is under way */
    bool is_probe;            /* asks a host that is down */
    uint64_t from_ms;         /* when the silence that goes on began */
    uint64_t silent_ms;       /* how long it was when the last request ended */
    uint64_t end_ms;          /* not beyond, answers or not */
};

/* Around each request to the host: what the call does elsewhere between two does not count. */
void call_patience_begin(struct call_patience *patience);
void call_patience_end(struct call_patience *patience);
/* The host gave an answer that is one. */
void call_patience_note_answer(const struct call_patience *patience);
bool call_patience_is_over(const struct call_patience *patience);

#endif
