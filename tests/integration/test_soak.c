/*
 * Decrypts without end from 32 threads, with faults sprinkled in: what the library holds after the
 * first tenth, at least 10,000, it must not outgrow.
 *
 * `integration_soak COUNT` does as many; without COUNT as many as the test command has time for.
 * glibc's heaps and caches for each thread are off, and pages that the one heap keeps unused are
 * given back before each look: all of them fill up slowly by chance, whoever calls. Two more things
 * do, and have come to rest after 100,000: each thread must have met each fault to know how deep
 * its stack goes (200 KiB in all), and what is allocated spreads over more pages (600 KiB, of which
 * 400 come and go).
 */
#include "footprint.h"
#include "harness.h"

#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define THREADS       32
#define SETTLED_LEAST 10000
#define COUNT_SHORT   20000
#define MEMORY_KIB    1024
#define ALLOCATED_KIB 64
#define FAULT_EVERY   100  /* decrypts */
#define SESSION_EVERY 100  /* decrypts of a thread */
#define MUSTER_MS     3000 /* long enough for all threads to be inside at once */

#define FAULT(rest) "{\"path\":\"unwrapkey\"," rest "}"

/* `costs`: the calls that may fail of it; a thread that meets it is told so by its own code. */
static const struct fault {
    const char *method, *path, *json;
    int costs;
} faults[] = {
    {"POST", "/faults", FAULT("\"times\":3,\"action\":\"status\",\"status\":503"), 0},
    {"POST", "/faults", FAULT("\"times\":3,\"action\":\"cut\""), 0},
    {"POST", "/faults", FAULT("\"action\":\"garbage\""), 1},
    {"POST", "/tokens/expire", NULL, 0},
    {"POST", "/faults", FAULT("\"times\":2,\"action\":\"cut_body\""), 0},
    {"POST", "/faults", FAULT("\"action\":\"wrong_kid\""), 1},
    {"POST", "/faults", FAULT("\"times\":4,\"action\":\"delay\",\"delay_ms\":200"), 0},
    {"POST", "/faults", FAULT("\"action\":\"expired_token\""), 1},
    {"POST", "/faults", FAULT("\"action\":\"oversized\",\"body_bytes\":8388608"), 1},
    {"POST", "/faults", FAULT("\"action\":\"status\",\"status\":429,\"retry_after\":\"0\""), 0},
    {"POST", "/faults", FAULT("\"action\":\"edit\",\"path_in_body\":\"value\",\"value\":null"), 1},
    {"POST", "/faults", "{\"path\":\"oauth2\",\"action\":\"status\",\"status\":503}", 0},
    {"POST", "/faults", FAULT("\"action\":\"body\",\"body\":\"[[[[[[[[{\""), 1},
};

static struct {
    struct sim sim;
    struct ready ready;
    pthread_barrier_t begin, end;
    atomic_long left, done, failed, wrong;
    atomic_bool over;
} soak;

static long wanted, settled_after;

/* The codes of a damaged response: 3119, 3706..3709, 5008; and 3305, if a second token is refused
 * to the same call. */
static bool is_damage(SqlCpError code)
{
    return code == 3119 || code == 3305 || (code >= 3706 && code <= 3709) || code == 5008;
}

static void soak_decrypt(const struct ready *mine)
{
    SqlCpError code = ready_decrypt(mine);
    if (code != SQLCP_SUCCESS && is_damage(code)) {
        atomic_fetch_add(&soak.failed, 1);
    } else if (code != SQLCP_SUCCESS) {
        print_message("a Decrypt gave %d\n", (int)code);
        atomic_fetch_add(&soak.wrong, 1);
    }
    atomic_fetch_add(&soak.done, 1);
}

static void *soak_work(void *argument)
{
    struct ready mine = soak.ready;
    (void)argument;
    mine.thumb.pb = mine.thumb_bytes;
    mine.cipher.pb = mine.cipher_bytes;
    for (;;) {
        pthread_barrier_wait(&soak.begin);
        if (atomic_load(&soak.over)) {
            return NULL;
        }
        for (long i = 0; atomic_fetch_sub(&soak.left, 1) > 0; i++) {
            if (i % SESSION_EVERY == 0 &&
                (ekm_open(&mine.ekm, "contoso-vault", SIM_PASSWORD, &mine.session) != 0)) {
                atomic_fetch_add(&soak.wrong, 1);
            }
            soak_decrypt(&mine);
            if (i % SESSION_EVERY == SESSION_EVERY - 1) {
                mine.ekm.CloseSession(&mine.session, 0);
            }
        }
        mine.ekm.CloseSession(&mine.session, 0); /* stale if it was the last of a round */
        pthread_barrier_wait(&soak.end);
    }
}

