// wrap: http_perform http_perform_all plat_now_ms plat_unix_time_ms plat_cond_wait_until
// with: scripted_http.c fake_clock.c
/* Retries until a final response, the deadline, or the abort (specification.md section 7). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "fake_clock.h"
#include "net/backoff.h"
#include "net/http_retry.h"
#include "scripted_http.h"

struct fixture {
    struct config config;
    struct call call;
    struct http_request request;
    struct http_response response;
    atomic_bool aborted;
};
static struct fixture fx;

static int set_up(void **state)
{
    (void)state;
    fake_clock_reset();
    scripted_http_reset();
    http_retry_reset();
    config_defaults(&fx.config);
    call_begin(&fx.call, "Test", &fx.config);
    atomic_store(&fx.aborted, false);
    fx.call.session_aborted = &fx.aborted;
    fx.request = (struct http_request){
        .method = HTTP_GET, .url = "https://a.vault.azure.net/keys/n", .host = "a.vault.azure.net"};
    http_response_init(&fx.response);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    http_response_free(&fx.response);
    return 0;
}

static void start_over(void)
{
    (void)tear_down(NULL);
    (void)set_up(NULL);
}

static void begin_with(uint32_t call_timeout_ms)
{
    fx.config.call_timeout_ms = call_timeout_ms;
    call_begin(&fx.call, "Test", &fx.config);
    fx.call.session_aborted = &fx.aborted;
}

static enum ekm_rc test_http_retry_perform(void)
{
    return http_retry_perform(&fx.call, &fx.request, &fx.response);
}

static uint64_t elapsed_ms(void)
{
    return plat_now_ms() - fx.call.start_ms;
}

static void http_retry_always(void *context, struct call *call, const struct seen_request *asked,
                              struct scripted_answer *response)
{
    (void)call;
    (void)asked;
    *response = *(const struct scripted_answer *)context;
}

static void one_request_when_all_is_well(void **state)
{
    (void)state;
    scripted_http_add(&(struct scripted_answer){.status = 200, .body = "{}"});
    assert_int_equal(test_http_retry_perform(), EKM_OK);
    assert_int_equal(fx.response.status, 200);
    assert_string_equal(buf_text(&fx.response.body), "{}");
    assert_int_equal(fx.call.tries, 1);
    assert_int_equal(elapsed_ms(), 0);
}

static void statuses_that_stand(void **state)
{
    static const long stand[] = {200, 204, 301, 302, 400, 401, 403, 404, 409, 501};
    (void)state;
    for (size_t i = 0; i < sizeof stand / sizeof stand[0]; i++) {
        scripted_http_reset();
        scripted_http_add(&(struct scripted_answer){.status = stand[i]});
        assert_int_equal(test_http_retry_perform(), EKM_OK);
        assert_int_equal(fx.response.status, stand[i]);
        assert_int_equal(scripted_http_count(), 1);
    }
}

static void statuses_that_are_repeated(void **state)
{
    static const long again[] = {408, 429, 500, 502, 503, 504};
    (void)state;
    for (size_t i = 0; i < sizeof again / sizeof again[0]; i++) {
        start_over();
        scripted_http_add(&(struct scripted_answer){.status = again[i]});
        scripted_http_add(&(struct scripted_answer){.status = 200});
        assert_int_equal(test_http_retry_perform(), EKM_OK);
        assert_int_equal(fx.response.status, 200);
        assert_int_equal(scripted_http_count(), 2);
        assert_int_equal(fx.call.tries, 2);
        assert_int_in_range(elapsed_ms(), 1, (2 * BACKOFF_BASE_MS));
        assert_int_equal(fx.call.error.rc, EKM_OK);
    }
}

static void failures_that_are_repeated(void **state)
{
    static const enum ekm_rc again[] = {EKM_HOST_NOT_RESOLVED, EKM_CONNECT_FAILED,
                                        EKM_TLS_FAILED,        EKM_NO_ANSWER,
                                        EKM_CONNECTION_BROKEN, EKM_PROXY_UNREACHABLE};
    (void)state;
    for (size_t i = 0; i < sizeof again / sizeof again[0]; i++) {
        start_over();
        scripted_http_add(&(struct scripted_answer){.rc = again[i], .maybe_sent = true});
        scripted_http_add(&(struct scripted_answer){.status = 404});
        assert_int_equal(test_http_retry_perform(), EKM_OK);
        assert_int_equal(fx.response.status, 404);
        assert_int_equal(scripted_http_count(), 2);
        assert_int_equal(fx.call.error.rc, EKM_OK);
    }
}

static void failures_that_are_final(void **state)
{
    static const enum ekm_rc final[] = {EKM_CERTIFICATE_REFUSED, EKM_PROXY,    EKM_ANSWER_TOO_BIG,
                                        EKM_OUT_OF_MEMORY,       EKM_INTERNAL, EKM_CLOSING};
    (void)state;
    for (size_t i = 0; i < sizeof final / sizeof final[0]; i++) {
        start_over();
        scripted_http_add(&(struct scripted_answer){.rc = final[i]});
        assert_int_equal(test_http_retry_perform(), final[i]);
        assert_int_equal(fx.call.error.rc, final[i]);
        assert_int_equal(scripted_http_count(), 1);
        assert_int_equal(elapsed_ms(), 0);
    }
}

static void failing_server_until_the_deadline(void **state)
{
    struct scripted_answer response = {.status = 503}; /* at once: the deadline cuts no try off */
    (void)state;
    scripted_http_serve(http_retry_always, &response);
    assert_int_equal(test_http_retry_perform(), EKM_OK);
    assert_int_equal(fx.response.status, 503);
    assert_int_in_range(elapsed_ms(), 10000, 30000);
    assert_int_in_range(scripted_http_count(), 5, 2000);
    assert_int_equal(fx.call.tries, scripted_http_count());
}

