// wrap: http_perform http_perform_all plat_now_ms plat_unix_time_ms plat_cond_wait_until
// with: scripted_http.c fake_clock.c
/* Credentials and tokens: one fetch at a time, early renewal, remembered refusals (specification.md
 * section 2). */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/text.h"
#include "fake_clock.h"
#include "net/http_retry.h"
#include "scripted_http.h"
#include "temporary.h"
#include "vault/credential.h"

#define HEX_ID  "11111111222243338444555555555555"
#define GUID_ID "11111111-2222-4333-8444-555555555555"
#define SECRET  HEX_ID "Canary~Secret+0/&="

static struct config config;
static struct call call;
static struct credential *credential;
static const struct challenge public_cloud = {"login.microsoftonline.com", "tenant-1",
                                              "vault.azure.net"};

static void begin(struct call *which)
{
    call_begin(which, "Test", &config);
}

static struct credential *open_secret(const char *secret)
{
    struct credential *opened = NULL;
    assert_int_equal(credential_open(&call, secret, strlen(secret), &opened), EKM_OK);
    assert_non_null(opened);
    return opened;
}

static int set_up(void **state)
{
    (void)state;
    fake_clock_reset();
    scripted_http_reset();
    http_retry_reset();
    config_defaults(&config);
    begin(&call);
    credential = open_secret(SECRET);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    credential_release(credential);
    token_forget_all();
    return 0;
}

static void script_token(const char *value, const char *expires_in)
{
    static char bodies[64][256];
    static unsigned next;
    char *body = bodies[next++ % 64];
    (void)text_format(body, 256,
                      "{\"token_type\":\"Bearer\",\"expires_in\":%s,\"access_token\":\"%s\"}",
                      expires_in, value);
    scripted_http_add(&(struct scripted_answer){.status = 200, .body = body});
}

static void script_refusal(long status, const char *error, const char *number)
{
    static char bodies[64][256];
    static unsigned next;
    char *body = bodies[next++ % 64];
    (void)text_format(body, 256, "{\"error\":\"%s\",\"error_description\":\"AADSTS%s: x\"}", error,
                      number);
    scripted_http_add(&(struct scripted_answer){.status = status, .body = body});
}

static const char *value_of(const struct token *token)
{
    static const char name[] = "Authorization: Bearer ";
    const char *header = token_header(token);
    return strncmp(header, name, sizeof name - 1) == 0 ? header + sizeof name - 1 : header;
}

/* Asks in a fresh call, expects this token after so many requests. */
static void expect_token(const char *value, unsigned requests)
{
    struct token *token = NULL;
    unsigned before = scripted_http_count();
    begin(&call);
    assert_int_equal(token_get(&call, credential, &public_cloud, &token), EKM_OK);
    assert_string_equal(value_of(token), value);
    assert_int_equal(scripted_http_count() - before, requests);
    assert_int_equal(call.error.rc, EKM_OK);
    token_release(token);
}

static void expect_failure(enum ekm_rc rc)
{
    struct token *token = NULL;
    begin(&call);
    enum ekm_rc got = token_get(&call, credential, &public_cloud, &token);
    if (got != rc) {
        fail_msg("%s instead of %s", ekm_name(got), ekm_name(rc));
    }
    assert_int_equal(call.error.rc, rc);
    assert_null(token);
}

static void secrets_that_are_read(void **state)
{
    static const char *const rows[] = {
        HEX_ID "x",
        GUID_ID "x",
        "AAAAAAAABBBBCCCCDDDDEEEEEEEEEEEE-starts-like-this",
        "AaAaAaAa-bbbb-CCCC-dddd-EEEEEEEEEEEE-~secret",
    };
    static const char *const ids[] = {GUID_ID, GUID_ID, "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
                                      "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct credential *opened = open_secret(rows[i]);
        assert_string_equal(credential_client_id(opened), ids[i]);
        credential_release(opened);
    }
}

