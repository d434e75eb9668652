// only: posix
// with: http_fixture.c
// uses: akvekm_tls_server
/* Requests whose answer is late, sent once more (specification.md section 7): real requests to a
 * server that is slow, silent or in trouble. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "http_fixture.h"
#include "net/hedge.h"
#include "net/http_hedge.h"
#include "net/http_retry.h"
#include "net/throttle.h"
#include "platform/system.h"
#include "tls_server.h"

/* Far below the try's time, and beyond what a busy machine takes for a request. */
#define SOON_MS 5000
/* The further time of a response that has begun. */
#define WENT_ON_MS 500

static int set_up(void **state)
{
    tls_server_manner(TLS_NORMAL);
    http_retry_reset();
    return http_set_up(state);
}

/* A connection is open, and from now on an answer is late after 50 ms, however busy this machine
 * is. */
static void get_known(void)
{
    http_fixture_expect("/ok", EKM_OK);
    http_retry_reset();
    for (int i = 0; i < 32; i++) {
        const uint64_t now_ms = plat_now_ms();
        const struct hedge_response answer = {.posted = i % 2 == 1,
                                              .kept = true,
                                              .status = 200,
                                              .sent_ms = now_ms,
                                              .now_ms = now_ms + 1};
        hedge_note_response(HOST, &answer);
    }
    http_fixture_begin();
}

static void a_silent_connection(void **state)
{
    (void)state;
    get_known();
    int connections = tls_server_connections();
    tls_server_turn(0);
    http_fixture_expect("/ok", EKM_OK);
    assert_int_equal(http.response.status, 200);
    assert_string_equal(buf_text(&http.response.body), "{\"ok\":true}");
    assert_in_range(http_fixture_elapsed_ms(), 0, SOON_MS);
    assert_true(http.call.hedge_won);
    /* On a busy machine the new connection can be late as well. */
    assert_in_range(tls_server_connections() - connections, 1, HTTP_COPIES);
    /* The new one is kept, the silent one closed. */
    connections = tls_server_connections();
    http_fixture_begin();
    http_fixture_expect("/ok", EKM_OK);
    assert_false(http.call.hedged);
    assert_int_equal(tls_server_connections(), connections);
    for (int i = 0; i < 500 && tls_server_open() > 1; i++) {
        (void)usleep(10000);
    }
    assert_int_equal(tls_server_open(), 1);
}

/* The first one's answer stops in its middle: no byte of it becomes the caller's, and its
 * connection is used no more. */
static void half_an_answer(void **state)
{
    (void)state;
    get_known();
    int connections = tls_server_connections();
    tls_server_turn(TLS_TURNED_HALF);
    http_fixture_expect("/ok", EKM_OK);
    assert_true(http.call.hedge_won);
    assert_int_equal(http.response.status, 200);
    assert_string_equal(buf_text(&http.response.body), "{\"ok\":true}");
    assert_string_equal(http.response.request_id, "id-1");
    assert_string_equal(http.response.content_type, "");
    assert_string_equal(http.call.request_id, "id-1");
    assert_in_range(http_fixture_elapsed_ms(), 0, SOON_MS);
    assert_in_range(tls_server_connections(), connections + 1, connections + HTTP_COPIES);
    connections = tls_server_connections();
    for (int i = 0; i < 500 && tls_server_open() > 1; i++) {
        (void)usleep(10000);
    }
    assert_int_equal(tls_server_open(), 1);
    http.config.hedge = false;
    for (int i = 0; i < 10; i++) {
        http_fixture_begin();
        http_fixture_expect(i % 2 == 0 ? "/echo" : "/ok", EKM_OK);
        assert_null(strstr(buf_text(&http.response.body), "half"));
    }
    assert_int_equal(tls_server_connections(), connections);
}

/* It is slow everywhere: what was asked first answers first, and the other is given up. */
static void a_slow_answer(void **state)
{
    (void)state;
    get_known();
    int requests = tls_server_requests();
    http_fixture_expect("/late", EKM_OK);
    assert_int_equal(http.response.status, 200);
    assert_in_range(http_fixture_elapsed_ms(), 290, SOON_MS);
    assert_true(http.call.hedged && !http.call.hedge_won);
    assert_in_range(tls_server_requests() - requests, 1, 1 + HTTP_COPIES);
    http_fixture_expect("/ok", EKM_OK);
}