/* The faults are put in as the work goes on. Gives the calls they may have cost. */
static int soak_sprinkle(long until)
{
    static size_t next;
    int costs = 0;
    for (;;) {
        long at = atomic_load(&soak.done) + FAULT_EVERY;
        if (at >= until) {
            return costs;
        }
        while (atomic_load(&soak.done) < at) {
            usleep(1000);
        }
        const struct fault *fault = &faults[next++ % (sizeof faults / sizeof faults[0])];
        sim_ctl(&soak.sim, fault->method, fault->path, fault->json);
        costs += fault->costs;
    }
}

static void soak_run(long count)
{
    long before = atomic_load(&soak.done);
    atomic_store(&soak.left, count);
    pthread_barrier_wait(&soak.begin);
    int costs = soak_sprinkle(before + count);
    pthread_barrier_wait(&soak.end);
    sim_ctl(&soak.sim, "DELETE", "/faults", NULL);
    assert_int_equal(atomic_load(&soak.wrong), 0);
    assert_true(atomic_exchange(&soak.failed, 0) <= costs);
}

/* A new vault behind the same address, so that no connection of the past is counted, and every
 * thread inside at once, so that each holds one. */
static struct footprint soak_muster(const char *when, size_t *allocated_kib)
{
    char latency[40];
    snprintf(latency, sizeof latency, "{\"memoise\":true,\"latency_ms\":%d}", MUSTER_MS);
    sim_kill(&soak.sim);
    sim_resume(&soak.sim);
    sim_ctl(&soak.sim, "POST", "/settings", latency);
    soak_run(THREADS);
    sim_ctl(&soak.sim, "POST", "/settings", "{\"latency_ms\":0}");
    *allocated_kib = mallinfo2().uordblks / 1024;
    long untrimmed_kib = footprint_now().resident_kib;
    malloc_trim(0);
    struct footprint now = footprint_now();
    print_message("%s, %ld Decrypts: %ld KiB resident (%ld before trimming), %zu KiB allocated, "
                  "%d descriptors, %d threads\n",
                  when, atomic_load(&soak.done), now.resident_kib, untrimmed_kib, *allocated_kib,
                  now.descriptors, now.threads);
    return now;
}

static void test_nothing_grows(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    size_t settled_kib = 0, end_kib = 0;
    sim_start(&soak.sim, "--throttle", "none");
    sim_configure(&soak.sim, "log_level = error");
    ready_open(&soak.ready, &soak.sim, "soaked");
    assert_int_equal(pthread_barrier_init(&soak.begin, NULL, THREADS + 1), 0);
    assert_int_equal(pthread_barrier_init(&soak.end, NULL, THREADS + 1), 0);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, soak_work, NULL), 0);
    }
    (void)soak_muster("begin", &settled_kib);
    soak_run(settled_after - 2 * THREADS);
    struct footprint settled = soak_muster("settled", &settled_kib);
    long start_ms = now_ms();
    soak_run(wanted - settled_after);
    long took_ms = now_ms() - start_ms;
    struct footprint end = soak_muster("end", &end_kib);
    /* A muster's tokens may have come over one connection to Entra or over several, which the next
     * vault ends; what leaks would stay. */
    for (int again = 0; again < 2 && end.descriptors > settled.descriptors; again++) {
        end = soak_muster("once more", &end_kib);
    }
    print_message("%ld Decrypts a second\n", (wanted - settled_after) * 1000 / (took_ms + 1));
    atomic_store(&soak.over, true);
    pthread_barrier_wait(&soak.begin);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_true(end.descriptors <= settled.descriptors);
    assert_int_equal(end.threads, settled.threads);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    /* A sanitizer's own bookkeeping grows with every allocation. */
    assert_true(end.resident_kib - settled.resident_kib <= MEMORY_KIB);
    assert_true(end_kib <= settled_kib + ALLOCATED_KIB);
#endif
    ready_close(&soak.ready);
    sim_stop(&soak.sim);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_nothing_grows)};
    if (getenv("GLIBC_TUNABLES") == NULL) {
        setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0:glibc.malloc.arena_max=1", 1);
        execv("/proc/self/exe", argv);
    }
    wanted = argc > 1 ? strtol(argv[1], NULL, 10) : COUNT_SHORT;
    wanted = wanted > SETTLED_LEAST ? wanted : SETTLED_LEAST + 1;
    settled_after = wanted / 10 > SETTLED_LEAST ? wanted / 10 : SETTLED_LEAST;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
