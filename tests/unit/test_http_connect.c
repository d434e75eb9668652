// only: posix
// with: http_fixture.c
// uses: akvekm_tls_server
// wrap: system_proxy_find
/* The way to the server: names, connections, handshakes, certificates, proxies; which code, how
 * soon, and that an abort is noticed in each phase (specification.md sections 6 and 7). */
#include <netdb.h>
#include <pthread.h>
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
#include "libc_resolver.h"
#include "loopback.h"
#include "net/system_proxy.h"
#include "plain_server.h"
#include "platform/system.h"
#include "tls_server.h"

/* Before what a test did not shorten ends the request, on a busy machine as well. */
#define SOON_MS 9000

static int bound = -1; /* by closed_port */
static atomic_bool resolver_hangs;

/* Takes the place of libc's for curl as well: one name can be made to hang, as a dead DNS server
 * makes it. */
__attribute__((visibility("default"))) int getaddrinfo(const char *restrict node,
                                                       const char *restrict service,
                                                       const struct addrinfo *restrict hints,
                                                       struct addrinfo **restrict result)
{
    if (node != NULL && strcmp(node, "hang.vault.azure.net") == 0) {
        while (atomic_load(&resolver_hangs)) {
            (void)usleep(10000);
        }
        return EAI_AGAIN;
    }
    if (node != NULL && text_ends_nocase(node, ".invalid")) {
        return EAI_NONAME; /* as RFC 6761 has it, whatever this machine's resolver does */
    }
    return libc_resolve(node, service, hints, result);
}

/* As Windows may name one for this host and none for the next. */
static const char *system_proxy;
bool __wrap_system_proxy_find(const char *host, char *out, size_t cap);
bool __wrap_system_proxy_find(const char *host, char *out, size_t cap)
{
    (void)host;
    return system_proxy != NULL && text_copy(out, cap, system_proxy);
}

static int tear_down(void **state)
{
    if (bound >= 0) {
        (void)close(bound);
        bound = -1;
    }
    return http_tear_down(state);
}

static void a_name_that_does_not_resolve(void **state)
{
    struct http_request request = {
        .method = HTTP_GET, .url = "https://x.invalid/ok", .host = "x.invalid"};
    (void)state;
    http.config.connect_to.count = 0;
    http_fixture_reopen();
    assert_int_equal(http_perform(&http.call, &request, &http.response), EKM_HOST_NOT_RESOLVED);
    assert_false(http.response.maybe_sent);
    request.to_entra = true;
    assert_int_equal(http_perform(&http.call, &request, &http.response), EKM_CONNECT_FAILED);
}

static void a_resolver_that_hangs(void **state)
{
    (void)state;
    http.config.connect_to.count = 0;
    http.config.connect_timeout_ms = 400;
    http_fixture_reopen();
    atomic_store(&resolver_hangs, true);
    enum ekm_rc rc = http_fixture_ask("hang.vault.azure.net", "/ok");
    uint64_t took_ms = http_fixture_elapsed_ms();
    atomic_store(&resolver_hangs, false);
    assert_int_equal(rc, EKM_HOST_NOT_RESOLVED);
    assert_int_in_range(took_ms, 390, SOON_MS);
    assert_false(http.response.maybe_sent);
}

/* Free must not wait for a resolver that never answers. */
static void stopping_does_not_wait_for_a_lookup(void **state)
{
    (void)state;
    http.config.connect_to.count = 0;
    http.config.connect_timeout_ms = 400;
    http_fixture_reopen();
    atomic_store(&resolver_hangs, true);
    enum ekm_rc rc = http_fixture_ask("hang.vault.azure.net", "/ok");
    uint64_t start_ms = plat_now_ms();
    http_stop();
    uint64_t took_ms = plat_now_ms() - start_ms;
    atomic_store(&resolver_hangs, false);
    http_fixture_open();
    assert_int_equal(rc, EKM_HOST_NOT_RESOLVED);
    assert_in_range(took_ms, 0, SOON_MS);
}

