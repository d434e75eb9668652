// wrap: http_perform http_perform_all plat_now_ms plat_unix_time_ms plat_cond_wait_until
// with: token_fixture.c scripted_http.c fake_clock.c
/* One fetch of a token for all threads that need it (specification.md section 2); the clock runs.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "fake_clock.h"
#include "platform/system.h"
#include "scripted_http.h"
#include "token_fixture.h"

#define THREADS 16

struct getter {
    pthread_t thread;
    struct call call;
    struct challenge where;
    atomic_bool aborted;
    enum ekm_rc rc;
    char value[64];
    uint64_t took_ms;
};
static struct getter getters[THREADS];
static atomic_int begun, served;

static void *get_token(void *context)
{
    struct getter *getter = context;
    struct token *token = NULL;
    atomic_fetch_add(&begun, 1);
    getter->rc = token_get(&getter->call, credential, &getter->where, &token);
    getter->took_ms = plat_now_ms() - getter->call.start_ms;
    getter->value[0] = '\0';
    if (getter->rc == EKM_OK) {
        (void)text_copy(getter->value, sizeof getter->value, token_value_of(token));
    }
    token_release(token);
    return NULL;
}

static void start_at(size_t i, const struct challenge *where)
{
    getters[i].where = *where;
    atomic_store(&getters[i].aborted, false);
    token_fixture_begin(&getters[i].call);
    getters[i].call.session_aborted = &getters[i].aborted;
    assert_int_equal(pthread_create(&getters[i].thread, NULL, get_token, &getters[i]), 0);
}

static void start_getter(size_t i)
{
    start_at(i, &public_cloud);
}

static void join_getter(size_t i)
{
    assert_int_equal(pthread_join(getters[i].thread, NULL), 0);
}

static void sleep_ms(unsigned ms)
{
    (void)usleep(ms * 1000);
}

/* Until `count` requests are in the server's hands. */
static void wait_served(int count)
{
    for (int i = 0; i < 30000 && atomic_load(&served) < count; i++) {
        sleep_ms(1);
    }
    assert_true(atomic_load(&served) >= count);
}

/* The first fetches while the others come. */
static void start_all(void)
{
    start_getter(0);
    wait_served(1);
    for (size_t i = 1; i < THREADS; i++) {
        start_getter(i);
    }
}

/* Answers when all have come, however late a busy machine starts them; the last of them has a
 * moment to get from there to its waiting. */
static void slow_server(void *context, struct call *asking, const struct seen_request *asked,
                        struct scripted_answer *answer)
{
    (void)asked;
    atomic_fetch_add(&served, 1);
    while (atomic_load(&begun) < THREADS && call_remaining_ms(asking) > 0) {
        sleep_ms(1);
    }
    sleep_ms(200);
    *answer = *(const struct scripted_answer *)context;
}

static int set_up_threads(void **state)
{
    atomic_store(&begun, 0);
    atomic_store(&served, 0);
    int rc = token_set_up(state);
    fake_clock_run();
    token_fixture_begin(&call);
    return rc;
}

static void one_fetch_for_all(void **state)
{
    struct scripted_answer answer = {.status = 200,
                                     .body = "{\"access_token\":\"t1\",\"expires_in\":3600}"};
    (void)state;
    scripted_http_serve(slow_server, &answer);
    for (size_t i = 0; i < THREADS; i++) {
        start_getter(i);
    }
    for (size_t i = 0; i < THREADS; i++) {
        join_getter(i);
        assert_int_equal(getters[i].rc, EKM_OK);
        assert_string_equal(getters[i].value, "t1");
    }
    assert_int_equal(scripted_http_count(), 1);
}

/* Whoever a machine under load holds up just before it waits asks for itself: but not all of them.
 */
static void expect_few_requests(void)
{
    assert_int_in_range(scripted_http_count(), 1, THREADS / 4);
}

