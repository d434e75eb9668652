#include "net/usual_time.h"

#include <stddef.h>

#define TOTAL_MAX 128
#define LOOK_EACH 8 /* every eighth time the usual time is computed again */

static size_t usual_time_bucket(uint64_t ms)
{
    unsigned octave = 3;
    if (ms < 8) {
        return (size_t)ms;
    }
    while (octave < 63 && ms >> (octave + 1) != 0) {
        octave++;
    }
    size_t bucket = 8 + (size_t)(octave - 3) * 4 + (size_t)(ms >> (octave - 2) & 3);
    return bucket < USUAL_TIME_BUCKETS ? bucket : USUAL_TIME_BUCKETS - 1;
}

/* The longest time of a bucket, in milliseconds. */
static uint64_t usual_time_end(size_t bucket)
{
    if (bucket < 8) {
        return bucket;
    }
    size_t octave = 3 + (bucket - 8) / 4;
    return ((uint64_t)(5 + (bucket - 8) % 4) << (octave - 2)) - 1;
}

static uint64_t usual_time_reckon(const struct usual_time *time)
{
    uint32_t slower = 0;
    size_t bucket = USUAL_TIME_BUCKETS - 1;
    while (bucket > 0 && (slower + time->counts[bucket]) * 10 <= time->total) {
        slower += time->counts[bucket--];
    }
    uint64_t ms = usual_time_end(bucket);
    return ms > 0 ? ms : 1;
}

/* Halves all counts. An odd count is rounded down, so that rare times disappear in the end. */
static void usual_time_forget_half(struct usual_time *time)
{
    time->total = 0;
    for (size_t i = 0; i < USUAL_TIME_BUCKETS; i++) {
        time->counts[i] /= 2;
        time->total += time->counts[i];
    }
}

void usual_time_note(struct usual_time *time, uint64_t took_ms)
{
    time->counts[usual_time_bucket(took_ms)]++;
    time->total++;
    if (time->usual_ms == 0 && took_ms > time->slowest_ms) {
        time->slowest_ms = took_ms;
    }
    if (time->total >= TOTAL_MAX) {
        usual_time_forget_half(time);
    }
    if (time->total >= USUAL_TIME_KNOWN && time->total % LOOK_EACH == 0) {
        time->usual_ms = usual_time_reckon(time);
    }
}