static void secrets_that_are_refused(void **state)
{
    static const struct {
        const char *secret;
        enum ekm_rc rc;
    } rows[] = {
        {"", EKM_SECRET_TOO_SHORT},
        {"1111111122224333844455555555555", EKM_SECRET_TOO_SHORT},
        {HEX_ID, EKM_SECRET_TOO_SHORT},
        {GUID_ID, EKM_SECRET_TOO_SHORT},
        {"g1111111222243338444555555555555x", EKM_BAD_CREDENTIALS},
        {"11111111 222243338444555555555555x", EKM_BAD_CREDENTIALS},
        {"11111111-2222-4333-8444-55555555555", EKM_BAD_CREDENTIALS},
        {"11111111-2222-4333-8444-55555555555gx", EKM_BAD_CREDENTIALS},
        {"{11111111-2222-4333-8444-555555555555}x", EKM_BAD_CREDENTIALS},
        {"11111111-222243338444-555555555555abcdefx", EKM_BAD_CREDENTIALS},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct credential *opened = NULL;
        begin(&call);
        enum ekm_rc rc = credential_open(&call, rows[i].secret, strlen(rows[i].secret), &opened);
        if (rc != rows[i].rc) {
            fail_msg("%s instead of %s", ekm_name(rc), ekm_name(rows[i].rc));
        }
        assert_int_equal(call.error.rc, rc);
        assert_null(opened);
    }
    assert_int_equal(scripted_http_count(), 0);
}

static void credentials_are_shared_by_content(void **state)
{
    (void)state;
    struct credential *same = open_secret(SECRET);
    struct credential *as_guid = open_secret(GUID_ID "Canary~Secret+0/&=");
    struct credential *other = open_secret(SECRET "x");
    assert_ptr_equal(same, credential);
    assert_ptr_equal(as_guid, credential);
    assert_ptr_not_equal(other, credential);
    credential_release(same);
    credential_release(as_guid);
    credential_release(other);
    credential_release(NULL);
    token_release(NULL);
}

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
            begin(&call);
            assert_int_equal(token_get(&call, credential, &places[i], &token), EKM_OK);
            assert_string_equal(value_of(token), values[i]);
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
        begin(&call);
        assert_int_equal(token_get(&call, credential, &place, &token), EKM_OK);
        assert_int_equal(scripted_http_count(), i + 1);
        token_release(token);
    }
}

/* R63: a new secret works in the next session. */
static void another_secret_is_another_token(void **state)
{
    (void)state;
    script_token("old", "3600");
    expect_token("old", 1);
    struct credential *former = credential;
    credential = open_secret(SECRET "-new");
    script_token("new", "3600");
    expect_token("new", 1);
    credential_release(credential);
    credential = former;
    expect_token("old", 0);
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
        tear_down(NULL);
        set_up(NULL);
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

static void an_early_failure_fails_nobody(void **state)
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

static void silence(void *context, struct call *asking, const struct seen_request *asked,
                    struct scripted_answer *answer)
{
    (void)context;
    (void)asking;
    (void)asked;
    answer->takes_ms = 1000000;
}

/* Whoever renews early has a good token in hand: a silent Entra must not cost the call its time. */
static void an_early_try_leaves_time(void **state)
{
    (void)state;
    script_token("t1", "3600");
    expect_token("t1", 1);
    fake_clock_advance(3310000);
    scripted_http_serve(silence, NULL);
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
    expect_failure(EKM_BAD_CREDENTIALS);
    assert_int_equal(call.error.aadsts, 7000222);
}

static void lives_that_make_no_sense(void **state)
{
    static const char *const odd[] = {"0", "-5", "null", "\"x\"", "[]", "1e18"};
    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        tear_down(NULL);
        set_up(NULL);
        script_token("t1", odd[i]);
        expect_token("t1", 1);
        expect_token("t1", 0);
        fake_clock_advance(86400000);
        script_token("t2", "3600");
        expect_token("t2", 1);
    }
}

static void refusals_of_credentials(void **state)
{
    static const char *const errors[] = {"invalid_client", "unauthorized_client", "invalid_grant"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        tear_down(NULL);
        set_up(NULL);
        script_refusal(i == 0 ? 401 : 400, errors[i], "7000215");
        expect_failure(EKM_BAD_CREDENTIALS);
        assert_int_equal(call.error.aadsts, 7000215);
        /* A thousand databases do not lock the application out. */
        for (int again = 0; again < 1000; again++) {
            expect_failure(EKM_BAD_CREDENTIALS);
            assert_int_equal(call.error.aadsts, 7000215);
            assert_int_equal(call.error.http_status, i == 0 ? 401 : 400);
        }
        fake_clock_advance(9900);
        expect_failure(EKM_BAD_CREDENTIALS);
        assert_int_equal(scripted_http_count(), 1);
        fake_clock_advance(200);
        script_token("t1", "3600");
        expect_token("t1", 1);
    }
}

