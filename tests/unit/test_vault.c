// wrap: http_perform http_perform_all plat_now_ms plat_unix_time_ms plat_cond_wait_until
// with: vault_fixture.c scripted_http.c fake_clock.c
/* The vault's operations: challenge, token, request, and every status as its code (specification.md
 * section 6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/codec.h"
#include "base/text.h"
#include "vault_fixture.h"

#define VERSION "0123456789abcdef0123456789abcdef"
#define KID     "https://" HOST "/keys/name/" VERSION

static const struct key_id newest = {"name", ""}, pinned = {"name", VERSION};

/* Challenge and token are in the caches, the counts at zero. */
static void warm_up(void)
{
    script_401(CHALLENGE("tenant-1"));
    script(200, TOKEN("t1"));
    assert_int_equal(vault_authenticate(&call, &vault), EKM_OK);
    scripted_http_reset();
    call_begin(&call, "Test", &config);
}

static const char *key_body(const char *kid)
{
    static char body[2048];
    uint8_t n[256];
    struct buf encoded = BUF_EMPTY(1024);
    memset(n, 0xff, sizeof n);
    assert_int_equal(base64url_encode(n, sizeof n, &encoded), EKM_OK);
    (void)text_format(body, sizeof body,
                      "{\"key\":{\"kid\":\"%s\",\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"AQAB\"},"
                      "\"attributes\":{\"enabled\":true}}",
                      kid, buf_text(&encoded));
    buf_free(&encoded);
    return body;
}

static void expect_get(const struct key_id *key, enum ekm_rc rc)
{
    struct vault_key got;
    enum ekm_rc result = vault_get_key(&call, &vault, key, &got);
    if (result != rc) {
        fail_msg("%s instead of %s (%s)", ekm_name(result), ekm_name(rc), call.error.note);
    }
    if (rc != EKM_OK) {
        assert_int_equal(call.error.rc, rc);
    }
}

static void cold_session(void **state)
{
    (void)state;
    script_401(CHALLENGE("tenant-1"));
    script(200, TOKEN("t1"));
    assert_int_equal(vault_authenticate(&call, &vault), EKM_OK);
    assert_int_equal(scripted_http_count(), 2);
    const struct seen_request *asked = scripted_http_seen(0);
    assert_int_equal(asked->method, HTTP_GET);
    assert_string_equal(asked->host, HOST);
    assert_ptr_equal(strstr(asked->url, "https://" HOST "/keys?"), asked->url);
    assert_non_null(strstr(asked->url, "api-version=7.4"));
    assert_string_equal(asked->bearer, "");
    assert_string_equal(asked->body, "");
    assert_false(asked->to_entra || asked->once);
    assert_string_equal(scripted_http_seen(1)->url,
                        "https://login.microsoftonline.com/tenant-1/oauth2/v2.0/token");
}

static void warm_session(void **state)
{
    (void)state;
    warm_up();
    assert_int_equal(vault_authenticate(&call, &vault), EKM_OK);
    assert_int_equal(scripted_http_count(), 0);
}

static void get_key(void **state)
{
    struct vault_key key;
    (void)state;
    warm_up();
    script(200, key_body(KID));
    assert_int_equal(vault_get_key(&call, &vault, &newest, &key), EKM_OK);
    assert_string_equal(key.id.version, VERSION);
    assert_true(key.usable_size);
    const struct seen_request *asked = scripted_http_seen(0);
    assert_int_equal(asked->method, HTTP_GET);
    assert_string_equal(asked->bearer, "t1");
    assert_string_equal(asked->body, "");
    assert_string_equal(asked->content_type, "");
    assert_true(strcmp(asked->url, "https://" HOST "/keys/name?api-version=7.4") == 0 ||
                strcmp(asked->url, "https://" HOST "/keys/name/?api-version=7.4") == 0);
    script(200, key_body(KID));
    (void)text_copy(config.api_version, sizeof config.api_version, "2025-07-01");
    assert_int_equal(vault_get_key(&call, &vault, &pinned, &key), EKM_OK);
    assert_string_equal(scripted_http_seen(1)->url,
                        "https://" HOST "/keys/name/" VERSION "?api-version=2025-07-01");
    assert_int_equal(scripted_http_count(), 2);
}