static void one_refusal_for_all(void **state)
{
    static const struct scripted_answer rows[] = {
        {.status = 401,
         .body = "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: x\"}"},
        {.status = 400,
         .body = "{\"error\":\"invalid_scope\",\"error_description\":\"AADSTS7000215: x\"}"},
    };
    static const enum ekm_rc codes[] = {EKM_BAD_CREDENTIALS, EKM_TOKEN_FAILED};
    (void)state;
    for (size_t row = 0; row < 2; row++) {
        struct scripted_answer answer = rows[row];
        token_tear_down(NULL);
        set_up_threads(NULL);
        scripted_http_serve(slow_server, &answer);
        start_all();
        for (size_t i = 0; i < THREADS; i++) {
            join_getter(i);
            assert_int_equal(getters[i].rc, codes[row]);
            assert_int_equal(getters[i].call.error.rc, codes[row]);
            assert_int_equal(getters[i].call.error.aadsts, 7000215);
        }
        expect_few_requests();
    }
}

/* Entra asks for more patience than the calls have: not each of them has to hear it. */
static void one_throttling_for_all(void **state)
{
    struct scripted_answer answer = {.status = 429, .retry_after = "600"};
    (void)state;
    scripted_http_serve(slow_server, &answer);
    start_all();
    for (size_t i = 0; i < THREADS; i++) {
        join_getter(i);
        assert_int_equal(getters[i].rc, EKM_TOKEN_UNAVAILABLE);
    }
    expect_few_requests();
}

/* The first request hangs until its call is aborted or its time is over, later ones are answered.
 */
static void hanging_server(void *context, struct call *asking, const struct seen_request *asked,
                           struct scripted_answer *answer)
{
    (void)context;
    (void)asked;
    if (atomic_fetch_add(&served, 1) > 0) {
        *answer = (struct scripted_answer){.status = 200,
                                           .body = "{\"access_token\":\"t2\",\"expires_in\":3600}"};
        return;
    }
    while (!call_aborted(asking) && call_remaining_ms(asking) > 0) {
        sleep_ms(5);
    }
    answer->rc = call_aborted(asking) ? EKM_CLOSING : EKM_DEADLINE;
}

static void waiters_take_over_from_the_aborted(void **state)
{
    (void)state;
    scripted_http_serve(hanging_server, NULL);
    start_all();
    sleep_ms(50);
    atomic_store(&getters[0].aborted, true);
    for (size_t i = 0; i < THREADS; i++) {
        join_getter(i);
        assert_int_equal(getters[i].rc, i == 0 ? EKM_CLOSING : EKM_OK);
        assert_string_equal(getters[i].value, i == 0 ? "" : "t2");
    }
    assert_int_equal(scripted_http_count(), 2);
}

static void waiters_take_over_from_the_late(void **state)
{
    (void)state;
    scripted_http_serve(hanging_server, NULL);
    start_getter(0);
    wait_served(1);
    config.call_timeout_ms = 60000;
    start_getter(1);
    fake_clock_advance(30000);
    join_getter(0);
    join_getter(1);
    assert_int_equal(getters[0].rc, EKM_DEADLINE);
    assert_int_equal(getters[1].rc, EKM_OK);
    assert_string_equal(getters[1].value, "t2");
    assert_int_equal(scripted_http_count(), 2);
}

static void a_waiter_is_aborted(void **state)
{
    (void)state;
    scripted_http_serve(hanging_server, NULL);
    start_getter(0);
    wait_served(1);
    start_getter(1);
    sleep_ms(50);
    atomic_store(&getters[1].aborted, true);
    join_getter(1);
    assert_int_equal(getters[1].rc, EKM_CLOSING);
    assert_int_in_range(getters[1].took_ms, 0, 20000);
    assert_int_equal(scripted_http_count(), 1);
    atomic_store(&getters[0].aborted, true);
    join_getter(0);
    assert_int_equal(getters[0].rc, EKM_CLOSING);
}

