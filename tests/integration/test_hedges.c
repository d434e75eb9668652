/* Which requests the vault gets once more because their responses are late (specification.md
 * section 7), counted there. */
#include "harness.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define KNOWN      24 /* so many answers tell what is late */
#define BURST      5  /* what may be saved up of the budget */
#define OPEN_AGAIN 70 /* so many answers, and calls take no turns any more */

static struct sim sim;

static int hedges_start(void **state)
{
    *state = &sim;
    sim_start(&sim, NULL, NULL);
    sim_configure(&sim, "allow_create = yes");
    sim_configure(&sim, "allow_drop = yes");
    sim_ctl(&sim, "POST", "/clients",
            "{\"client_id\":\"11111111-2222-4333-8444-555555555555\",\"secrets\":[\"" SIM_SECRET
            "\"],\"permissions\":[\"all\"]}");
    return 0;
}

static void hedges_reset(void)
{
    sim_ctl(&sim, "DELETE", "/faults", NULL);
    sim_ctl(&sim, "DELETE", "/counters", NULL);
}

static void hedges_delay(const char *what)
{
    char json[160];
    snprintf(json, sizeof json, "{%s,\"times\":0,\"action\":\"delay\",\"delay_ms\":500}", what);
    sim_ctl(&sim, "POST", "/faults", json);
}

static void hedges_decrypt(const struct ready *ready, int times)
{
    for (int i = 0; i < times; i++) {
        assert_int_equal(ready_decrypt(ready), SQLCP_SUCCESS);
    }
}

/* A session at a vault whose usual times are known. */
static void hedges_open(struct ready *ready, const char *key)
{
    uint8_t bytes[32];
    SqlCpData thumb = {0, bytes};
    ready_open(ready, &sim, key);
    hedges_decrypt(ready, KNOWN);
    for (int i = 0; i < KNOWN; i++) {
        assert_int_equal(ekm_find(&ready->ekm, &ready->session, key, &thumb), SQLCP_SUCCESS);
    }
    hedges_reset();
}

static void test_what_is_read_is_sent_once_more(void **state)
{
    (void)state;
    struct ready ready;
    hedges_open(&ready, "read");
    hedges_delay("\"path\":\"unwrapkey\"");
    hedges_decrypt(&ready, 2);
    assert_in_range(sim_counter(&sim, "copies"), 1, BURST);
    assert_int_equal(sim_counter(&sim, "unwrapkey"), 2 + sim_counter(&sim, "copies"));
    assert_int_equal(sim_counter(&sim, "copies_throttled"), 0);
    sim_ctl(&sim, "DELETE", "/faults", NULL);
    ready_close(&ready);
}

/* Byte after byte, as over a line that is nearly dead: bytes that come so slowly are no progress.
 */
static void test_a_trickle_is_late(void **state)
{
    (void)state;
    struct ready ready;
    hedges_open(&ready, "trickle");
    sim_ctl(&sim, "POST", "/faults",
            "{\"path\":\"unwrapkey\",\"action\":\"slow\",\"delay_ms\":100}");
    hedges_decrypt(&ready, 1);
    assert_in_range(sim_counter(&sim, "copies"), 1, 2);
    ready_close(&ready);
}

/* A second create is a second version, a second delete may meet a key that was made meanwhile. */
static void test_effects_are_sent_once(void **state)
{
    (void)state;
    struct ready ready;
    uint16_t name[] = {'m', 'a', 'd', 'e'};
    uint8_t bytes[20];
    SqlCpStr wanted = {sizeof name, name};
    SqlCpKeyThumbprint thumb = {sizeof bytes, bytes};
    hedges_open(&ready, "before");
    hedges_delay("\"method\":\"POST\",\"path\":\"/create\"");
    hedges_delay("\"method\":\"DELETE\",\"path\":\"/keys/\"");
    assert_int_equal(ready.ekm.CreateKey(&ready.session, &wanted, 1, 0, &thumb), SQLCP_SUCCESS);
    assert_int_equal(ready.ekm.DropKey(&ready.session, &thumb), SQLCP_SUCCESS);
    assert_int_equal(sim_counter(&sim, "create"), 1);
    assert_int_equal(sim_counter(&sim, "delete"), 1);
    assert_int_equal(sim_counter(&sim, "copies"), 0);
    sim_ctl(&sim, "DELETE", "/faults", NULL);
    ready_close(&ready);
}

/* Not even when it refuses no more and is only late. */
static void test_a_vault_that_throttled_gets_no_copy(void **state)
{
    (void)state;
    struct ready ready;
    hedges_open(&ready, "throttled");
    sim_ctl(&sim, "POST", "/faults",
            "{\"path\":\"unwrapkey\",\"action\":\"status\",\"status\":429,\"retry_after\":\"1\"}");
    hedges_decrypt(&ready, 1);
    hedges_delay("\"path\":\"unwrapkey\"");
    hedges_decrypt(&ready, 3);
    sim_ctl(&sim, "DELETE", "/faults", NULL);
    hedges_decrypt(&ready, OPEN_AGAIN);
    hedges_delay("\"path\":\"unwrapkey\"");
    hedges_decrypt(&ready, 3);
    assert_int_equal(sim_counter(&sim, "unwrapkey"), 2 + 3 + OPEN_AGAIN + 3);
    assert_int_equal(sim_counter(&sim, "copies"), 0);
    sim_ctl(&sim, "DELETE", "/faults", NULL);
    ready_close(&ready);
}

#define THREADS 64
#define EACH    16

static void *hedges_work(void *context)
{
    const struct ready *ready = context;
    intptr_t failed = 0;
    for (int i = 0; i < EACH; i++) {
        failed += ready_decrypt(ready) != SQLCP_SUCCESS;
    }
    return (void *)failed;
}

/* Many threads at a vault of which a part of the answers is late by a second: connections that wait
 * in vain look as if they had died together. The budget holds. */
static void test_a_slow_vault_gets_a_tenth_more_at_most(void **state)
{
    (void)state;
    struct ready ready;
    pthread_t threads[THREADS];
    const long least = (long)THREADS * EACH;
    sim_ctl(&sim, "POST", "/settings", "{\"memoise\":true,\"latency_ms\":10}");
    for (int percent = 10; percent <= 40; percent += 15) {
        char json[128];
        hedges_open(&ready, "slow");
        snprintf(json, sizeof json,
                 "{\"path\":\"unwrapkey\",\"times\":0,\"action\":\"delay\",\"delay_ms\":1000,"
                 "\"percent\":%d}",
                 percent);
        sim_ctl(&sim, "POST", "/faults", json);
        for (int i = 0; i < THREADS; i++) {
            assert_int_equal(pthread_create(&threads[i], NULL, hedges_work, &ready), 0);
        }
        for (int i = 0; i < THREADS; i++) {
            void *failed = NULL;
            pthread_join(threads[i], &failed);
            assert_null(failed);
        }
        print_message("%d %% are late: %ld requests for %ld\n", percent,
                      sim_counter(&sim, "unwrapkey"), least);
        assert_in_range(sim_counter(&sim, "unwrapkey"), least, least + least / 10 + BURST);
        hedges_reset();
        ready_close(&ready);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_read_is_sent_once_more),
        cmocka_unit_test(test_a_trickle_is_late),
        cmocka_unit_test(test_effects_are_sent_once),
        cmocka_unit_test(test_a_vault_that_throttled_gets_no_copy),
        cmocka_unit_test(test_a_slow_vault_gets_a_tenth_more_at_most),
    };
    return cmocka_run_group_tests(tests, hedges_start, sim_tear_down);
}
