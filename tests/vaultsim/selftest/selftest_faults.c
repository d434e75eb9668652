#include "selftest.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "client.h"

#define GET_KEY(client) client_get(client, VAULT, "/keys/tested" V)
#define THREADS         64
#define ROUNDS          5

static void faults_fault(const char *json)
{
    sim_do("DELETE", "/faults", NULL);
    sim_do("POST", "/faults", json);
}

static void faults_open_signed_in(struct client *client)
{
    client_open(client);
    assert_int_equal(client_sign_in(client, "vault.azure.net"), 200);
}

void test_faults(void **state)
{
    (void)state;
    struct client c;
    faults_open_signed_in(&c);
    faults_fault(
        "{\"method\":\"GET\",\"path\":\"KEYS/tested\",\"host\":\"contoso\",\"skip\":1,\"times\":2,"
        "\"action\":\"status\",\"status\":503,\"retry_after\":\"2\",\"code\":\"Busy\"}");
    assert_int_equal(client_get(&c, VAULT, "/keys" V), 200);
    assert_int_equal(GET_KEY(&c), 200);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(GET_KEY(&c), 503);
        assert_string_equal(c.retry_after, "2");
        assert_string_equal(client_text(&c, "error.code"), "Busy");
    }
    assert_int_equal(GET_KEY(&c), 200);
    faults_fault("{\"action\":\"wrong_kid\"}");
    assert_int_equal(GET_KEY(&c), 200);
    assert_non_null(strstr(client_text(&c, "key.kid"), "/keys/another-key/"));
    assert_int_equal(GET_KEY(&c), 200);
    assert_non_null(strstr(client_text(&c, "key.kid"), "/keys/tested/"));
    faults_fault("{\"action\":\"edit\",\"path_in_body\":\"key.n\",\"value\":null}");
    assert_int_equal(GET_KEY(&c), 200);
    assert_string_equal(client_text(&c, "key.n"), "");
    assert_string_equal(client_text(&c, "key.e"), "AQAB");
    faults_fault("{\"action\":\"body\",\"body\":\"\"}");
    assert_int_equal(GET_KEY(&c), 200);
    assert_int_equal(c.body_len, 0);
    faults_fault("{\"action\":\"oversized\",\"body_bytes\":300000}");
    assert_int_equal(GET_KEY(&c), 200);
    assert_int_equal(c.body_len, 300000);
    faults_fault("{\"action\":\"garbage\"}");
    assert_int_equal(GET_KEY(&c), 200);
    assert_null(c.json);
    faults_fault("{\"action\":\"expired_token\"}");
    assert_int_equal(GET_KEY(&c), 401);
    assert_non_null(strstr(c.challenge, "authorization="));
    faults_fault("{\"action\":\"no_challenge\"}");
    assert_int_equal(GET_KEY(&c), 401);
    assert_string_equal(c.challenge, "");
    faults_fault("{\"action\":\"slow\",\"delay_ms\":1}");
    assert_int_equal(GET_KEY(&c), 200);
    assert_string_equal(client_text(&c, "key.e"), "AQAB");
    faults_fault("{\"action\":\"status\",\"status\":302,\"location\":\"https://example.com/\"}");
    assert_int_equal(GET_KEY(&c), 302);
    faults_fault("{\"action\":\"truncate\"}");
    assert_int_equal(GET_KEY(&c), 200);
    assert_true(c.body_len > 100);
    assert_null(c.json);
    faults_fault("{\"action\":\"nest\",\"depth\":100}");
    assert_int_equal(GET_KEY(&c), 200);
    assert_string_equal(client_text(&c, "key.e"), "AQAB");
    assert_true(cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(c.json, "nested")));
    faults_fault("{\"action\":\"splice\",\"after\":\"\\\"e\\\":\\\"\",\"bytes\":\"4142\"}");
    assert_int_equal(GET_KEY(&c), 200);
    assert_string_equal(client_text(&c, "key.e"), "ABAQAB");
    client_close(&c);
}