/* Remembered though no session holds the credential meanwhile; but a corrected one is tried. */
static void a_refusal_outlives_its_session(void **state)
{
    (void)state;
    script_refusal(401, "invalid_client", "7000215");
    expect_failure(EKM_BAD_CREDENTIALS);
    credential_release(credential);
    struct credential *corrected = open_secret(SECRET "-corrected");
    credential = open_secret(SECRET);
    expect_failure(EKM_BAD_CREDENTIALS);
    assert_int_equal(scripted_http_count(), 1);
    credential_release(credential);
    credential = corrected;
    script_token("t1", "3600");
    expect_token("t1", 1);
}

static void a_token_outlives_its_session(void **state)
{
    (void)state;
    script_token("t1", "3600");
    expect_token("t1", 1);
    credential_release(credential);
    struct credential *other = open_secret(SECRET "-other");
    credential = open_secret(SECRET);
    expect_token("t1", 0);
    credential_release(other);
}

/* The token stays for who comes again; the secret comes with them. */
static void a_secret_goes_with_its_last_session(void **state)
{
    (void)state;
    struct credential *first = credential, *second = open_secret(SECRET);
    script_token("t1", "3600");
    expect_token("t1", 1);
    credential_release(second);
    assert_true(first->secret.len > 0);
    credential_release(first);
    assert_int_equal(first->secret.len, 0);
    assert_null(first->secret.data);
    credential = open_secret(SECRET);
    assert_ptr_equal(credential, first);
    expect_token("t1", 0);
    fake_clock_advance(3601000);
    script_token("t2", "3600");
    expect_token("t2", 1);
    assert_non_null(
        strstr(scripted_http_seen(1)->body, "client_secret=Canary~Secret%2B0%2F%26%3D"));
}

/* As many as there are besides a reference of the test's own. */
static unsigned holders(const struct token *token)
{
    return atomic_load(&token->references) - 1;
}

static void a_token_goes_with_its_end(void **state)
{
    struct token *held = NULL;
    (void)state;
    script_token("t1", "3600");
    begin(&call);
    assert_int_equal(token_get(&call, credential, &public_cloud, &held), EKM_OK);
    fake_clock_advance(3599000);
    credential_sweep(plat_now_ms());
    assert_int_equal(holders(held), 1);
    fake_clock_advance(1000);
    credential_sweep(plat_now_ms());
    assert_int_equal(holders(held), 0);
    token_release(held);
    script_token("t2", "3600");
    begin(&call);
    assert_int_equal(token_get(&call, credential, &public_cloud, &held), EKM_OK);
    credential_release(credential);
    assert_int_equal(holders(held), 1);
    fake_clock_advance(3600000);
    credential_sweep(plat_now_ms());
    assert_int_equal(holders(held), 0);
    token_release(held);
    credential = open_secret(SECRET);
}

/* The one that ends first must not hide the end of the other. */
static void tokens_go_one_by_one(void **state)
{
    struct challenge other_place = public_cloud;
    struct token *early = NULL, *late = NULL;
    (void)state;
    (void)text_copy(other_place.tenant, sizeof other_place.tenant, "tenant-2");
    script_token("late", "3600");
    script_token("early", "60");
    begin(&call);
    assert_int_equal(token_get(&call, credential, &public_cloud, &late), EKM_OK);
    assert_int_equal(token_get(&call, credential, &other_place, &early), EKM_OK);
    fake_clock_advance(60000);
    credential_sweep(plat_now_ms());
    assert_int_equal(holders(early), 0);
    assert_int_equal(holders(late), 1);
    fake_clock_advance(3540000);
    credential_sweep(plat_now_ms());
    assert_int_equal(holders(late), 0);
    token_release(early);
    token_release(late);
}