static void the_longest_names_are_not_cut(void **state)
{
    struct key_id longest;
    struct vault_key key;
    char kid[KEY_URI_MAX + 1], identity[254];
    (void)state;
    memset(&longest, 0, sizeof longest);
    memset(longest.name, 'n', KEY_NAME_MAX);
    memset(longest.version, 'e', KEY_VERSION_MAX);
    for (size_t i = 0; i < 253; i++) {
        identity[i] = i % 50 == 49 ? '.' : 'h';
    }
    memcpy(identity + 253 - 21, ".managedhsm.azure.net", 22);
    assert_int_equal(strlen(identity), 253);
    assert_int_equal(address_parse(&config, identity, &vault.address), EKM_OK);
    script_401("Bearer authorization=\"https://login.microsoftonline.com/t\", "
               "resource=\"https://managedhsm.azure.net\"");
    script(200, TOKEN("t1"));
    assert_true(key_uri_format(kid, sizeof kid, vault.address.host, &longest));
    script(200, key_body(kid));
    (void)text_copy(config.api_version, sizeof config.api_version,
                    "2026-03-01-preview.123456789012");
    assert_int_equal(vault_get_key(&call, &vault, &longest, &key), EKM_OK);
    const char *url = scripted_http_seen(2)->url;
    assert_non_null(strstr(url, "api-version=2026-03-01-preview.123456789012"));
    assert_ptr_equal(strstr(url, kid), url);
    struct buf value = BUF_EMPTY(512);
    char body[1024];
    (void)text_format(body, sizeof body, "{\"kid\":\"%s\",\"value\":\"AAAA\"}", kid);
    script(200, body);
    assert_int_equal(
        vault_unwrap(&call, &vault, &longest, RSA_OAEP, (const uint8_t *)"x", 1, &value), EKM_OK);
    assert_non_null(strstr(scripted_http_seen(3)->url,
                           "/unwrapkey?api-version=2026-03-01-preview.123456789012"));
    buf_free(&value);
}

#define INNER(code)      "{\"error\":{\"code\":\"Forbidden\",\"innererror\":{\"code\":\"" code "\"}}}"
#define ERROR_BODY(code) "{\"error\":{\"code\":\"" code "\"}}"
#define CONFLICT(in)     "{\"error\":{\"code\":\"Conflict\",\"innererror\":{\"code\":\"" in "\"}}}"

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
    warm_up();
    /* A Retry-After beyond the deadline makes the first answer the last. */
    scripted_http_add(&(struct scripted_answer){.status = row->status,
                                                .body = row->body,
                                                .content_type = content_type,
                                                .retry_after = "1000",
                                                .request_id = "rid-1"});
    expect_get(&pinned, row->rc);
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
static void pages_are_no_word_of_the_vault(void **state)
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

/* What passes is asked for again, with a body as the vault's own as with a page. */
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
        warm_up();
        script(rows[i].status, rows[i].body);
        script(rows[i].status, rows[i].body);
        script(200, key_body(KID));
        expect_get(&pinned, EKM_OK);
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
    warm_up();
    scripted_http_serve(serve_throttled, NULL);
    expect_get(&pinned, EKM_THROTTLED);
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
                warm_up();
            }
            fake_clock_advance(29999); /* no time for another */
            scripted_http_add(&(struct scripted_answer){.rc = rows[i]});
            expect_get(&pinned, rows[i]);
        }
    }
}

static void challenges_that_are_none(void **state)
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
    warm_up();
    script_401(CHALLENGE("tenant-1"));
    script(200, TOKEN("t2"));
    script(200, key_body(KID));
    expect_get(&pinned, EKM_OK);
    assert_int_equal(scripted_http_count(), 3);
    assert_string_equal(scripted_http_seen(0)->bearer, "t1");
    assert_string_equal(scripted_http_seen(2)->bearer, "t2");
    script(200, key_body(KID));
    expect_get(&pinned, EKM_OK);
    assert_string_equal(scripted_http_seen(3)->bearer, "t2");
    assert_int_equal(scripted_http_count(), 4);
}

