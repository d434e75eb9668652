/*
 * How long something usually takes, from the times it took: a histogram that forgets, and no clock.
 *
 * The slowest tenth does not count: answers that are late now and then must not become the rule.
 * Plain values; whoever owns one guards it.
 */
#ifndef AKVEKM_NET_USUAL_TIME_H
#define AKVEKM_NET_USUAL_TIME_H

#include <stdint.h>

#define USUAL_TIME_BUCKETS 64 /* a quarter of an octave each: up to 65 s */
#define USUAL_TIME_KNOWN   8  /* so many times tell something */

struct usual_time {
    uint16_t counts[USUAL_TIME_BUCKETS];
    uint32_t total;      /* halved, all of them, when it reaches its limit */
    uint64_t slowest_ms; /* of the first few */
    uint64_t usual_ms;   /* nine of ten took no longer, or little; 0: not known yet */
};

void usual_time_note(struct usual_time *time, uint64_t took_ms);

#endif
