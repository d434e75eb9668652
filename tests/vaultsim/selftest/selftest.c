#include "selftest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client.h"

static struct client c;

void wrap_hello(struct client *client, const char *key, char *body, unsigned long cap)
{
    char path[128];
    snprintf(path, sizeof path, "/keys/%s/wrapkey" V, key);
    assert_int_equal(
        client_post(client, VAULT, path, "{\"alg\":\"RSA-OAEP-256\",\"value\":\"" HELLO "\"}"),
        200);
    snprintf(body, cap, "{\"alg\":\"RSA-OAEP-256\",\"value\":\"%s\"}",
             client_text(client, "value"));
}

static void test_challenge(void **state)
{
    (void)state;
    c.token[0] = '\0';
    assert_int_equal(client_get(&c, VAULT, "/keys/tested" V), 401);
    assert_string_equal(c.challenge,
                        "Bearer authorization=\"https://login.microsoftonline.com/" TENANT
                        "\", resource=\"https://vault.azure.net\"");
    assert_says(&c, "AKV10000");
    assert_string_equal(c.correlation, "self-test");
    assert_int_equal(strlen(c.request_id), 36);
    assert_int_equal(client_post(&c, VAULT, "/keys/tested/wrapkey" V, ""), 401);
    assert_int_equal(client_get(&c, HSM, "/keys/tested" V), 401);
    assert_non_null(strstr(c.challenge, "resource=\"https://managedhsm.azure.net\""));
    assert_string_equal(c.body, "OK");
    assert_int_equal(client_send(&c, "PUT", HSM, "/keys/tested" V, "{}", NULL), 401);
    assert_int_equal(c.body_len, 0);
    assert_int_equal(client_get(&c, "contoso-vault.vault.azure.cn", "/keys" V), 401);
    assert_non_null(strstr(c.challenge, "https://login.partner.microsoftonline.cn/"));
    assert_int_equal(client_get(&c, "unknown-vault.vault.azure.net", "/keys" V), 400);
    strcpy(c.token, "no-such-token");
    assert_int_equal(client_get(&c, VAULT, "/keys/tested" V), 401);
    assert_non_null(strstr(c.challenge, "error=\"invalid_token\""));
}

static void test_token(void **state)
{
    (void)state;
    static const struct {
        const char *path, *form, *error;
        long status;
        int number;
    } rows[] = {
        {TENANT, "grant_type=client_credentials&scope=x", "invalid_request", 400, 900144},
        {TENANT, "grant_type=password&client_id=a&scope=x", "unsupported_grant_type", 400, 70003},
        {TENANT, "grant_type=client_credentials&client_id=" CLIENT "&scope=x&client_secret=no",
         "invalid_client", 401, 7000215},
        {TENANT, "grant_type=client_credentials&client_id=" CLIENT "&scope=x", "invalid_client",
         401, 7000218},
        {TENANT,
         "grant_type=client_credentials&client_id=99999999-2222-4333-8444-555555555555"
         "&scope=x&client_secret=no",
         "unauthorized_client", 400, 700016},
        {TENANT,
         "grant_type=client_credentials&client_id=" CLIENT "&client_secret=" SECRET
         "&scope=https://vault.azure.net",
         "invalid_scope", 400, 1002012},
        {TENANT,
         "grant_type=client_credentials&client_id=" CLIENT "&client_secret=" SECRET
         "&scope=https://vault.azure.cn/.default",
         "invalid_resource", 400, 500011},
        {"72f988bf-0000-4000-8000-000000000000", "", "invalid_request", 400, 90002},
        {"nowhere", "", "invalid_request", 400, 900023},
    };
    c.token[0] = '\0';
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "/%s/oauth2/v2.0/token", rows[i].path);
        assert_int_equal(client_send(&c, "POST", LOGIN, path, rows[i].form, FORM), rows[i].status);
        assert_string_equal(client_text(&c, "error"), rows[i].error);
        const cJSON *codes = cJSON_GetObjectItem(c.json, "error_codes");
        assert_int_equal(cJSON_GetArrayItem(codes, 0)->valueint, rows[i].number);
    }
    assert_int_equal(client_sign_in(&c, "vault.azure.net"), 200);
    assert_int_equal(cJSON_GetObjectItem(c.json, "expires_in")->valueint, 3599);
    assert_int_equal(client_get(&c, HSM, "/keys/tested" V), 401);
    assert_int_equal(client_get(&c, VAULT, "/keys/tested" V), 200);
    sim_do("POST", "/tokens/expire", NULL);
    assert_int_equal(client_get(&c, VAULT, "/keys/tested" V), 401);
    assert_says(&c, "TokenExpired");
    assert_int_equal(client_sign_in(&c, "vault.azure.net/"), 200);
    assert_int_equal(client_get(&c, VAULT, "/keys/tested" V), 401);
    assert_says(&c, "AKV10022");
    sim_do("POST", "/settings", "{\"tenant\":\"72f988bf-1111-4000-8000-2d7cd011db47\"}");
    assert_int_equal(client_sign_in(&c, "vault.azure.net"), 200);
    assert_int_equal(client_get(&c, VAULT, "/keys/tested" V), 401);
    assert_says(&c, "AKV10032");
    sim_do("POST", "/settings", "{\"tenant\":\"" TENANT "\"}");
    assert_int_equal(client_get(&c, VAULT, "/keys/tested" V), 200);
}

