// wrap: http_perform http_perform_all plat_now_ms plat_unix_time_ms plat_cond_wait_until
// with: vault_fixture.c scripted_http.c fake_clock.c
/* The vault's challenge, and tokens that it refuses (specification.md section 2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "vault_fixture.h"

static const struct key_id pinned = {"name", VERSION};

static void malformed_challenges(void **state)
{
    static const struct {
        struct scripted_answer answer;
        enum ekm_rc rc;
    } rows[] = {
        {{.status = 200, .body = "{}"}, EKM_CHALLENGE_MALFORMED},
        {{.status = 401}, EKM_CHALLENGE_MALFORMED},
        {{.status = 401, .authenticate = "Basic realm=\"x\""}, EKM_CHALLENGE_MALFORMED},
        {{.status = 401,
          .authenticate = "Bearer authorization=\"https://login.microsoftonline.com/t\""},
         EKM_CHALLENGE_NO_RESOURCE},
        {{.status = 401,
          .authenticate =
              "Bearer authorization=\"https://evil.com/t\", resource=\"https://vault.azure.net\""},
         EKM_CHALLENGE_FOREIGN},
        {{.status = 401,
          .authenticate = "Bearer authorization=\"https://login.microsoftonline.com/t\", "
                          "resource=\"https://graph.microsoft.com\""},
         EKM_CHALLENGE_FOREIGN},
        {{.status = 403, .body = INNER("ForbiddenByFirewall")}, EKM_FIREWALL},
        {{.status = 403, .body = INNER("ForbiddenByConnection")}, EKM_FIREWALL},
        {{.status = 403, .body = ERROR_BODY("Forbidden")}, EKM_FORBIDDEN},
        {{.status = 404, .body = ERROR_BODY("x")}, EKM_KEY_NOT_FOUND},
        {{.status = 400, .body = ERROR_BODY("x")}, EKM_REQUEST_REFUSED},
        {{.status = 403}, EKM_NOT_VAULT},
        {{.status = 404}, EKM_NOT_VAULT},
        {{.status = 400, .retry_after = "1000"}, EKM_NOT_VAULT_PASSING},
        {{.status = 302}, EKM_NOT_VAULT},
        {{.status = 401, .body = "<html>log in</html>"}, EKM_NOT_VAULT},
        {{.status = 401, .body = "<html>log in</html>", .authenticate = "Basic realm=\"x\""},
         EKM_NOT_VAULT},
        {{.status = 401, .body = "OK"}, EKM_CHALLENGE_MALFORMED},
        {{.status = 503, .retry_after = "1000"}, EKM_SERVER_ERROR},
        {{.status = 429, .retry_after = "1000"}, EKM_THROTTLED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        vault_set_up(NULL);
        scripted_http_add(&rows[i].answer);
        enum ekm_rc rc = vault_authenticate(&call, &vault);
        if (rc != rows[i].rc) {
            fail_msg("row %u: %s instead of %s", (unsigned)i, ekm_name(rc), ekm_name(rows[i].rc));
        }
        assert_int_equal(call.error.rc, rc);
        assert_int_equal(call.error.http_status, rows[i].answer.status);
        assert_int_equal(scripted_http_count(), 1); /* the secret went nowhere */
        credential_release(vault.credential);
    }
    vault_set_up(NULL);
}

static void a_bad_challenge_is_not_remembered(void **state)
{
    (void)state;
    script_401("Basic realm=\"x\"");
    assert_int_equal(vault_authenticate(&call, &vault), EKM_CHALLENGE_MALFORMED);
    script_401(CHALLENGE("tenant-1"));
    script(200, TOKEN("t1"));
    assert_int_equal(vault_authenticate(&call, &vault), EKM_OK);
}

static void a_token_that_ended(void **state)
{
    (void)state;
    vault_warm_up();
    script_401(CHALLENGE("tenant-1"));
    script(200, TOKEN("t2"));
    script(200, vault_key_body(KID));
    expect_key(&pinned, EKM_OK);
    assert_int_equal(scripted_http_count(), 3);
    assert_string_equal(scripted_http_seen(0)->bearer, "t1");
    assert_string_equal(scripted_http_seen(2)->bearer, "t2");
    script(200, vault_key_body(KID));
    expect_key(&pinned, EKM_OK);
    assert_string_equal(scripted_http_seen(3)->bearer, "t2");
    assert_int_equal(scripted_http_count(), 4);
}