static void it_can_be_switched_off(void **state)
{
    (void)state;
    get_known();
    http.config.hedge = false;
    int connections = tls_server_connections();
    http_fixture_expect("/late", EKM_OK);
    assert_false(http.call.hedged);
    assert_int_equal(tls_server_connections(), connections);
}

static void test_http_hedge_ask(struct http_request request)
{
    request.url = "https://" HOST "/late";
    request.host = HOST;
    http_fixture_begin();
    assert_int_equal(http_perform(&http.call, &request, &http.response), EKM_OK);
}

/* A request with effects is sent once. */
static void http_hedge_effects(void **state)
{
    static const uint8_t body[] = "{}";
    (void)state;
    get_known();
    int requests = tls_server_requests();
    test_http_hedge_ask((struct http_request){.method = HTTP_DELETE});
    test_http_hedge_ask((struct http_request){.method = HTTP_POST,
                                              .once = true,
                                              .body = body,
                                              .body_len = 2,
                                              .content_type = "application/json"});
    assert_int_equal(tls_server_requests(), requests + 2);
    assert_false(http.call.hedged);
}

static void the_body_is_sent_again(void **state)
{
    static const uint8_t body[] = "{\"value\":\"x\"}";
    static const struct http_request request = {.method = HTTP_POST,
                                                .url = "https://" HOST "/echo",
                                                .host = HOST,
                                                .body = body,
                                                .body_len = sizeof body - 1,
                                                .secret_body = true,
                                                .content_type = "application/json"};
    uint64_t least_ms = UINT64_MAX;
    (void)state;
    for (int i = 0; i < 5 && least_ms >= WENT_ON_MS; i++) {
        get_known();
        tls_server_turn(0);
        assert_int_equal(http_perform(&http.call, &request, &http.response), EKM_OK);
        assert_non_null(strstr(buf_text(&http.response.body), (const char *)body));
        assert_true(http.call.hedge_won);
        uint64_t took_ms = http_fixture_elapsed_ms();
        least_ms = took_ms < least_ms ? took_ms : least_ms;
    }
    /* What was sent is no part of a response that goes on. */
    assert_in_range(least_ms, 0, WENT_ON_MS);
}

static enum ekm_rc test_http_hedge_rewrite(struct call *call, void *context, struct buf *body)
{
    int *times = context;
    return ++*times == 1 ? buf_append_text(body, "{\"value\":\"another\"}")
                         : call_fail(call, EKM_OUT_OF_MEMORY, "the body");
}

/* A body that counts once: the copy has one of its own, and without one there is none. */
static void a_copy_has_a_body_of_its_own(void **state)
{
    static const uint8_t body[] = "{\"value\":\"x\"}";
    int times = 0;
    struct http_request request = {.method = HTTP_POST,
                                   .url = "https://" HOST "/echo",
                                   .host = HOST,
                                   .body = body,
                                   .body_len = sizeof body - 1,
                                   .secret_body = true,
                                   .rewrite = test_http_hedge_rewrite,
                                   .context = &times,
                                   .content_type = "application/json"};
    (void)state;
    get_known();
    tls_server_turn(0);
    assert_int_equal(http_perform(&http.call, &request, &http.response), EKM_OK);
    assert_non_null(strstr(buf_text(&http.response.body), "another"));
    assert_null(strstr(buf_text(&http.response.body), (const char *)body));
    int requests = tls_server_requests(), before = times;
    request.url = "https://" HOST "/late";
    assert_int_equal(http_perform(&http.call, &request, &http.response), EKM_OK);
    assert_int_equal(http.response.status, 200);
    assert_int_equal(tls_server_requests(), requests + 1);
    assert_int_equal(http.call.error.rc, EKM_OK);
    assert_int_equal(times, before + 1); /* nobody is asked for a body again and again */
}

static void http_hedge_script(const char *text)
{
    tls_server_script(text, strlen(text), 0);
    tls_server_manner(TLS_SCRIPT);
}

