/*
 * How long an operation usually takes, from the times that it took. A histogram that forgets; it
 * reads no clock.
 *
 * The slowest tenth does not count, so that responses that are late now and then do not change the
 * usual time. Plain values; the owner guards them with its lock.
 */
#ifndef AKVEKM_NET_USUAL_TIME_H
#define AKVEKM_NET_USUAL_TIME_H

#include <stdint.h>

#define USUAL_TIME_BUCKETS 64 /* a quarter of an octave each: up to 65 s */
#define USUAL_TIME_KNOWN   8  /* with fewer times the usual time is not known */

struct usual_time {
    uint16_t counts[USUAL_TIME_BUCKETS];
    uint32_t total;      /* sum of the counts; all are halved when it reaches its limit */
    uint64_t slowest_ms; /* of the times before usual_ms is known */
    uint64_t usual_ms;   /* nine of ten took no longer, or little longer; 0: not known yet */
};

/* Adds one time, in milliseconds. */
void usual_time_note(struct usual_time *time, uint64_t took_ms);

#endif