/* Binds a port, so that nobody else gets it, but does not listen. */
static int closed_port(void)
{
    int number = 0;
    bound = loopback_bind(&number);
    assert_true(bound >= 0);
    return number;
}

static void a_refused_connection(void **state)
{
    (void)state;
    http_fixture_lead_to(closed_port());
    http_fixture_reopen();
    http_fixture_expect("/ok", EKM_CONNECT_FAILED);
    assert_false(http.response.maybe_sent);
}

static int full_listener(int *fds, size_t count)
{
    int number = loopback_listen_full(fds, count);
    assert_true(number > 0);
    return number;
}

static void close_all(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)close(fds[i]);
    }
}

static void a_connection_that_takes_too_long(void **state)
{
    int fds[6];
    (void)state;
    http_fixture_lead_to(full_listener(fds, 6));
    http.config.connect_timeout_ms = 400;
    http_fixture_reopen();
    enum ekm_rc rc = http_fixture_ask(HOST, "/ok");
    close_all(fds, 6);
    assert_int_equal(rc, EKM_CONNECT_FAILED);
    assert_int_in_range(http_fixture_elapsed_ms(), 390, SOON_MS);
    assert_false(http.response.maybe_sent);
}

static void handshakes_that_fail(void **state)
{
    (void)state;
    tls_server_manner(TLS_BROKEN);
    http_fixture_expect("/ok", EKM_TLS_FAILED);
    assert_false(http.response.maybe_sent);
    tls_server_manner(TLS_OLD);
    http_fixture_expect("/ok", EKM_TLS_FAILED);
    tls_server_manner(TLS_NORMAL);
    http_fixture_expect("/ok", EKM_OK);
}

static void a_silent_handshake(void **state)
{
    (void)state;
    http.config.connect_timeout_ms = 400;
    tls_server_manner(TLS_SILENT);
    http_fixture_expect("/ok", EKM_CONNECT_FAILED);
    assert_int_in_range(http_fixture_elapsed_ms(), 390, SOON_MS);
    assert_false(http.response.maybe_sent);
}

static void certificates_that_are_refused(void **state)
{
    (void)state;
    assert_int_equal(http_fixture_ask("contoso.managedhsm.azure.net", "/ok"),
                     EKM_CERTIFICATE_REFUSED);
    assert_int_equal(http_fixture_ask("a.b.vault.azure.net", "/ok"), EKM_CERTIFICATE_REFUSED);
    assert_false(http.response.maybe_sent);
    http.config.ca_file[0] = '\0';
    http_fixture_reopen();
    http_fixture_expect("/ok", EKM_CERTIFICATE_REFUSED);
    assert_false(http.response.maybe_sent);
}

static void *abort_soon(void *unused)
{
    (void)unused;
    (void)usleep(200000);
    atomic_store(&http.aborted, true);
    return NULL;
}

static void expect_aborted(const char *host, const char *path)
{
    pthread_t thread;
    http_fixture_begin();
    assert_int_equal(pthread_create(&thread, NULL, abort_soon, NULL), 0);
    enum ekm_rc rc = http_fixture_ask(host, path);
    uint64_t took_ms = http_fixture_elapsed_ms();
    assert_int_equal(pthread_join(thread, NULL), 0);
    if (rc != EKM_CLOSING) {
        fail_msg("%s: %s", ekm_name(rc), http.call.error.note);
    }
    assert_int_equal(http.call.error.rc, EKM_CLOSING);
    assert_int_in_range(took_ms, 150, SOON_MS);
}

static void aborts_are_noticed_in_every_phase(void **state)
{
    int fds[6];
    (void)state;
    http.config.connect_timeout_ms = http.config.try_timeout_ms = 25000;
    expect_aborted(HOST, "/hang");
    tls_server_manner(TLS_SILENT);
    expect_aborted("other.vault.azure.net", "/ok");
    http_fixture_lead_to(full_listener(fds, 6));
    http_fixture_reopen();
    expect_aborted(HOST, "/ok");
    close_all(fds, 6);
    http.config.connect_to.count = 0;
    http_fixture_reopen();
    atomic_store(&resolver_hangs, true);
    expect_aborted("hang.vault.azure.net", "/ok");
    atomic_store(&resolver_hangs, false);
}