static void refused_connection_until_the_deadline(void **state)
{
    struct scripted_answer response = {.rc = EKM_CONNECT_FAILED};
    (void)state;
    scripted_http_serve(http_retry_always, &response);
    assert_int_equal(test_http_retry_perform(), EKM_CONNECT_FAILED);
    assert_int_equal(fx.call.error.rc, EKM_CONNECT_FAILED);
    assert_int_in_range(elapsed_ms(), 10000, 30000);
    assert_true(scripted_http_count() >= 5);
}

static void gone_until_shortly_before_the_deadline(void *context, struct call *call,
                                                   const struct seen_request *asked,
                                                   struct scripted_answer *response)
{
    (void)context;
    (void)asked;
    bool gone = call_remaining_ms(call) > 1000;
    *response = (struct scripted_answer){.rc = gone ? EKM_CONNECT_FAILED : EKM_OK, .status = 200};
}

/* No wait of our own choice is so long that the end of an outage is missed. */
static void tries_go_on_until_the_end(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        start_over();
        scripted_http_serve(gone_until_shortly_before_the_deadline, NULL);
        assert_int_equal(test_http_retry_perform(), EKM_OK);
        assert_int_equal(fx.response.status, 200);
        assert_int_in_range(scripted_http_count(), 5, 60);
    }
}

/* A host whose 429 has no Retry-After is asked again soon, whatever happened before. */
static void throttled_call_asks_again_soon(void **state)
{
    struct scripted_answer response = {.status = 429};
    (void)state;
    scripted_http_serve(http_retry_always, &response);
    enum ekm_rc rc = test_http_retry_perform();
    assert_true(rc == EKM_THROTTLED || (rc == EKM_OK && fx.response.status == 429));
    assert_int_in_range(elapsed_ms(), 28000, 30000);
    assert_int_in_range(scripted_http_count(), 16, 120);
}

static void silent_server_is_no_answer(void **state)
{
    struct scripted_answer response = {.status = 200, .takes_ms = 1000000};
    (void)state;
    scripted_http_serve(http_retry_always, &response);
    assert_int_equal(test_http_retry_perform(), EKM_NO_ANSWER);
    assert_int_equal(fx.call.error.rc, EKM_NO_ANSWER);
    assert_int_in_range(elapsed_ms(), 20000, 30000);
    assert_int_in_range(scripted_http_count(), 2, 4);
}

static void deadline_within_the_first_try(void **state)
{
    struct scripted_answer response = {.status = 200, .takes_ms = 1000000};
    (void)state;
    begin_with(1000);
    scripted_http_serve(http_retry_always, &response);
    assert_int_equal(test_http_retry_perform(), EKM_DEADLINE);
    assert_int_equal(fx.call.error.rc, EKM_DEADLINE);
    assert_int_equal(scripted_http_count(), 1);
    assert_int_equal(elapsed_ms(), 1000);
}