/* New connections lead to one that is sick: that ends nothing while the first may still answer. */
static void the_second_fails(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\nhere",
        "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 2"};
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        tls_server_manner(TLS_NORMAL);
        get_known();
        http_hedge_script(answers[i]);
        http_fixture_expect("/late", EKM_OK);
        assert_int_equal(http.response.status, 200);
        assert_string_equal(buf_text(&http.response.body), "{\"ok\":true}");
        assert_true(http.call.hedged && !http.call.hedge_won);
        assert_int_equal(http.call.error.rc, EKM_OK);
    }
    tls_server_manner(TLS_NORMAL);
    get_known();
    tls_server_manner(TLS_BROKEN);
    http_fixture_expect("/late", EKM_OK);
    assert_int_equal(http.response.status, 200);
}

/* It refuses the token, or the key that was sent once: that is for the caller, who has another. */
static void the_second_is_refused(void **state)
{
    const struct http_request request = {.method = HTTP_GET,
                                         .url = "https://" HOST "/ok",
                                         .host = HOST,
                                         .authorization = "Authorization: Bearer x"};
    (void)state;
    get_known();
    tls_server_turn(0);
    http_hedge_script("HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n"
                      "WWW-Authenticate: Bearer a=\"b\"\r\nContent-Length: 2\r\n\r\n{}");
    assert_int_equal(http_perform(&http.call, &request, &http.response), EKM_OK);
    assert_int_equal(http.response.status, 401);
    assert_string_equal(http.response.authenticate, "Bearer a=\"b\"");
    assert_in_range(http_fixture_elapsed_ms(), 0, SOON_MS);
}

/* And the host has asked for patience. */
static void the_second_is_throttled(void **state)
{
    struct throttle_pass pass;
    (void)state;
    get_known();
    http_hedge_script("HTTP/1.1 429 Slow\r\nRetry-After: 9\r\nContent-Length: 0\r\n\r\n");
    http_fixture_expect("/late", EKM_OK);
    assert_int_equal(http.response.status, 200);
    assert_false(throttle_try_acquire(HOST, &pass));
    tls_server_manner(TLS_NORMAL);
    int requests = tls_server_requests();
    http_fixture_begin();
    http_fixture_expect("/late", EKM_OK);
    assert_int_equal(tls_server_requests(), requests + 1);
    assert_false(http.call.hedged);
}

