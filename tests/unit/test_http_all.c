// only: posix
// with: http_fixture.c tls_server.c
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

#define HOST  "contoso.vault.azure.net"
#define ITEMS 20

static char folder[] = "/tmp/akvekm-http-all-XXXXXX", ca_path[64], connect_to[64];
static char *connect_items[] = {connect_to};
static struct config config;
static struct call call;
static atomic_bool aborted;
static struct http_request requests[ITEMS];
static struct http_response answers[ITEMS];
static struct http_item items[ITEMS];

static int start(void **state)
{
    char reason[256];
    (void)state;
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    (void)text_format(ca_path, sizeof ca_path, "%s/ca.pem", folder);
    (void)text_format(connect_to, sizeof connect_to, "::127.0.0.1:%d", tls_server_start(ca_path));
    http_fixture_configure(&config, ca_path, connect_items);
    return http_start(&config, reason, sizeof reason) == EKM_OK ? 0 : -1;
}

static int stop_http(void **state)
{
    (void)state;
    http_stop();
    tls_server_stop();
    (void)unlink(ca_path);
    return rmdir(folder);
}

static int set_up(void **state)
{
    (void)state;
    config.try_timeout_ms = 30000;
    atomic_store(&aborted, false);
    call_begin(&call, "Test", &config);
    call.session_aborted = &aborted;
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

static void ask(size_t i, const char *url)
{
    requests[i] = (struct http_request){.method = HTTP_GET, .url = url, .host = HOST};
    items[i] = (struct http_item){.request = &requests[i], .response = &answers[i]};
}

static void test_nothing_to_do(void **state)
{
    (void)state;
    assert_int_equal(http_perform_all(&call, items, 0), EKM_OK);
}

/* More than fit at once, on as many connections as there are places. */
static void test_all_are_answered(void **state)
{
    (void)state;
    int before = tls_server_requests(), connections = tls_server_connections();
    for (size_t i = 0; i < ITEMS; i++) {
        ask(i, "https://" HOST "/late");
    }
    assert_int_equal(http_perform_all(&call, items, ITEMS), EKM_OK);
    for (size_t i = 0; i < ITEMS; i++) {
        assert_int_equal(items[i].rc, EKM_OK);
        assert_int_equal(answers[i].status, 200);
    }
    assert_int_equal(tls_server_requests() - before, ITEMS);
    assert_int_in_range(tls_server_connections() - connections, 2, HTTP_AT_ONCE);
    assert_int_equal(call.error.rc, EKM_OK);
}

/* One that fails does not spoil the others, and says why in its own item. */
static void test_each_has_its_outcome(void **state)
{
    (void)state;
    config.try_timeout_ms = 4000;
    ask(0, "https://" HOST "/ok");
    ask(1, "https://" HOST "/cut");
    ask(2, "https://" HOST "/hang");
    ask(3, "https://" HOST "/challenge");
    ask(4, "https://" HOST "/big");
    assert_int_equal(http_perform_all(&call, items, 5), EKM_OK);
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
    assert_int_equal(call.error.rc, EKM_OK);
}

static void test_an_abort_ends_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < ITEMS; i++) {
        ask(i, "https://" HOST "/hang");
    }
    atomic_store(&aborted, true);
    uint64_t start_ms = plat_now_ms();
    assert_int_equal(http_perform_all(&call, items, ITEMS), EKM_OK);
    for (size_t i = 0; i < ITEMS; i++) {
        assert_int_equal(items[i].rc, EKM_CLOSING);
    }
    assert_true(plat_now_ms() - start_ms < config.try_timeout_ms);
}

/* The connections stay with the handle: what comes next finds one. */
static void test_the_next_request_finds_a_connection(void **state)
{
    (void)state;
    ask(0, "https://" HOST "/ok");
    ask(1, "https://login.vault.azure.net/ok");
    assert_int_equal(http_perform_all(&call, items, 2), EKM_OK);
    int connections = tls_server_connections();
    assert_int_equal(http_perform(&call, &requests[0], &answers[0]), EKM_OK);
    assert_int_equal(http_perform(&call, &requests[1], &answers[1]), EKM_OK);
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
    return cmocka_run_group_tests_name("http_all", tests, start, stop_http);
}
