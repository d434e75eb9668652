// only: posix
// with: http_fixture.c
// uses: akvekm_tls_server
/* Several requests at once from one thread (net/http.h): each has its own outcome, they share time
 * and one handle's connections. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "http_fixture.h"
#include "net/http.h"
#include "platform/system.h"
#include "tls_server.h"

#define ITEMS 20

static struct http_request requests[ITEMS];
static struct http_response answers[ITEMS];
static struct http_item items[ITEMS];

static int start_http(void **state)
{
    int rc = http_fixture_start(state);
    http_fixture_configure();
    http_fixture_open();
    return rc;
}

static int stop_http(void **state)
{
    http_stop();
    return http_fixture_stop(state);
}

static int set_up(void **state)
{
    (void)state;
    http.config.try_timeout_ms = 30000;
    http_fixture_begin();
    for (size_t i = 0; i < ITEMS; i++) {
        http_response_init(&answers[i]);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < ITEMS; i++) {
        http_response_free(&answers[i]);
    }
    return 0;
}

static void http_all_ask(size_t i, const char *url)
{
    requests[i] = (struct http_request){.method = HTTP_GET, .url = url, .host = HOST};
    items[i] = (struct http_item){.request = &requests[i], .response = &answers[i]};
}

static void test_nothing_to_do(void **state)
{
    (void)state;
    assert_int_equal(http_perform_all(&http.call, items, 0), EKM_OK);
}

/* More than fit at once, on as many connections as there are places. */
static void test_all_are_answered(void **state)
{
    (void)state;
    int before = tls_server_requests(), connections = tls_server_connections();
    http.config.hedge = false; /* each is counted */
    for (size_t i = 0; i < ITEMS; i++) {
        http_all_ask(i, "https://" HOST "/late");
    }
    assert_int_equal(http_perform_all(&http.call, items, ITEMS), EKM_OK);
    for (size_t i = 0; i < ITEMS; i++) {
        assert_int_equal(items[i].rc, EKM_OK);
        assert_int_equal(answers[i].status, 200);
    }
    assert_int_equal(tls_server_requests() - before, ITEMS);
    assert_int_in_range(tls_server_connections() - connections, 2, HTTP_AT_ONCE);
    assert_int_equal(http.call.error.rc, EKM_OK);
}

/* A request that fails does not affect the others, and its item has the reason. */
static void test_each_has_its_outcome(void **state)
{
    (void)state;
    http.config.try_timeout_ms = 4000;
    http_all_ask(0, "https://" HOST "/ok");
    http_all_ask(1, "https://" HOST "/cut");
    http_all_ask(2, "https://" HOST "/hang");
    http_all_ask(3, "https://" HOST "/challenge");
    http_all_ask(4, "https://" HOST "/big");
    assert_int_equal(http_perform_all(&http.call, items, 5), EKM_OK);
    assert_int_equal(items[0].rc, EKM_OK);
    assert_int_equal(answers[0].status, 200);
    assert_int_equal(items[1].rc, EKM_CONNECTION_BROKEN);
    assert_int_equal(items[1].error.rc, EKM_CONNECTION_BROKEN);
    assert_true(strstr(items[1].error.note, HOST) != NULL);
    assert_int_equal(items[2].rc, EKM_NO_ANSWER);
    assert_int_equal(items[3].rc, EKM_OK);
    assert_int_equal(answers[3].status, 401);
    assert_true(answers[3].authenticate[0] != '\0');
    assert_int_equal(items[4].rc, EKM_ANSWER_TOO_BIG);
    assert_int_equal(http.call.error.rc, EKM_OK);
}

static void test_an_abort_ends_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < ITEMS; i++) {
        http_all_ask(i, "https://" HOST "/hang");
    }
    atomic_store(&http.aborted, true);
    uint64_t start_ms = plat_now_ms();
    assert_int_equal(http_perform_all(&http.call, items, ITEMS), EKM_OK);
    for (size_t i = 0; i < ITEMS; i++) {
        assert_int_equal(items[i].rc, EKM_CLOSING);
    }
    assert_true(plat_now_ms() - start_ms < http.config.try_timeout_ms);
}

/* The connections stay with the handle: what comes next finds one. */
static void test_the_next_request_finds_a_connection(void **state)
{
    (void)state;
    http_all_ask(0, "https://" HOST "/ok");
    http_all_ask(1, "https://login.vault.azure.net/ok");
    assert_int_equal(http_perform_all(&http.call, items, 2), EKM_OK);
    int connections = tls_server_connections();
    assert_int_equal(http_perform(&http.call, &requests[0], &answers[0]), EKM_OK);
    assert_int_equal(http_perform(&http.call, &requests[1], &answers[1]), EKM_OK);
    assert_int_equal(tls_server_connections(), connections);
}

int main(void)
{
    /* Curl itself asks again where a connection that was used before breaks: so the outcomes come
     * first.
     */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_has_its_outcome, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_to_do, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_all_are_answered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_abort_ends_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_next_request_finds_a_connection, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests_name("http_all", tests, start_http, stop_http);
}
