/* 64 threads at once: tokens expire, answers fail, sessions are aborted, the provider goes up and
 * down. */
#include "harness.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define THREADS 64
#define ROUNDS  12
#define CLOSING 5007
/* The vault's answers cost no processor but some time, so calls meet without keeping it busy. */
#define QUICK "{\"latency_ms\":20,\"memoise\":true}"

struct storm {
    struct ready ready;
    atomic_int inside, most_inside, wrong;
    atomic_bool stop;
    pthread_barrier_t begin;
};

static void storm_enter(struct storm *storm)
{
    int inside = atomic_fetch_add(&storm->inside, 1) + 1, most = atomic_load(&storm->most_inside);
    while (inside > most && !atomic_compare_exchange_weak(&storm->most_inside, &most, inside)) {
    }
}

static void storm_expect(struct storm *storm, bool right)
{
    if (!right) {
        atomic_fetch_add(&storm->wrong, 1);
    }
}

/* Sessions of one's own; every call must succeed, whatever the vault does meanwhile. */
static void *storm_work(void *argument)
{
    struct storm *storm = argument;
    struct ready mine = storm->ready;
    mine.thumb.pb = mine.thumb_bytes;
    mine.cipher.pb = mine.cipher_bytes;
    pthread_barrier_wait(&storm->begin);
    for (int i = 0; i < ROUNDS; i++) {
        storm_enter(storm);
        storm_expect(storm, ekm_open(&mine.ekm, "contoso-vault", SIM_PASSWORD, &mine.session) == 0);
        storm_expect(storm, ready_decrypt(&mine) == 0);
        storm_expect(storm, mine.ekm.CloseSession(&mine.session, 0) == 0);
        atomic_fetch_sub(&storm->inside, 1);
    }
    return NULL;
}

/* One session for all of these threads, aborted under them: success or 5007, or a stale handle
 * afterwards. */
static void *work_until_aborted(void *argument)
{
    struct storm *storm = argument;
    struct ready mine = storm->ready;
    mine.thumb.pb = mine.thumb_bytes;
    mine.cipher.pb = mine.cipher_bytes;
    pthread_barrier_wait(&storm->begin);
    SqlCpError code = 0;
    while (code == 0) {
        storm_enter(storm);
        code = ready_decrypt(&mine);
        atomic_fetch_sub(&storm->inside, 1);
    }
    storm_expect(storm, code == CLOSING || code == SQLCP_INVALID_ARGUMENT);
    return NULL;
}

static void storm_begin(struct storm *storm, pthread_t *threads, void *(*entry)(void *))
{
    atomic_init(&storm->inside, 0);
    atomic_init(&storm->most_inside, 0);
    atomic_init(&storm->wrong, 0);
    atomic_init(&storm->stop, false);
    pthread_barrier_init(&storm->begin, NULL, THREADS + 1);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, entry, storm), 0);
    }
    pthread_barrier_wait(&storm->begin);
}

/* Waits until as many have met as `end` needs. */
static void wait_for_crowd(const struct storm *storm)
{
    for (int i = 0; i < 6000 && atomic_load(&storm->most_inside) <= THREADS / 4; i++) {
        usleep(10000);
    }
}

static void storm_end(struct storm *storm, pthread_t *threads)
{
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    pthread_barrier_destroy(&storm->begin);
    /* A storm in which no calls meet proves nothing. */
    assert_true(atomic_load(&storm->most_inside) > THREADS / 4);
    assert_int_equal(atomic_load(&storm->wrong), 0);
}

