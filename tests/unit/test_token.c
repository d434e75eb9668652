// wrap: http_perform http_perform_all plat_now_ms plat_unix_time_ms plat_cond_wait_until
// with: token_fixture.c scripted_http.c fake_clock.c
/* Tokens: kept, one for each place, renewed early (specification.md section 2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake_clock.h"
#include "scripted_http.h"
#include "token_fixture.h"

static void the_request(void **state)
{
    (void)state;
    script_token("t1", "3599");
    expect_token("t1", 1);
    const struct seen_request *asked = scripted_http_seen(0);
    assert_int_equal(asked->method, HTTP_POST);
    assert_string_equal(asked->url, "https://login.microsoftonline.com/tenant-1/oauth2/v2.0/token");
    assert_string_equal(asked->host, "login.microsoftonline.com");
    assert_string_equal(asked->content_type, "application/x-www-form-urlencoded");
    assert_string_equal(asked->bearer, "");
    assert_true(asked->to_entra);
    assert_false(asked->once);
    assert_non_null(strstr(asked->body, "client_id=" GUID_ID));
    assert_non_null(strstr(asked->body, "scope=https%3A%2F%2Fvault.azure.net%2F.default"));
    assert_non_null(strstr(asked->body, "client_secret=Canary~Secret%2B0%2F%26%3D"));
    assert_non_null(strstr(asked->body, "grant_type=client_credentials"));
}

static void a_token_is_kept(void **state)
{
    (void)state;
    script_token("t1", "3600");
    expect_token("t1", 1);
    expect_token("t1", 0);
    fake_clock_advance(3299000);
    expect_token("t1", 0);
}

static void one_for_each_place(void **state)
{
    static const struct challenge places[] = {
        {"login.microsoftonline.com", "tenant-1", "vault.azure.net"},
        {"login.microsoftonline.com", "tenant-2", "vault.azure.net"},
        {"login.microsoftonline.com", "tenant-1", "managedhsm.azure.net"},
        {"login.windows.net", "tenant-1", "vault.azure.net"},
        {"login.microsoftonline.us", "tenant-1", "vault.usgovcloudapi.net"},
    };
    static const char *const values[] = {"t0", "t1", "t2", "t3", "t4"};
    (void)state;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < 5; i++) {
            struct token *token = NULL;
            if (round == 0) {
                script_token(values[i], "3600");
            }
            token_fixture_begin(&call);
            assert_int_equal(token_get(&call, credential, &places[i], &token), EKM_OK);
            assert_string_equal(token_value_of(token), values[i]);
            token_release(token);
        }
    }
    assert_int_equal(scripted_http_count(), 5);
    assert_non_null(
        strstr(scripted_http_seen(2)->body, "scope=https%3A%2F%2Fmanagedhsm.azure.net%2F.default"));
    assert_string_equal(scripted_http_seen(4)->host, "login.microsoftonline.us");
    assert_non_null(strstr(scripted_http_seen(4)->body,
                           "scope=https%3A%2F%2Fvault.usgovcloudapi.net%2F.default"));
}

/* More places than a credential remembers: tokens are fetched again, nothing worse. */
static void many_tenants(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        struct challenge place = public_cloud;
        struct token *token = NULL;
        (void)snprintf(place.tenant, sizeof place.tenant, "tenant-%d", i);
        script_token("t", "3600");
        token_fixture_begin(&call);
        assert_int_equal(token_get(&call, credential, &place, &token), EKM_OK);
        assert_int_equal(scripted_http_count(), i + 1);
        token_release(token);
    }
}

static void renewed_early(void **state)
{
    static const struct {
        const char *life;
        uint64_t last_kept_ms, renewed_ms;
    } rows[] = {{"3600", 3299000, 3301000},
                {"100", 79000, 81000},
                {"86399", 86098000, 86100000},
                {"5", 3900, 4100}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        token_tear_down(NULL);
        token_set_up(NULL);
        script_token("t1", rows[i].life);
        expect_token("t1", 1);
        fake_clock_advance(rows[i].last_kept_ms);
        expect_token("t1", 0);
        fake_clock_advance(rows[i].renewed_ms - rows[i].last_kept_ms);
        script_token("t2", rows[i].life);
        expect_token("t2", 1);
        expect_token("t2", 0);
    }
}

