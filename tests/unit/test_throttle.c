// wrap: plat_now_ms plat_unix_time_ms plat_cond_wait_until
// with: fake_clock.c
/* The order of calls at a host that throttles (specification.md section 7: a 429 of one call slows
 * all). */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "fake_clock.h"
#include "net/backoff.h"
#include "net/throttle.h"

#define HOST "a.vault.azure.net"
#define MANY 64

static struct config config;
static const struct http_request request = {
    .method = HTTP_GET, .url = "https://" HOST "/keys/n", .host = HOST};

static int set_up(void **state)
{
    (void)state;
    fake_clock_reset();
    throttle_reset();
    config_defaults(&config);
    return 0;
}

/* One call's turn, waited for at most `time_ms`. */
static enum ekm_rc throttle_enter(uint32_t time_ms, struct throttle_pass *pass)
{
    struct call call;
    config.call_timeout_ms = time_ms;
    call_begin(&call, "Test", &config);
    return throttle_acquire(&call, &request, pass);
}

static void throttle_leave(const struct throttle_pass *pass, enum throttle_outcome outcome)
{
    throttle_release(HOST, pass, outcome, 0);
}

/* The pause after a refusal of the only one that asked. */
static uint64_t pause_ms(void)
{
    struct throttle_pass pass;
    assert_int_equal(throttle_enter(30000, &pass), EKM_OK);
    uint64_t refused_ms = plat_now_ms();
    throttle_leave(&pass, THROTTLE_REFUSED);
    assert_int_equal(throttle_enter(30000, &pass), EKM_OK);
    throttle_leave(&pass, THROTTLE_FAILED);
    return plat_now_ms() - refused_ms;
}

static void no_call_waits_before_a_refusal(void **state)
{
    struct throttle_pass passes[MANY];
    (void)state;
    for (int i = 0; i < MANY; i++) {
        assert_true(throttle_try_acquire(HOST, &passes[i]));
        assert_int_equal(throttle_enter(30000, &passes[i]), EKM_OK);
    }
    for (int i = 0; i < MANY; i++) {
        throttle_leave(&passes[i], i % 2 == 0 ? THROTTLE_ANSWERED : THROTTLE_FAILED);
    }
    assert_int_equal(throttle_enter(1, &passes[0]), EKM_OK);
}

static void after_a_429_each_response_allows_one_more_call(void **state)
{
    struct throttle_pass passes[MANY], other;
    unsigned under_way = 1;
    (void)state;
    assert_int_equal(throttle_enter(30000, &other), EKM_OK);
    throttle_leave(&other, THROTTLE_REFUSED);
    assert_false(throttle_try_acquire(HOST, &other));
    assert_int_equal(throttle_enter(30000, &passes[0]), EKM_OK);
    for (int round = 0; round < 4; round++) {
        assert_int_equal(throttle_enter(500, &other), EKM_THROTTLED);
        for (unsigned i = 0; i < under_way; i++) {
            throttle_leave(&passes[i], THROTTLE_ANSWERED);
        }
        under_way *= 2;
        for (unsigned i = 0; i < under_way; i++) {
            assert_int_equal(throttle_enter(500, &passes[i]), EKM_OK);
        }
    }
    throttle_leave(&passes[0], THROTTLE_REFUSED);
    assert_int_equal(throttle_enter(30000, &passes[0]), EKM_OK);
    assert_int_equal(throttle_enter(500, &other), EKM_THROTTLED);
}

static void all_may_go_when_so_many_went_well(void **state)
{
    struct throttle_pass pass;
    int answers = 0;
    (void)state;
    assert_int_equal(throttle_enter(30000, &pass), EKM_OK);
    throttle_leave(&pass, THROTTLE_REFUSED);
    while (!throttle_try_acquire(HOST, &pass)) {
        assert_int_equal(throttle_enter(30000, &pass), EKM_OK);
        throttle_leave(&pass, THROTTLE_ANSWERED);
        assert_true(++answers <= MANY);
    }
    assert_true(answers > MANY / 2);
}