void test_cuts(void **state)
{
    (void)state;
    struct client c;
    faults_open_signed_in(&c);
    assert_int_equal(GET_KEY(&c), 200);
    faults_fault("{\"action\":\"cut\",\"times\":0}");
    assert_int_equal(GET_KEY(&c), 0);
    assert_true(c.rc == CURLE_GOT_NOTHING || c.rc == CURLE_RECV_ERROR);
    assert_int_equal(c.body_len, 0);
    faults_fault("{\"action\":\"cut_body\"}");
    assert_int_equal(GET_KEY(&c), 0);
    assert_true(c.rc == CURLE_PARTIAL_FILE || c.rc == CURLE_RECV_ERROR);
    assert_true(c.body_len > 0);
    assert_null(c.json);
    assert_int_equal(GET_KEY(&c), 200);
    client_close(&c);
}

static void *faults_hang(void *argument)
{
    GET_KEY((struct client *)argument);
    return NULL;
}

/* 400 requests: how many of them a fault of `json` hits. */
static int faults_hits(struct client *client, const char *json)
{
    int hit = 0;
    faults_fault(json);
    for (int i = 0; i < 400; i++) {
        hit += GET_KEY(client) == 503;
    }
    sim_do("DELETE", "/faults", NULL);
    return hit;
}

void test_odds(void **state)
{
    (void)state;
    struct client c;
    faults_open_signed_in(&c);
    int hit = faults_hits(&c, "{\"action\":\"status\",\"status\":503,\"times\":0,\"percent\":10}");
    assert_int_in_range(hit, 15, 80);
    int again = faults_hits(
        &c, "{\"action\":\"status\",\"status\":503,\"times\":0,\"percent\":10,\"seed\":1}");
    assert_int_equal(again, hit);
    assert_int_equal(
        faults_hits(&c, "{\"action\":\"status\",\"status\":503,\"times\":3,\"percent\":50}"), 3);
    client_close(&c);
}

/* Requests and connections alike, of every host, until the time is over. */
void test_gone(void **state)
{
    (void)state;
    struct client c;
    faults_open_signed_in(&c);
    faults_fault("{\"path\":\"/keys/tested\",\"skip\":1,\"action\":\"gone\",\"for_ms\":60000}");
    assert_int_equal(GET_KEY(&c), 200);
    assert_int_equal(GET_KEY(&c), 0);
    assert_int_equal(GET_KEY(&c), 0);
    assert_int_equal(c.rc, CURLE_SSL_CONNECT_ERROR);
    assert_int_equal(client_get(&c, "second-vault.vault.azure.net", "/keys" V), 0);
    faults_fault("{\"path\":\"/keys/tested\",\"action\":\"gone\",\"for_ms\":300}");
    assert_int_equal(GET_KEY(&c), 0);
    for (int i = 0; i < 200 && GET_KEY(&c) == 0; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    assert_int_equal(GET_KEY(&c), 200);
    client_close(&c);
}

void test_hang_ends(void **state)
{
    (void)state;
    struct client c;
    pthread_t thread;
    faults_open_signed_in(&c);
    faults_fault("{\"action\":\"hang\",\"times\":0}");
    c.timeout_ms = 200;
    assert_int_equal(GET_KEY(&c), 0);
    assert_int_equal(c.rc, CURLE_OPERATION_TIMEDOUT);
    faults_fault("{\"action\":\"hang_body\"}");
    c.timeout_ms = 2000; /* in which half of the body must come */
    assert_int_equal(GET_KEY(&c), 0);
    assert_int_equal(c.rc, CURLE_OPERATION_TIMEDOUT);
    assert_true(c.body_len > 100);
    faults_fault("{\"action\":\"hang\"}");
    c.timeout_ms = 0;
    sim_do("DELETE", "/counters", NULL);
    assert_int_equal(pthread_create(&thread, NULL, faults_hang, &c), 0);
    while (sim_count("requests") == 0) {
    }
    sim_do("DELETE", "/faults", NULL);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(c.status, 200);
    client_close(&c);
}

void test_counts(void **state)
{
    (void)state;
    struct client c;
    client_open(&c);
    sim_do("DELETE", "/counters", NULL);
    assert_int_equal(GET_KEY(&c), 401);
    assert_int_equal(client_sign_in(&c, "vault.azure.net"), 200);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(GET_KEY(&c), 200);
        assert_int_equal(client_get(&c, VAULT, "/keys/absent" V), 404);
        assert_int_equal(client_post(&c, VAULT, "/keys/tested/unwrapkey" V, "{"), 400);
    }
    assert_int_equal(sim_count("requests"), 62);
    assert_int_equal(sim_count("connections"), 2);
    assert_int_equal(sim_count("handshakes"), 2);
    assert_int_equal(sim_count("challenge"), 1);
    assert_int_equal(sim_count("challenges"), 1);
    assert_int_equal(sim_count("token_requests"), 1);
    assert_int_equal(sim_count("tokens_issued"), 1);
    assert_int_equal(sim_count("get_key"), 40);
    assert_int_equal(sim_count("unwrapkey"), 20);
    assert_int_equal(sim_count("leaked_secrets"), 0);
    client_close(&c);
}