static void deadline_after_a_try_that_ended(void **state)
{
    (void)state;
    begin_with(9000);
    scripted_http_add(&(struct scripted_answer){.status = 503});
    scripted_http_add(&(struct scripted_answer){.status = 200, .takes_ms = 1000000});
    assert_int_equal(test_http_retry_perform(), EKM_SERVER_ERROR);
    assert_int_equal(fx.call.error.rc, EKM_SERVER_ERROR);
    assert_int_equal(scripted_http_count(), 2);
}

/* The body of a response may decide what its status alone does not. */
static enum ekm_rc read_refusal(struct call *call, const struct http_response *response)
{
    bool passes = strstr(buf_text(&response->body), "passes") != NULL;
    return call_fail(call, passes ? EKM_KEY_BUSY : EKM_REQUEST_REFUSED, "read");
}

static void answers_that_pass_by_their_body(void **state)
{
    (void)state;
    fx.request.refusal = read_refusal;
    scripted_http_add(&(struct scripted_answer){.status = 409, .body = "passes"});
    scripted_http_add(&(struct scripted_answer){.status = 503, .body = "stands"});
    assert_int_equal(test_http_retry_perform(), EKM_OK);
    assert_int_equal(fx.response.status, 503);
    assert_int_equal(scripted_http_count(), 2);
    /* Where time runs out, its meaning stays. */
    begin_with(9000);
    scripted_http_add(&(struct scripted_answer){.status = 409, .body = "passes"});
    scripted_http_add(&(struct scripted_answer){.status = 200, .takes_ms = 1000000});
    assert_int_equal(test_http_retry_perform(), EKM_KEY_BUSY);
    assert_int_equal(fx.call.error.rc, EKM_KEY_BUSY);
    fx.request.refusal = NULL;
}

static void no_time_left_sends_nothing(void **state)
{
    (void)state;
    fake_clock_advance(30000);
    assert_int_equal(test_http_retry_perform(), EKM_DEADLINE);
    assert_int_equal(scripted_http_count(), 0);
}

static void retry_after_is_honoured(void **state)
{
    static const char *const asked[] = {"7", "Tue, 14 Nov 2023 22:13:27 GMT"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        start_over();
        scripted_http_add(&(struct scripted_answer){.status = 503, .retry_after = asked[i]});
        scripted_http_add(&(struct scripted_answer){.status = 200});
        assert_int_equal(test_http_retry_perform(), EKM_OK);
        assert_int_equal(fx.response.status, 200);
        assert_int_in_range(elapsed_ms(), 7000, 7000 + (2 * BACKOFF_BASE_MS));
    }
}

static void retry_after_beyond_the_deadline_fails_at_once(void **state)
{
    (void)state;
    scripted_http_add(&(struct scripted_answer){.status = 429, .retry_after = "31"});
    assert_int_equal(test_http_retry_perform(), EKM_OK);
    assert_int_equal(fx.response.status, 429);
    assert_int_equal(scripted_http_count(), 1);
    assert_int_equal(elapsed_ms(), 0);
}

/* Even a call that gives up leaves word for those with more time. */
static void throttling_slows_other_calls_to_the_host(void **state)
{
    (void)state;
    begin_with(5000);
    scripted_http_add(&(struct scripted_answer){.status = 429, .retry_after = "10"});
    scripted_http_add(&(struct scripted_answer){.status = 200});
    assert_int_equal(test_http_retry_perform(), EKM_OK);
    assert_int_equal(fx.response.status, 429);
    begin_with(30000);
    assert_int_equal(test_http_retry_perform(), EKM_OK);
    assert_int_equal(fx.response.status, 200);
    assert_int_in_range(elapsed_ms(), 10000, 10000 + (2 * BACKOFF_BASE_MS));
}

/* As vault_refusal does. */
static enum ekm_rc say_throttled(struct call *call, const struct http_response *response)
{
    call->error.http_status = response->status;
    (void)text_copy(call->error.azure_code, sizeof call->error.azure_code, "Throttled");
    return call_fail(call, EKM_THROTTLED, "said to me");
}

/* A call that waits because of another call's 429 and never gets its turn reports that call's
 * response. */