static void test_faults_and_expiring_tokens(void **state)
{
    (void)state;
    struct sim sim;
    static struct storm storm;
    pthread_t threads[THREADS];
    sim_start(&sim, "--token-lifetime-s", "2");
    sim_ctl(&sim, "POST", "/settings", QUICK);
    ready_open(&storm.ready, &sim, "storm");
    sim_ctl(
        &sim, "POST", "/faults",
        "{\"path\":\"unwrapkey\",\"skip\":20,\"times\":15,\"action\":\"status\",\"status\":503}");
    sim_ctl(&sim, "POST", "/faults",
            "{\"path\":\"unwrapkey\",\"skip\":60,\"times\":15,\"action\":\"cut\"}");
    sim_ctl(&sim, "POST", "/faults",
            "{\"path\":\"unwrapkey\",\"skip\":100,\"times\":3,\"action\":\"expired_token\"}");
    storm_begin(&storm, threads, storm_work);
    storm_end(&storm, threads);
    assert_int_equal(sim_counter(&sim, "leaked_secrets"), 0);
    ready_close(&storm.ready);
    sim_stop(&sim);
}

static void test_abort_under_all(void **state)
{
    (void)state;
    struct sim sim;
    static struct storm storm;
    pthread_t threads[THREADS];
    sim_start(&sim, NULL, NULL);
    sim_ctl(&sim, "POST", "/settings", QUICK);
    ready_open(&storm.ready, &sim, "aborted");
    storm_begin(&storm, threads, work_until_aborted);
    wait_for_crowd(&storm);
    usleep(300000);
    assert_int_equal(storm.ready.ekm.CloseSession(&storm.ready.session, 1), 0);
    storm_end(&storm, threads);
    assert_int_equal(storm.ready.ekm.FreeProvider(), SQLCP_SUCCESS);
    ekm_unload(&storm.ready.ekm);
    sim_stop(&sim);
}

/* Calls race with Free and Initialize: only documented codes, and the provider works afterwards. */
static void *work_through_restarts(void *argument)
{
    struct storm *storm = argument;
    struct ready mine = storm->ready;
    mine.thumb.pb = mine.thumb_bytes;
    mine.cipher.pb = mine.cipher_bytes;
    pthread_barrier_wait(&storm->begin);
    while (!atomic_load(&storm->stop)) {
        storm_enter(storm);
        SqlCpError code = ekm_open(&mine.ekm, "contoso-vault", SIM_PASSWORD, &mine.session);
        storm_expect(storm, code == 0 || code == CLOSING);
        if (code == 0) {
            code = ready_decrypt(&mine);
            storm_expect(storm, code == 0 || code == CLOSING || code == SQLCP_INVALID_ARGUMENT);
            (void)mine.ekm.CloseSession(&mine.session, 0);
        } else {
            usleep(2000); /* else 64 threads that are refused at once leave no processor to Free */
        }
        atomic_fetch_sub(&storm->inside, 1);
    }
    return NULL;
}

/* On a busy machine calls may need longer to leave than a Free waits; the next one tries again. */
static void free_provider(struct storm *storm)
{
    SqlCpError code = SQLCP_FAILURE;
    for (int i = 0; i < 20 && code == SQLCP_FAILURE; i++) {
        code = storm->ready.ekm.FreeProvider();
    }
    assert_int_equal(code, SQLCP_SUCCESS);
}

static void test_restarts_under_all(void **state)
{
    (void)state;
    struct sim sim;
    static struct storm storm;
    pthread_t threads[THREADS];
    sim_start(&sim, NULL, NULL);
    sim_ctl(&sim, "POST", "/settings", QUICK);
    ready_open(&storm.ready, &sim, "restarted");
    storm_begin(&storm, threads, work_through_restarts);
    wait_for_crowd(&storm);
    for (int i = 0; i < 20; i++) {
        usleep(50000);
        free_provider(&storm);
        assert_int_equal(storm.ready.ekm.InitializeProvider(), SQLCP_SUCCESS);
    }
    atomic_store(&storm.stop, true);
    storm_end(&storm, threads);
    assert_int_equal(
        ekm_open(&storm.ready.ekm, "contoso-vault", SIM_PASSWORD, &storm.ready.session), 0);
    assert_int_equal(ready_decrypt(&storm.ready), 0);
    ready_close(&storm.ready);
    sim_stop(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults_and_expiring_tokens),
        cmocka_unit_test(test_abort_under_all),
        cmocka_unit_test(test_restarts_under_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