static void a_vault_that_moved(void **state)
{
    (void)state;
    warm_up();
    script_401(CHALLENGE("tenant-2"));
    script(200, TOKEN("t2"));
    script(200, key_body(KID));
    expect_get(&pinned, EKM_OK);
    assert_string_equal(scripted_http_seen(1)->url,
                        "https://login.microsoftonline.com/tenant-2/oauth2/v2.0/token");
    script(200, key_body(KID));
    expect_get(&pinned, EKM_OK);
    assert_int_equal(scripted_http_count(), 4);
}

/* The old tenant knows the application no more, so that no 401 of the vault comes to tell. */
static void a_vault_that_moved_unseen(void **state)
{
    (void)state;
    warm_up();
    fake_clock_advance(3600000);
    call_begin(&call, "Test", &config);
    script(400, "{\"error\":\"unauthorized_client\",\"error_codes\":[700016]}");
    expect_get(&pinned, EKM_BAD_CREDENTIALS);
    assert_int_equal(scripted_http_count(), 1);
    script_401(CHALLENGE("tenant-2"));
    script(200, TOKEN("t2"));
    script(200, key_body(KID));
    expect_get(&pinned, EKM_OK);
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
        answer->body = key_body(KID);
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
    warm_up();
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
    expect_get(&pinned, EKM_OK);
    assert_int_equal(moody.tokens, 0);
    assert_true(call_remaining_ms(&call) > 29000);
    set_moody(2, AKV10046, NULL);
    expect_get(&pinned, EKM_OK);
    set_moody(9, "[TokenExpired] Error validating token: 'S2S12086'", CHALLENGE("tenant-1"));
    expect_get(&pinned, EKM_OK);
    assert_in_range(moody.tokens, 1, 4);
}

/* Behind one connection there may be a server that does not know the key yet. */
static void a_refusal_opens_another_connection(void **state)
{
    (void)state;
    set_moody(5, AKV10046, CHALLENGE("tenant-1"));
    expect_get(&pinned, EKM_OK);
    assert_int_equal(moody.refused, 5);
    assert_int_equal(moody.same_connection, 1);
}

/* To the deadline, with at most one new token a second, and the service's own number. */
static void a_token_refused_for_ever(void **state)
{
    (void)state;
    set_moody(1000000, AKV10046, CHALLENGE("tenant-1"));
    expect_get(&pinned, EKM_TOKEN_REJECTED);
    assert_int_equal(call.error.http_status, 401);
    assert_string_equal(call.error.azure_code, "Unauthorized");
    assert_int_equal(call.error.akv, 10046);
    assert_true(call_remaining_ms(&call) <= 1000);
    assert_in_range(moody.tokens, 1, 30);
    assert_in_range(moody.refused, 20, 300);
    set_moody(1000000, "no number", CHALLENGE("tenant-1"));
    expect_get(&pinned, EKM_TOKEN_REJECTED);
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
        expect_get(&pinned, EKM_TOKEN_REJECTED);
        assert_int_equal(call.error.akv, i == 0 ? 10022 : 10032);
        assert_int_equal(moody.tokens, 1);
        assert_int_equal(moody.refused, 2);
        assert_true(call_remaining_ms(&call) > 29000);
        /* The vault moved: at once. */
        set_moody(1, messages[i], CHALLENGE("tenant-2"));
        expect_get(&pinned, EKM_OK);
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
        warm_up();
        script_401(rows[i].authenticate);
        expect_get(&pinned, rows[i].rc);
        assert_int_equal(call.error.http_status, 401);
        assert_int_equal(scripted_http_count(), 1);
    }
}

