/*
 * The sections of the benchmark. Each prints its own tables; they run one after the other on one
 * vaultsim.
 */
#ifndef AKVEKM_BENCH_BENCH_H
#define AKVEKM_BENCH_BENCH_H

#include <stdbool.h>

#include "bare.h"
#include "ours.h"

#define ROUNDS_MAX 9 /* of a measurement; fewer in a quick run */

struct bench {
    struct sim sim;
    struct ours ours; /* open, with THREADS_MAX sessions */
    struct bare bare;
    bool quick;
    const char *base; /* another build of the library to compare with, or NULL */
};

void set_latency_ms(const struct bench *bench, unsigned latency_ms);

void bench_operations(struct bench *bench);   /* Encrypt and Decrypt beside the bare loop */
void bench_instructions(struct bench *bench); /* the same under callgrind */
void bench_processor(struct bench *bench); /* the same in time, with and without the log's line */
void bench_calls(struct bench *bench);     /* calls that need no request, or one GET */
void bench_wrap_locally(struct bench *bench);
void bench_start(struct bench *bench);   /* load, cold start, memory, size */
void bench_restart(struct bench *bench); /* many databases */
void bench_tail(struct bench *bench);    /* responses that are late or never come */
void bench_map(struct bench *bench);
void bench_sign_in(struct bench *bench); /* each form of signing in */

/* Compares the counts of a Decrypt with the baseline in `path`. Returns how many are worse. */
int bench_check(struct bench *bench, const char *path);

/* Makes the configuration lead to a relay in front of the vault; and undoes it. */
void enter_relay(struct bench *bench);
void leave_relay(struct bench *bench);

/* Runs a fresh process, `benchclient` or `bench --bare`, and returns one number of its output. */
double ask_process(const char *command, const char *name);

#endif