static void a_vault_that_moved(void **state)
{
    (void)state;
    vault_warm_up();
    script_401(CHALLENGE("tenant-2"));
    script(200, TOKEN("t2"));
    script(200, vault_key_body(KID));
    expect_key(&pinned, EKM_OK);
    assert_string_equal(scripted_http_seen(1)->url,
                        "https://login.microsoftonline.com/tenant-2/oauth2/v2.0/token");
    script(200, vault_key_body(KID));
    expect_key(&pinned, EKM_OK);
    assert_int_equal(scripted_http_count(), 4);
}

/* The old tenant no longer knows the application, so the vault cannot answer 401. */
static void a_vault_that_moved_unnoticed(void **state)
{
    (void)state;
    vault_warm_up();
    fake_clock_advance(3600000);
    call_begin(&call, "Test", &config);
    script(400, "{\"error\":\"unauthorized_client\",\"error_codes\":[700016]}");
    expect_key(&pinned, EKM_BAD_CREDENTIALS);
    assert_int_equal(scripted_http_count(), 1);
    script_401(CHALLENGE("tenant-2"));
    script(200, TOKEN("t2"));
    script(200, vault_key_body(KID));
    expect_key(&pinned, EKM_OK);
    assert_string_equal(scripted_http_seen(1)->bearer, "");
    assert_int_equal(scripted_http_count(), 4);
}

/* A challenge just read is not asked for again: a thousand refused sessions send nothing. */
static void refused_sessions_send_nothing(void **state)
{
    (void)state;
    script_401(CHALLENGE("tenant-1"));
    script(401, "{\"error\":\"invalid_client\",\"error_codes\":[7000215]}");
    for (int i = 0; i < 1000; i++) {
        call_begin(&call, "Test", &config);
        assert_int_equal(vault_authenticate(&call, &vault), EKM_BAD_CREDENTIALS);
        assert_int_equal(call.error.aadsts, 7000215);
    }
    assert_int_equal(scripted_http_count(), 2);
}

/* A vault that refuses good tokens: so many times, or for ever. */
static struct {
    unsigned refusals; /* still to come */
    const char *message, *challenge;
    unsigned tokens, refused, same_connection;
} moody;

static void serve_moody(void *context, struct call *asking, const struct seen_request *asked,
                        struct scripted_answer *answer)
{
    static char body[256];
    (void)context;
    (void)asking;
    if (asked->to_entra) {
        moody.tokens++;
        answer->status = 200;
        answer->body = TOKEN("t");
        return;
    }
    moody.same_connection += !asked->new_connection;
    if (moody.refusals == 0) {
        answer->status = 200;
        answer->body = vault_key_body(KID);
        return;
    }
    moody.refusals--;
    moody.refused++;
    (void)text_format(body, sizeof body,
                      "{\"error\":{\"code\":\"Unauthorized\",\"message\":\"%s\"}}", moody.message);
    answer->status = 401;
    answer->body = body;
    answer->authenticate = moody.challenge;
}

static void set_moody(unsigned refusals, const char *message, const char *challenge)
{
    vault_tear_down(NULL);
    vault_set_up(NULL);
    vault_warm_up();
    memset(&moody, 0, sizeof moody);
    moody.refusals = refusals;
    moody.message = message;
    moody.challenge = challenge;
    scripted_http_serve(serve_moody, NULL);
}

#define AKV10046 "AKV10046: Unable to resolve the key used for signature validation."

/* A good token that is refused for a moment costs a moment, and Entra nothing. */
static void a_good_token_refused_for_a_moment(void **state)
{
    (void)state;
    set_moody(2, AKV10046, CHALLENGE("tenant-1"));
    expect_key(&pinned, EKM_OK);
    assert_int_equal(moody.tokens, 0);
    assert_true(call_remaining_ms(&call) > 29000);
    set_moody(2, AKV10046, NULL);
    expect_key(&pinned, EKM_OK);
    set_moody(9, "[TokenExpired] Error validating token: 'S2S12086'", CHALLENGE("tenant-1"));
    expect_key(&pinned, EKM_OK);
    assert_in_range(moody.tokens, 1, 4);
}