static void use_proxy(const char *host, int proxy_port)
{
    (void)text_format(http.config.proxy, sizeof http.config.proxy, "http://%s:%d", host,
                      proxy_port);
    http_fixture_reopen();
}

static void proxies_that_refuse(void **state)
{
    static const struct {
        const char *status;
        enum ekm_rc rc;
    } rows[] = {
        {"407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"", EKM_PROXY},
        {"403 Forbidden", EKM_PROXY},
        {"502 Bad Gateway", EKM_PROXY_UNREACHABLE},
    };
    struct plain_server proxy;
    (void)state;
    assert_true(plain_server_start(&proxy));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        plain_server_answer(&proxy, rows[i].status);
        use_proxy("127.0.0.1", proxy.port);
        enum ekm_rc rc = http_fixture_ask(HOST, "/ok");
        if (ekm_code(rc) != 5013 || rc != rows[i].rc) {
            fail_msg("%s instead of %s: %s", ekm_name(rc), ekm_name(rows[i].rc),
                     http.call.error.note);
        }
    }
    plain_server_stop(&proxy);
}

static void proxies_that_are_not_there(void **state)
{
    (void)state;
    use_proxy("127.0.0.1", closed_port());
    http_fixture_expect("/ok", EKM_PROXY_UNREACHABLE);
    assert_false(http.response.maybe_sent);
    use_proxy("proxy.invalid", 3128);
    http_fixture_expect("/ok", EKM_PROXY_UNREACHABLE);
}

/* A password with a character that should be escaped: curl quotes it in its message. */
static void a_proxys_password_is_told_nobody(void **state)
{
    static const char *const hosts[] = {"us:hun@ter2@127.0.0.1", "us:hunter2@[127.0.0.1",
                                        "us:hunter2@:x", "us:hunter2@a b"};
    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        use_proxy(hosts[i], closed_port());
        (void)http_fixture_ask(HOST, "/ok");
        assert_string_not_equal(http.call.error.note, "");
        assert_null(strstr(http.call.error.note, "ter2"));
        assert_null(strstr(http.call.proxy, "ter2"));
    }
}

static void a_proxy_of_the_system_is_for_its_host_alone(void **state)
{
    (void)state;
    http.config.has_proxy = false;
    (void)unsetenv("https_proxy");
    (void)unsetenv("HTTPS_PROXY");
    (void)unsetenv("all_proxy");
    (void)unsetenv("ALL_PROXY");
    http_fixture_reopen();
    http_fixture_expect("/ok", EKM_OK);
    system_proxy = "http://127.0.0.1:1";
    http_fixture_expect("/ok", EKM_PROXY_UNREACHABLE);
    system_proxy = NULL;
    http_fixture_expect("/ok", EKM_OK);
}

static void no_proxy_is_obeyed(void **state)
{
    (void)state;
    (void)text_copy(http.config.no_proxy, sizeof http.config.no_proxy,
                    ".vault.azure.net,localhost");
    use_proxy("127.0.0.1", closed_port());
    http_fixture_expect("/ok", EKM_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, http_set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_name_that_does_not_resolve),
        TEST(a_resolver_that_hangs),
        TEST(stopping_does_not_wait_for_a_lookup),
        TEST(a_refused_connection),
        TEST(a_connection_that_takes_too_long),
        TEST(handshakes_that_fail),
        TEST(a_silent_handshake),
        TEST(certificates_that_are_refused),
        TEST(aborts_are_noticed_in_every_phase),
        TEST(proxies_that_refuse),
        TEST(proxies_that_are_not_there),
        TEST(a_proxys_password_is_told_nobody),
        TEST(a_proxy_of_the_system_is_for_its_host_alone),
        TEST(no_proxy_is_obeyed),
    };
    return cmocka_run_group_tests(tests, http_fixture_start, http_fixture_stop);
}
