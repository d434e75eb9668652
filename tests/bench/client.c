/*
 * benchclient MODE FOLDER [NUMBER [NUMBER]]: a fresh host process, which knows no library until it
 * loads ours. Prints `name=value` words. AKVEKM_CONFIG names the configuration.
 */
#include <dlfcn.h>
#include <pthread.h>
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

/* What any program pays for the libraries that ours needs, before a line of ours runs. */
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

static void open_database(unsigned thread)
{
    ours_decrypt(&ours, thread);
}

/* Each of the host's threads opens a session of its own, then one database after the other. */
static void restart(const char *folder, long databases, unsigned sessions)
{
    sample_read(&ours.sample, folder);
    uint64_t begun_ns = clock_ns();
    ours_open(&ours, 0);
    double begun_cpu_ms = cpu_ms();
    loop_share(databases, sessions, open_session, open_database);
    printf("ms=%f cpu_ms=%f\n", ms_since(begun_ns), cpu_ms() - begun_cpu_ms);
}

/* The barrier thrice: all threads are there; the library is loaded; all have made their calls. */
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

static void measure_memory(const char *folder, unsigned threads)
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
    exit(0); /* the others still stand at the barrier */
}

__attribute__((noinline)) void bench_measured(long times)
{
    for (long i = 0; i < times; i++) {
        ours_decrypt(&ours, 0);
    }
}

static void count(const char *folder, long times)
{
    sample_read(&ours.sample, folder);
    ours_open(&ours, 1);
    for (int i = 0; i < 5; i++) {
        ours_decrypt(&ours, 0);
    }
    print_costs(times);
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
        restart(folder, first, sessions);
    } else if (strcmp(mode, "memory") == 0 && first <= THREADS_MAX) {
        measure_memory(folder, (unsigned)first);
    } else if (strcmp(mode, "count") == 0) {
        count(folder, first);
    } else if (strcmp(mode, "sign-in") == 0) {
        sign_in(first);
    } else {
        give_up("unknown mode %s", mode);
    }
    return 0;
}
