/*
 * Repeats one operation on some threads, for some time or for a number of times, and measures its
 * cost.
 *
 * Measures between two barriers, so that the start of the threads does not count.
 */
#ifndef AKVEKM_BENCH_LOOP_H
#define AKVEKM_BENCH_LOOP_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#define THREADS_MAX 64

/* One operation on thread `thread`; ends the program if it fails. */
typedef void (*loop_operation)(void *context, unsigned thread);

/* Microseconds of single operations, from several runs. */
struct samples {
    double *us;
    size_t count, cap;
};

struct loop_result {
    double per_second, cpu_us, allocations; /* the last two: of one operation */
    size_t operations;
};

void loop_run(loop_operation operation, void *context, unsigned threads, unsigned duration_ms,
              struct samples *samples, struct loop_result *out);
void samples_free(struct samples *samples);

/* Runs `work` in that many threads, each with its number as context. */
void loop_threads(void *(*work)(void *context), unsigned threads, pthread_t *handles);
/* Runs `work` that many times on at most THREADS_MAX threads. Each thread runs `begin` first,
 * unless it is NULL. */
void loop_share(long times, unsigned threads, void (*begin)(unsigned thread),
                void (*work)(unsigned thread));

#endif
