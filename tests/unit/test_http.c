// only: posix
// with: http_fixture.c tls_server.c
// wrap: system_proxy_find
/* One HTTPS request at a time against a server that behaves badly: which code, how soon, what is
 * sent (specification.md sections 6 and 7). */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "http_fixture.h"
#include "net/http.h"
#include "net/system_proxy.h"
#include "platform/system.h"
#include "tls_server.h"

#define HOST "contoso.vault.azure.net"
/* Before what a test did not shorten ends the request, on a busy machine as well. */
#define SOON_MS 9000

static char folder[] = "/tmp/akvekm-http-XXXXXX", ca_path[64], connect_to[64];
static char *connect_items[] = {connect_to};
static int port;
static int bound = -1; /* by closed_port */
static struct config config;
static struct call call;
static struct http_response response;
static atomic_bool aborted;
static atomic_bool resolver_hangs;

/* Takes the place of libc's for curl as well: one name can be made to hang, as a dead DNS server
 * makes it. */
__attribute__((visibility("default"))) int getaddrinfo(const char *restrict node,
                                                       const char *restrict service,
                                                       const struct addrinfo *restrict hints,
                                                       struct addrinfo **restrict result)
{
    typedef int (*resolver)(const char *, const char *, const struct addrinfo *,
                            struct addrinfo **);
    union {
        void *object;
        resolver function;
    } real;
    if (node != NULL && strcmp(node, "hang.vault.azure.net") == 0) {
        while (atomic_load(&resolver_hangs)) {
            (void)usleep(10000);
        }
        return EAI_AGAIN;
    }
    if (node != NULL && text_ends_nocase(node, ".invalid")) {
        return EAI_NONAME; /* as RFC 6761 has it, whatever this machine's resolver does */
    }
    real.object = dlsym(RTLD_NEXT, "getaddrinfo");
    return real.function(node, service, hints, result);
}

/* As Windows may name one for this host and none for the next. */
static const char *system_proxy;
bool __wrap_system_proxy_find(const char *host, char *out, size_t cap);
bool __wrap_system_proxy_find(const char *host, char *out, size_t cap)
{
    (void)host;
    return system_proxy != NULL && text_copy(out, cap, system_proxy);
}

static void start_http(void)
{
    char reason[256];
    enum ekm_rc rc = http_start(&config, reason, sizeof reason);
    if (rc != EKM_OK) {
        fail_msg("%s: %s", ekm_name(rc), reason);
    }
}

static int start_all(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    (void)text_format(ca_path, sizeof ca_path, "%s/ca.pem", folder);
    port = tls_server_start(ca_path);
    return port != 0 ? 0 : -1;
}

static int stop_all(void **state)
{
    (void)state;
    tls_server_stop();
    (void)unlink(ca_path);
    return rmdir(folder);
}

static void set_port(int number)
{
    (void)text_format(connect_to, sizeof connect_to, "::127.0.0.1:%d", number);
}

static void begin(void)
{
    atomic_store(&aborted, false);
    call_begin(&call, "Test", &config);
    call.session_aborted = &aborted;
}

static int set_up(void **state)
{
    (void)state;
    http_fixture_configure(&config, ca_path, connect_items);
    set_port(port);
    tls_server_manner(TLS_NORMAL);
    http_response_init(&response);
    start_http();
    begin();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    http_response_free(&response);
    http_stop();
    if (bound >= 0) {
        (void)close(bound);
        bound = -1;
    }
    return 0;
}

/* For settings that http_start reads. */
static void restart(void)
{
    http_stop();
    start_http();
    begin();
}

static enum ekm_rc ask(const char *host, const char *path)
{
    char url[512];
    (void)text_format(url, sizeof url, "https://%s%s", host, path);
    struct http_request request = {.method = HTTP_GET, .url = url, .host = host};
    return http_perform(&call, &request, &response);
}

static void expect(const char *path, enum ekm_rc rc)
{
    enum ekm_rc got = ask(HOST, path);
    if (got != rc) {
        fail_msg("%s instead of %s: %s", ekm_name(got), ekm_name(rc), call.error.note);
    }
    if (rc != EKM_OK) {
        assert_int_equal(call.error.rc, rc);
        assert_int_equal(response.status, 0);
    }
}

static uint64_t elapsed_ms(void)
{
    return plat_now_ms() - call.start_ms;
}

