// only: posix
// with: http_fixture.c
// uses: akvekm_tls_server
/* One HTTPS request at a time against a server that behaves badly: which code, how soon, what is
 * sent (specification.md sections 6 and 7). */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "http_fixture.h"
#include "platform/system.h"
#include "tls_server.h"

/* Before what a test did not shorten ends the request, on a busy machine as well. */
#define SOON_MS 9000

static void a_plain_answer(void **state)
{
    (void)state;
    http_fixture_expect("/ok", EKM_OK);
    assert_int_equal(http.response.status, 200);
    assert_string_equal(buf_text(&http.response.body), "{\"ok\":true}");
    assert_string_equal(http.response.request_id, "id-1");
    assert_string_equal(http.call.request_id, "id-1");
    assert_string_equal(http.response.authenticate, "");
    assert_true(http.response.maybe_sent);
}

static void headers_of_an_answer(void **state)
{
    (void)state;
    http_fixture_expect("/challenge", EKM_OK);
    assert_int_equal(http.response.status, 401);
    assert_string_equal(http.response.authenticate, "PoP nonce=\"x\", Bearer a=\"b\"");
    assert_string_equal(http.response.retry_after, "7");
    assert_string_equal(http.response.request_id, "id-2");
    assert_string_equal(buf_text(&http.response.body), "no");
    http_fixture_expect("/ok", EKM_OK);
    assert_string_equal(http.response.authenticate, "");
    assert_string_equal(http.response.retry_after, "");
    assert_string_equal(buf_text(&http.response.body), "{\"ok\":true}");
}

/* Lines that curl takes for the end of a header, or reports as out of memory. */
static void odd_headers(void **state)
{
    static char long_line[150000];
    static const char cut[] = "HTTP/1.1 200 OK\r\nContent-Le";
    (void)state;
    http_fixture_reopen();
    tls_server_manner(TLS_SCRIPT);
    tls_server_script(cut, sizeof cut - 1, 0);
    http_fixture_expect("/ok", EKM_CONNECTION_BROKEN);
    (void)strcpy(long_line, "HTTP/1.1 200 OK\r\nX-Long: ");
    memset(long_line + strlen(long_line), 'a', sizeof long_line - 100);
    tls_server_script(long_line, strlen(long_line), 0);
    http_fixture_expect("/ok", EKM_ANSWER_TOO_BIG);
    tls_server_manner(TLS_NORMAL);
    http_fixture_reopen();
    http_fixture_expect("/ok", EKM_OK);
}

