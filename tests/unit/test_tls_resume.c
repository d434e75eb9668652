// only: posix
// with: http_fixture.c two_certificates.c
// uses: akvekm_tls_server
// wrap: plat_now_ms plat_cond_wait_until
/* Which connections resume a TLS session, and which must not: counted at the server. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "http_fixture.h"
#include "net/http.h"
#include "net/tls_resume.h"
#include "net/trust_store.h"
#include "platform/system.h"
#include "platform/thread.h"
#include "tls_server.h"
#include "two_certificates.h"

#define OTHER   "fabrikam.vault.azure.net"
#define THREADS 16

static atomic_bool given_up;                          /* ends the calls under way */
static atomic_uint_fast64_t skipped_ms, frozen_at_ms; /* frozen: 0 for no */

uint64_t __real_plat_now_ms(void);
uint64_t __wrap_plat_now_ms(void);
uint64_t __wrap_plat_now_ms(void)
{
    uint64_t frozen_ms = atomic_load(&frozen_at_ms);
    return (frozen_ms != 0 ? frozen_ms : __real_plat_now_ms()) + atomic_load(&skipped_ms);
}

void __real_plat_cond_wait_until(struct plat_cond *cond, struct plat_mutex *mutex,
                                 uint64_t until_ms);
void __wrap_plat_cond_wait_until(struct plat_cond *cond, struct plat_mutex *mutex,
                                 uint64_t until_ms);
void __wrap_plat_cond_wait_until(struct plat_cond *cond, struct plat_mutex *mutex,
                                 uint64_t until_ms)
{
    (void)until_ms;
    __real_plat_cond_wait_until(cond, mutex, __real_plat_now_ms() + 2);
}

/* From here on time passes only as the test says. */
static void tls_resume_freeze(void)
{
    atomic_store(&frozen_at_ms, __real_plat_now_ms());
}

static int start_all(void **state)
{
    int rc = two_certificates_start(state);
    http.config.hedge = false; /* each handshake is counted */
    return rc;
}

static int set_up(void **state)
{
    atomic_store(&frozen_at_ms, 0);
    atomic_store(&given_up, false);
    two_certificates_trust(right_certificate);
    tls_server_sessions(TLS_SESSIONS);
    return http_set_up(state);
}

/* On a connection of its own, which `once` sees to. */
static enum ekm_rc ask_as(const char *host, bool is_retry)
{
    struct call call;
    struct http_response response;
    char url[64];
    (void)text_format(url, sizeof url, "https://%s/ok", host);
    const struct http_request request = {
        .url = url, .host = host, .once = true, .new_connection = is_retry};
    http_response_init(&response);
    call_begin(&call, "Test", &http.config);
    call.session_aborted = &given_up;
    enum ekm_rc rc = http_perform(&call, &request, &response);
    http_response_free(&response);
    return rc;
}

static enum ekm_rc tls_resume_ask(void)
{
    return ask_as(HOST, false);
}

/* A request on a connection of its own, and whether that resumed a session. */
static bool resumes_as(const char *host, bool is_retry)
{
    int resumed = tls_server_resumed(), connections = tls_server_connections();
    assert_int_equal(ask_as(host, is_retry), EKM_OK);
    assert_int_equal(tls_server_connections(), connections + 1);
    return tls_server_resumed() > resumed;
}

static bool tls_resume_resumes(void)
{
    return resumes_as(HOST, false);
}

static void a_further_connection_resumes(void **state)
{
    (void)state;
    assert_false(tls_resume_resumes());
    for (int i = 0; i < 5; i++) {
        assert_true(tls_resume_resumes());
    }
}

static void no_other_host_does(void **state)
{
    (void)state;
    assert_false(tls_resume_resumes());
    assert_false(resumes_as(OTHER, false));
    assert_true(tls_resume_resumes());
    assert_true(resumes_as(OTHER, false));
}

static void tls_1_2_sessions_resume(void **state)
{
    static const enum tls_sessions kinds[] = {TLS_SESSIONS_1_2, TLS_SESSIONS_IDS};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        tls_server_sessions(kinds[i]);
        assert_false(tls_resume_resumes());
        assert_true(tls_resume_resumes());
        assert_true(tls_resume_resumes());
    }
}