static void a_plain_answer(void **state)
{
    (void)state;
    expect("/ok", EKM_OK);
    assert_int_equal(response.status, 200);
    assert_string_equal(buf_text(&response.body), "{\"ok\":true}");
    assert_string_equal(response.request_id, "id-1");
    assert_string_equal(call.request_id, "id-1");
    assert_string_equal(response.authenticate, "");
    assert_true(response.maybe_sent);
}

static void headers_of_an_answer(void **state)
{
    (void)state;
    expect("/challenge", EKM_OK);
    assert_int_equal(response.status, 401);
    assert_string_equal(response.authenticate, "PoP nonce=\"x\", Bearer a=\"b\"");
    assert_string_equal(response.retry_after, "7");
    assert_string_equal(response.request_id, "id-2");
    assert_string_equal(buf_text(&response.body), "no");
    expect("/ok", EKM_OK);
    assert_string_equal(response.authenticate, "");
    assert_string_equal(response.retry_after, "");
    assert_string_equal(buf_text(&response.body), "{\"ok\":true}");
}

/* What curl takes for the end of a header, or calls want of memory. */
static void odd_headers(void **state)
{
    static char long_line[150000];
    static const char cut[] = "HTTP/1.1 200 OK\r\nContent-Le";
    (void)state;
    restart();
    tls_server_manner(TLS_SCRIPT);
    tls_server_script(cut, sizeof cut - 1, 0);
    expect("/ok", EKM_CONNECTION_BROKEN);
    (void)strcpy(long_line, "HTTP/1.1 200 OK\r\nX-Long: ");
    memset(long_line + strlen(long_line), 'a', sizeof long_line - 100);
    tls_server_script(long_line, strlen(long_line), 0);
    expect("/ok", EKM_ANSWER_TOO_BIG);
    tls_server_manner(TLS_NORMAL);
    restart();
    expect("/ok", EKM_OK);
}

static void what_is_sent(void **state)
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
    (void)text_copy(config.instance_tag, sizeof config.instance_tag, "node-7");
    restart();
    assert_int_equal(http_perform(&call, &request, &response), EKM_OK);
    const char *sent = buf_text(&response.body);
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
                      call.correlation_id);
    assert_int_equal(strlen(call.correlation_id), 36);
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
    what_is_sent(NULL);
    expect("/echo", EKM_OK);
    const char *sent = buf_text(&response.body);
    assert_ptr_equal(strstr(sent, "GET /echo HTTP/1.1\r\n"), sent);
    assert_null(strcasestr(sent, "Authorization"));
    assert_null(strcasestr(sent, "Content-"));
    assert_int_equal(http_perform(&call, &deletion, &response), EKM_OK);
    assert_ptr_equal(strstr(buf_text(&response.body), "DELETE /echo"), buf_text(&response.body));
    expect("/echo", EKM_OK);
    assert_ptr_equal(strstr(buf_text(&response.body), "GET /echo"), buf_text(&response.body));
    assert_int_equal(http_perform(&call, &deletion, &response), EKM_OK);
    what_is_sent(NULL);
}

/* What one request is given for itself, the next ones do not have. */
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
    expect("/ok", EKM_OK);
    int before = tls_server_connections();
    assert_int_equal(http_perform(&call, &once, &response), EKM_OK);
    assert_int_equal(tls_server_connections(), before + 1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(http_perform(&call, &again, &response), EKM_OK);
        assert_ptr_equal(strstr(buf_text(&response.body), "POST /echo"), buf_text(&response.body));
        expect("/ok", EKM_OK);
    }
    assert_int_in_range(tls_server_connections(), before + 1, before + 2);
}

static void redirects_are_not_followed(void **state)
{
    (void)state;
    int before = tls_server_requests();
    expect("/redirect", EKM_OK);
    assert_int_equal(response.status, 302);
    assert_int_equal(tls_server_requests(), before + 1);
    expect("/echo", EKM_OK);
    assert_null(strcasestr(buf_text(&response.body), "cookie"));
}

static void only_https(void **state)
{
    struct http_request request = {.method = HTTP_GET,
                                   .url = "http://" HOST "/ok",
                                   .host = HOST,
                                   .authorization = "Authorization: Bearer token-1"};
    (void)state;
    assert_true(http_perform(&call, &request, &response) != EKM_OK);
    request.url = "file:///etc/passwd";
    assert_true(http_perform(&call, &request, &response) != EKM_OK);
    assert_int_equal(response.body.len, 0);
}

static void one_connection_for_calls_in_turn(void **state)
{
    (void)state;
    int before = tls_server_connections();
    for (int i = 0; i < 30; i++) {
        expect("/ok", EKM_OK);
    }
    assert_int_equal(tls_server_connections(), before + 1);
}