static void a_call_in_vain_says_what_another_heard(void **state)
{
    (void)state;
    fx.request.refusal = say_throttled;
    scripted_http_add(&(struct scripted_answer){.status = 429, .retry_after = "1000"});
    assert_int_equal(test_http_retry_perform(), EKM_OK);
    begin_with(900);
    scripted_http_add(&(struct scripted_answer){.status = 429, .retry_after = "1000"});
    assert_int_equal(test_http_retry_perform(), EKM_OK); /* a probe */
    begin_with(900);
    assert_int_equal(test_http_retry_perform(), EKM_THROTTLED);
    assert_int_equal(scripted_http_count(), 2);
    assert_int_equal(fx.call.error.http_status, 429);
    assert_string_equal(fx.call.error.azure_code, "Throttled");
    assert_non_null(strstr(fx.call.error.note, "another call"));
    assert_string_equal(fx.call.error.request_id, "");
}

static void throttling_does_not_slow_other_hosts(void **state)
{
    (void)state;
    begin_with(5000);
    scripted_http_add(&(struct scripted_answer){.status = 429, .retry_after = "10"});
    scripted_http_add(&(struct scripted_answer){.status = 200});
    assert_int_equal(test_http_retry_perform(), EKM_OK);
    fx.request.host = "b.vault.azure.net";
    begin_with(30000);
    assert_int_equal(test_http_retry_perform(), EKM_OK);
    assert_int_equal(fx.response.status, 200);
    assert_int_equal(elapsed_ms(), 0);
}

static void reset_forgets_wishes(void **state)
{
    (void)state;
    begin_with(5000);
    scripted_http_add(&(struct scripted_answer){.status = 429, .retry_after = "10"});
    scripted_http_add(&(struct scripted_answer){.status = 200});
    assert_int_equal(test_http_retry_perform(), EKM_OK);
    http_retry_reset();
    begin_with(30000);
    assert_int_equal(test_http_retry_perform(), EKM_OK);
    assert_int_equal(elapsed_ms(), 0);
}

/* The table of hosts is bounded: strangers push out the oldest wish, nothing else happens. */
static void many_throttled_hosts(void **state)
{
    static char hosts[100][32];
    struct scripted_answer response = {.status = 429, .retry_after = "10"};
    (void)state;
    scripted_http_serve(http_retry_always, &response);
    for (int i = 0; i < 100; i++) {
        begin_with(5000);
        hosts[i][0] = (char)('a' + i / 26);
        hosts[i][1] = (char)('a' + i % 26);
        fx.request.host = hosts[i];
        assert_int_equal(test_http_retry_perform(), EKM_OK);
        assert_int_equal(fx.response.status, 429);
    }
    assert_int_equal(scripted_http_count(), 100);
}

static void once_is_repeated_only_if_it_never_left(void **state)
{
    (void)state;
    fx.request.once = true;
    scripted_http_add(&(struct scripted_answer){.rc = EKM_CONNECT_FAILED});
    scripted_http_add(&(struct scripted_answer){.rc = EKM_NO_ANSWER, .maybe_sent = true});
    assert_int_equal(test_http_retry_perform(), EKM_NO_ANSWER);
    assert_int_equal(scripted_http_count(), 2);
    scripted_http_add(&(struct scripted_answer){.status = 503});
    assert_int_equal(test_http_retry_perform(), EKM_OK);
    assert_int_equal(fx.response.status, 503);
    assert_int_equal(scripted_http_count(), 3);
}

/* Gives "1", "2", ...; but fails when it was asked for so many. */
struct rewriter {
    unsigned given, fails_at;
};

static enum ekm_rc http_retry_rewrite(struct call *call, void *context, struct buf *body)
{
    struct rewriter *rewriter = context;
    return ++rewriter->given == rewriter->fails_at ? call_fail(call, EKM_OUT_OF_MEMORY, "the body")
                                                   : buf_append_format(body, "%u", rewriter->given);
}

static void each_repeat_has_a_body_of_its_own(void **state)
{
    static const char *const bodies[] = {"first", "1", "1", "3"};
    struct rewriter rewriter = {0, 2};
    (void)state;
    fx.request.method = HTTP_POST;
    fx.request.body = (const uint8_t *)bodies[0];
    fx.request.body_len = strlen(bodies[0]);
    fx.request.rewrite = http_retry_rewrite;
    fx.request.context = &rewriter;
    for (int i = 0; i < 3; i++) {
        scripted_http_add(&(struct scripted_answer){.rc = EKM_CONNECTION_BROKEN});
    }
    scripted_http_add(&(struct scripted_answer){.status = 200});
    assert_int_equal(test_http_retry_perform(), EKM_OK);
    assert_int_equal(scripted_http_count(), 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_string_equal(scripted_http_seen(i)->body, bodies[i]);
    }
    assert_int_equal(fx.call.error.rc, EKM_OK);
}

