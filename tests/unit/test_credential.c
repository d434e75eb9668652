// wrap: http_perform http_perform_all plat_now_ms plat_unix_time_ms plat_cond_wait_until
// with: token_fixture.c scripted_http.c fake_clock.c
/* Credentials: the meaning of SECRET, who shares one, how long secrets and tokens stay
 * (specification.md section 2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/text.h"
#include "fake_clock.h"
#include "platform/system.h"
#include "scripted_http.h"
#include "temporary.h"
#include "token_fixture.h"

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
        struct credential *opened = token_fixture_open(rows[i]);
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
        token_fixture_begin(&call);
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
    struct credential *same = token_fixture_open(SECRET);
    struct credential *as_guid = token_fixture_open(GUID_ID "Canary~Secret+0/&=");
    struct credential *other = token_fixture_open(SECRET "x");
    assert_ptr_equal(same, credential);
    assert_ptr_equal(as_guid, credential);
    assert_ptr_not_equal(other, credential);
    credential_release(same);
    credential_release(as_guid);
    credential_release(other);
    credential_release(NULL);
    token_release(NULL);
}

/* R63: a new secret works in the next session. */
static void another_secret_is_another_token(void **state)
{
    (void)state;
    script_token("old", "3600");
    expect_token("old", 1);
    struct credential *former = credential;
    credential = token_fixture_open(SECRET "-new");
    script_token("new", "3600");
    expect_token("new", 1);
    credential_release(credential);
    credential = former;
    expect_token("old", 0);
}

/* Remembered though no session holds the credential meanwhile; but a corrected one is tried. */
static void a_refusal_outlives_its_session(void **state)
{
    (void)state;
    script_refusal(401, "invalid_client", "7000215");
    expect_token_failure(EKM_BAD_CREDENTIALS);
    credential_release(credential);
    struct credential *corrected = token_fixture_open(SECRET "-corrected");
    credential = token_fixture_open(SECRET);
    expect_token_failure(EKM_BAD_CREDENTIALS);
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
    struct credential *other = token_fixture_open(SECRET "-other");
    credential = token_fixture_open(SECRET);
    expect_token("t1", 0);
    credential_release(other);
}

/* The token stays for who comes again; the secret comes with them. */
static void a_secret_goes_with_its_last_session(void **state)
{
    (void)state;
    struct credential *first = credential, *second = token_fixture_open(SECRET);
    script_token("t1", "3600");
    expect_token("t1", 1);
    credential_release(second);
    assert_true(first->secret.len > 0);
    credential_release(first);
    assert_int_equal(first->secret.len, 0);
    assert_null(first->secret.data);
    credential = token_fixture_open(SECRET);
    assert_ptr_equal(credential, first);
    expect_token("t1", 0);
    fake_clock_advance(3601000);
    script_token("t2", "3600");
    expect_token("t2", 1);
    assert_non_null(
        strstr(scripted_http_seen(1)->body, "client_secret=Canary~Secret%2B0%2F%26%3D"));
}

/* As many as there are besides a reference of the test's own. */
static unsigned credential_holders(const struct token *token)
{
    return atomic_load(&token->references) - 1;
}

static void a_token_goes_with_its_end(void **state)
{
    struct token *held = NULL;
    (void)state;
    script_token("t1", "3600");
    token_fixture_begin(&call);
    assert_int_equal(token_get(&call, credential, &public_cloud, &held), EKM_OK);
    fake_clock_advance(3599000);
    credential_sweep(plat_now_ms());
    assert_int_equal(credential_holders(held), 1);
    fake_clock_advance(1000);
    credential_sweep(plat_now_ms());
    assert_int_equal(credential_holders(held), 0);
    token_release(held);
    script_token("t2", "3600");
    token_fixture_begin(&call);
    assert_int_equal(token_get(&call, credential, &public_cloud, &held), EKM_OK);
    credential_release(credential);
    assert_int_equal(credential_holders(held), 1);
    fake_clock_advance(3600000);
    credential_sweep(plat_now_ms());
    assert_int_equal(credential_holders(held), 0);
    token_release(held);
    credential = token_fixture_open(SECRET);
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
    token_fixture_begin(&call);
    assert_int_equal(token_get(&call, credential, &public_cloud, &late), EKM_OK);
    assert_int_equal(token_get(&call, credential, &other_place, &early), EKM_OK);
    fake_clock_advance(60000);
    credential_sweep(plat_now_ms());
    assert_int_equal(credential_holders(early), 0);
    assert_int_equal(credential_holders(late), 1);
    fake_clock_advance(3540000);
    credential_sweep(plat_now_ms());
    assert_int_equal(credential_holders(late), 0);
    token_release(early);
    token_release(late);
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
        credential_release(token_fixture_open(secret));
    }
    expect_token("t1", 0);
}

static void forgetting_all(void **state)
{
    (void)state;
    script_token("t1", "3600");
    expect_token("t1", 1);
    credential_release(credential);
    credential_forget_all();
    credential = token_fixture_open(SECRET);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, token_set_up, token_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(secrets_that_are_read),
        TEST(secrets_that_are_refused),
        TEST(credentials_are_shared_by_content),
        TEST(another_secret_is_another_token),
        TEST(a_refusal_outlives_its_session),
        TEST(a_token_outlives_its_session),
        TEST(a_secret_goes_with_its_last_session),
        TEST(a_token_goes_with_its_end),
        TEST(tokens_go_one_by_one),
        TEST(many_credentials),
        TEST(forgetting_all),
        TEST(no_secret_in_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