/* A vault and the login service in turn: each keeps its connection. */
static void one_connection_for_each_host(void **state)
{
    (void)state;
    int before = tls_server_connections();
    for (int i = 0; i < 10; i++) {
        assert_int_equal(ask("a.vault.azure.net", "/ok"), EKM_OK);
        assert_int_equal(ask("b.vault.azure.net", "/ok"), EKM_OK);
    }
    assert_int_equal(tls_server_connections(), before + 2);
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
    call_begin(&asker->call, "Test", &config);
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
    config.max_connections = 3;
    restart();
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
    config.max_connections = 1;
    restart();
    int before = tls_server_requests();
    start_asker(&holder, "/hang");
    while (tls_server_requests() == before) {
        (void)usleep(1000);
    }
    config.call_timeout_ms = 1000;
    start_asker(&late, "/ok");
    config.call_timeout_ms = 30000;
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
    expect("/ok", EKM_OK); /* the connection stands: what takes time now is the answer */
    config.try_timeout_ms = 1000;
    begin();
    expect("/hang", EKM_NO_ANSWER);
    assert_true(response.maybe_sent);
    assert_int_in_range(elapsed_ms(), 990, SOON_MS);
    config.try_timeout_ms = 10000;
    expect("/ok", EKM_OK);
}

static void the_deadline_is_the_calls(void **state)
{
    (void)state;
    expect("/ok", EKM_OK);
    config.call_timeout_ms = 300;
    begin();
    expect("/hang", EKM_DEADLINE);
    assert_int_in_range(elapsed_ms(), 290, SOON_MS);
}

static void broken_answers(void **state)
{
    (void)state;
    expect("/cut", EKM_CONNECTION_BROKEN);
    assert_true(response.maybe_sent);
    expect("/half", EKM_CONNECTION_BROKEN);
    expect("/garbage", EKM_CONNECTION_BROKEN);
    expect("/big", EKM_ANSWER_TOO_BIG);
    expect("/announced", EKM_ANSWER_TOO_BIG); /* of which no more than its length is read */
    expect("/ok", EKM_OK);
    assert_string_equal(buf_text(&response.body), "{\"ok\":true}");
}

static void a_name_that_does_not_resolve(void **state)
{
    struct http_request request = {
        .method = HTTP_GET, .url = "https://x.invalid/ok", .host = "x.invalid"};
    (void)state;
    config.connect_to.count = 0;
    restart();
    assert_int_equal(http_perform(&call, &request, &response), EKM_HOST_NOT_RESOLVED);
    assert_false(response.maybe_sent);
    request.to_entra = true;
    assert_int_equal(http_perform(&call, &request, &response), EKM_CONNECT_FAILED);
}

static void a_resolver_that_hangs(void **state)
{
    (void)state;
    config.connect_to.count = 0;
    config.connect_timeout_ms = 400;
    restart();
    atomic_store(&resolver_hangs, true);
    enum ekm_rc rc = ask("hang.vault.azure.net", "/ok");
    uint64_t took_ms = elapsed_ms();
    atomic_store(&resolver_hangs, false);
    assert_int_equal(rc, EKM_HOST_NOT_RESOLVED);
    assert_int_in_range(took_ms, 390, SOON_MS);
    assert_false(response.maybe_sent);
}

/* Free must not wait for a resolver that gave nobody an answer. */
static void stopping_does_not_wait_for_a_lookup(void **state)
{
    (void)state;
    config.connect_to.count = 0;
    config.connect_timeout_ms = 400;
    restart();
    atomic_store(&resolver_hangs, true);
    enum ekm_rc rc = ask("hang.vault.azure.net", "/ok");
    uint64_t start_ms = plat_now_ms();
    http_stop();
    uint64_t took_ms = plat_now_ms() - start_ms;
    atomic_store(&resolver_hangs, false);
    start_http();
    assert_int_equal(rc, EKM_HOST_NOT_RESOLVED);
    assert_in_range(took_ms, 0, SOON_MS);
}

/* Bound, so that nobody else gets it, but deaf. */
static int closed_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    bound = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(bound, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(bound, (struct sockaddr *)&address, &len), 0);
    return ntohs(address.sin_port);
}

static void a_refused_connection(void **state)
{
    (void)state;
    set_port(closed_port());
    restart();
    expect("/ok", EKM_CONNECT_FAILED);
    assert_false(response.maybe_sent);
}

