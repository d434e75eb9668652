/*
 * bench [--quick] [--json FILE] [--only SECTION] [--base LIBRARY]: the library beside the limit
 * (docs/performance.md), and in the section `tail` beside another build of it. bench --check
 * BASELINE: the counts that must not creep up; exit code 1 if one did. bench --bare
 * count|memory|restart FOLDER N [THREADS]: the bare loop in a process of its own, for the other
 * form.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "measure.h"
#include "report.h"

static const struct section {
    const char *name;
    void (*run)(struct bench *bench);
} sections[] = {
    {"operations", bench_operations},
    {"instructions", bench_instructions},
    {"processor", bench_processor},
    {"calls", bench_calls},
    {"wrap", bench_wrap_locally},
    {"start", bench_start},
    {"restart", bench_restart},
    {"tail", bench_tail},
    {"map", bench_map},
    {"sign_in", bench_sign_in},
};
#define SECTION_COUNT (sizeof sections / sizeof sections[0])

static struct bench bench;

void set_latency_ms(const struct bench *of, unsigned latency_ms)
{
    char json[64];
    snprintf(json, sizeof json, "{\"latency_ms\":%u}", latency_ms);
    sim_ctl(&of->sim, "POST", "/settings", json);
}

__attribute__((noinline)) void bench_measured(long times)
{
    for (long i = 0; i < times; i++) {
        bare_perform(&bench.bare, 0);
    }
}

static pthread_barrier_t met;

static void *call_together(void *context)
{
    unsigned thread = (unsigned)(uintptr_t)context;
    pthread_barrier_wait(&met);
    pthread_barrier_wait(&met);
    for (int i = 0; i < 20; i++) {
        bare_perform(&bench.bare, thread);
    }
    pthread_barrier_wait(&met);
    pthread_barrier_wait(&met);
    return NULL;
}

/* Like benchclient's mode, for what curl itself takes. */
static void main_measure_memory(const char *folder, unsigned threads)
{
    pthread_t handles[THREADS_MAX];
    pthread_barrier_init(&met, NULL, threads + 1);
    loop_threads(call_together, threads, handles);
    pthread_barrier_wait(&met);
    double empty_kib = resident_kib();
    bare_open(&bench.bare, folder);
    bare_choose(&bench.bare, BARE_UNWRAP);
    pthread_barrier_wait(&met);
    pthread_barrier_wait(&met);
    printf("kib=%f\n", resident_kib() - empty_kib);
    exit(0); /* the others still wait at the barrier */
}

static void open_database(unsigned thread)
{
    bare_perform(&bench.bare, thread);
}

/* Like benchclient's mode: a token, then a connection and a share of the databases for each thread.
 */
static void main_restart(const char *folder, long databases, unsigned threads)
{
    uint64_t begun_ns = clock_ns();
    bare_open(&bench.bare, folder);
    bare_choose(&bench.bare, BARE_UNWRAP);
    loop_share(databases, threads, NULL, open_database);
    printf("ms=%f\n", (double)(clock_ns() - begun_ns) / 1e6);
    bare_close(&bench.bare);
}

static void run_bare(const char *mode, const char *folder, long number, long threads)
{
    if (number < 1 || threads < 1 || threads > THREADS_MAX ||
        (strcmp(mode, "memory") == 0 && number > THREADS_MAX)) {
        give_up("bad number");
    }
    if (strcmp(mode, "memory") == 0) {
        main_measure_memory(folder, (unsigned)number);
    }
    if (strcmp(mode, "restart") == 0) {
        main_restart(folder, number, (unsigned)threads);
        return;
    }
    bare_open(&bench.bare, folder);
    bare_choose(&bench.bare, BARE_UNWRAP);
    for (int i = 0; i < 5; i++) {
        bare_perform(&bench.bare, 0);
    }
    print_costs(number);
    bare_close(&bench.bare);
}

static void main_start(void)
{
    sim_start(&bench.sim, "--memoise", NULL);
    sim_configure(&bench.sim, "log_level = info"); /* the default */
    sim_make_key(&bench.sim, SAMPLE_KEY);
    ours_open(&bench.ours, THREADS_MAX);
    ours_make_sample(&bench.ours, bench.sim.folder);
    bare_open(&bench.bare, bench.sim.folder);
}

static void main_stop(void)
{
    bare_close(&bench.bare);
    ours_close(&bench.ours);
    sim_stop(&bench.sim);
}

static void run_sections(const char *only)
{
    for (size_t i = 0; i < SECTION_COUNT; i++) {
        if (only == NULL || strcmp(only, sections[i].name) == 0) {
            sections[i].run(&bench);
        }
    }
}

int main(int argc, char **argv)
{
    const char *json = NULL, *only = NULL;
    signal(SIGPIPE, SIG_IGN);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if ((argc == 5 || argc == 6) && strcmp(argv[1], "--bare") == 0) {
        run_bare(argv[2], argv[3], strtol(argv[4], NULL, 10),
                 argc == 6 ? strtol(argv[5], NULL, 10) : 1);
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "--check") == 0) {
        main_start();
        int worse = bench_check(&bench, argv[2]);
        main_stop();
        return worse > 0 ? 1 : 0;
    }
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) {
            bench.quick = true;
        } else if (strcmp(argv[i], "--json") == 0 && i + 1 < argc) {
            json = argv[++i];
        } else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
            only = argv[++i];
        } else if (strcmp(argv[i], "--base") == 0 && i + 1 < argc) {
            bench.base = argv[++i];
        } else {
            fprintf(stderr, "usage: bench [--quick] [--json FILE] [--only SECTION] "
                            "[--base LIBRARY]\n"
                            "Compares the library with a bare curl loop (docs/performance.md).\n"
                            "sections:");
            for (size_t s = 0; s < SECTION_COUNT; s++) {
                fprintf(stderr, " %s", sections[s].name);
            }
            fprintf(stderr, "\n");
            return 2;
        }
    }
    uint64_t begun_ns = clock_ns();
    report_open(json);
    main_start();
    run_sections(only);
    main_stop();
    report_close();
    printf("\nbench: %.0f s\n", (double)(clock_ns() - begun_ns) / 1e9);
    return 0;
}