static void the_request_that_is_sent(void **state)
{
    char wanted[128];
    struct http_request request = {.method = HTTP_POST,
                                   .url = "https://" HOST "/echo",
                                   .host = HOST,
                                   .authorization = "Authorization: Bearer token-1",
                                   .content_type = "application/json",
                                   .body = (const uint8_t *)"{\"x\":1}",
                                   .body_len = 7};
    (void)state;
    (void)text_copy(http.config.instance_tag, sizeof http.config.instance_tag, "node-7");
    http_fixture_reopen();
    assert_int_equal(http_perform(&http.call, &request, &http.response), EKM_OK);
    const char *sent = buf_text(&http.response.body);
    assert_ptr_equal(strstr(sent, "POST /echo HTTP/1.1\r\n"), sent);
    assert_non_null(strstr(sent, "\r\nHost: " HOST "\r\n"));
    assert_non_null(strstr(sent, "\r\nAccept: application/json\r\n"));
    assert_non_null(strstr(sent, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(sent, "\r\nAuthorization: Bearer token-1\r\n"));
    assert_non_null(strstr(sent, "\r\nContent-Length: 7\r\n"));
    assert_non_null(strstr(sent, "\r\nUser-Agent: akv-ekm/"));
    assert_non_null(strstr(sent, "; node-7)\r\n"));
    assert_non_null(strstr(sent, "\r\n\r\n{\"x\":1}"));
    (void)text_format(wanted, sizeof wanted, "\r\nx-ms-client-request-id: %s\r\n",
                      http.call.correlation_id);
    assert_int_equal(strlen(http.call.correlation_id), 36);
    assert_non_null(strstr(sent, wanted));
    assert_null(strcasestr(sent, "Accept-Encoding"));
    assert_null(strcasestr(sent, "Expect:"));
    assert_null(strcasestr(sent, "Cookie"));
}

/* The next request on the same handle inherits nothing. */
static void nothing_of_the_last_request(void **state)
{
    struct http_request deletion = {.method = HTTP_DELETE,
                                    .url = "https://" HOST "/echo",
                                    .host = HOST,
                                    .authorization = "Authorization: Bearer token-1"};
    (void)state;
    the_request_that_is_sent(NULL);
    http_fixture_expect("/echo", EKM_OK);
    const char *sent = buf_text(&http.response.body);
    assert_ptr_equal(strstr(sent, "GET /echo HTTP/1.1\r\n"), sent);
    assert_null(strcasestr(sent, "Authorization"));
    assert_null(strcasestr(sent, "Content-"));
    assert_int_equal(http_perform(&http.call, &deletion, &http.response), EKM_OK);
    assert_ptr_equal(strstr(buf_text(&http.response.body), "DELETE /echo"),
                     buf_text(&http.response.body));
    http_fixture_expect("/echo", EKM_OK);
    assert_ptr_equal(strstr(buf_text(&http.response.body), "GET /echo"),
                     buf_text(&http.response.body));
    assert_int_equal(http_perform(&http.call, &deletion, &http.response), EKM_OK);
    the_request_that_is_sent(NULL);
}

/* Options of one request do not affect the next ones. */
static void only_what_is_asked_once_goes_alone(void **state)
{
    struct http_request once = {.method = HTTP_POST,
                                .url = "https://" HOST "/echo",
                                .host = HOST,
                                .body = (const uint8_t *)"{}",
                                .body_len = 2,
                                .once = true};
    struct http_request again = once;
    (void)state;
    again.once = false;
    http_fixture_expect("/ok", EKM_OK);
    int before = tls_server_connections();
    assert_int_equal(http_perform(&http.call, &once, &http.response), EKM_OK);
    assert_int_equal(tls_server_connections(), before + 1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(http_perform(&http.call, &again, &http.response), EKM_OK);
        assert_ptr_equal(strstr(buf_text(&http.response.body), "POST /echo"),
                         buf_text(&http.response.body));
        http_fixture_expect("/ok", EKM_OK);
    }
    assert_int_in_range(tls_server_connections(), before + 1, before + 2);
}

static void redirects_are_not_followed(void **state)
{
    (void)state;
    int before = tls_server_requests();
    http_fixture_expect("/redirect", EKM_OK);
    assert_int_equal(http.response.status, 302);
    assert_int_equal(tls_server_requests(), before + 1);
    http_fixture_expect("/echo", EKM_OK);
    assert_null(strcasestr(buf_text(&http.response.body), "cookie"));
}

static void only_https(void **state)
{
    struct http_request request = {.method = HTTP_GET,
                                   .url = "http://" HOST "/ok",
                                   .host = HOST,
                                   .authorization = "Authorization: Bearer token-1"};
    (void)state;
    assert_true(http_perform(&http.call, &request, &http.response) != EKM_OK);
    request.url = "file:///etc/passwd";
    assert_true(http_perform(&http.call, &request, &http.response) != EKM_OK);
    assert_int_equal(http.response.body.len, 0);
}

static void one_connection_for_calls_in_turn(void **state)
{
    (void)state;
    int before = tls_server_connections();
    for (int i = 0; i < 30; i++) {
        http_fixture_expect("/ok", EKM_OK);
    }
    assert_int_equal(tls_server_connections(), before + 1);
}

/* A vault and the login service in turn: each keeps its connection. */
static void one_connection_for_each_host(void **state)
{
    (void)state;
    int before = tls_server_connections();
    for (int i = 0; i < 10; i++) {
        assert_int_equal(http_fixture_ask("a.vault.azure.net", "/ok"), EKM_OK);
        assert_int_equal(http_fixture_ask("b.vault.azure.net", "/ok"), EKM_OK);
    }
    assert_int_equal(tls_server_connections(), before + 2);
}

/* Its curl handle keeps the URL of the request before. */
static void one_handle_for_several_hosts(void **state)
{
    static const char *const hosts[] = {"a.vault.azure.net", "a.vault.azure.net",
                                        "b.vault.azure.net", "b.vault.azure.net:444",
                                        "a.vault.azure.net"};
    (void)state;
    http.config.max_connections = 1;
    http_fixture_reopen();
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        char begin[128];
        (void)text_format(begin, sizeof begin, "GET /echo HTTP/1.1\r\nHost: %s\r\n", hosts[i]);
        assert_int_equal(http_fixture_ask(hosts[i], "/echo"), EKM_OK);
        if (strncmp(buf_text(&http.response.body), begin, strlen(begin)) != 0) {
            fail_msg("%zu: %s", i, buf_text(&http.response.body));
        }
    }
}