static void a_failed_early_renewal_fails_no_call(void **state)
{
    (void)state;
    script_token("t1", "3600");
    expect_token("t1", 1);
    fake_clock_advance(3310000);
    script_refusal(401, "invalid_client", "7000215");
    expect_token("t1", 1);
    fake_clock_advance(29000);
    expect_token("t1", 0);
    fake_clock_advance(2000);
    script_token("t2", "3600");
    expect_token("t2", 1);
}

static void token_silence(void *context, struct call *asking, const struct seen_request *asked,
                          struct scripted_answer *answer)
{
    (void)context;
    (void)asking;
    (void)asked;
    answer->takes_ms = 1000000;
}

/* A call that renews early has a valid token: a silent Entra must not cost the call its time. */
static void an_early_try_leaves_time(void **state)
{
    (void)state;
    script_token("t1", "3600");
    expect_token("t1", 1);
    fake_clock_advance(3310000);
    scripted_http_serve(token_silence, NULL);
    expect_token("t1", 1);
    assert_true(call_remaining_ms(&call) >= 15000);
}

static void expired_and_not_renewed(void **state)
{
    (void)state;
    script_token("t1", "3600");
    expect_token("t1", 1);
    fake_clock_advance(3600000);
    script_refusal(401, "invalid_client", "7000222");
    expect_token_failure(EKM_BAD_CREDENTIALS);
    assert_int_equal(call.error.aadsts, 7000222);
}

static void lives_that_make_no_sense(void **state)
{
    static const char *const odd[] = {"0", "-5", "null", "\"x\"", "[]", "1e18"};
    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        token_tear_down(NULL);
        token_set_up(NULL);
        script_token("t1", odd[i]);
        expect_token("t1", 1);
        expect_token("t1", 0);
        fake_clock_advance(86400000);
        script_token("t2", "3600");
        expect_token("t2", 1);
    }
}

/* A vault that refuses good tokens: another one a second, whoever asks. */
static void a_new_token_a_second(void **state)
{
    struct token *token = NULL;
    (void)state;
    script_token("t1", "3600");
    assert_int_equal(token_get(&call, credential, &public_cloud, &token), EKM_OK);
    assert_false(token_reject(credential, &public_cloud, token, TOKEN_AGAIN_MS)); /* too young */
    assert_true(token_reject(credential, &public_cloud, token, 0));
    assert_true(token_reject(credential, &public_cloud, token, 0)); /* it is gone already */
    token_release(token);
    script_token("t2", "3600");
    assert_int_equal(token_get(&call, credential, &public_cloud, &token), EKM_OK);
    fake_clock_advance(TOKEN_AGAIN_MS - 1);
    assert_false(token_reject(credential, &public_cloud, token, 0));
    expect_token("t2", 0);
    fake_clock_advance(1);
    assert_true(token_reject(credential, &public_cloud, token, 0));
    script_token("t3", "3600");
    expect_token("t3", 1);
    token_release(token);
}

static void a_rejected_token_is_forgotten(void **state)
{
    struct token *first = NULL, *second = NULL;
    (void)state;
    script_token("t1", "3600");
    assert_int_equal(token_get(&call, credential, &public_cloud, &first), EKM_OK);
    (void)token_reject(credential, &public_cloud, first, 0);
    script_token("t2", "3600");
    assert_int_equal(token_get(&call, credential, &public_cloud, &second), EKM_OK);
    assert_string_equal(token_value_of(first), "t1");
    assert_string_equal(token_value_of(second), "t2");
    /* Another caller's late word on the old one does not cost the new one. */
    (void)token_reject(credential, &public_cloud, first, 0);
    expect_token("t2", 0);
    token_release(first);
    token_release(second);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, token_set_up, token_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_request),
        TEST(a_token_is_kept),
        TEST(one_for_each_place),
        TEST(many_tenants),
        TEST(renewed_early),
        TEST(a_failed_early_renewal_fails_no_call),
        TEST(an_early_try_leaves_time),
        TEST(expired_and_not_renewed),
        TEST(lives_that_make_no_sense),
        TEST(a_new_token_a_second),
        TEST(a_rejected_token_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
