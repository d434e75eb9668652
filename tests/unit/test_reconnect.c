// only: posix
// with: http_fixture.c
// uses: akvekm_tls_server
// wrap: plat_now_ms
/* A repeat shares nothing with what failed (specification.md section 7): real requests, with their
 * repeats, to a server and a resolver that were in order and are no more, or not yet. */
#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "http_fixture.h"
#include "libc_resolver.h"
#include "net/http_retry.h"
#include "platform/system.h"
#include "tls_server.h"

#define HANDLES 6
/* Beyond what a test waits for, on a busy machine. */
#define SOON_MS 8000
/* Less than the half of a try after which curl goes on to a name's next address. */
#define MOMENT_MS 4000

static atomic_uint_fast64_t skipped_ms;

uint64_t __real_plat_now_ms(void);
uint64_t __wrap_plat_now_ms(void);
uint64_t __wrap_plat_now_ms(void)
{
    return __real_plat_now_ms() + atomic_load(&skipped_ms);
}

/* Another address of every vault, before the right one; 0 for none. */
static atomic_int sick_addresses;

/* Both, in this order. Each entry is freed by itself. */
static struct addrinfo *put_before(struct addrinfo *first, struct addrinfo *rest)
{
    struct addrinfo *last = first;
    while (last->ai_next != NULL) {
        last = last->ai_next;
    }
    last->ai_next = rest;
    return first;
}

/* The resolver of curl as well: any vault is this machine, unless names fail or take time. */
static atomic_int lookups, failing_lookups, lookup_takes_ms;
__attribute__((visibility("default"))) int getaddrinfo(const char *restrict node,
                                                       const char *restrict service,
                                                       const struct addrinfo *restrict hints,
                                                       struct addrinfo **restrict result)
{
    if (node != NULL && strstr(node, ".vault.azure.net") != NULL) {
        atomic_fetch_add(&lookups, 1);
        (void)usleep(1000 * (useconds_t)atomic_load(&lookup_takes_ms));
        if (atomic_fetch_sub(&failing_lookups, 1) > 0) {
            return EAI_NONAME;
        }
        node = "127.0.0.1";
        int rc = libc_resolve(node, service, hints, result);
        for (int i = atomic_load(&sick_addresses); rc == 0 && i > 0; i--) {
            char sick[16];
            struct addrinfo *first = NULL;
            (void)text_format(sick, sizeof sick, "127.0.0.%d", 1 + i);
            rc = libc_resolve(sick, service, hints, &first);
            *result = rc == 0 ? put_before(first, *result) : *result;
        }
        return rc;
    }
    return libc_resolve(node, service, hints, result);
}

static int set_up(void **state)
{
    atomic_store(&failing_lookups, 0);
    atomic_store(&lookup_takes_ms, 0);
    atomic_store(&sick_addresses, 0);
    http_retry_reset();
    return http_set_up(state);
}

/* One request with its repeats. */
struct asker {
    pthread_t thread;
    const char *host, *path;
    enum ekm_rc rc;
    long status;
    unsigned tries;
    uint64_t took_ms;
};

static void *reconnect_ask(void *context)
{
    struct asker *asker = context;
    struct call call;
    struct http_response response;
    char url[128];
    (void)text_format(url, sizeof url, "https://%s%s", asker->host, asker->path);
    const struct http_request request = {.method = HTTP_GET, .url = url, .host = asker->host};
    http_response_init(&response);
    call_begin(&call, "Test", &http.config);
    asker->rc = http_retry_perform(&call, &request, &response);
    asker->took_ms = plat_now_ms() - call.start_ms;
    asker->status = response.status;
    asker->tries = call.tries;
    http_response_free(&response);
    return NULL;
}

static struct asker expect_served(const char *host)
{
    struct asker asker = {.host = host, .path = "/ok"};
    (void)reconnect_ask(&asker);
    assert_int_equal(asker.rc, EKM_OK);
    assert_int_equal(asker.status, 200);
    return asker;
}