static void a_waiter_runs_out_of_time(void **state)
{
    (void)state;
    scripted_http_serve(hanging_server, NULL);
    start_getter(0);
    wait_served(1);
    config.call_timeout_ms = 1000;
    start_getter(1);
    join_getter(1);
    assert_int_equal(getters[1].rc, EKM_DEADLINE);
    assert_int_in_range(getters[1].took_ms, 900, 20000);
    atomic_store(&getters[0].aborted, true);
    join_getter(0);
}

/* Another's abort is no reason for a failure, at the end of one's own time neither. */
static void an_abort_of_the_fetching_call_does_not_fail_a_waiter(void **state)
{
    (void)state;
    scripted_http_serve(hanging_server, NULL);
    config.call_timeout_ms = 60000;
    start_getter(0);
    wait_served(1);
    config.call_timeout_ms = 10000;
    start_getter(1);
    sleep_ms(100);
    fake_clock_advance(20000);
    atomic_store(&getters[0].aborted, true);
    join_getter(0);
    join_getter(1);
    assert_int_equal(getters[0].rc, EKM_CLOSING);
    assert_int_equal(getters[1].rc, EKM_DEADLINE);
    assert_int_equal(scripted_http_count(), 1);
}

/* Entra refuses the first request, after a while, and answers the next. */
static void server_with_a_bad_start(void *context, struct call *asking,
                                    const struct seen_request *asked,
                                    struct scripted_answer *answer)
{
    (void)context;
    (void)asking;
    (void)asked;
    if (atomic_fetch_add(&served, 1) > 0) {
        *answer = (struct scripted_answer){.status = 200,
                                           .body = "{\"access_token\":\"t2\",\"expires_in\":3600}"};
        return;
    }
    sleep_ms(300);
    *answer = (struct scripted_answer){.status = 429, .retry_after = "600"};
}

/* An early renewal takes little time and gives up soon: those who came to need the token meanwhile
 * have all of theirs. */
static void an_early_failure_is_not_shared(void **state)
{
    (void)state;
    script_token("t1", "3600");
    expect_token("t1", 1);
    fake_clock_advance(3580000);
    scripted_http_serve(server_with_a_bad_start, NULL);
    start_getter(0);
    wait_served(1);
    fake_clock_advance(21000);
    config.call_timeout_ms = 8000; /* it ends when the first one's would */
    start_getter(1);
    join_getter(0);
    join_getter(1);
    assert_string_equal(getters[0].value, "t1");
    assert_int_equal(getters[1].rc, EKM_OK);
    assert_string_equal(getters[1].value, "t2");
}

/* Answers when it is told to. */
struct held {
    atomic_bool go;
    const char *body;
};

static void held_server(void *context, struct call *asking, const struct seen_request *asked,
                        struct scripted_answer *answer)
{
    struct held *held = context;
    (void)asking;
    (void)asked;
    atomic_fetch_add(&served, 1);
    for (int i = 0; i < 30000 && !atomic_load(&held->go); i++) {
        sleep_ms(1);
    }
    *answer = (struct scripted_answer){.status = 200, .body = held->body};
}

/* While one renews early, the others go on with the old token at once. */
static void no_call_waits_for_an_early_renewal(void **state)
{
    struct held held = {false, "{\"access_token\":\"t2\",\"expires_in\":3600}"};
    (void)state;
    script_token("t1", "3600");
    expect_token("t1", 1);
    fake_clock_advance(3310000);
    scripted_http_serve(held_server, &held);
    start_all();
    for (size_t i = 1; i < THREADS; i++) {
        join_getter(i);
        assert_int_equal(getters[i].rc, EKM_OK);
        assert_string_equal(getters[i].value, "t1");
    }
    atomic_store(&held.go, true);
    join_getter(0);
    assert_int_equal(getters[0].rc, EKM_OK);
    assert_string_equal(getters[0].value, "t2");
    assert_int_equal(scripted_http_count(), 2);
    expect_token("t2", 0);
}

