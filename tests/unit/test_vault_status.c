// wrap: http_perform http_perform_all plat_now_ms plat_unix_time_ms plat_cond_wait_until
// with: vault_fixture.c scripted_http.c fake_clock.c
/* Every status and body of the vault as its code (specification.md section 6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "vault_fixture.h"

static const struct key_id pinned = {"name", VERSION};

struct row {
    long status;
    const char *body;
    enum ekm_rc rc;
};

/* Each in a state of its own. */
static void expect_code(const struct row *row, const char *content_type)
{
    vault_tear_down(NULL);
    vault_set_up(NULL);
    vault_warm_up();
    /* A Retry-After beyond the deadline makes the first answer the last. */
    scripted_http_add(&(struct scripted_answer){.status = row->status,
                                                .body = row->body,
                                                .content_type = content_type,
                                                .retry_after = "1000",
                                                .request_id = "rid-1"});
    expect_key(&pinned, row->rc);
    assert_int_equal(call.error.http_status, row->status);
    assert_string_equal(call.error.request_id, "rid-1");
    assert_int_equal(scripted_http_count(), 1);
}

/* specification.md section 6, the rows that are answers of the vault. */
static void statuses_become_codes(void **state)
{
    static const struct row rows[] = {
        {400, ERROR_BODY("BadParameter"), EKM_REQUEST_REFUSED},
        {403, INNER("KeyDisabled"), EKM_KEY_DISABLED},
        {403, INNER("ForbiddenByFirewall"), EKM_FIREWALL},
        {403, INNER("ForbiddenByConnection"), EKM_FIREWALL},
        {403, INNER("ForbiddenByNsp"), EKM_FIREWALL},
        {403, INNER("KeyOperationForbidden"), EKM_KEY_OPERATION},
        {403, INNER("ForbiddenByPolicy"), EKM_FORBIDDEN},
        {403, INNER("ForbiddenByRbac"), EKM_FORBIDDEN},
        {403, ERROR_BODY("AccessDenied"), EKM_FORBIDDEN},
        {403, "{\"error\":{\"code\":null,\"message\":null}}", EKM_FORBIDDEN},
        {404, ERROR_BODY("KeyNotFound"), EKM_KEY_NOT_FOUND},
        {405, ERROR_BODY("x"), EKM_REQUEST_REFUSED},
        {408, ERROR_BODY("x"), EKM_REQUEST_LATE},
        {409, ERROR_BODY("Conflict"), EKM_REQUEST_REFUSED},
        {409, CONFLICT("ObjectIsDeletedButRecoverable"), EKM_REQUEST_REFUSED},
        {409, CONFLICT("ObjectIsBeingDeleted"), EKM_KEY_BUSY},
        {409, CONFLICT("ObjectIsBeingRecovered"), EKM_KEY_BUSY},
        {410, ERROR_BODY("x"), EKM_REQUEST_REFUSED},
        {429, ERROR_BODY("Throttled"), EKM_THROTTLED},
        {429, "", EKM_THROTTLED},
        {429, "<html>", EKM_THROTTLED},
        {500, ERROR_BODY("x"), EKM_SERVER_ERROR},
        {500, "", EKM_SERVER_ERROR},
        {501, ERROR_BODY("x"), EKM_SERVER_REFUSED},
        {503, ERROR_BODY("x"), EKM_SERVER_ERROR},
        {503, "", EKM_SERVER_ERROR},
        {201, "{}", EKM_UNEXPECTED_STATUS},
        {202, "{}", EKM_UNEXPECTED_STATUS},
        {204, "", EKM_UNEXPECTED_STATUS},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect_code(&rows[i], "application/json");
    }
}