struct asker {
    pthread_t thread;
    struct call call;
    struct http_response response;
    atomic_bool aborted;
    const char *path;
    enum ekm_rc rc;
    uint64_t took_ms;
};

static void *ask_in_thread(void *context)
{
    struct asker *asker = context;
    char url[128];
    (void)text_format(url, sizeof url, "https://" HOST "%s", asker->path);
    struct http_request request = {.method = HTTP_GET, .url = url, .host = HOST};
    asker->rc = http_perform(&asker->call, &request, &asker->response);
    asker->took_ms = plat_now_ms() - asker->call.start_ms;
    return NULL;
}

static void start_asker(struct asker *asker, const char *path)
{
    asker->path = path;
    atomic_store(&asker->aborted, false);
    call_begin(&asker->call, "Test", &http.config);
    asker->call.session_aborted = &asker->aborted;
    http_response_init(&asker->response);
    assert_int_equal(pthread_create(&asker->thread, NULL, ask_in_thread, asker), 0);
}

static void join_asker(struct asker *asker, enum ekm_rc rc)
{
    assert_int_equal(pthread_join(asker->thread, NULL), 0);
    if (asker->rc != rc) {
        fail_msg("%s instead of %s: %s", ekm_name(asker->rc), ekm_name(rc), asker->call.error.note);
    }
    http_response_free(&asker->response);
}

static void the_pool_is_bounded(void **state)
{
    static struct asker askers[12];
    (void)state;
    http.config.max_connections = 3;
    http.config.hedge = false; /* a hedge has a connection of its own, outside the pool */
    http_fixture_reopen();
    int before = tls_server_connections();
    for (int i = 0; i < 12; i++) {
        start_asker(&askers[i], "/late");
    }
    for (int i = 0; i < 12; i++) {
        join_asker(&askers[i], EKM_OK);
    }
    assert_int_in_range(tls_server_connections() - before, 1, 3);
}

static void waiting_for_a_connection_ends(void **state)
{
    static struct asker holder, late, stopped;
    (void)state;
    http.config.max_connections = 1;
    http_fixture_reopen();
    int before = tls_server_requests();
    start_asker(&holder, "/hang");
    while (tls_server_requests() == before) {
        (void)usleep(1000);
    }
    http.config.call_timeout_ms = 1000;
    start_asker(&late, "/ok");
    http.config.call_timeout_ms = 30000;
    start_asker(&stopped, "/ok");
    (void)usleep(100000);
    atomic_store(&stopped.aborted, true);
    join_asker(&stopped, EKM_CLOSING);
    assert_int_in_range(stopped.took_ms, 0, SOON_MS);
    join_asker(&late, EKM_DEADLINE);
    assert_int_in_range(late.took_ms, 900, SOON_MS);
    atomic_store(&holder.aborted, true);
    join_asker(&holder, EKM_CLOSING);
}

static void no_answer(void **state)
{
    (void)state;
    http_fixture_expect("/ok",
                        EKM_OK); /* the connection is open: the response is what takes time now */
    http.config.try_timeout_ms = 1000;
    http_fixture_begin();
    http_fixture_expect("/hang", EKM_NO_ANSWER);
    assert_true(http.response.maybe_sent);
    assert_int_in_range(http_fixture_elapsed_ms(), 990, SOON_MS);
    http.config.try_timeout_ms = 10000;
    http_fixture_expect("/ok", EKM_OK);
}

static void the_deadline_is_the_calls(void **state)
{
    (void)state;
    http_fixture_expect("/ok", EKM_OK);
    http.config.call_timeout_ms = 300;
    http_fixture_begin();
    http_fixture_expect("/hang", EKM_DEADLINE);
    assert_int_in_range(http_fixture_elapsed_ms(), 290, SOON_MS);
}