/* Both fail: the outcome is an answer's before a connection's. */
static void both_fail(void **state)
{
    (void)state;
    get_known();
    tls_server_turn(0);
    http_hedge_script("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
    http.config.try_timeout_ms = 800;
    http_fixture_expect("/ok", EKM_OK);
    assert_int_equal(http.response.status, 503);
    assert_in_range(http_fixture_elapsed_ms(), 790, SOON_MS);
    tls_server_manner(TLS_SILENT);
    http_fixture_begin();
    http_fixture_expect("/ok", EKM_CONNECT_FAILED);
    assert_int_equal(http.response.status, 0);
    assert_in_range(http_fixture_elapsed_ms(), 790, SOON_MS);
}

struct asker {
    pthread_t thread;
    enum ekm_rc rc;
};

static void *ask_in_thread(void *context)
{
    struct asker *asker = context;
    asker->rc = http_fixture_ask(HOST, "/ok");
    return NULL;
}

static void wait_for_connections(int count)
{
    for (int i = 0; i < 2000 && tls_server_connections() < count; i++) {
        (void)usleep(5000);
    }
    assert_in_range(tls_server_connections(), count, count + HTTP_COPIES);
}

/* A handshake that gets no answer, as when a packet of it was lost. */
static void a_connection_that_does_not_come_about(void **state)
{
    struct asker asker;
    (void)state;
    int connections = tls_server_connections();
    tls_server_manner(TLS_SILENT);
    assert_int_equal(pthread_create(&asker.thread, NULL, ask_in_thread, &asker), 0);
    wait_for_connections(connections + 1);
    (void)usleep(400000); /* its thread has seen how to behave */
    tls_server_manner(TLS_NORMAL);
    assert_int_equal(pthread_join(asker.thread, NULL), 0);
    assert_int_equal(asker.rc, EKM_OK);
    assert_int_equal(http.response.status, 200);
    assert_in_range(http_fixture_elapsed_ms(), 900, SOON_MS);
    assert_true(http.call.hedge_won);
}

/* Another request is refused while the second one's connection is made: it is not sent then. */
static void a_refusal_meanwhile(void **state)
{
    struct asker asker;
    struct throttle_pass pass;
    (void)state;
    get_known();
    http.config.try_timeout_ms = 1500;
    int connections = tls_server_connections(), requests = tls_server_requests();
    tls_server_turn(0);
    tls_server_manner(TLS_LATE);
    assert_int_equal(pthread_create(&asker.thread, NULL, ask_in_thread, &asker), 0);
    wait_for_connections(connections + 1);
    assert_true(throttle_try_acquire(HOST, &pass));
    throttle_release(HOST, &pass, THROTTLE_REFUSED, 60000);
    assert_int_equal(pthread_join(asker.thread, NULL), 0);
    assert_int_equal(asker.rc, EKM_NO_ANSWER);
    assert_int_equal(tls_server_requests(), requests + 1);
    assert_false(http.call.hedge_won);
}

/* An abort ends both. */
static void an_abort(void **state)
{
    struct asker asker;
    (void)state;
    get_known();
    int connections = tls_server_connections();
    tls_server_turn(0);
    tls_server_manner(TLS_SILENT);
    assert_int_equal(pthread_create(&asker.thread, NULL, ask_in_thread, &asker), 0);
    wait_for_connections(connections + 1);
    atomic_store(&http.aborted, true);
    assert_int_equal(pthread_join(asker.thread, NULL), 0);
    assert_int_equal(asker.rc, EKM_CLOSING);
    assert_int_equal(http.response.status, 0);
    assert_in_range(http_fixture_elapsed_ms(), 0, SOON_MS);
    for (int i = 0; i < 500 && tls_server_open() > 0; i++) {
        (void)usleep(10000);
    }
    assert_int_equal(tls_server_open(), 0);
}

#define ITEMS 20

/* All of a handle's connections are silent, and more is asked than goes at once. */
static void many_at_once(void **state)
{
    static struct http_item items[ITEMS];
    static struct http_response responses[ITEMS];
    const struct http_request request = {
        .method = HTTP_GET, .url = "https://" HOST "/ok", .host = HOST};
    (void)state;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < ITEMS; i++) {
            http_response_init(&responses[i]);
            items[i] = (struct http_item){.request = &request, .response = &responses[i]};
        }
        http_fixture_begin();
        assert_int_equal(http_perform_all(&http.call, items, ITEMS), EKM_OK);
        for (size_t i = 0; i < ITEMS; i++) {
            assert_int_equal(items[i].rc, EKM_OK);
            assert_int_equal(responses[i].status, 200);
            assert_null(items[i].copies);
            http_response_free(&responses[i]);
        }
        assert_in_range(http_fixture_elapsed_ms(), 0, SOON_MS);
        if (round == 0) {
            tls_server_turn(0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_silent_connection, set_up, http_tear_down),
        cmocka_unit_test_setup_teardown(half_an_answer, set_up, http_tear_down),
        cmocka_unit_test_setup_teardown(a_slow_answer, set_up, http_tear_down),
        cmocka_unit_test_setup_teardown(it_can_be_switched_off, set_up, http_tear_down),
        cmocka_unit_test_setup_teardown(http_hedge_effects, set_up, http_tear_down),
        cmocka_unit_test_setup_teardown(the_body_is_sent_again, set_up, http_tear_down),
        cmocka_unit_test_setup_teardown(a_copy_has_a_body_of_its_own, set_up, http_tear_down),
        cmocka_unit_test_setup_teardown(the_second_fails, set_up, http_tear_down),
        cmocka_unit_test_setup_teardown(the_second_is_refused, set_up, http_tear_down),
        cmocka_unit_test_setup_teardown(the_second_is_throttled, set_up, http_tear_down),
        cmocka_unit_test_setup_teardown(both_fail, set_up, http_tear_down),
        cmocka_unit_test_setup_teardown(a_connection_that_does_not_come_about, set_up,
                                        http_tear_down),
        cmocka_unit_test_setup_teardown(a_refusal_meanwhile, set_up, http_tear_down),
        cmocka_unit_test_setup_teardown(an_abort, set_up, http_tear_down),
        cmocka_unit_test_setup_teardown(many_at_once, set_up, http_tear_down),
    };
    return cmocka_run_group_tests(tests, http_fixture_start, http_fixture_stop);
}
