/*
 * benchclient MODE FOLDER [NUMBER [NUMBER]]: a fresh host process that loads the library like SQL
 * Server. Prints `name=value` words. AKVEKM_CONFIG names the configuration.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "measure.h"
#include "ours.h"

static struct ours ours;

static double ms_since(uint64_t begun_ns)
{
    return (double)(clock_ns() - begun_ns) / 1e6;
}

static double cpu_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* The cost that any program pays for the libraries that ours needs, before any of our code runs. */
static void load_libraries(void)
{
    static const char *const names[] = {"libcurl.so.4", "libssl.so.3", "libcjson.so.1"};
    uint64_t begun_ns = clock_ns();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (dlopen(names[i], RTLD_NOW | RTLD_LOCAL) == NULL) {
            give_up("%s", dlerror());
        }
    }
    printf("ms=%f\n", ms_since(begun_ns));
}

static void load_ours(void)
{
    uint64_t begun_ns = clock_ns();
    ekm_load(&ours.ekm);
    double loaded_ms = ms_since(begun_ns);
    ours_open(&ours, 0);
    printf("ms=%f load_ms=%f\n", ms_since(begun_ns), loaded_ms);
}

static void start_cold(const char *folder)
{
    sample_read(&ours.sample, folder);
    uint64_t begun_ns = clock_ns();
    ours_open(&ours, 0);
    double initialized_ms = ms_since(begun_ns);
    if (ekm_open(&ours.ekm, "contoso-vault", SIM_PASSWORD, &ours.sessions[0]) != SQLCP_SUCCESS) {
        give_up("OpenSession");
    }
    double opened_ms = ms_since(begun_ns);
    ours_decrypt(&ours, 0);
    printf("ms=%f initialized_ms=%f opened_ms=%f\n", ms_since(begun_ns), initialized_ms, opened_ms);
}

static pthread_barrier_t met;

/* With the SECRET of BENCH_SIGN_IN, if there is one. */
static void open_session(unsigned thread)
{
    const char *secret = getenv("BENCH_SIGN_IN");
    secret = secret != NULL && secret[0] != '\0' ? secret : SIM_PASSWORD;
    if (ekm_open(&ours.ekm, "contoso-vault", secret, &ours.sessions[thread]) != SQLCP_SUCCESS) {
        give_up("OpenSession");
    }
}

static double longest_ms[THREADS_MAX];

static void open_and_time(unsigned thread)
{
    uint64_t begun_ns = clock_ns();
    ours_decrypt(&ours, thread);
    double took_ms = ms_since(begun_ns);
    longest_ms[thread] = took_ms > longest_ms[thread] ? took_ms : longest_ms[thread];
}

/* Each thread of the host opens a session of its own, then one database after the other. */
static void client_restart(const char *folder, long databases, unsigned sessions)
{
    sample_read(&ours.sample, folder);
    uint64_t begun_ns = clock_ns();
    ours_open(&ours, 0);
    double begun_cpu_ms = cpu_ms();
    loop_share(databases, sessions, open_session, open_and_time);
    double took_ms = ms_since(begun_ns), longest = 0, took_cpu_ms = cpu_ms() - begun_cpu_ms;
    for (unsigned i = 0; i < sessions; i++) {
        longest = longest_ms[i] > longest ? longest_ms[i] : longest;
    }
    printf("ms=%f longest=%f cpu_ms=%f\n", took_ms, longest, took_cpu_ms);
}

/* Three waits at the barrier: all threads have started; the library is loaded; all have made their
 * calls. */
static void *call_together(void *context)
{
    unsigned thread = (unsigned)(uintptr_t)context;
    pthread_barrier_wait(&met);
    pthread_barrier_wait(&met);
    for (int i = 0; i < 20; i++) {
        ours_decrypt(&ours, thread);
    }
    pthread_barrier_wait(&met);
    pthread_barrier_wait(&met);
    return NULL;
}

static void client_measure_memory(const char *folder, unsigned threads)
{
    pthread_t handles[THREADS_MAX];
    sample_read(&ours.sample, folder);
    pthread_barrier_init(&met, NULL, threads + 1);
    loop_threads(call_together, threads, handles);
    pthread_barrier_wait(&met);
    double empty_kib = resident_kib();
    ours_open(&ours, threads);
    pthread_barrier_wait(&met);
    pthread_barrier_wait(&met);
    printf("kib=%f empty_kib=%f\n", resident_kib() - empty_kib, empty_kib);
    exit(0); /* the others still wait at the barrier */
}

__attribute__((noinline)) void bench_measured(long times)
{
    for (long i = 0; i < times; i++) {
        ours_decrypt(&ours, 0);
    }
}

static void client_count(const char *folder, long times)
{
    sample_read(&ours.sample, folder);
    ours_open(&ours, 1);
    for (int i = 0; i < 5; i++) {
        ours_decrypt(&ours, 0);
    }
    print_costs(times);
}