/* Behind one connection there may be a server that does not know the key yet. */
static void a_refusal_opens_another_connection(void **state)
{
    (void)state;
    set_moody(5, AKV10046, CHALLENGE("tenant-1"));
    expect_key(&pinned, EKM_OK);
    assert_int_equal(moody.refused, 5);
    assert_int_equal(moody.same_connection, 1);
}

/* To the deadline, with at most one new token a second, and the service's own number. */
static void a_token_that_stays_refused(void **state)
{
    (void)state;
    set_moody(1000000, AKV10046, CHALLENGE("tenant-1"));
    expect_key(&pinned, EKM_TOKEN_REJECTED);
    assert_int_equal(call.error.http_status, 401);
    assert_string_equal(call.error.azure_code, "Unauthorized");
    assert_int_equal(call.error.akv, 10046);
    assert_true(call_remaining_ms(&call) <= 1000);
    assert_in_range(moody.tokens, 1, 30);
    assert_in_range(moody.refused, 20, 300);
    set_moody(1000000, "no number", CHALLENGE("tenant-1"));
    expect_key(&pinned, EKM_TOKEN_REJECTED);
    assert_true(call_remaining_ms(&call) <= 1000);
    assert_in_range(moody.tokens, 3, 8);
}

/* A token of the wrong issuer or audience never becomes right: one other is tried, no more. */
static void a_token_of_the_wrong_kind(void **state)
{
    static const char *const messages[] = {"AKV10022: Invalid audience. Expected x, found: y.",
                                           "AKV10032: Invalid issuer. Expected one of x, found y."};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        set_moody(1000000, messages[i], CHALLENGE("tenant-1"));
        expect_key(&pinned, EKM_TOKEN_REJECTED);
        assert_int_equal(call.error.akv, i == 0 ? 10022 : 10032);
        assert_int_equal(moody.tokens, 1);
        assert_int_equal(moody.refused, 2);
        assert_true(call_remaining_ms(&call) > 29000);
        /* The vault moved: at once. */
        set_moody(1, messages[i], CHALLENGE("tenant-2"));
        expect_key(&pinned, EKM_OK);
        assert_int_equal(moody.tokens, 1);
        assert_true(call_remaining_ms(&call) > 29900);
    }
}

static void refusals_without_a_usable_challenge(void **state)
{
    static const struct {
        const char *authenticate;
        enum ekm_rc rc;
    } rows[] = {
        {NULL, EKM_UNAUTHORIZED},
        {"Basic realm=\"x\"", EKM_UNAUTHORIZED},
        {"Bearer error=\"insufficient_claims\", claims=\"eyJ9\"", EKM_UNAUTHORIZED},
        {"Bearer authorization=\"https://login.microsoftonline.com/t\"", EKM_UNAUTHORIZED},
        {"Bearer authorization=\"https://evil.com/t\", resource=\"https://vault.azure.net\"",
         EKM_CHALLENGE_FOREIGN},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        vault_tear_down(NULL);
        vault_set_up(NULL);
        vault_warm_up();
        script_401(rows[i].authenticate);
        expect_key(&pinned, rows[i].rc);
        assert_int_equal(call.error.http_status, 401);
        assert_int_equal(scripted_http_count(), 1);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, vault_set_up, vault_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(malformed_challenges),
        TEST(a_bad_challenge_is_not_remembered),
        TEST(a_token_that_ended),
        TEST(a_vault_that_moved),
        TEST(a_vault_that_moved_unnoticed),
        TEST(refused_sessions_send_nothing),
        TEST(a_good_token_refused_for_a_moment),
        TEST(a_refusal_opens_another_connection),
        TEST(a_token_that_stays_refused),
        TEST(a_token_of_the_wrong_kind),
        TEST(refusals_without_a_usable_challenge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