/* At once, on a connection each. */
static unsigned ask_together(size_t count)
{
    static struct asker askers[HANDLES];
    unsigned tries = 0;
    for (size_t i = 0; i < count; i++) {
        askers[i] = (struct asker){.host = HOST, .path = "/late"};
        assert_int_equal(pthread_create(&askers[i].thread, NULL, reconnect_ask, &askers[i]), 0);
    }
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(pthread_join(askers[i].thread, NULL), 0);
        assert_int_equal(askers[i].rc, EKM_OK);
        assert_int_equal(askers[i].status, 200);
        tries = askers[i].tries > tries ? askers[i].tries : tries;
    }
    return tries;
}

/* The server takes HTTP/2 if it is offered, and prefers it. */
static void only_http_1_1_is_offered(void **state)
{
    (void)state;
    (void)expect_served(HOST);
    assert_false(tls_server_offered_h2());
    assert_true(tls_server_heard("GET /ok HTTP/1.1\r\n"));
}

/* A failing back end behind one connection: the retry uses a new connection, and no later request
 * meets that back end. */
static void a_connection_that_turns_sick(void **state)
{
    (void)state;
    (void)expect_served(HOST);
    tls_server_turn(503);
    int before = tls_server_connections();
    assert_int_equal(expect_served(HOST).tries, 2);
    assert_int_equal(tls_server_connections(), before + 1);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(expect_served(HOST).tries, 1);
    }
    assert_int_equal(tls_server_connections(), before + 1);
}

/* A page from something on the way says nothing about other connections. */
static void a_connection_that_ends_at_a_page(void **state)
{
    struct asker asker = {.host = HOST, .path = "/ok"};
    (void)state;
    (void)expect_served(HOST);
    tls_server_turn(400);
    (void)reconnect_ask(&asker);
    assert_int_equal(asker.status, 400);
    assert_int_equal(expect_served(HOST).tries, 1);
}

static void all_connections_turn_sick(void **state)
{
    (void)state;
    (void)ask_together(HANDLES);
    tls_server_turn(503);
    assert_int_equal(ask_together(HANDLES), 2);
    /* Some may not have been used since. */
    for (int i = 0; i < HANDLES; i++) {
        assert_in_range(ask_together(HANDLES), 1, 2);
    }
}

/* It costs one try, and no other request after it. */
static void a_connection_that_goes_silent(void **state)
{
    (void)state;
    (void)expect_served(HOST);
    tls_server_turn(0);
    http.config.try_timeout_ms = 800;
    http.config.hedge = false; /* else nobody waits for the end of the try */
    struct asker first = expect_served(HOST);
    assert_in_range(first.took_ms, 790, SOON_MS);
    assert_int_equal(first.tries, 2);
    http.config.try_timeout_ms = 10000;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(expect_served(HOST).tries, 1);
    }
}

/* The service's word to all: the connection is in order. But another one is tried before long. */
static void a_connection_that_is_throttled(void **state)
{
    (void)state;
    (void)expect_served(HOST);
    tls_server_turn(429);
    int before = tls_server_connections();
    assert_int_equal(expect_served(HOST).tries, 3);
    assert_int_equal(tls_server_connections(), before + 1);
}

static void by_name(void)
{
    (void)text_format(http.connect_to, sizeof http.connect_to, "%s:443:%s:%d", HOST, HOST,
                      http.port);
    http_fixture_reopen();
}

/* Takes connections at another address of this machine, and closes them unless it says nothing. */
static struct sick {
    pthread_t thread;
    int listener;
    bool is_silent;
    atomic_int met;
} sick[2];

static void *sick_run(void *context)
{
    struct sick *server = context;
    int silent[64], count = 0, fd;
    while ((fd = accept(server->listener, NULL, NULL)) >= 0) {
        atomic_fetch_add(&server->met, 1);
        if (server->is_silent && count < 64) {
            silent[count++] = fd;
        } else {
            (void)close(fd);
        }
    }
    while (count > 0) {
        (void)close(silent[--count]);
    }
    return NULL;
}

static struct sockaddr_in sick_address(int number)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)http.port),
                                .sin_addr = {htonl(0x7F000002U + (unsigned)number)}};
}