/* Requests that cannot know of the refusal: those in flight when it came. */
static void late_refusals_say_nothing_new(void **state)
{
    struct throttle_pass passes[MANY];
    (void)state;
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(throttle_enter(30000, &passes[i]), EKM_OK);
    }
    uint64_t refused_ms = plat_now_ms();
    for (int i = 0; i < MANY; i++) {
        throttle_leave(&passes[i], THROTTLE_REFUSED);
    }
    assert_int_equal(throttle_enter(30000, &passes[0]), EKM_OK);
    assert_int_in_range(plat_now_ms() - refused_ms, 1, BACKOFF_BASE_MS);
    throttle_leave(&passes[1], THROTTLE_REFUSED);
    throttle_leave(&passes[0], THROTTLE_ANSWERED);
    assert_int_equal(throttle_enter(500, &passes[0]), EKM_OK);
    assert_int_equal(throttle_enter(500, &passes[1]), EKM_OK);
}

/* A burst is refused as a whole. Were each refusal's own random part added, the longest of them
 * would hold all calls up. */
static void a_burst_that_is_refused_waits_as_asked(void **state)
{
    struct throttle_pass passes[MANY];
    uint64_t longest_ms = 0, least_ms = UINT64_MAX;
    (void)state;
    for (int round = 0; round < 50; round++) {
        throttle_reset();
        for (int i = 0; i < MANY; i++) {
            assert_int_equal(throttle_enter(30000, &passes[i]), EKM_OK);
        }
        uint64_t refused_ms = plat_now_ms();
        for (int i = 0; i < MANY; i++) {
            throttle_release(HOST, &passes[i], THROTTLE_REFUSED, 9000);
        }
        assert_int_equal(throttle_enter(30000, &passes[0]), EKM_OK);
        uint64_t took_ms = plat_now_ms() - refused_ms;
        longest_ms = took_ms > longest_ms ? took_ms : longest_ms;
        least_ms = took_ms < least_ms ? took_ms : least_ms;
    }
    assert_int_in_range(least_ms, 9000, 9050);
    assert_int_in_range(longest_ms, 9050, 9100);
}

/* Retry-After is in whole seconds: servers that share a limit come back up to a second apart, and
 * the first must leave something to the last. */
static void a_window_of_the_limit_is_not_used_up_at_once(void **state)
{
    struct throttle_pass pass;
    unsigned went = 0;
    (void)state;
    assert_int_equal(throttle_enter(30000, &pass), EKM_OK);
    throttle_release(HOST, &pass, THROTTLE_REFUSED, 3000);
    assert_int_equal(throttle_enter(30000, &pass), EKM_OK);
    throttle_leave(&pass, THROTTLE_ANSWERED);
    uint64_t first_ms = plat_now_ms();
    while (plat_now_ms() < first_ms + 950) {
        assert_int_equal(throttle_enter(30000, &pass), EKM_OK);
        throttle_leave(&pass, THROTTLE_ANSWERED);
        went++;
    }
    assert_int_in_range(went, 30, 80);
    while (plat_now_ms() < first_ms + 1000) {
        assert_int_equal(throttle_enter(30000, &pass), EKM_OK);
        throttle_leave(&pass, THROTTLE_ANSWERED);
    }
    uint64_t over_ms = plat_now_ms();
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(throttle_enter(30000, &pass), EKM_OK);
        throttle_leave(&pass, THROTTLE_ANSWERED);
    }
    assert_int_equal(plat_now_ms(), over_ms);
}

/* One that asks for more than the first did is heard. */
static void the_longest_wish_counts(void **state)
{
    struct throttle_pass passes[2];
    (void)state;
    assert_int_equal(throttle_enter(30000, &passes[0]), EKM_OK);
    assert_int_equal(throttle_enter(30000, &passes[1]), EKM_OK);
    uint64_t refused_ms = plat_now_ms();
    throttle_release(HOST, &passes[0], THROTTLE_REFUSED, 1000);
    throttle_release(HOST, &passes[1], THROTTLE_REFUSED, 5000);
    assert_int_equal(throttle_enter(30000, &passes[0]), EKM_OK);
    assert_int_equal(plat_now_ms() - refused_ms, 5000);
}