static void other_refusals(void **state)
{
    static const struct {
        long status;
        const char *error;
    } rows[] = {{400, "invalid_scope"},
                {400, "invalid_request"},
                {400, "invalid_resource"},
                {403, "x"},
                {404, "x"},
                {302, "x"},
                {204, "x"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        scripted_http_reset();
        script_refusal(rows[i].status, rows[i].error, "90002");
        expect_failure(EKM_TOKEN_FAILED);
        assert_int_equal(call.error.http_status, rows[i].status);
        assert_int_equal(call.error.aadsts, 90002);
        assert_int_equal(scripted_http_count(), 1);
    }
    script_token("t1", "3600");
    expect_token("t1", 1);
}

/* Passing, whatever the status: by Entra's word or number, or as a page of a front end. */
static void refusals_that_pass(void **state)
{
    static const struct scripted_answer rows[] = {
        {.status = 400, .body = "{\"error\":\"temporarily_unavailable\",\"error_codes\":[1]}"},
        {.status = 400, .body = "{\"error\":\"invalid_request\",\"error_codes\":[90033]}"},
        {.status = 401,
         .body = "{\"error\":\"invalid_client\",\"error_description\":"
                 "\"AADSTS90024: RequestBudgetExceededError\"}"},
        {.status = 403, .body = "{\"error\":\"invalid_grant\",\"error_codes\":[90055]}"},
        {.status = 400, .body = "{\"error\":\"x\",\"error_codes\":[90006]}"},
        {.status = 400, .body = "{\"error\":\"x\",\"error_codes\":[90012]}"},
        {.status = 408, .body = ""},
        {.status = 400, .body = "<html>Bad Request</html>"},
        {.status = 502, .body = "<html>Bad Gateway</html>"},
        {.status = 503, .body = ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        credential_release(credential);
        token_forget_all();
        credential = open_secret(SECRET);
        scripted_http_reset();
        scripted_http_add(&rows[i]);
        script_token("t1", "3600");
        expect_token("t1", 2);
    }
}

/* What is not Entra's own says nothing of the credential. */
static void pages_in_entra_s_place(void **state)
{
    static const struct scripted_answer rows[] = {
        {.status = 401, .body = "<html>log in</html>", .content_type = "text/html"},
        {.status = 403, .body = "<html>blocked</html>", .content_type = "text/html"},
        {.status = 403, .body = "", .content_type = "text/html"},
        {.status = 302, .body = "", .content_type = "text/html"},
        {.status = 404, .body = "{\"message\":\"x\"}", .content_type = "text/html"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        scripted_http_reset();
        scripted_http_add(&rows[i]);
        expect_failure(EKM_TOKEN_FAILED);
        assert_int_equal(call.error.http_status, rows[i].status);
        assert_non_null(strstr(call.error.note, "text/html"));
        assert_int_equal(scripted_http_count(), 1);
    }
    script_token("t1", "3600");
    expect_token("t1", 1);
}

static void always(void *context, struct call *asking, const struct seen_request *asked,
                   struct scripted_answer *answer)
{
    (void)asking;
    (void)asked;
    *answer = *(const struct scripted_answer *)context;
}

static void failures_to_the_end(void **state)
{
    static const struct {
        struct scripted_answer answer;
        enum ekm_rc rc;
    } rows[] = {
        {{.status = 429}, EKM_TOKEN_UNAVAILABLE},
        {{.status = 500}, EKM_TOKEN_UNAVAILABLE},
        {{.status = 503, .body = "{\"error\":\"temporarily_unavailable\"}"}, EKM_TOKEN_UNAVAILABLE},
        {{.rc = EKM_CONNECT_FAILED}, EKM_CONNECT_FAILED},
        {{.rc = EKM_TLS_FAILED}, EKM_TLS_FAILED},
        {{.rc = EKM_CERTIFICATE_REFUSED}, EKM_CERTIFICATE_REFUSED},
        {{.rc = EKM_PROXY}, EKM_PROXY},
        {{.status = 200, .takes_ms = 1000000}, EKM_NO_ANSWER},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        scripted_http_reset();
        http_retry_reset();
        struct scripted_answer answer = rows[i].answer;
        scripted_http_serve(always, &answer);
        expect_failure(rows[i].rc);
    }
    /* None of them is held against the credential. */
    scripted_http_reset();
    http_retry_reset();
    script_token("t1", "3600");
    expect_token("t1", 1);
}

static void odd_answers(void **state)
{
    (void)state;
    scripted_http_add(&(struct scripted_answer){.status = 200, .body = "<html>portal</html>"});
    expect_failure(EKM_TOKEN_NOT_JSON);
    scripted_http_add(&(struct scripted_answer){.status = 200, .body = "{\"expires_in\":3599}"});
    expect_failure(EKM_TOKEN_MISSING);
    scripted_http_add(&(struct scripted_answer){
        .status = 200, .body = "{\"access_token\":\"a\\r\\nX-Evil: 1\",\"expires_in\":3599}"});
    expect_failure(EKM_TOKEN_MISSING);
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
    assert_string_equal(value_of(first), "t1");
    assert_string_equal(value_of(second), "t2");
    /* Another caller's late word on the old one does not cost the new one. */
    (void)token_reject(credential, &public_cloud, first, 0);
    expect_token("t2", 0);
    token_release(first);
    token_release(second);
}

/* The table is bounded: strangers are dropped, those in use stay. */
static void many_credentials(void **state)
{
    (void)state;
    script_token("t1", "3600");
    expect_token("t1", 1);
    for (int i = 0; i < 2000; i++) {
        char secret[96];
        (void)snprintf(secret, sizeof secret, HEX_ID "secret-%d", i);
        credential_release(open_secret(secret));
    }
    expect_token("t1", 0);
}

static void forgetting_all(void **state)
{
    (void)state;
    script_token("t1", "3600");
    expect_token("t1", 1);
    credential_release(credential);
    token_forget_all();
    credential = open_secret(SECRET);
    script_token("t2", "3600");
    expect_token("t2", 1);
}

static void no_secret_in_the_log(void **state)
{
    static char text[65536];
    char folder[64];
    (void)state;
    assert_true(temporary_make(folder, sizeof folder));
    (void)text_format(config.log_file, sizeof config.log_file, "%s/log", folder);
    config.log_level = LEVEL_DEBUG;
    log_start(&config);
    script_refusal(503, "x", "1");
    script_token("Canary-token", "3600");
    expect_token("Canary-token", 2);
    fake_clock_advance(3310000);
    script_refusal(400, "invalid_client", "7000215");
    expect_token("Canary-token", 1);
    (void)call_fail(&call, EKM_TOKEN_FAILED, NULL);
    (void)call_end(&call, EKM_TOKEN_FAILED);
    log_stop();
    FILE *file = fopen(config.log_file, "r");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    text[len] = '\0';
    assert_true(len > 100);
    assert_null(strstr(text, "Canary"));
    assert_true(temporary_remove(folder));
}

/* From here on: threads, and a clock that runs. */
#define THREADS 16

struct getter {
    pthread_t thread;
    struct call call;
    struct challenge where;
    atomic_bool aborted;
    enum ekm_rc rc;
    char value[64];
    uint64_t took_ms;
};
static struct getter getters[THREADS];
static atomic_int begun, served;

static void *get(void *context)
{
    struct getter *getter = context;
    struct token *token = NULL;
    atomic_fetch_add(&begun, 1);
    getter->rc = token_get(&getter->call, credential, &getter->where, &token);
    getter->took_ms = plat_now_ms() - getter->call.start_ms;
    getter->value[0] = '\0';
    if (getter->rc == EKM_OK) {
        (void)text_copy(getter->value, sizeof getter->value, value_of(token));
    }
    token_release(token);
    return NULL;
}

static void start_at(size_t i, const struct challenge *where)
{
    getters[i].where = *where;
    atomic_store(&getters[i].aborted, false);
    begin(&getters[i].call);
    getters[i].call.session_aborted = &getters[i].aborted;
    assert_int_equal(pthread_create(&getters[i].thread, NULL, get, &getters[i]), 0);
}

static void start(size_t i)
{
    start_at(i, &public_cloud);
}

static void join(size_t i)
{
    assert_int_equal(pthread_join(getters[i].thread, NULL), 0);
}

static void sleep_ms(unsigned ms)
{
    (void)usleep(ms * 1000);
}

/* Until `count` requests are in the server's hands. */
static void wait_served(int count)
{
    for (int i = 0; i < 30000 && atomic_load(&served) < count; i++) {
        sleep_ms(1);
    }
    assert_true(atomic_load(&served) >= count);
}

/* The first fetches while the others come. */
static void start_all(void)
{
    start(0);
    wait_served(1);
    for (size_t i = 1; i < THREADS; i++) {
        start(i);
    }
}

/* Answers when all have come, however late a busy machine starts them; the last of them has a
 * moment to get from there to its waiting. */
static void slow_server(void *context, struct call *asking, const struct seen_request *asked,
                        struct scripted_answer *answer)
{
    (void)asked;
    atomic_fetch_add(&served, 1);
    while (atomic_load(&begun) < THREADS && call_remaining_ms(asking) > 0) {
        sleep_ms(1);
    }
    sleep_ms(200);
    *answer = *(const struct scripted_answer *)context;
}

static int set_up_threads(void **state)
{
    atomic_store(&begun, 0);
    atomic_store(&served, 0);
    int rc = set_up(state);
    fake_clock_run();
    begin(&call);
    return rc;
}

static void one_fetch_for_all(void **state)
{
    struct scripted_answer answer = {.status = 200,
                                     .body = "{\"access_token\":\"t1\",\"expires_in\":3600}"};
    (void)state;
    scripted_http_serve(slow_server, &answer);
    for (size_t i = 0; i < THREADS; i++) {
        start(i);
    }
    for (size_t i = 0; i < THREADS; i++) {
        join(i);
        assert_int_equal(getters[i].rc, EKM_OK);
        assert_string_equal(getters[i].value, "t1");
    }
    assert_int_equal(scripted_http_count(), 1);
}

/* Whoever a machine under load holds up just before it waits asks for itself: but not all of them.
 */
static void expect_few_requests(void)
{
    assert_int_in_range(scripted_http_count(), 1, THREADS / 4);
}

static void one_refusal_for_all(void **state)
{
    static const struct scripted_answer rows[] = {
        {.status = 401,
         .body = "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: x\"}"},
        {.status = 400,
         .body = "{\"error\":\"invalid_scope\",\"error_description\":\"AADSTS7000215: x\"}"},
    };
    static const enum ekm_rc codes[] = {EKM_BAD_CREDENTIALS, EKM_TOKEN_FAILED};
    (void)state;
    for (size_t row = 0; row < 2; row++) {
        struct scripted_answer answer = rows[row];
        tear_down(NULL);
        set_up_threads(NULL);
        scripted_http_serve(slow_server, &answer);
        start_all();
        for (size_t i = 0; i < THREADS; i++) {
            join(i);
            assert_int_equal(getters[i].rc, codes[row]);
            assert_int_equal(getters[i].call.error.rc, codes[row]);
            assert_int_equal(getters[i].call.error.aadsts, 7000215);
        }
        expect_few_requests();
    }
}

/* Entra asks for more patience than the calls have: not each of them has to hear it. */
static void one_throttling_for_all(void **state)
{
    struct scripted_answer answer = {.status = 429, .retry_after = "600"};
    (void)state;
    scripted_http_serve(slow_server, &answer);
    start_all();
    for (size_t i = 0; i < THREADS; i++) {
        join(i);
        assert_int_equal(getters[i].rc, EKM_TOKEN_UNAVAILABLE);
    }
    expect_few_requests();
}

/* The first request hangs until its call is aborted or its time is over, later ones are answered.
 */
static void hanging_server(void *context, struct call *asking, const struct seen_request *asked,
                           struct scripted_answer *answer)
{
    (void)context;
    (void)asked;
    if (atomic_fetch_add(&served, 1) > 0) {
        *answer = (struct scripted_answer){.status = 200,
                                           .body = "{\"access_token\":\"t2\",\"expires_in\":3600}"};
        return;
    }
    while (!call_aborted(asking) && call_remaining_ms(asking) > 0) {
        sleep_ms(5);
    }
    answer->rc = call_aborted(asking) ? EKM_CLOSING : EKM_DEADLINE;
}

static void waiters_take_over_from_the_aborted(void **state)
{
    (void)state;
    scripted_http_serve(hanging_server, NULL);
    start_all();
    sleep_ms(50);
    atomic_store(&getters[0].aborted, true);
    for (size_t i = 0; i < THREADS; i++) {
        join(i);
        assert_int_equal(getters[i].rc, i == 0 ? EKM_CLOSING : EKM_OK);
        assert_string_equal(getters[i].value, i == 0 ? "" : "t2");
    }
    assert_int_equal(scripted_http_count(), 2);
}

static void waiters_take_over_from_the_late(void **state)
{
    (void)state;
    scripted_http_serve(hanging_server, NULL);
    start(0);
    wait_served(1);
    config.call_timeout_ms = 60000;
    start(1);
    fake_clock_advance(30000);
    join(0);
    join(1);
    assert_int_equal(getters[0].rc, EKM_DEADLINE);
    assert_int_equal(getters[1].rc, EKM_OK);
    assert_string_equal(getters[1].value, "t2");
    assert_int_equal(scripted_http_count(), 2);
}

static void a_waiter_is_aborted(void **state)
{
    (void)state;
    scripted_http_serve(hanging_server, NULL);
    start(0);
    wait_served(1);
    start(1);
    sleep_ms(50);
    atomic_store(&getters[1].aborted, true);
    join(1);
    assert_int_equal(getters[1].rc, EKM_CLOSING);
    assert_int_in_range(getters[1].took_ms, 0, 20000);
    assert_int_equal(scripted_http_count(), 1);
    atomic_store(&getters[0].aborted, true);
    join(0);
    assert_int_equal(getters[0].rc, EKM_CLOSING);
}

static void a_waiter_runs_out_of_time(void **state)
{
    (void)state;
    scripted_http_serve(hanging_server, NULL);
    start(0);
    wait_served(1);
    config.call_timeout_ms = 1000;
    start(1);
    join(1);
    assert_int_equal(getters[1].rc, EKM_DEADLINE);
    assert_int_in_range(getters[1].took_ms, 900, 20000);
    atomic_store(&getters[0].aborted, true);
    join(0);
}

/* Another's abort is no reason for a failure, at the end of one's own time neither. */
static void a_late_waiter_is_not_told_of_an_abort(void **state)
{
    (void)state;
    scripted_http_serve(hanging_server, NULL);
    config.call_timeout_ms = 60000;
    start(0);
    wait_served(1);
    config.call_timeout_ms = 10000;
    start(1);
    sleep_ms(100);
    fake_clock_advance(20000);
    atomic_store(&getters[0].aborted, true);
    join(0);
    join(1);
    assert_int_equal(getters[0].rc, EKM_CLOSING);
    assert_int_equal(getters[1].rc, EKM_DEADLINE);
    assert_int_equal(scripted_http_count(), 1);
}

/* Entra refuses the first request, after a while, and answers the next. */
static void server_with_a_bad_start(void *context, struct call *asking,
                                    const struct seen_request *asked,
                                    struct scripted_answer *answer)
{
    (void)context;
    (void)asking;
    (void)asked;
    if (atomic_fetch_add(&served, 1) > 0) {
        *answer = (struct scripted_answer){.status = 200,
                                           .body = "{\"access_token\":\"t2\",\"expires_in\":3600}"};
        return;
    }
    sleep_ms(300);
    *answer = (struct scripted_answer){.status = 429, .retry_after = "600"};
}

/* An early renewal takes little time and gives up soon: those who came to need the token meanwhile
 * have all of theirs. */
static void an_early_failure_is_not_shared(void **state)
{
    (void)state;
    script_token("t1", "3600");
    expect_token("t1", 1);
    fake_clock_advance(3580000);
    scripted_http_serve(server_with_a_bad_start, NULL);
    start(0);
    wait_served(1);
    fake_clock_advance(21000);
    config.call_timeout_ms = 8000; /* it ends when the first one's would */
    start(1);
    join(0);
    join(1);
    assert_string_equal(getters[0].value, "t1");
    assert_int_equal(getters[1].rc, EKM_OK);
    assert_string_equal(getters[1].value, "t2");
}

/* Answers when it is told to. */
struct held {
    atomic_bool go;
    const char *body;
};

static void held_server(void *context, struct call *asking, const struct seen_request *asked,
                        struct scripted_answer *answer)
{
    struct held *held = context;
    (void)asking;
    (void)asked;
    atomic_fetch_add(&served, 1);
    for (int i = 0; i < 30000 && !atomic_load(&held->go); i++) {
        sleep_ms(1);
    }
    *answer = (struct scripted_answer){.status = 200, .body = held->body};
}

/* While one renews early, the others go on with the old token at once. */
static void nobody_waits_for_an_early_renewal(void **state)
{
    struct held held = {false, "{\"access_token\":\"t2\",\"expires_in\":3600}"};
    (void)state;
    script_token("t1", "3600");
    expect_token("t1", 1);
    fake_clock_advance(3310000);
    scripted_http_serve(held_server, &held);
    start_all();
    for (size_t i = 1; i < THREADS; i++) {
        join(i);
        assert_int_equal(getters[i].rc, EKM_OK);
        assert_string_equal(getters[i].value, "t1");
    }
    atomic_store(&held.go, true);
    join(0);
    assert_int_equal(getters[0].rc, EKM_OK);
    assert_string_equal(getters[0].value, "t2");
    assert_int_equal(scripted_http_count(), 2);
    expect_token("t2", 0);
}

/* More tenants than a credential remembers, all at once: those without a place wait for one. */
static void tenants_wait_for_a_place(void **state)
{
    struct held held = {false, "{\"access_token\":\"t1\",\"expires_in\":3600}"};
    (void)state;
    scripted_http_serve(held_server, &held);
    for (size_t i = 0; i < THREADS; i++) {
        struct challenge place = public_cloud;
        (void)snprintf(place.tenant, sizeof place.tenant, "tenant-%zu", i);
        start_at(i, &place);
    }
    wait_served(TOKEN_SLOTS);
    sleep_ms(50);
    assert_int_equal(atomic_load(&served), TOKEN_SLOTS);
    atomic_store(&held.go, true);
    for (size_t i = 0; i < THREADS; i++) {
        join(i);
        assert_int_equal(getters[i].rc, EKM_OK);
        assert_string_equal(getters[i].value, "t1");
    }
    assert_int_equal(scripted_http_count(), THREADS);
}

/* Tokens that expire, are rejected, refused and delayed, sessions that come and go. */
static atomic_bool storm_over;

static void storm_server(void *context, struct call *asking, const struct seen_request *asked,
                         struct scripted_answer *answer)
{
    (void)context;
    (void)asking;
    (void)asked;
    int number = atomic_fetch_add(&served, 1);
    sleep_ms((unsigned)number % 3);
    *answer = (struct scripted_answer){.status = 200,
                                       .body = "{\"access_token\":\"storm\",\"expires_in\":1}"};
    if (number % 7 == 3) {
        *answer = (struct scripted_answer){.status = 400, .body = "{\"error\":\"invalid_scope\"}"};
    } else if (number % 11 == 5) {
        *answer = (struct scripted_answer){.rc = EKM_CLOSING};
    }
}

static void *storm(void *context)
{
    struct getter *getter = context;
    unsigned rounds = 0;
    getter->rc = EKM_OK;
    while (!atomic_load(&storm_over)) {
        struct challenge place = public_cloud;
        struct credential *held = NULL;
        struct token *token = NULL;
        char secret[64];
        rounds++;
        (void)snprintf(secret, sizeof secret, HEX_ID "storm-%u", rounds % 5);
        (void)snprintf(place.tenant, sizeof place.tenant, "t%u", rounds / 16 % 12);
        begin(&getter->call);
        if (credential_open(&getter->call, secret, strlen(secret), &held) != EKM_OK) {
            getter->rc = EKM_INTERNAL;
            break;
        }
        enum ekm_rc rc = token_get(&getter->call, held, &place, &token);
        if (rc == EKM_OK) {
            if (strcmp(value_of(token), "storm") != 0) {
                getter->rc = EKM_INTERNAL;
            }
            if (rounds % 13 == 0) {
                (void)token_reject(held, &place, token, 0);
            }
        } else if (rc != EKM_TOKEN_FAILED && rc != EKM_CLOSING) {
            getter->rc = rc;
        }
        token_release(token);
        credential_release(held);
    }
    return NULL;
}

static void a_storm(void **state)
{
    (void)state;
    scripted_http_serve(storm_server, NULL);
    atomic_store(&storm_over, false);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&getters[i].thread, NULL, storm, &getters[i]), 0);
    }
    sleep_ms(1500);
    wait_served(21);
    atomic_store(&storm_over, true);
    for (size_t i = 0; i < THREADS; i++) {
        join(i);
        assert_int_equal(getters[i].rc, EKM_OK);
    }
}