static void *call_twice(void *context)
{
    unsigned thread = (unsigned)(uintptr_t)context;
    open_session(thread);
    ours_decrypt(&ours, thread);
    pthread_barrier_wait(&met);
    pthread_barrier_wait(&met);
    open_and_time(thread);
    pthread_barrier_wait(&met);
    return NULL;
}

/* Every thread has a connection. The relay of process `pid` makes all of them silent. Then all
 * threads call at once. */
static void client_die(const char *folder, unsigned threads, pid_t pid)
{
    pthread_t handles[THREADS_MAX];
    double longest = 0;
    const struct timespec moment = {0, 100000000};
    sample_read(&ours.sample, folder);
    ours_open(&ours, 0);
    pthread_barrier_init(&met, NULL, threads + 1);
    loop_threads(call_twice, threads, handles);
    pthread_barrier_wait(&met);
    if (kill(pid, SIGUSR1) != 0) {
        give_up("no relay");
    }
    (void)nanosleep(&moment, NULL);
    pthread_barrier_wait(&met);
    pthread_barrier_wait(&met);
    for (unsigned i = 0; i < threads; i++) {
        (void)pthread_join(handles[i], NULL);
        longest = longest_ms[i] > longest ? longest_ms[i] : longest;
    }
    printf("ms=%f\n", longest);
}

/* Decrypts for that time, after some calls that are not measured. */
static void measure_tail(const char *folder, long seconds, unsigned threads)
{
    struct samples warm = {.us = NULL}, samples = {.us = NULL};
    struct loop_result result;
    sample_read(&ours.sample, folder);
    ours_open(&ours, threads);
    loop_run(ours_decrypt, &ours, threads, 500, &warm, &result);
    loop_run(ours_decrypt, &ours, threads, (unsigned)seconds * 1000, &samples, &result);
    printf("p50=%f p99=%f p999=%f count=%zu\n", quantile(samples.us, samples.count, 0.5) / 1000,
           quantile(samples.us, samples.count, 0.99) / 1000,
           quantile(samples.us, samples.count, 0.999) / 1000, samples.count);
    samples_free(&samples);
    samples_free(&warm);
}

/* With the SECRET of BENCH_SIGN_IN, which is none of anybody's: one cold session, then warm ones.
 */
static void sign_in(long times)
{
    const char *secret = getenv("BENCH_SIGN_IN");
    SqlCpSession session = NULL;
    ours_open(&ours, 0);
    uint64_t begun_ns = clock_ns();
    double begun_cpu_ms = cpu_ms();
    if (secret == NULL || ekm_open(&ours.ekm, "contoso-vault", secret, &session) != SQLCP_SUCCESS) {
        give_up("OpenSession");
    }
    double cold_ms = ms_since(begun_ns), cold_cpu_ms = cpu_ms() - begun_cpu_ms;
    begun_ns = clock_ns();
    for (long i = 0; i < times; i++) {
        SqlCpSession one = NULL;
        if (ekm_open(&ours.ekm, "contoso-vault", secret, &one) != SQLCP_SUCCESS ||
            ours.ekm.CloseSession(&one, 0) != SQLCP_SUCCESS) {
            give_up("a warm OpenSession");
        }
    }
    printf("cold_ms=%f cold_cpu_ms=%f warm_us=%f\n", cold_ms, cold_cpu_ms,
           ms_since(begun_ns) * 1e3 / (double)times);
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "", *folder = argc > 2 ? argv[2] : "";
    long first = argc > 3 ? strtol(argv[3], NULL, 10) : 1;
    unsigned sessions = argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : 1;
    if (first < 1 || sessions < 1 || sessions > THREADS_MAX) {
        give_up("bad numbers");
    }
    if (strcmp(mode, "libraries") == 0) {
        load_libraries();
    } else if (strcmp(mode, "load") == 0) {
        load_ours();
    } else if (strcmp(mode, "sample") == 0) {
        ours_open(&ours, 1);
        ours_make_sample(&ours, folder);
        ours_close(&ours);
    } else if (strcmp(mode, "cold") == 0) {
        start_cold(folder);
    } else if (strcmp(mode, "restart") == 0) {
        client_restart(folder, first, sessions);
    } else if (strcmp(mode, "memory") == 0 && first <= THREADS_MAX) {
        client_measure_memory(folder, (unsigned)first);
    } else if (strcmp(mode, "count") == 0) {
        client_count(folder, first);
    } else if (strcmp(mode, "die") == 0 && argc > 5) {
        client_die(folder, sessions, (pid_t)strtol(argv[5], NULL, 10));
    } else if (strcmp(mode, "tail") == 0) {
        measure_tail(folder, first, sessions);
    } else if (strcmp(mode, "sign-in") == 0) {
        sign_in(first);
    } else {
        give_up("unknown mode %s", mode);
    }
    return 0;
}