static void broken_answers(void **state)
{
    (void)state;
    http_fixture_expect("/cut", EKM_CONNECTION_BROKEN);
    assert_true(http.response.maybe_sent);
    http_fixture_expect("/half", EKM_CONNECTION_BROKEN);
    http_fixture_expect("/garbage", EKM_CONNECTION_BROKEN);
    http_fixture_expect("/big", EKM_ANSWER_TOO_BIG);
    http_fixture_expect("/announced",
                        EKM_ANSWER_TOO_BIG); /* of which no more than its length is read */
    http_fixture_expect("/ok", EKM_OK);
    assert_string_equal(buf_text(&http.response.body), "{\"ok\":true}");
}

static void expect_no_start(void)
{
    char reason[256] = "";
    http_stop();
    assert_int_equal(http_start(&http.config, reason, sizeof reason), EKM_CONFIGURATION);
    assert_non_null(strstr(reason, http.config.ca_file));
    (void)text_copy(http.config.ca_file, sizeof http.config.ca_file, http.ca_path);
    http_fixture_open();
    http_fixture_begin();
    http_fixture_expect("/ok", EKM_OK);
}

static void ca_files_that_are_refused(void **state)
{
    char path[128];
    (void)state;
    (void)text_format(path, sizeof path, "%s/other.pem", http.folder);
    (void)text_copy(http.config.ca_file, sizeof http.config.ca_file, path);
    expect_no_start();
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs("no certificate\n", file);
    (void)fclose(file);
    assert_int_equal(chmod(path, 0600), 0);
    (void)text_copy(http.config.ca_file, sizeof http.config.ca_file, path);
    expect_no_start();
    (void)unlink(path);
    assert_int_equal(chmod(http.ca_path, 0606), 0);
    char reason[256] = "";
    http_stop();
    enum ekm_rc rc = http_start(&http.config, reason, sizeof reason);
    assert_int_equal(chmod(http.ca_path, 0600), 0);
    assert_int_equal(rc, EKM_CONFIGURATION);
    http_fixture_open();
}

static void start_and_stop_many_times(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        http_fixture_reopen();
        http_fixture_expect("/ok", EKM_OK);
    }
}

/* A host with SIGPIPE at its default lives on when a kept connection is gone. */
static void signals_stay_as_they_were(void **state)
{
    sigset_t mask;
    struct sigaction action;
    (void)state;
    for (int i = 0; i < 5; i++) {
        http_fixture_expect("/cut", EKM_CONNECTION_BROKEN);
        http_fixture_expect("/ok", EKM_OK);
    }
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
    assert_int_equal(sigismember(&mask, SIGPIPE), 0);
    assert_int_equal(sigaction(SIGPIPE, NULL, &action), 0);
    assert_ptr_equal(action.sa_handler, SIG_DFL);
    assert_int_equal(sigaction(SIGALRM, NULL, &action), 0);
    assert_ptr_equal(action.sa_handler, SIG_DFL);
}

static void many_threads(void **state)
{
    static struct asker askers[16];
    static const char *const paths[] = {"/ok", "/half", "/late", "/echo"};
    (void)state;
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 16; i++) {
            start_asker(&askers[i], paths[i % 4]);
        }
        for (int i = 0; i < 16; i++) {
            join_asker(&askers[i], i % 4 == 1 ? EKM_CONNECTION_BROKEN : EKM_OK);
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, http_set_up, http_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_plain_answer),
        TEST(headers_of_an_answer),
        TEST(odd_headers),
        TEST(the_request_that_is_sent),
        TEST(nothing_of_the_last_request),
        TEST(only_what_is_asked_once_goes_alone),
        TEST(redirects_are_not_followed),
        TEST(only_https),
        TEST(one_connection_for_calls_in_turn),
        TEST(one_connection_for_each_host),
        TEST(one_handle_for_several_hosts),
        TEST(the_pool_is_bounded),
        TEST(waiting_for_a_connection_ends),
        TEST(no_answer),
        TEST(the_deadline_is_the_calls),
        TEST(broken_answers),
        TEST(ca_files_that_are_refused),
        TEST(start_and_stop_many_times),
        TEST(signals_stay_as_they_were),
        TEST(many_threads),
    };
    return cmocka_run_group_tests(tests, http_fixture_start, http_fixture_stop);
}