static void answers_about_other_keys(void **state)
{
    static const struct {
        const char *kid;
        enum ekm_rc of_newest, of_pinned;
    } rows[] = {
        {KID, EKM_OK, EKM_OK},
        {"https://" HOST ":443/keys/name/" VERSION, EKM_OK, EKM_OK},
        {"https://CONTOSO.vault.azure.net/keys/NAME/0123456789ABCDEF0123456789abcdef", EKM_OK,
         EKM_OK},
        {"https://" HOST "/keys/name/ffffffffffffffffffffffffffffffff", EKM_OK, EKM_OTHER_KEY},
        {"https://" HOST "/keys/name", EKM_OTHER_KEY, EKM_OTHER_KEY},
        {"https://" HOST "/keys/other/" VERSION, EKM_OTHER_KEY, EKM_OTHER_KEY},
        {"https://" HOST "/keys/names/" VERSION, EKM_OTHER_KEY, EKM_OTHER_KEY},
        {"https://fabrikam.vault.azure.net/keys/name/" VERSION, EKM_OTHER_KEY, EKM_OTHER_KEY},
        {"https://" HOST ".evil.com/keys/name/" VERSION, EKM_OTHER_KEY, EKM_OTHER_KEY},
        {"https://" HOST ":8443/keys/name/" VERSION, EKM_KEY_BAD_ID, EKM_KEY_BAD_ID},
        {"nonsense", EKM_KEY_BAD_ID, EKM_KEY_BAD_ID},
    };
    (void)state;
    warm_up();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf value = BUF_EMPTY(512);
        char body[512];
        script(200, key_body(rows[i].kid));
        expect_get(&newest, rows[i].of_newest);
        script(200, key_body(rows[i].kid));
        expect_get(&pinned, rows[i].of_pinned);
        (void)text_format(body, sizeof body, "{\"kid\":\"%s\",\"value\":\"AAAA\"}", rows[i].kid);
        script(200, body);
        enum ekm_rc rc =
            vault_wrap(&call, &vault, &pinned, RSA_OAEP, (const uint8_t *)"x", 1, &value);
        assert_int_equal(rc == EKM_OK, rows[i].of_pinned == EKM_OK);
        assert_int_equal(value.len, rc == EKM_OK ? 3 : 0);
        script(200, body);
        rc = vault_unwrap(&call, &vault, &pinned, RSA_OAEP, (const uint8_t *)"x", 1, &value);
        assert_int_equal(rc, rows[i].of_pinned == EKM_OK ? EKM_OK : EKM_OTHER_KEY);
        assert_int_equal(value.len, rc == EKM_OK ? 3 : 0);
        buf_free(&value);
    }
}