static void test_requests(void **state)
{
    (void)state;
    client_sign_in(&c, "vault.azure.net");
    assert_int_equal(client_get(&c, VAULT, "/keys/tested"), 400);
    assert_code(&c, "BadParameter");
    assert_int_equal(client_get(&c, VAULT, "/keys/tested?api-version=1.0"), 400);
    assert_says(&c, "not recognized");
    assert_int_equal(client_get(&c, VAULT ":443", "/keys/TESTED" V), 200);
    assert_non_null(strstr(client_text(&c, "key.kid"), "https://" VAULT "/keys/tested/"));
    assert_int_equal(client_send(&c, "GET", VAULT, "/keys/tested" V, "{}", NULL), 400);
    assert_int_equal(client_get(&c, VAULT, "/keys/absent" V), 404);
    assert_code(&c, "KeyNotFound");
    assert_int_equal(client_get(&c, VAULT, "/keys/tested/0123456789abcdef0123456789abcdef" V), 404);
    assert_int_equal(client_get(&c, VAULT, "/keys/not_a_name" V), 400);
    assert_int_equal(client_get(&c, VAULT, "/nonsense" V), 405);
    assert_int_equal(client_send(&c, "POST", VAULT, "/keys/tested/wrapkey" V, "{}", FORM), 415);
    assert_int_equal(client_post(&c, VAULT, "/keys/tested/wrapkey" V, "{"), 400);
    assert_int_equal(client_get(&c, VAULT, "/healthstatus"), 200);
}

static void test_crypto(void **state)
{
    (void)state;
    static const char *const algs[] = {"RSA-OAEP-256", "RSA-OAEP", "RSA1_5"};
    static const char *const pairs[][2] = {{"/keys/tested//wrapKey" V, "/keys/tested/unwrapkey" V},
                                           {"/keys/tested/encrypt" V, "/keys/tested//DECRYPT" V}};
    char body[1024];
    client_sign_in(&c, "vault.azure.net");
    for (int i = 0; i < 6; i++) {
        snprintf(body, sizeof body, "{\"alg\":\"%s\",\"value\":\"" HELLO "\"}", algs[i % 3]);
        assert_int_equal(client_post(&c, VAULT, pairs[i / 3][0], body), 200);
        assert_int_equal(strlen(client_text(&c, "value")), 342);
        snprintf(body, sizeof body, "{\"alg\":\"%s\",\"value\":\"%s\"}", algs[i % 3],
                 client_text(&c, "value"));
        assert_int_equal(client_post(&c, VAULT, pairs[i / 3][1], body), 200);
        assert_string_equal(client_text(&c, "value"), HELLO);
        assert_non_null(strstr(client_text(&c, "kid"), "/keys/tested/"));
    }
    wrap_hello(&c, "tested", body, sizeof body);
    memcpy(body, "{\"alg\":\"RSA-OAEP\",    ", 22);
    assert_int_equal(client_post(&c, VAULT, "/keys/tested/unwrapkey" V, body), 400);
    assert_says(&c, "OAEP");
    static const char *const bad[] = {
        "{\"alg\":\"RSA-OAEP\",\"value\":\"aGVsbG8==\"}",
        "{\"alg\":\"RSA-OAEP\",\"value\":\"aGVs=bG8\"}",
        "{\"alg\":\"RSA-OAEP\",\"value\":\"+/+/\"}",
        "{\"alg\":\"RSA-OAEP\",\"value\":\"a\"}",
        "{\"alg\":\"RSA-OAEP\"}",
        "{\"value\":\"aGVsbG8\"}",
        "{\"alg\":\"A256KW\",\"value\":\"aGVsbG8\"}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(client_post(&c, VAULT, "/keys/tested/wrapkey" V, bad[i]), 400);
        assert_code(&c, "BadParameter");
    }
    client_post(&c, VAULT, "/keys/tested/wrapkey" V, bad[0]);
    assert_says(&c, "Content of 'value' is not base64url.");
    assert_int_equal(client_post(&c, VAULT, "/keys/tested/wrapkey" V,
                                 "{\"alg\":\"RSA-OAEP\",\"value\":\"aGVsbG8=\"}"),
                     200);
}