static void abort_on_503(void *context, struct call *call, const struct seen_request *asked,
                         struct scripted_answer *response)
{
    (void)context;
    (void)call;
    (void)asked;
    atomic_store(&fx.aborted, true);
    *response = (struct scripted_answer){.status = 503, .retry_after = "20"};
}

static void abort_ends_the_wait(void **state)
{
    (void)state;
    scripted_http_serve(abort_on_503, NULL);
    assert_int_equal(test_http_retry_perform(), EKM_CLOSING);
    assert_int_equal(fx.call.error.rc, EKM_CLOSING);
    assert_int_equal(scripted_http_count(), 1);
    assert_int_in_range(elapsed_ms(), 0, 1000);
}

static void aborted_call_sends_nothing(void **state)
{
    (void)state;
    atomic_store(&fx.aborted, true);
    assert_int_equal(test_http_retry_perform(), EKM_CLOSING);
    assert_int_equal(scripted_http_count(), 0);
}

/* The waits of one request do not grow with the requests that the call made before. */
static void waits_begin_small_for_each_request(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++) {
        begin_with(30000);
        fx.call.tries = 12;
        scripted_http_add(&(struct scripted_answer){.rc = EKM_CONNECT_FAILED});
        scripted_http_add(&(struct scripted_answer){.status = 200});
        assert_int_equal(test_http_retry_perform(), EKM_OK);
        assert_int_in_range(elapsed_ms(), 1, (2 * BACKOFF_BASE_MS));
        scripted_http_reset();
    }
}

/* In parallel, without retries. A 429 among them slows later calls, and nothing is sent to a host
 * that asked for a pause. */
static void tries_together_do_not_repeat(void **state)
{
    struct http_response answers[2];
    struct http_item items[2];
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        http_response_init(&answers[i]);
        items[i] = (struct http_item){.request = &fx.request, .response = &answers[i]};
    }
    scripted_http_add(&(struct scripted_answer){.status = 503});
    scripted_http_add(&(struct scripted_answer){.status = 429, .retry_after = "7"});
    scripted_http_add(&(struct scripted_answer){.status = 200});
    assert_true(http_retry_try_all(&fx.call, items, 2));
    assert_int_equal(answers[0].status, 503);
    assert_int_equal(answers[1].status, 429);
    assert_int_equal(fx.call.error.rc, EKM_OK);
    assert_int_equal(elapsed_ms(), 0);
    assert_false(http_retry_try_all(&fx.call, items, 2));
    assert_int_equal(scripted_http_count(), 2);
    assert_int_equal(test_http_retry_perform(), EKM_OK);
    assert_int_in_range(elapsed_ms(), 7000, 7000 + (2 * BACKOFF_BASE_MS));
    http_response_free(&answers[0]);
    http_response_free(&answers[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_request_when_all_is_well),
        TEST(statuses_that_stand),
        TEST(statuses_that_are_repeated),
        TEST(failures_that_are_repeated),
        TEST(failures_that_are_final),
        TEST(failing_server_until_the_deadline),
        TEST(refused_connection_until_the_deadline),
        TEST(tries_go_on_until_the_end),
        TEST(throttled_call_asks_again_soon),
        TEST(silent_server_is_no_answer),
        TEST(deadline_within_the_first_try),
        TEST(deadline_after_a_try_that_ended),
        TEST(answers_that_pass_by_their_body),
        TEST(no_time_left_sends_nothing),
        TEST(retry_after_is_honoured),
        TEST(retry_after_beyond_the_deadline_fails_at_once),
        TEST(throttling_slows_other_calls_to_the_host),
        TEST(a_call_in_vain_says_what_another_heard),
        TEST(throttling_does_not_slow_other_hosts),
        TEST(reset_forgets_wishes),
        TEST(many_throttled_hosts),
        TEST(once_is_repeated_only_if_it_never_left),
        TEST(each_repeat_has_a_body_of_its_own),
        TEST(abort_ends_the_wait),
        TEST(aborted_call_sends_nothing),
        TEST(waits_begin_small_for_each_request),
        TEST(tries_together_do_not_repeat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