static void wrap_and_unwrap(void **state)
{
    static const char *const names[] = {"RSA-OAEP-256", "RSA-OAEP", "RSA1_5"};
    (void)state;
    warm_up();
    for (int i = 0; i < RSA_ALGORITHM_COUNT; i++) {
        struct buf value = BUF_EMPTY(512);
        char expected[128];
        (void)text_format(expected, sizeof expected, "{\"alg\":\"%s\",\"value\":\"-_8\"}",
                          names[i]);
        assert_int_equal(buf_append_text(&value, "stale"), EKM_OK);
        script(200, "{\"kid\":\"" KID "\",\"value\":\"AQID\"}");
        assert_int_equal(vault_wrap(&call, &vault, &pinned, (enum rsa_algorithm)i,
                                    (const uint8_t *)"\xfb\xff", 2, &value),
                         EKM_OK);
        assert_int_equal(value.len, 3);
        assert_memory_equal(value.data, "\1\2\3", 3);
        const struct seen_request *asked = scripted_http_seen(2 * (unsigned)i);
        assert_int_equal(asked->method, HTTP_POST);
        assert_string_equal(asked->url,
                            "https://" HOST "/keys/name/" VERSION "/wrapkey?api-version=7.4");
        assert_string_equal(asked->content_type, "application/json");
        assert_string_equal(asked->body, expected);
        assert_string_equal(asked->bearer, "t1");
        assert_false(asked->once);
        script(200, "{\"kid\":\"" KID "\",\"value\":\"BAU\"}");
        assert_int_equal(vault_unwrap(&call, &vault, &pinned, (enum rsa_algorithm)i,
                                      (const uint8_t *)"\xfb\xff", 2, &value),
                         EKM_OK);
        assert_int_equal(value.len, 2);
        asked = scripted_http_seen(2 * (unsigned)i + 1);
        assert_string_equal(asked->url,
                            "https://" HOST "/keys/name/" VERSION "/unwrapkey?api-version=7.4");
        assert_string_equal(asked->body, expected);
        buf_free(&value);
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
    warm_up();
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

static bool count_key(void *context, const struct vault_key *key)
{
    (void)key;
    ++*(unsigned *)context;
    return true;
}

#define ITEM(name) "{\"kid\":\"https://" HOST "/keys/" name "\"}"

static void lists_of_pages(void **state)
{
    unsigned count = 0;
    (void)state;
    warm_up();
    script(200, "{\"value\":[" ITEM("a") "," ITEM(
                    "b") "],\"nextLink\":\"https://" HOST
                         ":443/keys?api-version=7.9&$skiptoken=x%3D&maxresults=25\"}");
    script(200, "{\"value\":[],\"nextLink\":\"https://CONTOSO.VAULT.azure.net/keys?y\"}");
    script(200, "{\"value\":[" ITEM("c") "],\"nextLink\":null}");
    assert_int_equal(vault_list_keys(&call, &vault, count_key, &count), EKM_OK);
    assert_int_equal(count, 3);
    assert_int_equal(scripted_http_count(), 3);
    assert_non_null(strstr(scripted_http_seen(0)->url, "https://" HOST "/keys?"));
    assert_non_null(strstr(scripted_http_seen(0)->url, "api-version=7.4"));
    assert_string_equal(scripted_http_seen(1)->url,
                        "https://" HOST ":443/keys?api-version=7.9&$skiptoken=x%3D&maxresults=25");
    assert_string_equal(scripted_http_seen(2)->url, "https://CONTOSO.VAULT.azure.net/keys?y");
    for (unsigned i = 0; i < 3; i++) {
        assert_string_equal(scripted_http_seen(i)->bearer, "t1");
        assert_string_equal(scripted_http_seen(i)->host, HOST);
    }
}

static void lists_of_versions(void **state)
{
    unsigned count = 0;
    (void)state;
    warm_up();
    script(200, "{\"value\":[" ITEM("name/v1") "," ITEM("name/v2") "]}");
    assert_int_equal(vault_list_versions(&call, &vault, "name", count_key, &count), EKM_OK);
    assert_int_equal(count, 2);
    assert_non_null(strstr(scripted_http_seen(0)->url, "https://" HOST "/keys/name/versions?"));
}

static void a_token_that_ends_between_pages(void **state)
{
    unsigned count = 0;
    (void)state;
    warm_up();
    script(200, "{\"value\":[],\"nextLink\":\"https://" HOST "/keys?x\"}");
    script_401(CHALLENGE("tenant-1"));
    script(200, TOKEN("t2"));
    script(200, "{\"value\":[" ITEM("c") "]}");
    assert_int_equal(vault_list_keys(&call, &vault, count_key, &count), EKM_OK);
    assert_int_equal(count, 1);
    assert_string_equal(scripted_http_seen(3)->url, "https://" HOST "/keys?x");
    assert_string_equal(scripted_http_seen(3)->bearer, "t2");
}

static void links_that_leave_the_vault(void **state)
{
    static const char *const links[] = {
        "http://" HOST "/keys?x",
        "https://evil.com/keys?x",
        "https://" HOST ".evil.com/keys?x",
        "https://" HOST "@evil.com/keys?x",
        "https://" HOST ":x@evil.com/keys?x",
        "https://" HOST ":443@evil.com/keys?x",
        "https://user@" HOST "/keys?x",
        "https://" HOST ":8443/keys?x",
        "https://" HOST ":4430/keys?x",
        "https://" HOST "\\\\@evil.com/keys?x",
        "https://" HOST "#/keys",
        "https://" HOST "/keys?x#y",
        "https://" HOST "/keys?x y",
        "https://" HOST "/keys?x\\r\\nHost: evil.com",
        "https://evil.com/https://" HOST "/keys",
        "https://fabrikam.vault.azure.net/keys?x",
        "//" HOST "/keys?x",
        "/keys?x",
        "keys",
        " https://" HOST "/keys?x",
        "file:///etc/passwd",
    };
    (void)state;
    warm_up();
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        unsigned count = 0;
        char body[512];
        scripted_http_reset();
        (void)text_format(body, sizeof body, "{\"value\":[],\"nextLink\":\"%s\"}", links[i]);
        script(200, body);
        if (vault_list_keys(&call, &vault, count_key, &count) != EKM_OTHER_KEY ||
            scripted_http_count() != 1) {
            fail_msg("followed: %s", links[i]);
        }
        assert_int_equal(call.error.rc, EKM_OTHER_KEY);
    }
}

/* A list whose links come again after so many pages. */
static void next_for_ever(void *context, struct call *asking, const struct seen_request *asked,
                          struct scripted_answer *answer)
{
    static char body[128];
    (void)asking;
    (void)asked;
    (void)text_format(body, sizeof body,
                      "{\"value\":[],\"nextLink\":\"https://" HOST "/keys?x=%u\"}",
                      scripted_http_count() % *(const unsigned *)context);
    *answer = (struct scripted_answer){.status = 200, .body = body};
}

static void pages_are_counted(void **state)
{
    unsigned count = 0, cycle = UINT32_MAX;
    (void)state;
    warm_up();
    scripted_http_serve(next_for_ever, &cycle);
    enum ekm_rc rc = vault_list_keys(&call, &vault, count_key, &count);
    assert_int_equal(rc, EKM_ANSWER_TOO_BIG);
    assert_int_equal(call.error.rc, rc);
    assert_in_range(scripted_http_count(), 100, VAULT_PAGES_MAX);
    /* A list that goes round ends soon. */
    for (cycle = 1; cycle < 8; cycle++) {
        scripted_http_reset();
        scripted_http_serve(next_for_ever, &cycle);
        assert_int_equal(vault_list_keys(&call, &vault, count_key, &count), EKM_ANSWER_TOO_BIG);
        assert_in_range(scripted_http_count(), 2, 32);
    }
}

static bool stop_at_once(void *context, const struct vault_key *key)
{
    (void)key;
    ++*(unsigned *)context;
    return false;
}

static void a_visitor_ends_the_list(void **state)
{
    unsigned count = 0;
    (void)state;
    warm_up();
    script(200,
           "{\"value\":[" ITEM("a") "," ITEM("b") "],\"nextLink\":\"https://" HOST "/keys?x\"}");
    assert_int_equal(vault_list_keys(&call, &vault, stop_at_once, &count), EKM_OK);
    assert_int_equal(count, 1);
    assert_int_equal(scripted_http_count(), 1);
}

static void creation(void **state)
{
    struct vault_key key;
    (void)state;
    warm_up();
    script(200, key_body(KID));
    assert_int_equal(vault_create_key(&call, &vault, "name", 2048, &key), EKM_OK);
    assert_string_equal(key.id.version, VERSION);
    const struct seen_request *asked = scripted_http_seen(0);
    assert_int_equal(asked->method, HTTP_POST);
    assert_true(asked->once);
    assert_string_equal(asked->url, "https://" HOST "/keys/name/create?api-version=7.4");
    assert_non_null(strstr(asked->body, "\"kty\":\"RSA\""));
    assert_non_null(strstr(asked->body, "\"key_size\":2048"));
    assert_string_equal(asked->content_type, "application/json");
}

static void creation_in_a_managed_hsm(void **state)
{
    struct vault_key key;
    (void)state;
    assert_int_equal(address_parse(&config, "contoso.managedhsm.azure.net", &vault.address),
                     EKM_OK);
    script_401("Bearer authorization=\"https://login.microsoftonline.com/t\", "
               "resource=\"https://managedhsm.azure.net\"");
    script(200, TOKEN("t1"));
    script(200, key_body("https://contoso.managedhsm.azure.net/keys/name/v"));
    assert_int_equal(vault_create_key(&call, &vault, "name", 4096, &key), EKM_OK);
    assert_non_null(strstr(scripted_http_seen(2)->body, "\"kty\":\"RSA-HSM\""));
}

/* A repeat would make another version, or delete what was restored meanwhile. */
static void effects_are_not_repeated(void **state)
{
    static const struct scripted_answer answers[] = {
        {.status = 503},
        {.status = 500},
        {.rc = EKM_NO_ANSWER, .maybe_sent = true},
        {.rc = EKM_CONNECTION_BROKEN, .maybe_sent = true},
    };
    static const enum ekm_rc codes[] = {EKM_SERVER_ERROR, EKM_SERVER_ERROR, EKM_NO_ANSWER,
                                        EKM_CONNECTION_BROKEN};
    (void)state;
    warm_up();
    for (size_t i = 0; i < 4; i++) {
        struct vault_key key;
        scripted_http_reset();
        scripted_http_add(&answers[i]);
        assert_int_equal(vault_create_key(&call, &vault, "name", 2048, &key), codes[i]);
        assert_int_equal(scripted_http_count(), 1);
        scripted_http_add(&answers[i]);
        assert_int_equal(vault_delete_key(&call, &vault, "name"), codes[i]);
        assert_int_equal(scripted_http_count(), 2);
    }
}

static void deletion(void **state)
{
    (void)state;
    warm_up();
    script(200, "{\"recoveryId\":\"x\"}");
    assert_int_equal(vault_delete_key(&call, &vault, "name"), EKM_OK);
    const struct seen_request *asked = scripted_http_seen(0);
    assert_int_equal(asked->method, HTTP_DELETE);
    assert_true(asked->once);
    assert_string_equal(asked->url, "https://" HOST "/keys/name?api-version=7.4");
    assert_string_equal(asked->bearer, "t1");
    script(404, ERROR_BODY("KeyNotFound"));
    assert_int_equal(vault_delete_key(&call, &vault, "name"), EKM_KEY_NOT_FOUND);
}

static void repeats_keep_the_correlation_id(void **state)
{
    (void)state;
    warm_up();
    script(503, "");
    script(200, key_body(KID));
    expect_get(&pinned, EKM_OK);
    assert_int_equal(call.tries, 2);
    assert_int_equal(call.error.rc, EKM_OK);
    assert_int_equal(call.error.http_status, 0);
}

/* Bodies beyond sense in each place: an error, no crash, nothing kept. */
static void garbage_everywhere(void **state)
{
    static const char *const garbage[] = {
        "", "<html>", "{", "[]", "null", "{}", "{\"x", "\"", "true", "{\"value\":{\"value\":{}}}"};
    (void)state;
    warm_up();
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
        TEST(cold_session),
        TEST(warm_session),
        TEST(get_key),
        TEST(the_longest_names_are_not_cut),
        TEST(statuses_become_codes),
        TEST(pages_are_no_word_of_the_vault),
        TEST(passing_refusals_are_repeated),
        TEST(the_last_word_keeps_its_code),
        TEST(transport_failures_pass_through),
        TEST(challenges_that_are_none),
        TEST(a_bad_challenge_is_not_remembered),
        TEST(a_token_that_ended),
        TEST(a_vault_that_moved),
        TEST(a_vault_that_moved_unseen),
        TEST(refused_sessions_send_nothing),
        TEST(a_good_token_refused_for_a_moment),
        TEST(a_refusal_opens_another_connection),
        TEST(a_token_refused_for_ever),
        TEST(a_token_of_the_wrong_kind),
        TEST(refusals_without_a_usable_challenge),
        TEST(answers_about_other_keys),
        TEST(wrap_and_unwrap),
        TEST(refused_operations),
        TEST(lists_of_pages),
        TEST(lists_of_versions),
        TEST(a_token_that_ends_between_pages),
        TEST(links_that_leave_the_vault),
        TEST(pages_are_counted),
        TEST(a_visitor_ends_the_list),
        TEST(creation),
        TEST(creation_in_a_managed_hsm),
        TEST(effects_are_not_repeated),
        TEST(deletion),
        TEST(repeats_keep_the_correlation_id),
        TEST(garbage_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