struct worker {
    pthread_t thread;
    struct client client;
    const char *body;
    int good;
};

static void *faults_work(void *argument)
{
    struct worker *worker = argument;
    for (int i = 0; i < ROUNDS; i++) {
        client_post(&worker->client, VAULT, "/keys/tested/unwrapkey" V, worker->body);
        worker->good += strcmp(client_text(&worker->client, "value"), "aGVsbG8") == 0 ? 1 : 0;
    }
    return NULL;
}

void test_parallel(void **state)
{
    (void)state;
    static struct worker workers[THREADS];
    char body[1024];
    struct client c;
    faults_open_signed_in(&c);
    wrap_hello(&c, "tested", body, sizeof body);
    sim_do("DELETE", "/counters", NULL);
    for (int i = 0; i < THREADS; i++) {
        client_open(&workers[i].client);
        strcpy(workers[i].client.token, c.token);
        workers[i].body = body;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, faults_work, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
        assert_int_equal(workers[i].good, ROUNDS);
        client_close(&workers[i].client);
    }
    assert_int_equal(sim_count("requests"), THREADS * ROUNDS);
    assert_int_equal(sim_count("connections"), THREADS);
    client_close(&c);
}

void test_leaks(void **state)
{
    (void)state;
    struct client c;
    faults_open_signed_in(&c);
    sim_do("DELETE", "/counters", NULL);
    assert_int_equal(GET_KEY(&c), 200);
    assert_int_equal(sim_count("leaked_secrets"), 0);
    client_get(&c, HSM, "/keys/k" V);
    assert_int_equal(sim_count("leaked_secrets"), 1);
    client_get(&c, "elsewhere.vault.azure.cn", "/");
    assert_int_equal(sim_count("leaked_secrets"), 2);
    client_post(&c, VAULT, "/keys/tested/wrapkey" V, "client_secret=Sim%7ESecret-0.with_hyphens-1");
    client_post(&c, VAULT, "/keys/tested/wrapkey" V, "client_secret=" SECRET);
    assert_int_equal(sim_count("leaked_secrets"), 4);
    client_close(&c);
}

void test_throttle(void **state)
{
    (void)state;
    struct client c;
    char path[64];
    faults_open_signed_in(&c);
    sim_do("POST", "/settings", "{\"throttle\":\"standard\",\"throttle_retry_after\":true}");
    for (int i = 0; i < 20; i++) {
        snprintf(path, sizeof path, "/keys/throttled/create" V);
        assert_int_equal(client_post(&c, VAULT, path, "{\"kty\":\"EC\"}"), 200);
    }
    assert_int_equal(client_post(&c, VAULT, path, "{\"kty\":\"EC\"}"), 429);
    assert_string_equal(client_text(&c, "error.code"), "Throttled");
    assert_non_null(strstr(client_text(&c, "error.message"), "VaultRequestTypeLimitReached"));
    assert_int_in_range(atoi(c.retry_after), 1, 10);
    assert_int_equal(GET_KEY(&c), 200);
    sim_do("POST", "/settings", "{\"throttle\":\"standard\",\"throttle_percent\":1}");
    int refused = 0;
    for (int i = 0; i < 60; i++) {
        refused += GET_KEY(&c) == 429;
    }
    assert_int_in_range(refused, 10, 60);
    sim_do("POST", "/settings", "{\"throttle\":\"none\",\"throttle_percent\":100}");
    assert_int_equal(client_post(&c, VAULT, path, "{\"kty\":\"EC\"}"), 200);
    client_close(&c);
}