static void sick_start(int count, bool is_silent)
{
    for (int i = 0; i < count; i++) {
        const struct sockaddr_in address = sick_address(i);
        sick[i].is_silent = is_silent;
        atomic_store(&sick[i].met, 0);
        sick[i].listener = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(bind(sick[i].listener, (const struct sockaddr *)&address, sizeof address),
                         0);
        assert_int_equal(listen(sick[i].listener, 16), 0);
        assert_int_equal(pthread_create(&sick[i].thread, NULL, sick_run, &sick[i]), 0);
    }
    atomic_store(&sick_addresses, count);
    by_name();
}

static void sick_stop(int count)
{
    for (int i = 0; i < count; i++) {
        (void)shutdown(sick[i].listener, SHUT_RDWR);
        assert_int_equal(pthread_join(sick[i].thread, NULL), 0);
        (void)close(sick[i].listener);
    }
}

/* The name has other addresses before the right one, and what is there is sick: each is met once.
 */
static void a_name_with_sick_addresses(void **state)
{
    (void)state;
    for (int count = 1; count <= 2; count++) {
        sick_start(count, false);
        assert_int_equal(expect_served(HOST).tries, count + 1);
        for (int i = 0; i < count; i++) {
            assert_int_equal(atomic_load(&sick[i].met), 1);
        }
        sick_stop(count);
    }
}

static void a_name_with_a_silent_address(void **state)
{
    (void)state;
    http.config.connect_timeout_ms = 800;
    sick_start(1, true);
    struct asker asker = expect_served(HOST);
    assert_int_equal(asker.tries, 2);
    assert_in_range(asker.took_ms, 790, SOON_MS);
    sick_stop(1);
}

/* Another address serves: that costs no whole try, and the next new connections no more. */
static void expect_a_moment(void)
{
    struct asker asker = expect_served(HOST);
    assert_int_equal(asker.tries, 1);
    assert_in_range(asker.took_ms, 0, MOMENT_MS);
    http_fixture_begin();
    assert_int_equal(ask_together(HANDLES), 1);
    assert_in_range(http_fixture_elapsed_ms(), 0, MOMENT_MS);
}

static void a_silent_address_costs_a_moment(void **state)
{
    (void)state;
    sick_start(1, true);
    expect_a_moment();
    assert_in_range(atomic_load(&sick[0].met), 1, 2);
    sick_stop(1);
}

/* Its queue is full: packets that begin a connection are dropped, as on the way to a machine that
 * is gone. */
static void a_lost_packet_costs_a_moment(void **state)
{
    const struct sockaddr_in to = sick_address(0);
    const struct sockaddr *generic = (const struct sockaddr *)&to;
    int fds[4];
    (void)state;
    for (int i = 0; i < 4; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | (i > 0 ? SOCK_NONBLOCK : 0), 0);
        if (i == 0) {
            assert_int_equal(bind(fds[0], generic, sizeof to), 0);
            assert_int_equal(listen(fds[0], 0), 0);
        } else {
            (void)connect(fds[i], generic, sizeof to);
        }
    }
    atomic_store(&sick_addresses, 1);
    by_name();
    expect_a_moment();
    for (int i = 0; i < 4; i++) {
        (void)close(fds[i]);
    }
}

/* All were tried: any is good enough again. */
static void an_address_that_gets_well(void **state)
{
    (void)state;
    tls_server_manner(TLS_BROKEN);
    sick_start(1, false);
    http.config.call_timeout_ms = 2500;
    struct asker asker = {.host = HOST, .path = "/ok"};
    (void)reconnect_ask(&asker);
    assert_int_equal(asker.rc, EKM_TLS_FAILED);
    assert_true(asker.tries >= 2);
    assert_in_range(atomic_load(&sick[0].met), asker.tries / 2, asker.tries / 2 + 1);
    tls_server_manner(TLS_NORMAL);
    assert_int_equal(expect_served(HOST).status, 200);
    sick_stop(1);
}

/* Also with libcurl 8.16 and newer, which remembers for half a minute that there was no such name,
 * for all handles. */
static void a_moment_without_names(void **state)
{
    (void)state;
    by_name();
    atomic_store(&failing_lookups, 4);
    struct asker first = expect_served(HOST);
    assert_in_range(first.took_ms, 1, SOON_MS);
    assert_true(first.tries >= 2);
    /* One that fails to its end leaves nothing behind for others. */
    by_name();
    atomic_store(&failing_lookups, 1000);
    http.config.call_timeout_ms = 300;
    struct asker unlucky = {.host = HOST, .path = "/ok"};
    (void)reconnect_ask(&unlucky);
    assert_int_equal(unlucky.rc, EKM_HOST_NOT_RESOLVED);
    atomic_store(&failing_lookups, 0);
    http.config.call_timeout_ms = 30000;
    assert_int_equal(ask_together(HANDLES), 1);
}