/* A listener whose queue is full lets the handshake of TCP time out. */
static int full_listener(int *fds, size_t count)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fds[0], (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fds[0], 0), 0);
    assert_int_equal(getsockname(fds[0], (struct sockaddr *)&address, &len), 0);
    for (size_t i = 1; i < count; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)connect(fds[i], (struct sockaddr *)&address, sizeof address);
    }
    return ntohs(address.sin_port);
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
    set_port(full_listener(fds, 6));
    config.connect_timeout_ms = 400;
    restart();
    enum ekm_rc rc = ask(HOST, "/ok");
    close_all(fds, 6);
    assert_int_equal(rc, EKM_CONNECT_FAILED);
    assert_int_in_range(elapsed_ms(), 390, SOON_MS);
    assert_false(response.maybe_sent);
}

static void handshakes_that_fail(void **state)
{
    (void)state;
    tls_server_manner(TLS_BROKEN);
    expect("/ok", EKM_TLS_FAILED);
    assert_false(response.maybe_sent);
    tls_server_manner(TLS_OLD);
    expect("/ok", EKM_TLS_FAILED);
    tls_server_manner(TLS_NORMAL);
    expect("/ok", EKM_OK);
}

static void a_silent_handshake(void **state)
{
    (void)state;
    config.connect_timeout_ms = 400;
    tls_server_manner(TLS_SILENT);
    expect("/ok", EKM_CONNECT_FAILED);
    assert_int_in_range(elapsed_ms(), 390, SOON_MS);
    assert_false(response.maybe_sent);
}

static void certificates_that_are_refused(void **state)
{
    (void)state;
    assert_int_equal(ask("contoso.managedhsm.azure.net", "/ok"), EKM_CERTIFICATE_REFUSED);
    assert_int_equal(ask("a.b.vault.azure.net", "/ok"), EKM_CERTIFICATE_REFUSED);
    assert_false(response.maybe_sent);
    config.ca_file[0] = '\0';
    restart();
    expect("/ok", EKM_CERTIFICATE_REFUSED);
    assert_false(response.maybe_sent);
}

static void *abort_soon(void *unused)
{
    (void)unused;
    (void)usleep(200000);
    atomic_store(&aborted, true);
    return NULL;
}

static void expect_aborted(const char *host, const char *path)
{
    pthread_t thread;
    begin();
    assert_int_equal(pthread_create(&thread, NULL, abort_soon, NULL), 0);
    enum ekm_rc rc = ask(host, path);
    uint64_t took_ms = elapsed_ms();
    assert_int_equal(pthread_join(thread, NULL), 0);
    if (rc != EKM_CLOSING) {
        fail_msg("%s: %s", ekm_name(rc), call.error.note);
    }
    assert_int_equal(call.error.rc, EKM_CLOSING);
    assert_int_in_range(took_ms, 150, SOON_MS);
}

static void aborts_are_noticed_in_every_phase(void **state)
{
    int fds[6];
    (void)state;
    config.connect_timeout_ms = config.try_timeout_ms = 25000;
    expect_aborted(HOST, "/hang");
    tls_server_manner(TLS_SILENT);
    expect_aborted("other.vault.azure.net", "/ok");
    set_port(full_listener(fds, 6));
    restart();
    expect_aborted(HOST, "/ok");
    close_all(fds, 6);
    config.connect_to.count = 0;
    restart();
    atomic_store(&resolver_hangs, true);
    expect_aborted("hang.vault.azure.net", "/ok");
    atomic_store(&resolver_hangs, false);
}

/* A proxy of one answer. */
static struct {
    int listener;
    const char *response;
} proxy;

static void *serve_proxy(void *unused)
{
    char request[4096];
    int fd = accept4(proxy.listener, NULL, NULL, SOCK_CLOEXEC);
    (void)unused;
    if (fd >= 0 && read(fd, request, sizeof request) > 0) {
        (void)send(fd, proxy.response, strlen(proxy.response), MSG_NOSIGNAL);
    }
    (void)close(fd);
    return NULL;
}

static void use_proxy(const char *host, int proxy_port)
{
    (void)text_format(config.proxy, sizeof config.proxy, "http://%s:%d", host, proxy_port);
    restart();
}