static void test_sign(void **state)
{
    (void)state;
    static const char *const algs[] = {"RS256", "PS256"};
    const char *digest = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"; /* 32 zeros */
    char body[1024];
    client_sign_in(&c, "vault.azure.net");
    for (size_t i = 0; i < 2; i++) {
        snprintf(body, sizeof body, "{\"alg\":\"%s\",\"value\":\"%s\"}", algs[i], digest);
        assert_int_equal(client_post(&c, VAULT, "/keys/tested/sign" V, body), 200);
        for (int is_bad = 0; is_bad < 2; is_bad++) {
            snprintf(body, sizeof body, "{\"alg\":\"%s\",\"digest\":\"%s%s\",\"value\":\"%s\"}",
                     algs[i], is_bad ? "B" : "A", digest + 1, client_text(&c, "value"));
            struct client other;
            client_open(&other);
            strcpy(other.token, c.token);
            assert_int_equal(client_post(&other, VAULT, "/keys/tested/verify" V, body), 200);
            assert_int_equal(cJSON_IsTrue(cJSON_GetObjectItem(other.json, "value")), !is_bad);
            client_close(&other);
        }
    }
    assert_int_equal(
        client_post(&c, VAULT, "/keys/tested/sign" V, "{\"alg\":\"RS512\",\"value\":\"AAAA\"}"),
        400);
}

static void test_implicit_rejection(void **state)
{
    (void)state;
    char body[512], first[512], *random = body + strlen("{\"alg\":\"RSA1_5\",\"value\":\"");
    client_sign_in(&c, "vault.azure.net");
    strcpy(body, "{\"alg\":\"RSA1_5\",\"value\":\"");
    memset(random, 'A', 342);
    memcpy(random + 300, "implicit", 8);
    strcpy(random + 342, "\"}");
    assert_int_equal(client_post(&c, VAULT, "/keys/tested/unwrapkey" V, body), 400);
    assert_says(&c, "Unable to decrypt");
    sim_do("POST", "/settings", "{\"implicit_rejection\":true}");
    assert_int_equal(client_post(&c, VAULT, "/keys/tested/unwrapkey" V, body), 200);
    snprintf(first, sizeof first, "%s", client_text(&c, "value"));
    assert_int_equal(client_post(&c, VAULT, "/keys/tested/unwrapkey" V, body), 200);
    assert_string_equal(client_text(&c, "value"), first);
    random[310] = 'B';
    assert_int_equal(client_post(&c, VAULT, "/keys/tested/unwrapkey" V, body), 200);
    assert_string_not_equal(client_text(&c, "value"), first);
    sim_do("POST", "/settings", "{\"implicit_rejection\":false}");
}

/* The same question is answered from memory; another key, cipher text or algorithm is not, and a
 * refusal never is. */
static void test_memoise(void **state)
{
    (void)state;
    char body[512];
    client_sign_in(&c, "vault.azure.net");
    sim_do("POST", "/settings", "{\"memoise\":true}");
    sim_do("DELETE", "/counters", NULL);
    for (int value = 0; value < 2; value++) {
        wrap_hello(&c, "tested", body, sizeof body);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(client_post(&c, VAULT, "/keys/tested/unwrapkey" V, body), 200);
            assert_string_equal(client_text(&c, "value"), HELLO);
            assert_int_equal(sim_count("memoised"), 2 * value + i);
        }
    }
    sim_do("POST", "/keys", "{\"vault\":\"" VAULT "\",\"name\":\"another\",\"kty\":\"RSA\"}");
    assert_int_equal(client_post(&c, VAULT, "/keys/another/unwrapkey" V, body), 400);
    memcpy(body, "{\"alg\":\"RSA-OAEP\",    ", 22);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(client_post(&c, VAULT, "/keys/tested/unwrapkey" V, body), 400);
    }
    assert_int_equal(sim_count("memoised"), 4);
    sim_do("POST", "/settings", "{\"memoise\":false}");
}

#define SELFTEST_ENTRY(name) cmocka_unit_test(test_##name),

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: vaultsim_selftest PATH-OF-VAULTSIM\n", stderr);
        return 2;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_challenge), cmocka_unit_test(test_token),
        cmocka_unit_test(test_requests),  cmocka_unit_test(test_crypto),
        cmocka_unit_test(test_sign),      cmocka_unit_test(test_implicit_rejection),
        cmocka_unit_test(test_memoise),   SELFTESTS(SELFTEST_ENTRY)};
    curl_global_init(CURL_GLOBAL_DEFAULT);
    sim_program(argv[1]);
    sim_start();
    sim_do("POST", "/keys", KEY_JSON(",\"kty\":\"RSA\""));
    sim_do("POST", "/clients",
           "{\"client_id\":\"" CLIENT
           "\",\"permissions\":[\"get\",\"list\",\"wrapKey\",\"unwrapKey\","
           "\"encrypt\",\"decrypt\",\"sign\",\"verify\"]}");
    client_open(&c);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    client_close(&c);
    sim_stop();
    sim_remove();
    curl_global_cleanup();
    return failed;
}