/* A refusal of before the pause that comes after it: what the host wished for then is over. */
static void a_wish_is_over_when_the_pause_is(void **state)
{
    struct throttle_pass late[2], pass;
    (void)state;
    assert_int_equal(throttle_enter(30000, &late[0]), EKM_OK);
    assert_int_equal(throttle_enter(30000, &late[1]), EKM_OK);
    assert_int_equal(throttle_enter(30000, &pass), EKM_OK);
    throttle_release(HOST, &pass, THROTTLE_REFUSED, 1000);
    assert_int_equal(throttle_enter(30000, &pass), EKM_OK);
    throttle_release(HOST, &late[0], THROTTLE_REFUSED, 60000);
    throttle_leave(&pass, THROTTLE_ANSWERED);
    assert_int_equal(throttle_enter(500, &pass), EKM_OK);
    assert_false(pass.probe);
    throttle_release(HOST, &late[1], THROTTLE_REFUSED, 60000);
    assert_int_equal(throttle_enter(500, &pass), EKM_OK);
    assert_false(pass.probe);
}

/* Only one asks after each pause, so they stay short: a limit ends unannounced. */
static void pauses_grow_a_little(void **state)
{
    uint64_t longest_ms = 0;
    (void)state;
    for (int i = 0; i < 200; i++) {
        uint64_t took_ms = pause_ms();
        assert_int_in_range(took_ms, 1, BACKOFF_BASE_MS << (i < 2 ? i : 2));
        longest_ms = took_ms > longest_ms ? took_ms : longest_ms;
    }
    assert_true(longest_ms > BACKOFF_BASE_MS);
    struct throttle_pass pass;
    assert_int_equal(throttle_enter(30000, &pass), EKM_OK);
    throttle_leave(&pass, THROTTLE_ANSWERED);
    assert_int_in_range(pause_ms(), 1, BACKOFF_BASE_MS);
}

/* Its answer is late; the others do not wait for it alone. */
static void one_that_hangs_does_not_hold_up_all(void **state)
{
    struct throttle_pass pass;
    (void)state;
    assert_int_equal(throttle_enter(30000, &pass), EKM_OK);
    throttle_leave(&pass, THROTTLE_REFUSED);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(throttle_enter(2000, &pass), EKM_OK);
        assert_int_equal(throttle_enter(500, &pass), EKM_THROTTLED);
    }
}

static void a_wish_beyond_the_deadline_is_probed_once_a_second(void **state)
{
    struct throttle_pass pass;
    unsigned asked = 0;
    (void)state;
    assert_int_equal(throttle_enter(30000, &pass), EKM_OK);
    throttle_release(HOST, &pass, THROTTLE_REFUSED, 600000);
    for (int i = 0; i < 100; i++) {
        enum ekm_rc rc = throttle_enter(30000, &pass);
        assert_true(rc == EKM_OK || rc == EKM_THROTTLED);
        if (rc == EKM_OK) {
            asked++;
            throttle_leave(&pass, THROTTLE_FAILED);
        }
        fake_clock_advance(100);
    }
    assert_int_in_range(asked, 9, 11);
    fake_clock_advance(1000);
    assert_int_equal(throttle_enter(30000, &pass), EKM_OK);
    throttle_leave(&pass, THROTTLE_ANSWERED);
    assert_int_equal(throttle_enter(100, &pass), EKM_OK);
}

static void entra_and_abort_have_codes_of_their_own(void **state)
{
    struct throttle_pass pass;
    struct call call;
    struct http_request to_entra = request;
    atomic_bool aborted = true;
    (void)state;
    to_entra.to_entra = true;
    assert_int_equal(throttle_enter(30000, &pass), EKM_OK);
    throttle_release(HOST, &pass, THROTTLE_REFUSED, 10000);
    config.call_timeout_ms = 500;
    call_begin(&call, "Test", &config);
    assert_int_equal(throttle_acquire(&call, &to_entra, &pass), EKM_OK); /* a probe */
    assert_int_equal(throttle_acquire(&call, &to_entra, &pass), EKM_TOKEN_UNAVAILABLE);
    assert_int_equal(call.error.rc, EKM_TOKEN_UNAVAILABLE);
    call_begin(&call, "Test", &config);
    call.session_aborted = &aborted;
    assert_int_equal(throttle_acquire(&call, &request, &pass), EKM_CLOSING);
}

/* A subscription's limit is met at all of its vaults at once. */
static void many_hosts_throttle_at_once(void **state)
{
    char name[16];
    struct throttle_pass pass = {0};
    (void)state;
    for (int i = 0; i < 64; i++) {
        (void)snprintf(name, sizeof name, "vault-%d", i);
        throttle_release(name, &pass, THROTTLE_REFUSED, 20000);
    }
    for (int i = 0; i < 64; i++) {
        (void)snprintf(name, sizeof name, "vault-%d", i);
        assert_false(throttle_try_acquire(name, &pass));
    }
}