#define TEST(name)     cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define THREADED(name) cmocka_unit_test_setup_teardown(name, set_up_threads, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(secrets_that_are_read),
        TEST(secrets_that_are_refused),
        TEST(credentials_are_shared_by_content),
        TEST(the_request),
        TEST(a_token_is_kept),
        TEST(one_for_each_place),
        TEST(many_tenants),
        TEST(another_secret_is_another_token),
        TEST(renewed_early),
        TEST(an_early_failure_fails_nobody),
        TEST(an_early_try_leaves_time),
        TEST(expired_and_not_renewed),
        TEST(lives_that_make_no_sense),
        TEST(refusals_of_credentials),
        TEST(a_refusal_outlives_its_session),
        TEST(a_token_outlives_its_session),
        TEST(a_secret_goes_with_its_last_session),
        TEST(a_token_goes_with_its_end),
        TEST(tokens_go_one_by_one),
        TEST(other_refusals),
        TEST(refusals_that_pass),
        TEST(pages_in_entra_s_place),
        TEST(failures_to_the_end),
        TEST(odd_answers),
        TEST(a_new_token_a_second),
        TEST(a_rejected_token_is_forgotten),
        TEST(many_credentials),
        TEST(forgetting_all),
        TEST(no_secret_in_the_log),
        THREADED(one_fetch_for_all),
        THREADED(one_refusal_for_all),
        THREADED(one_throttling_for_all),
        THREADED(waiters_take_over_from_the_aborted),
        THREADED(waiters_take_over_from_the_late),
        THREADED(a_waiter_is_aborted),
        THREADED(a_waiter_runs_out_of_time),
        THREADED(a_late_waiter_is_not_told_of_an_abort),
        THREADED(an_early_failure_is_not_shared),
        THREADED(nobody_waits_for_an_early_renewal),
        THREADED(tenants_wait_for_a_place),
        THREADED(a_storm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