static void a_refused_session_costs_nothing_else(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_false(tls_resume_resumes());
        assert_true(tls_resume_resumes());
        tls_server_sessions(i == 1 ? TLS_SESSIONS_1_2 : TLS_SESSIONS);
    }
    assert_false(tls_resume_resumes());
    tls_server_sessions(TLS_SESSIONS_NONE);
    for (int i = 0; i < 3; i++) {
        assert_false(tls_resume_resumes());
    }
    tls_server_sessions(TLS_SESSIONS);
    assert_false(tls_resume_resumes());
    assert_true(tls_resume_resumes());
}

/* A failure may be due to its session. The new one works again. */
static void a_retry_resumes_nothing(void **state)
{
    (void)state;
    assert_false(tls_resume_resumes());
    assert_false(resumes_as(HOST, true));
    assert_true(tls_resume_resumes());
}

/* As Free and Initialize are; a changed ca_file counts from then on. */
static void another_life_resumes_nothing(void **state)
{
    (void)state;
    assert_false(tls_resume_resumes());
    http_fixture_reopen();
    assert_false(tls_resume_resumes());
    two_certificates_trust(wrong_certificate);
    http_fixture_reopen();
    assert_int_equal(tls_resume_ask(), EKM_CERTIFICATE_REFUSED);
}

/* The session's own connection was verified; a further one must not live on that. */
static void other_certificates_to_trust_end_it(void **state)
{
    (void)state;
    assert_false(tls_resume_resumes());
    two_certificates_trust(wrong_certificate);
    trust_store_doubt();
    assert_true(tls_resume_resumes()); /* not read again yet: those it was verified against */
    atomic_fetch_add(&skipped_ms, 10000);
    int resumed = tls_server_resumed();
    assert_int_equal(tls_resume_ask(), EKM_CERTIFICATE_REFUSED);
    assert_int_equal(tls_server_resumed(), resumed);
}

static void a_refused_certificate_ends_all(void **state)
{
    (void)state;
    assert_false(tls_resume_resumes());
    assert_int_equal(ask_as("contoso.managedhsm.azure.net", false), EKM_CERTIFICATE_REFUSED);
    assert_false(tls_resume_resumes());
}

/* A session that stems from another ends with it. */
static void a_verification_counts_for_an_hour(void **state)
{
    (void)state;
    assert_false(tls_resume_resumes());
    atomic_fetch_add(&skipped_ms, 1800000);
    assert_true(tls_resume_resumes());
    atomic_fetch_add(&skipped_ms, 1800000);
    assert_false(tls_resume_resumes());
    assert_true(tls_resume_resumes());
}

static void *ask_in_thread(void *rc)
{
    *(enum ekm_rc *)rc = tls_resume_ask();
    return NULL;
}

/* The first one's session serves all. */
static void threads_that_come_at_once(void **state)
{
    pthread_t threads[THREADS];
    enum ekm_rc rcs[THREADS];
    (void)state;
    tls_resume_freeze();
    int resumed = tls_server_resumed();
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, ask_in_thread, &rcs[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(rcs[i], EKM_OK);
    }
    assert_int_equal(tls_server_resumed(), resumed + THREADS - 1);
}

/* A first one that hangs holds nobody for long: not by the clock that the test moves. */
static void a_first_one_that_hangs(void **state)
{
    pthread_t first, second;
    enum ekm_rc rcs[2] = {EKM_INTERNAL, EKM_INTERNAL};
    (void)state;
    int connections = tls_server_connections();
    tls_resume_freeze();
    tls_server_manner(TLS_SILENT);
    assert_int_equal(pthread_create(&first, NULL, ask_in_thread, &rcs[0]), 0);
    while (tls_server_connections() == connections) {
        (void)usleep(1000);
    }
    (void)usleep(50000);
    tls_server_manner(TLS_NORMAL);
    assert_int_equal(pthread_create(&second, NULL, ask_in_thread, &rcs[1]), 0);
    while (tls_server_connections() == connections + 1) {
        (void)usleep(1000);
    }
    atomic_fetch_add(&skipped_ms, 100);
    assert_int_equal(pthread_join(second, NULL), 0);
    assert_int_equal(rcs[1], EKM_OK);
    atomic_store(&given_up, true);
    assert_int_equal(pthread_join(first, NULL), 0);
    assert_int_equal(rcs[0], EKM_CLOSING); /* until then it hung */
}