static void proxies_that_refuse(void **state)
{
    static const struct {
        const char *response;
        enum ekm_rc rc;
    } rows[] = {
        {"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n"
         "Content-Length: 0\r\n\r\n",
         EKM_PROXY},
        {"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", EKM_PROXY},
        {"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", EKM_PROXY_UNREACHABLE},
    };
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    (void)state;
    proxy.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(proxy.listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(proxy.listener, 8), 0);
    assert_int_equal(getsockname(proxy.listener, (struct sockaddr *)&address, &len), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        pthread_t thread;
        proxy.response = rows[i].response;
        use_proxy("127.0.0.1", ntohs(address.sin_port));
        assert_int_equal(pthread_create(&thread, NULL, serve_proxy, NULL), 0);
        enum ekm_rc rc = ask(HOST, "/ok");
        assert_int_equal(pthread_join(thread, NULL), 0);
        if (ekm_code(rc) != 5013 || rc != rows[i].rc) {
            fail_msg("%s instead of %s: %s", ekm_name(rc), ekm_name(rows[i].rc), call.error.note);
        }
    }
    (void)close(proxy.listener);
}

static void proxies_that_are_not_there(void **state)
{
    (void)state;
    use_proxy("127.0.0.1", closed_port());
    expect("/ok", EKM_PROXY_UNREACHABLE);
    assert_false(response.maybe_sent);
    use_proxy("proxy.invalid", 3128);
    expect("/ok", EKM_PROXY_UNREACHABLE);
}

static void a_proxy_of_the_system_is_for_its_host_alone(void **state)
{
    (void)state;
    config.has_proxy = false;
    (void)unsetenv("https_proxy");
    (void)unsetenv("HTTPS_PROXY");
    (void)unsetenv("all_proxy");
    (void)unsetenv("ALL_PROXY");
    restart();
    expect("/ok", EKM_OK);
    system_proxy = "http://127.0.0.1:1";
    expect("/ok", EKM_PROXY_UNREACHABLE);
    system_proxy = NULL;
    expect("/ok", EKM_OK);
}

static void no_proxy_is_obeyed(void **state)
{
    (void)state;
    (void)text_copy(config.no_proxy, sizeof config.no_proxy, ".vault.azure.net,localhost");
    use_proxy("127.0.0.1", closed_port());
    expect("/ok", EKM_OK);
}

static void expect_no_start(void)
{
    char reason[256] = "";
    http_stop();
    assert_int_equal(http_start(&config, reason, sizeof reason), EKM_CONFIGURATION);
    assert_non_null(strstr(reason, config.ca_file));
    (void)text_copy(config.ca_file, sizeof config.ca_file, ca_path);
    start_http();
    begin();
    expect("/ok", EKM_OK);
}

static void ca_files_that_are_refused(void **state)
{
    char path[128];
    (void)state;
    (void)text_format(path, sizeof path, "%s/other.pem", folder);
    (void)text_copy(config.ca_file, sizeof config.ca_file, path);
    expect_no_start();
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs("no certificate\n", file);
    (void)fclose(file);
    assert_int_equal(chmod(path, 0600), 0);
    (void)text_copy(config.ca_file, sizeof config.ca_file, path);
    expect_no_start();
    (void)unlink(path);
    assert_int_equal(chmod(ca_path, 0606), 0);
    char reason[256] = "";
    http_stop();
    enum ekm_rc rc = http_start(&config, reason, sizeof reason);
    assert_int_equal(chmod(ca_path, 0600), 0);
    assert_int_equal(rc, EKM_CONFIGURATION);
    start_http();
}

static void start_and_stop_many_times(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        restart();
        expect("/ok", EKM_OK);
    }
}

/* A host with SIGPIPE at its default lives on when a kept connection is gone. */
static void signals_stay_as_they_were(void **state)
{
    sigset_t mask;
    struct sigaction action;
    (void)state;
    for (int i = 0; i < 5; i++) {
        expect("/cut", EKM_CONNECTION_BROKEN);
        expect("/ok", EKM_OK);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_plain_answer),
        TEST(headers_of_an_answer),
        TEST(odd_headers),
        TEST(what_is_sent),
        TEST(nothing_of_the_last_request),
        TEST(only_what_is_asked_once_goes_alone),
        TEST(redirects_are_not_followed),
        TEST(only_https),
        TEST(one_connection_for_calls_in_turn),
        TEST(one_connection_for_each_host),
        TEST(the_pool_is_bounded),
        TEST(waiting_for_a_connection_ends),
        TEST(no_answer),
        TEST(the_deadline_is_the_calls),
        TEST(broken_answers),
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
        TEST(a_proxy_of_the_system_is_for_its_host_alone),
        TEST(no_proxy_is_obeyed),
        TEST(ca_files_that_are_refused),
        TEST(start_and_stop_many_times),
        TEST(signals_stay_as_they_were),
        TEST(many_threads),
    };
    return cmocka_run_group_tests(tests, start_all, stop_all);
}
