#include "loop.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"

#define SAMPLES_PER_THREAD 16384

struct worker {
    pthread_t thread;
    unsigned number;
    struct run *run;
    double *us;
    size_t operations;
};

struct run {
    loop_operation operation;
    void *context;
    uint64_t duration_ns;
    pthread_barrier_t start, end;
};

static void *loop_repeat(void *context)
{
    struct worker *worker = context;
    struct run *run = worker->run;
    pthread_barrier_wait(&run->start);
    uint64_t begun_ns = clock_ns(), now_ns = begun_ns;
    while (now_ns - begun_ns < run->duration_ns) {
        uint64_t before_ns = now_ns;
        run->operation(run->context, worker->number);
        now_ns = clock_ns();
        if (worker->operations < SAMPLES_PER_THREAD) {
            worker->us[worker->operations] = (double)(now_ns - before_ns) / 1000;
        }
        worker->operations++;
    }
    pthread_barrier_wait(&run->end);
    return NULL;
}

static void loop_keep(struct samples *samples, const double *us, size_t count)
{
    if (samples->count + count > samples->cap) {
        samples->cap = 2 * (samples->count + count);
        samples->us = realloc(samples->us, samples->cap * sizeof *samples->us);
        if (samples->us == NULL) {
            give_up("no memory");
        }
    }
    memcpy(samples->us + samples->count, us, count * sizeof *us);
    samples->count += count;
}

void samples_free(struct samples *samples)
{
    free(samples->us);
    memset(samples, 0, sizeof *samples);
}

void loop_threads(void *(*work)(void *context), unsigned threads, pthread_t *handles)
{
    for (unsigned i = 0; i < threads; i++) {
        if (pthread_create(&handles[i], NULL, work, (void *)(uintptr_t)i) != 0) {
            give_up("no thread");
        }
    }
}

static struct {
    atomic_long left;
    void (*begin)(unsigned thread);
    void (*work)(unsigned thread);
} shared;

static void *take_share(void *context)
{
    unsigned thread = (unsigned)(uintptr_t)context;
    if (shared.begin != NULL) {
        shared.begin(thread);
    }
    while (atomic_fetch_sub(&shared.left, 1) > 0) {
        shared.work(thread);
    }
    return NULL;
}

void loop_share(long times, unsigned threads, void (*begin)(unsigned thread),
                void (*work)(unsigned thread))
{
    pthread_t handles[THREADS_MAX];
    atomic_store(&shared.left, times);
    shared.begin = begin;
    shared.work = work;
    loop_threads(take_share, threads, handles);
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(handles[i], NULL);
    }
}

void loop_run(loop_operation operation, void *context, unsigned threads, unsigned duration_ms,
              struct samples *samples, struct loop_result *out)
{
    static double us[THREADS_MAX][SAMPLES_PER_THREAD];
    struct worker workers[THREADS_MAX] = {{0}};
    struct run run = {operation, context, (uint64_t)duration_ms * 1000000u, {{0}}, {{0}}};
    pthread_barrier_init(&run.start, NULL, threads + 1);
    pthread_barrier_init(&run.end, NULL, threads + 1);
    for (unsigned i = 0; i < threads; i++) {
        workers[i] = (struct worker){.number = i, .run = &run, .us = us[i]};
        if (pthread_create(&workers[i].thread, NULL, loop_repeat, &workers[i]) != 0) {
            give_up("no thread");
        }
    }
    uint64_t allocations = allocation_count(), cpu = cpu_ns(), wall_ns = clock_ns();
    pthread_barrier_wait(&run.start);
    pthread_barrier_wait(&run.end);
    wall_ns = clock_ns() - wall_ns;
    cpu = cpu_ns() - cpu;
    allocations = allocation_count() - allocations;
    out->operations = 0;
    for (unsigned i = 0; i < threads; i++) {
        size_t done = workers[i].operations;
        pthread_join(workers[i].thread, NULL);
        out->operations += done;
        loop_keep(samples, us[i], done < SAMPLES_PER_THREAD ? done : SAMPLES_PER_THREAD);
    }
    double count = (double)out->operations;
    out->per_second = count * 1e9 / (double)wall_ns;
    out->cpu_us = (double)cpu / 1000 / count;
    out->allocations = (double)allocations / count;
    pthread_barrier_destroy(&run.start);
    pthread_barrier_destroy(&run.end);
}