/* Calls that waited for a connection while another was refused: the host is not asked by each of
 * them once more. */
static void calls_that_wait_for_a_connection_do_not_ask_a_throttling_host(void **state)
{
    static const char refusal[] = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 60\r\n"
                                  "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    static struct asker askers[HANDLES];
    (void)state;
    http.config.max_connections = 1;
    http.config.call_timeout_ms = 5000;
    http_fixture_reopen();
    tls_server_manner(TLS_SCRIPT);
    tls_server_script(refusal, sizeof refusal - 1, 2);
    uint64_t begun_ms = plat_now_ms();
    unsigned tries = 0;
    for (size_t i = 0; i < HANDLES; i++) {
        askers[i] = (struct asker){.host = HOST, .path = "/ok"};
        assert_int_equal(pthread_create(&askers[i].thread, NULL, reconnect_ask, &askers[i]), 0);
    }
    for (size_t i = 0; i < HANDLES; i++) {
        assert_int_equal(pthread_join(askers[i].thread, NULL), 0);
        assert_true(askers[i].rc == EKM_THROTTLED || askers[i].status == 429);
        tries += askers[i].tries;
    }
    /* The first, the one that got its connection before the refusal was noted, and those that ask
     * once a second whatever the host wished. */
    assert_in_range(tries, 1, 3 + (plat_now_ms() - begun_ms) / 1000);
}

/* As with a silent first name server: longer than any try but the last, which has what is left. */
static void a_lookup_that_takes_long(void **state)
{
    (void)state;
    by_name();
    http.config.connect_timeout_ms = http.config.try_timeout_ms = 2000;
    http.config.call_timeout_ms = 5500;
    atomic_store(&lookup_takes_ms, 2300);
    struct asker asker = expect_served(HOST);
    assert_in_range(asker.took_ms, 4000, 5500);
    assert_true(asker.tries >= 2);
}

/* Names stay known for a minute, so a repeat after an response asks no resolver. */
static void names_are_looked_up_for_new_names_alone(void **state)
{
    (void)state;
    by_name();
    (void)expect_served(HOST);
    int before = atomic_load(&lookups);
    tls_server_turn(503);
    assert_int_equal(expect_served(HOST).tries, 2);
    assert_int_equal(atomic_load(&lookups), before);
}

/* Connections that nobody uses again are closed as soon as there is work, not kept half open. */
static void idle_connections_are_closed(void **state)
{
    (void)state;
    (void)ask_together(HANDLES);
    assert_in_range(tls_server_open(), 2, 64);
    atomic_fetch_add(&skipped_ms, 119000);
    (void)expect_served(HOST);
    /* Sooner than the server itself would end them. */
    for (int i = 0; i < 200 && tls_server_open() > 1; i++) {
        (void)usleep(10000);
    }
    assert_in_range(tls_server_open(), 0, 1);
    (void)ask_together(HANDLES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, http_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_http_1_1_is_offered),
        TEST(a_connection_that_turns_sick),
        TEST(a_connection_that_ends_at_a_page),
        TEST(all_connections_turn_sick),
        TEST(a_connection_that_goes_silent),
        TEST(a_connection_that_is_throttled),
        TEST(a_name_with_sick_addresses),
        TEST(a_name_with_a_silent_address),
        TEST(a_silent_address_costs_a_moment),
        TEST(a_lost_packet_costs_a_moment),
        TEST(an_address_that_gets_well),
        TEST(a_moment_without_names),
        TEST(calls_that_wait_for_a_connection_do_not_ask_a_throttling_host),
        TEST(a_lookup_that_takes_long),
        TEST(names_are_looked_up_for_new_names_alone),
        TEST(idle_connections_are_closed),
    };
    return cmocka_run_group_tests_name("reconnect", tests, http_fixture_start, http_fixture_stop);
}