/* More tenants than a credential remembers, all at once: those without a place wait for one. */
static void tenants_wait_for_a_place(void **state)
{
    struct held held = {false, "{\"access_token\":\"t1\",\"expires_in\":3600}"};
    (void)state;
    scripted_http_serve(held_server, &held);
    for (size_t i = 0; i < THREADS; i++) {
        struct challenge place = public_cloud;
        (void)snprintf(place.tenant, sizeof place.tenant, "tenant-%zu", i);
        start_at(i, &place);
    }
    wait_served(TOKEN_SLOTS);
    sleep_ms(50);
    assert_int_equal(atomic_load(&served), TOKEN_SLOTS);
    atomic_store(&held.go, true);
    for (size_t i = 0; i < THREADS; i++) {
        join_getter(i);
        assert_int_equal(getters[i].rc, EKM_OK);
        assert_string_equal(getters[i].value, "t1");
    }
    assert_int_equal(scripted_http_count(), THREADS);
}

/* Tokens that expire, are rejected, refused and delayed, sessions that come and go. */
static atomic_bool storm_over;

static void storm_server(void *context, struct call *asking, const struct seen_request *asked,
                         struct scripted_answer *answer)
{
    (void)context;
    (void)asking;
    (void)asked;
    int number = atomic_fetch_add(&served, 1);
    sleep_ms((unsigned)number % 3);
    *answer = (struct scripted_answer){.status = 200,
                                       .body = "{\"access_token\":\"storm\",\"expires_in\":1}"};
    if (number % 7 == 3) {
        *answer = (struct scripted_answer){.status = 400, .body = "{\"error\":\"invalid_scope\"}"};
    } else if (number % 11 == 5) {
        *answer = (struct scripted_answer){.rc = EKM_CLOSING};
    }
}

static void *storm_session(void *context)
{
    struct getter *getter = context;
    unsigned rounds = 0;
    getter->rc = EKM_OK;
    while (!atomic_load(&storm_over)) {
        struct challenge place = public_cloud;
        struct credential *held = NULL;
        struct token *token = NULL;
        char secret[64];
        rounds++;
        (void)snprintf(secret, sizeof secret, HEX_ID "storm-%u", rounds % 5);
        (void)snprintf(place.tenant, sizeof place.tenant, "t%u", rounds / 16 % 12);
        token_fixture_begin(&getter->call);
        if (credential_open(&getter->call, secret, strlen(secret), &held) != EKM_OK) {
            getter->rc = EKM_INTERNAL;
            break;
        }
        enum ekm_rc rc = token_get(&getter->call, held, &place, &token);
        if (rc == EKM_OK) {
            if (strcmp(token_value_of(token), "storm") != 0) {
                getter->rc = EKM_INTERNAL;
            }
            if (rounds % 13 == 0) {
                (void)token_reject(held, &place, token, 0);
            }
        } else if (rc != EKM_TOKEN_FAILED && rc != EKM_CLOSING) {
            getter->rc = rc;
        }
        token_release(token);
        credential_release(held);
    }
    return NULL;
}

static void a_storm(void **state)
{
    (void)state;
    scripted_http_serve(storm_server, NULL);
    atomic_store(&storm_over, false);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&getters[i].thread, NULL, storm_session, &getters[i]), 0);
    }
    sleep_ms(1500);
    wait_served(21);
    atomic_store(&storm_over, true);
    for (size_t i = 0; i < THREADS; i++) {
        join_getter(i);
        assert_int_equal(getters[i].rc, EKM_OK);
    }
}

#define THREADED(name) cmocka_unit_test_setup_teardown(name, set_up_threads, token_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        THREADED(one_fetch_for_all),
        THREADED(one_refusal_for_all),
        THREADED(one_throttling_for_all),
        THREADED(waiters_take_over_from_the_aborted),
        THREADED(waiters_take_over_from_the_late),
        THREADED(a_waiter_is_aborted),
        THREADED(a_waiter_runs_out_of_time),
        THREADED(an_abort_of_the_fetching_call_does_not_fail_a_waiter),
        THREADED(an_early_failure_is_not_shared),
        THREADED(no_call_waits_for_an_early_renewal),
        THREADED(tenants_wait_for_a_place),
        THREADED(a_storm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