/* Front ends, proxies and portals: none of it is the vault's word on a key. */
static void pages_are_not_responses_of_the_vault(void **state)
{
    static const struct row rows[] = {
        {300, "", EKM_NOT_VAULT},
        {302, "", EKM_NOT_VAULT},
        {302, ERROR_BODY("Moved"), EKM_NOT_VAULT},
        {307, "<html>", EKM_NOT_VAULT},
        {400, "", EKM_NOT_VAULT_PASSING},
        {400, "<!DOCTYPE html><title>Runtime Error</title>", EKM_NOT_VAULT_PASSING},
        {403, "", EKM_NOT_VAULT},
        {403, "<html>blocked</html>", EKM_NOT_VAULT},
        {403, "{\"message\":\"blocked\"}", EKM_NOT_VAULT},
        {403, "{\"error\":\"blocked\"}", EKM_NOT_VAULT},
        {403, "{\"error\":{\"code\":403,\"message\":\"m\",\"status\":\"DENIED\"}}", EKM_NOT_VAULT},
        {400, "{\"error\":{\"code\":400,\"message\":\"m\"}}", EKM_NOT_VAULT_PASSING},
        {404, "{\"error\":{\"code\":\"x\",\"message\":[\"m\"]}}", EKM_NOT_VAULT},
        {404, "{\"error\":{}}", EKM_NOT_VAULT},
        {500, "{\"error\":{\"status\":500}}", EKM_NOT_VAULT_PASSING},
        {404, "", EKM_NOT_VAULT},
        {404, "Not Found", EKM_NOT_VAULT},
        {405, "", EKM_NOT_VAULT},
        {408, "", EKM_NOT_VAULT_PASSING},
        {409, "", EKM_NOT_VAULT},
        {410, "", EKM_NOT_VAULT},
        {500, "{}", EKM_NOT_VAULT_PASSING},
        {502, "<html>", EKM_NOT_VAULT_PASSING},
        {503, "<html>", EKM_NOT_VAULT_PASSING},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect_code(&rows[i], "text/html; charset=us-ascii");
        assert_non_null(strstr(call.error.note, "text/html"));
        assert_int_equal(ekm_code(rows[i].rc), 5014);
        expect_code(&rows[i], NULL);
        assert_non_null(strstr(call.error.note, "no content type"));
    }
}

/* A transient status is retried, whether the body is the vault's or a page. */
static void passing_refusals_are_repeated(void **state)
{
    static const struct row rows[] = {
        {400, "<html>", EKM_OK},
        {502, "<html>", EKM_OK},
        {503, "", EKM_OK},
        {408, "", EKM_OK},
        {409, CONFLICT("ObjectIsBeingRecovered"), EKM_OK},
        {409, ERROR_BODY("ObjectIsBeingDeleted"), EKM_OK},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        vault_tear_down(NULL);
        vault_set_up(NULL);
        vault_warm_up();
        script(rows[i].status, rows[i].body);
        script(rows[i].status, rows[i].body);
        script(200, vault_key_body(KID));
        expect_key(&pinned, EKM_OK);
        assert_int_equal(scripted_http_count(), 3);
    }
}

static void serve_throttled(void *context, struct call *asking, const struct seen_request *asked,
                            struct scripted_answer *answer)
{
    (void)context;
    (void)asking;
    (void)asked;
    answer->status = 429;
    answer->body = ERROR_BODY("Throttled");
    answer->request_id = "rid-2";
}

/* Time runs out between two tries: the line has what the service said last. */
static void the_last_word_keeps_its_code(void **state)
{
    (void)state;
    vault_warm_up();
    scripted_http_serve(serve_throttled, NULL);
    expect_key(&pinned, EKM_THROTTLED);
    assert_int_equal(call.error.http_status, 429);
    assert_string_equal(call.error.azure_code, "Throttled");
    assert_string_equal(call.error.request_id, "rid-2");
    assert_true(scripted_http_count() > 2);
}

static void transport_failures_pass_through(void **state)
{
    static const enum ekm_rc rows[] = {
        EKM_HOST_NOT_RESOLVED,   EKM_CONNECT_FAILED, EKM_PROXY,
        EKM_PROXY_UNREACHABLE,   EKM_TLS_FAILED,     EKM_NO_ANSWER,
        EKM_CERTIFICATE_REFUSED, EKM_ANSWER_TOO_BIG, EKM_CONNECTION_BROKEN,
        EKM_OUT_OF_MEMORY};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int warm = 0; warm < 2; warm++) {
            vault_tear_down(NULL);
            vault_set_up(NULL);
            if (warm) {
                vault_warm_up();
            }
            fake_clock_advance(29999); /* no time for another */
            scripted_http_add(&(struct scripted_answer){.rc = rows[i]});
            expect_key(&pinned, rows[i]);
        }
    }
}

