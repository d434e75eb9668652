// wrap: http_perform http_perform_all plat_now_ms plat_unix_time_ms plat_cond_wait_until
// with: token_fixture.c scripted_http.c fake_clock.c
/* Final and transient refusals of Entra: codes, and what is remembered (specification.md sections 2
 * and 6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_clock.h"
#include "net/http_retry.h"
#include "scripted_http.h"
#include "token_fixture.h"

static void refusals_of_credentials(void **state)
{
    static const char *const errors[] = {"invalid_client", "unauthorized_client", "invalid_grant"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        token_tear_down(NULL);
        token_set_up(NULL);
        script_refusal(i == 0 ? 401 : 400, errors[i], "7000215");
        expect_token_failure(EKM_BAD_CREDENTIALS);
        assert_int_equal(call.error.aadsts, 7000215);
        /* A thousand databases do not lock the application out. */
        for (int again = 0; again < 1000; again++) {
            expect_token_failure(EKM_BAD_CREDENTIALS);
            assert_int_equal(call.error.aadsts, 7000215);
            assert_int_equal(call.error.http_status, i == 0 ? 401 : 400);
        }
        fake_clock_advance(9900);
        expect_token_failure(EKM_BAD_CREDENTIALS);
        assert_int_equal(scripted_http_count(), 1);
        fake_clock_advance(200);
        script_token("t1", "3600");
        expect_token("t1", 1);
    }
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
        expect_token_failure(EKM_TOKEN_FAILED);
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
        credential_forget_all();
        credential = token_fixture_open(SECRET);
        scripted_http_reset();
        scripted_http_add(&rows[i]);
        script_token("t1", "3600");
        expect_token("t1", 2);
    }
}

/* A response that is not Entra's says nothing about the credential. */
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
        expect_token_failure(EKM_TOKEN_FAILED);
        assert_int_equal(call.error.http_status, rows[i].status);
        assert_non_null(strstr(call.error.note, "text/html"));
        assert_int_equal(scripted_http_count(), 1);
    }
    script_token("t1", "3600");
    expect_token("t1", 1);
}

static void token_refusals_always(void *context, struct call *asking,
                                  const struct seen_request *asked, struct scripted_answer *answer)
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
        scripted_http_serve(token_refusals_always, &answer);
        expect_token_failure(rows[i].rc);
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
    expect_token_failure(EKM_TOKEN_NOT_JSON);
    scripted_http_add(&(struct scripted_answer){.status = 200, .body = "{\"expires_in\":3599}"});
    expect_token_failure(EKM_TOKEN_MISSING);
    scripted_http_add(&(struct scripted_answer){
        .status = 200, .body = "{\"access_token\":\"a\\r\\nX-Evil: 1\",\"expires_in\":3599}"});
    expect_token_failure(EKM_TOKEN_MISSING);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, token_set_up, token_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(refusals_of_credentials), TEST(other_refusals),      TEST(refusals_that_pass),
        TEST(pages_in_entra_s_place),  TEST(failures_to_the_end), TEST(odd_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