/* Strangers push each other out; whoever was counted at a former entry does no harm to the new. */
static void more_hosts_than_are_remembered(void **state)
{
    static char names[100][8];
    struct throttle_pass old, pass;
    struct http_request elsewhere = request;
    (void)state;
    assert_int_equal(throttle_enter(30000, &old), EKM_OK);
    throttle_leave(&old, THROTTLE_REFUSED);
    assert_int_equal(throttle_enter(30000, &old), EKM_OK);
    for (int i = 0; i < 100; i++) {
        struct call call;
        names[i][0] = (char)('a' + i / 26);
        names[i][1] = (char)('a' + i % 26);
        elsewhere.host = names[i];
        call_begin(&call, "Test", &config);
        assert_int_equal(throttle_acquire(&call, &elsewhere, &pass), EKM_OK);
        throttle_release(names[i], &pass, THROTTLE_REFUSED, 20000);
    }
    assert_true(throttle_try_acquire(HOST, &pass));
    throttle_leave(&pass, THROTTLE_REFUSED);
    throttle_leave(&old, THROTTLE_ANSWERED);
    assert_int_equal(throttle_enter(30000, &pass), EKM_OK);
    assert_int_equal(throttle_enter(500, &old), EKM_THROTTLED);
}

struct queue {
    pthread_mutex_t mutex;
    uint64_t served[MANY]; /* deadlines, in the order of their turns */
    unsigned count;
};
struct standing {
    pthread_t thread;
    struct queue *queue;
    struct call call;
};

static void *throttle_stand(void *argument)
{
    struct standing *mine = argument;
    struct throttle_pass pass;
    if (throttle_acquire(&mine->call, &request, &pass) == EKM_OK) {
        pthread_mutex_lock(&mine->queue->mutex);
        mine->queue->served[mine->queue->count++] = mine->call.deadline_ms;
        pthread_mutex_unlock(&mine->queue->mutex);
        throttle_leave(&pass, THROTTLE_FAILED);
    }
    return NULL;
}

static void the_call_with_the_least_time_goes_first(void **state)
{
    static struct standing all[MANY];
    struct queue queue = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    struct throttle_pass pass;
    (void)state;
    fake_clock_run();
    assert_int_equal(throttle_enter(30000, &pass), EKM_OK);
    throttle_release(HOST, &pass, THROTTLE_REFUSED, 3000);
    for (unsigned i = 0; i < MANY; i++) {
        config.call_timeout_ms = 60000 + i * 7919 % MANY * 1000;
        call_begin(&all[i].call, "Test", &config);
        all[i].queue = &queue;
        assert_int_equal(pthread_create(&all[i].thread, NULL, throttle_stand, &all[i]), 0);
    }
    for (unsigned i = 0; i < MANY; i++) {
        pthread_join(all[i].thread, NULL);
    }
    assert_int_equal(queue.count, MANY);
    unsigned overtaken = 0;
    for (unsigned i = 1; i < MANY; i++) {
        overtaken += queue.served[i - 1] > queue.served[i];
    }
    /* On a busy machine one may come late, or sleep between its turn and its entry here. */
    assert_true(overtaken <= MANY / 8);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_call_waits_before_a_refusal),
        TEST(after_a_429_each_response_allows_one_more_call),
        TEST(all_may_go_when_so_many_went_well),
        TEST(late_refusals_say_nothing_new),
        TEST(a_burst_that_is_refused_waits_as_asked),
        TEST(a_window_of_the_limit_is_not_used_up_at_once),
        TEST(the_longest_wish_counts),
        TEST(a_wish_is_over_when_the_pause_is),
        TEST(pauses_grow_a_little),
        TEST(one_that_hangs_does_not_hold_up_all),
        TEST(a_wish_beyond_the_deadline_is_probed_once_a_second),
        TEST(entra_and_abort_have_codes_of_their_own),
        TEST(many_hosts_throttle_at_once),
        TEST(more_hosts_than_are_remembered),
        TEST(the_call_with_the_least_time_goes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
