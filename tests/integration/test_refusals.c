/* Refusals that pass: a vault that refuses good tokens now and then, pages of front ends and
 * middleboxes, keys that are being recovered. Nothing may be lost that another try would have
 * saved, and Entra must not pay for it. */
#include "harness.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define THREADS 8
#define ROUNDS  12
#define TENANT  "72f988bf-0000-4000-8000-2d7cd011db47"
#define AKV10046                                                                                   \
    "\"action\":\"status\",\"status\":401,\"code\":\"Unauthorized\",\"message\":\"AKV10046: "      \
    "Unable to resolve the key used for signature validation.\",\"www_authenticate\":\"Bearer "    \
    "authorization=\\\"https://login.microsoftonline.com/" TENANT "\\\", "                         \
    "resource=\\\"https://vault.azure.net\\\"\""
#define PAGE(status)                                                                               \
    "\"action\":\"status\",\"status\":" status ",\"body\":\"<!DOCTYPE html><title>Oops</title>\""

static struct sim sim;
static struct ready ready;

static int set_up(void **state)
{
    sim_start(&sim, NULL, NULL);
    ready_open(&ready, &sim, "flapping");
    *state = &ready;
    return 0;
}

static void refusals_fault(const char *before, const char *what)
{
    char json[1024];
    snprintf(json, sizeof json, "{%s,%s}", before, what);
    sim_ctl(&sim, "POST", "/faults", json);
}

static atomic_int failures;

static void *decrypt_often(void *argument)
{
    (void)argument;
    for (int i = 0; i < ROUNDS; i++) {
        if (ready_decrypt(&ready) != SQLCP_SUCCESS) {
            atomic_fetch_add(&failures, 1);
        }
    }
    return NULL;
}

/* So many of a hundred answers refuse the token. Prints what it costs. */
static void refusals_flap(const char *percent, const char *name, const char *what)
{
    char before[128];
    pthread_t threads[THREADS];
    snprintf(before, sizeof before, "\"path\":\"unwrapkey\",\"times\":0,\"percent\":%s", percent);
    refusals_fault(before, what);
    sim_ctl(&sim, "DELETE", "/counters", NULL);
    atomic_store(&failures, 0);
    long began_ms = now_ms();
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, decrypt_often, NULL), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    long took_ms = now_ms() - began_ms, tokens = sim_counter(&sim, "tokens_issued");
    print_message("%s%% %s: %d of %d Decrypts failed, %ld requests, %ld tokens in %ld ms\n",
                  percent, name, atomic_load(&failures), THREADS * ROUNDS,
                  sim_counter(&sim, "unwrapkey"), tokens, took_ms);
    sim_ctl(&sim, "DELETE", "/faults", NULL);
    assert_int_equal(atomic_load(&failures), 0);
    assert_true(tokens <= 1 + took_ms / 1000);
}

static void test_good_tokens_refused_now_and_then(void **state)
{
    (void)state;
    refusals_flap("30", "AKV10046", AKV10046);
    refusals_flap("50", "AKV10046", AKV10046);
    refusals_flap("50", "TokenExpired", "\"action\":\"expired_token\"");
}

/* Twice this answer, then all is well: every request of the library goes on. */
static void expect_saved(const char *what)
{
    static const char *const paths[] = {"\"path\":\"unwrapkey\"", "\"path\":\"wrapkey\"",
                                        "\"method\":\"GET\",\"path\":\"/keys/flapping\"",
                                        "\"method\":\"GET\",\"path\":\"/keys?\""};
    uint8_t bytes[512], thumb_bytes[32], text[] = SIM_PLAIN;
    SqlCpData plain = {sizeof text, text}, out = {sizeof bytes, bytes}, thumb = {0, thumb_bytes};
    SqlCpSession other;
    SqlCpKeyId id = 0;
    for (size_t i = 0; i < 4; i++) {
        char before[128];
        snprintf(before, sizeof before, "%s,\"times\":2", paths[i]);
        refusals_fault(before, what);
    }
    assert_int_equal(ready_decrypt(&ready), SQLCP_SUCCESS);
    assert_int_equal(ekm_encrypt(&ready.ekm, &ready.session, &ready.thumb, &plain, &out),
                     SQLCP_SUCCESS);
    assert_int_equal(ekm_find(&ready.ekm, &ready.session, "flapping", &thumb), SQLCP_SUCCESS);
    /* A session lists its vault once. */
    assert_int_equal(ekm_open(&ready.ekm, "contoso-vault", SIM_PASSWORD, &other), SQLCP_SUCCESS);
    assert_int_equal(ready.ekm.GetNextKeyId(&other, &id), SQLCP_SUCCESS);
    assert_int_equal(ready.ekm.CloseSession(&other, 0), SQLCP_SUCCESS);
    char *left = sim_ask(&sim, "/faults");
    assert_null(strstr(left, "action")); /* each request met both */
    free(left);
    sim_ctl(&sim, "DELETE", "/faults", NULL);
}

static void test_what_passes_is_asked_again(void **state)
{
    (void)state;
    expect_saved(AKV10046);
    expect_saved(PAGE("400"));
    expect_saved(PAGE("502"));
    expect_saved(PAGE("503"));
    expect_saved("\"action\":\"status\",\"status\":503,\"body\":\"\"");
    expect_saved("\"action\":\"status\",\"status\":409,\"inner\":\"ObjectIsBeingRecovered\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_good_tokens_refused_now_and_then, set_up,
                                        ready_tear_down),
        cmocka_unit_test_setup_teardown(test_what_passes_is_asked_again, set_up, ready_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