/* One that failed is waited for no longer, whatever time it is. */
static void a_first_one_that_fails(void **state)
{
    (void)state;
    tls_resume_freeze();
    tls_server_manner(TLS_BROKEN);
    assert_int_not_equal(tls_resume_ask(), EKM_OK);
    tls_server_manner(TLS_NORMAL);
    assert_false(tls_resume_resumes());
    assert_true(tls_resume_resumes());
}

/* A connection by hand, verified as curl does it; whether it resumed. */
static bool connects_by(const char *url, const char *host, const char *name, const char *proxy)
{
    struct call call;
    char byte;
    const struct http_request request = {.url = url, .host = host};
    const struct tls_resume_way way = {.proxy = proxy, .alone = true};
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)http.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    call_begin(&call, "Test", &http.config);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    assert_int_equal(trust_store_apply(context, &call), EKM_OK);
    bool leads = tls_resume_prepare(context, &call, &request, &way);
    SSL *tls = SSL_new(context);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(SSL_set_fd(tls, fd), 1);
    assert_int_equal(SSL_set_tlsext_host_name(tls, name), 1);
    assert_int_equal(SSL_connect(tls), 1);
    assert_int_equal(SSL_get_verify_result(tls), X509_V_OK);
    assert_true(SSL_write(tls, "GET /ok HTTP/1.1\r\n\r\n", 20) == 20 &&
                SSL_read(tls, &byte, 1) == 1);
    bool resumed = SSL_session_reused(tls) == 1;
    SSL_free(tls);
    SSL_CTX_free(context);
    (void)close(fd);
    if (leads) {
        tls_resume_settle(&call);
    }
    return resumed;
}

static void no_other_port_or_proxy_does(void **state)
{
    static const char url[] = "https://" HOST "/a", port_url[] = "https://" HOST ":8443/a";
    (void)state;
    assert_false(connects_by(url, HOST, HOST, ""));
    assert_true(connects_by(url, HOST, HOST, ""));
    assert_false(connects_by(port_url, HOST, HOST, ""));
    assert_true(connects_by(port_url, HOST, HOST, ""));
    assert_false(connects_by(url, HOST, HOST, "http://proxy:3128"));
    assert_true(connects_by(url, HOST, HOST, "http://proxy:3128"));
    assert_false(connects_by(url, HOST, HOST, "https://proxy:3128"));
    /* A proxy's own handshake, which has the same function called. */
    assert_false(connects_by(url, HOST, "proxy.vault.azure.net", "https://proxy:3128"));
    assert_false(connects_by(url, HOST, "proxy.vault.azure.net", "https://proxy:3128"));
    assert_false(connects_by(url, HOST, HOST, "https://" HOST ":3128"));
    assert_false(connects_by(url, HOST, HOST, "https://" HOST ":3128"));
}

/* Curl refuses it afterwards; nothing of it is kept. */
static void a_certificate_of_another_name_gives_none(void **state)
{
    static const char name[] = "contoso.managedhsm.azure.net";
    (void)state;
    assert_false(connects_by("https://contoso.managedhsm.azure.net/a", name, name, ""));
    assert_false(connects_by("https://contoso.managedhsm.azure.net/a", name, name, ""));
}

/* More hosts than sessions are kept for: the one used least lately gives way. */
static void many_hosts(void **state)
{
    char host[64];
    (void)state;
    for (int i = 0; i < 40; i++) {
        (void)text_format(host, sizeof host, "vault-%d.vault.azure.net", i);
        assert_false(resumes_as(host, false));
        atomic_fetch_add(&skipped_ms, 1);
    }
    assert_true(resumes_as("vault-39.vault.azure.net", false));
    assert_true(resumes_as("vault-20.vault.azure.net", false));
    assert_false(resumes_as("vault-0.vault.azure.net", false));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, http_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_further_connection_resumes),
        TEST(no_other_host_does),
        TEST(tls_1_2_sessions_resume),
        TEST(a_refused_session_costs_nothing_else),
        TEST(a_retry_resumes_nothing),
        TEST(another_life_resumes_nothing),
        TEST(other_certificates_to_trust_end_it),
        TEST(a_refused_certificate_ends_all),
        TEST(a_verification_counts_for_an_hour),
        TEST(threads_that_come_at_once),
        TEST(a_first_one_that_hangs),
        TEST(a_first_one_that_fails),
        TEST(no_other_port_or_proxy_does),
        TEST(a_certificate_of_another_name_gives_none),
        TEST(many_hosts),
    };
    return cmocka_run_group_tests(tests, start_all, two_certificates_stop);
}
