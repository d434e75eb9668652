/*
 * The same operation over and over on some threads, for some time, and what it cost; or so many
 * times.
 *
 * The costs are taken between two barriers, so that making the threads does not count.
 */
#ifndef AKVEKM_BENCH_LOOP_H
#define AKVEKM_BENCH_LOOP_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#define THREADS_MAX 64

/* One operation on thread `thread`; ends the program if it fails. */
typedef void (*loop_operation)(void *context, unsigned thread);

/* Microseconds of single operations, gathered over several runs. */
struct samples {
    double *us;
    size_t count, cap;
};

struct loop_result {
    double per_second, cpu_us, allocations; /* the latter two: of one operation */
    size_t operations;
};

void loop_run(loop_operation operation, void *context, unsigned threads, unsigned duration_ms,
              struct samples *samples, struct loop_result *out);
void samples_free(struct samples *samples);

/* `work` in so many threads, each with its number as context. */
void loop_threads(void *(*work)(void *context), unsigned threads, pthread_t *handles);
/* `work` so many times by THREADS_MAX threads at most, each of which does `begin` first; NULL:
 * nothing. */
void loop_share(long times, unsigned threads, void (*begin)(unsigned thread),
                void (*work)(unsigned thread));

#endif