static void refused_operations(void **state)
{
    static const struct {
        long status;
        const char *body;
        enum ekm_rc wrap, unwrap;
    } rows[] = {
        {400, "{\"error\":{\"code\":\"BadParameter\"}}", EKM_REQUEST_REFUSED, EKM_UNWRAP_REFUSED},
        {409, ERROR_BODY("Conflict"), EKM_REQUEST_REFUSED, EKM_REQUEST_REFUSED},
        {403, INNER("KeyDisabled"), EKM_KEY_DISABLED, EKM_KEY_DISABLED},
        {403, INNER("KeyOperationForbidden"), EKM_KEY_OPERATION, EKM_KEY_OPERATION},
        {403, ERROR_BODY("Forbidden"), EKM_FORBIDDEN, EKM_FORBIDDEN},
        {403, "<html>", EKM_NOT_VAULT, EKM_NOT_VAULT},
        {404, ERROR_BODY("KeyNotFound"), EKM_KEY_NOT_FOUND, EKM_KEY_NOT_FOUND},
        {404, "", EKM_NOT_VAULT, EKM_NOT_VAULT},
        {302, "", EKM_NOT_VAULT, EKM_NOT_VAULT},
        {202, "", EKM_UNEXPECTED_STATUS, EKM_UNEXPECTED_STATUS},
        {200, "", EKM_WRAP_EMPTY, EKM_UNWRAP_EMPTY},
        {200, "<", EKM_WRAP_NOT_JSON, EKM_UNWRAP_NOT_JSON},
        {200, "{\"kid\":\"" KID "\"}", EKM_WRAP_NO_VALUE, EKM_UNWRAP_NO_VALUE},
        {200, "{\"kid\":\"" KID "\",\"value\":\"A\"}", EKM_WRAP_BAD_VALUE, EKM_UNWRAP_BAD_VALUE},
    };
    (void)state;
    vault_warm_up();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf value = BUF_EMPTY(512);
        script(rows[i].status, rows[i].body);
        assert_int_equal(
            vault_wrap(&call, &vault, &pinned, RSA_OAEP, (const uint8_t *)"x", 1, &value),
            rows[i].wrap);
        assert_int_equal(call.error.rc, rows[i].wrap);
        script(rows[i].status, rows[i].body);
        assert_int_equal(
            vault_unwrap(&call, &vault, &pinned, RSA_OAEP, (const uint8_t *)"x", 1, &value),
            rows[i].unwrap);
        assert_int_equal(call.error.rc, rows[i].unwrap);
        assert_int_equal(value.len, 0);
        buf_free(&value);
    }
}

/* Bodies beyond sense in each place: an error, no crash, nothing kept. */
static void garbage_everywhere(void **state)
{
    static const char *const garbage[] = {
        "", "<html>", "{", "[]", "null", "{}", "{\"x", "\"", "true", "{\"value\":{\"value\":{}}}"};
    (void)state;
    vault_warm_up();
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        struct vault_key key;
        struct buf value = BUF_EMPTY(512);
        script(200, garbage[i]);
        assert_true(vault_get_key(&call, &vault, &pinned, &key) != EKM_OK);
        script(200, garbage[i]);
        assert_true(vault_create_key(&call, &vault, "name", 2048, &key) != EKM_OK);
        script(200, garbage[i]);
        assert_true(vault_wrap(&call, &vault, &pinned, RSA_OAEP, (const uint8_t *)"x", 1, &value) !=
                    EKM_OK);
        script(200, garbage[i]);
        assert_true(vault_unwrap(&call, &vault, &pinned, RSA_OAEP, (const uint8_t *)"x", 1,
                                 &value) != EKM_OK);
        assert_int_equal(value.len, 0);
        buf_free(&value);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, vault_set_up, vault_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(statuses_become_codes),
        TEST(pages_are_not_responses_of_the_vault),
        TEST(passing_refusals_are_repeated),
        TEST(the_last_word_keeps_its_code),
        TEST(transport_failures_pass_through),
        TEST(refused_operations),
        TEST(garbage_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
