// wrap: http_perform http_perform_all plat_now_ms plat_unix_time_ms plat_cond_wait_until
// with: scripted_http.c fake_clock.c
/* Tokens of managed identities: where they are asked for, what the answers mean, how long they are
 * kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "fake_clock.h"
#include "net/http_retry.h"
#include "scripted_http.h"
#include "temporary.h"
#include "vault/arc.h"
#include "vault/identity_endpoint.h"
#include "vault/token.h"

#define GUID "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
#define RESOURCE                                                                                   \
    "/subscriptions/s/resourceGroups/r/providers/Microsoft.ManagedIdentity/"                       \
    "userAssignedIdentities/sql"
#define TOKEN(rest) "{\"access_token\":\"t1\",\"token_type\":\"Bearer\"" rest "}"

static struct config config;
static struct call call;
static const struct challenge where = {"", "", "vault.azure.net"};

static void managed_identity_surround(const char *endpoint, const char *header, const char *imds,
                                      const char *pod)
{
    assert_true(temporary_setenv("IDENTITY_ENDPOINT", endpoint));
    assert_true(temporary_setenv("IDENTITY_HEADER", header));
    assert_true(temporary_setenv("IMDS_ENDPOINT", imds));
    assert_true(temporary_setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", pod));
    assert_true(temporary_setenv("IDENTITY_SERVER_THUMBPRINT", NULL));
}

static int set_up(void **state)
{
    (void)state;
    fake_clock_reset();
    scripted_http_reset();
    http_retry_reset();
    config_defaults(&config);
    call_begin(&call, "Test", &config);
    managed_identity_surround(NULL, NULL, NULL, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    managed_identity_surround(NULL, NULL, NULL, NULL);
    credential_forget_all();
    return 0;
}

static void managed_identity_answer(long status, const char *body)
{
    scripted_http_add(&(struct scripted_answer){.status = status, .body = body});
}

static enum ekm_rc managed_identity_ask(const char *secret)
{
    struct credential *credential = NULL;
    struct token *token = NULL;
    call_begin(&call, "Test", &config);
    enum ekm_rc rc = credential_open(&call, secret, strlen(secret), &credential);
    if (rc == EKM_OK) {
        rc = token_get(&call, credential, &where, &token);
    }
    token_release(token);
    credential_release(credential);
    return rc;
}

/* Asks anew for this, and expects these to be asked. */
static void expect_request(const char *secret, const char *url, const char *header,
                           const char *sign_in)
{
    credential_forget_all();
    scripted_http_reset();
    managed_identity_answer(200, TOKEN(",\"expires_in\":\"3599\",\"client_id\":\"" GUID "\""));
    enum ekm_rc rc = managed_identity_ask(secret);
    if (rc != EKM_OK) {
        fail_msg("%s: %s (%s)", secret, ekm_name(rc), call.error.note);
    }
    const struct seen_request *seen = scripted_http_seen(0);
    assert_non_null(seen);
    assert_string_equal(seen->url, url);
    assert_string_equal(seen->header, header);
    assert_string_equal(call.sign_in, sign_in);
    assert_true(seen->local);
    assert_int_equal(seen->method, HTTP_GET);
    assert_string_equal(seen->bearer, "");
}

static void test_requests_of_each_source(void **state)
{
    static const char imds[] =
        "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource="
        "https%3A%2F%2Fvault.azure.net";
    char url[1024];
    (void)state;
    config.sign_in.source = IDENTITY_SOURCE_IMDS;
    expect_request("managed-identity", imds, "Metadata: true", "managed-identity source=imds");
    (void)text_format(url, sizeof url, "%s&client_id=" GUID, imds);
    expect_request("managed-identity:" GUID, url, "Metadata: true",
                   "managed-identity source=imds client_id=" GUID);
    (void)text_format(url, sizeof url, "%s&object_id=" GUID, imds);
    expect_request("managed-identity:object:" GUID, url, "Metadata: true",
                   "managed-identity source=imds object_id=" GUID);
    (void)text_format(
        url, sizeof url,
        "%s&msi_res_id=%%2Fsubscriptions%%2Fs%%2FresourceGroups%%2Fr%%2Fproviders%%2FMicrosoft."
        "ManagedIdentity%%2FuserAssignedIdentities%%2Fsql",
        imds);
    expect_request("managed-identity:resource:" RESOURCE, url, "Metadata: true",
                   "managed-identity source=imds resource_id=" RESOURCE);
    managed_identity_surround(NULL, NULL, NULL, "http://127.0.0.1:4711/");
    expect_request(
        "managed-identity",
        "http://127.0.0.1:4711/metadata/identity/oauth2/token?api-version=2018-02-01&resource="
        "https%3A%2F%2Fvault.azure.net",
        "Metadata: true", "managed-identity source=imds");
    config.sign_in.source = IDENTITY_SOURCE_AUTO;
    managed_identity_surround("http://localhost:42356/msi/token", "h1", NULL, NULL);
    expect_request("managed-identity",
                   "http://localhost:42356/msi/"
                   "token?api-version=2019-08-01&resource=https%3A%2F%2Fvault.azure.net",
                   "X-IDENTITY-HEADER: h1", "managed-identity source=app-service");
    managed_identity_surround("http://localhost:42356/msi/token", "h2", NULL, NULL);
    expect_request(
        "managed-identity:resource:" RESOURCE,
        "http://localhost:42356/msi/"
        "token?api-version=2019-08-01&resource=https%3A%2F%2Fvault.azure.net&mi_"
        "res_id=%2Fsubscriptions%2Fs%2FresourceGroups%2Fr%2Fproviders%2FMicrosoft.ManagedIdentity%"
        "2FuserAssignedIdentities%2Fsql",
        "X-IDENTITY-HEADER: h2", "managed-identity source=app-service resource_id=" RESOURCE);
}

static void test_surroundings_that_name_no_source(void **state)
{
    static const char *const wrong[] = {
        "localhost:1/x",        "ftp://localhost/x",    "http:///x",
        "http://u@localhost/x", "http://localhost/x?y", "http://localhost/x#y",
        "http://localhost:/x",  "http://local host/x",  "http://localhost:123456/x"};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(identity_endpoint_is_valid(wrong[i]));
        managed_identity_surround(wrong[i], "h", NULL, NULL);
        assert_int_equal(managed_identity_ask("managed-identity"), EKM_IDENTITY_NO_SOURCE);
    }
    managed_identity_surround("http://localhost/x", "a\r\nb: c", NULL, NULL);
    assert_int_equal(managed_identity_ask("managed-identity"), EKM_IDENTITY_NO_SOURCE);
    config.sign_in.source = IDENTITY_SOURCE_APP_SERVICE;
    managed_identity_surround(NULL, NULL, NULL, NULL);
    assert_int_equal(managed_identity_ask("managed-identity"), EKM_IDENTITY_NO_SOURCE);
    config.sign_in.source = IDENTITY_SOURCE_ARC;
    managed_identity_surround("http://arc.example/x", NULL, "http://arc.example", NULL);
    assert_int_equal(managed_identity_ask("managed-identity"), EKM_IDENTITY_NO_SOURCE);
    assert_int_equal(scripted_http_count(), 0);
    assert_true(identity_endpoint_is_loopback("http://127.0.0.1:1/x"));
    assert_true(identity_endpoint_is_loopback("http://LocalHost/x"));
    assert_true(identity_endpoint_is_loopback("http://[::1]:1/x"));
    assert_false(identity_endpoint_is_loopback("http://127.0.0.1.example/x"));
    assert_false(identity_endpoint_is_loopback("http://localhost.example/x"));
}

static void test_refusals_and_what_passes(void **state)
{
    static const struct {
        long status;
        const char *body;
        enum ekm_rc rc;
    } rows[] = {
        {400, "{\"error\":\"invalid_request\",\"error_description\":\"Identity not found\"}",
         EKM_IDENTITY_REFUSED},
        {401, "{\"error\":\"unknown_source\"}", EKM_IDENTITY_REFUSED},
        {403, "", EKM_IDENTITY_REFUSED},
        {302, "", EKM_IDENTITY_REFUSED},
        {404, "", EKM_IDENTITY_UNAVAILABLE},
        {410, "", EKM_IDENTITY_UNAVAILABLE},
        {500, "{\"statusCode\":500,\"message\":\"x\"}", EKM_IDENTITY_UNAVAILABLE},
        {503, "{\"error\":{\"code\":\"busy\"}}", EKM_IDENTITY_UNAVAILABLE},
    };
    (void)state;
    config.sign_in.source = IDENTITY_SOURCE_IMDS;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool passes = rows[i].rc == EKM_IDENTITY_UNAVAILABLE;
        credential_forget_all();
        scripted_http_reset();
        for (int j = 0; j < 50; j++) {
            managed_identity_answer(rows[i].status, rows[i].body);
        }
        uint64_t before_ms = plat_now_ms();
        enum ekm_rc rc = managed_identity_ask("managed-identity");
        if (rc != rows[i].rc) {
            fail_msg("%ld: %s", rows[i].status, ekm_name(rc));
        }
        unsigned count = scripted_http_count();
        assert_true(passes ? count >= 4 && count <= 30 : count == 1);
        assert_true(!passes || plat_now_ms() - before_ms >= (count - 1) * 1000ULL);
        assert_int_equal(call.error.http_status, rows[i].status);
    }
    /* A refusal is remembered: a thousand databases ask once. */
    scripted_http_reset();
    credential_forget_all();
    managed_identity_answer(400, "{}");
    assert_int_equal(managed_identity_ask("managed-identity"), EKM_IDENTITY_REFUSED);
    assert_int_equal(managed_identity_ask("managed-identity"), EKM_IDENTITY_REFUSED);
    assert_int_equal(scripted_http_count(), 1);
    fake_clock_advance(10001);
    managed_identity_answer(200, TOKEN(",\"expires_in\":3599"));
    assert_int_equal(managed_identity_ask("managed-identity"), EKM_OK);
}

static void test_a_source_that_is_not_there(void **state)
{
    (void)state;
    config.sign_in.source = IDENTITY_SOURCE_IMDS;
    for (int i = 0; i < 50; i++) {
        scripted_http_add(&(struct scripted_answer){.rc = EKM_CONNECT_FAILED});
    }
    assert_int_equal(managed_identity_ask("managed-identity"), EKM_IDENTITY_NO_SOURCE);
    assert_int_equal(call.error.rc, EKM_IDENTITY_NO_SOURCE);
}

/* Asks after so many seconds; a renewal is answered by a refusal, which fails nobody. */
static bool is_renewed_after(const char *secret, const char *rest, uint64_t seconds)
{
    char body[300];
    credential_forget_all();
    scripted_http_reset();
    (void)text_format(body, sizeof body, "{\"access_token\":\"t1\"%s}", rest);
    managed_identity_answer(200, body);
    assert_int_equal(managed_identity_ask(secret), EKM_OK);
    fake_clock_advance(seconds * 1000);
    managed_identity_answer(400, "{}");
    assert_int_equal(managed_identity_ask(secret), EKM_OK);
    return scripted_http_count() == 2;
}

static void test_how_long_tokens_are_kept(void **state)
{
    char rest[100];
    (void)state;
    config.sign_in.source = IDENTITY_SOURCE_IMDS;
    /* A day's token: at half of its life. */
    assert_false(is_renewed_after("managed-identity", ",\"expires_in\":\"86399\"", 43190));
    assert_true(is_renewed_after("managed-identity", ",\"expires_in\":\"86399\"", 43201));
    /* An hour's: in its last five minutes. */
    assert_false(is_renewed_after("managed-identity", ",\"expires_in\":3600", 3290));
    assert_true(is_renewed_after("managed-identity", ",\"expires_in\":3600", 3301));
    /* When the service says so, but never later than that. */
    assert_true(
        is_renewed_after("managed-identity", ",\"expires_in\":3600,\"refresh_in\":1800", 1801));
    assert_false(is_renewed_after("managed-identity",
                                  ",\"expires_in\":86399,\"refresh_in\":\"60000\"", 59000));
    assert_true(
        is_renewed_after("managed-identity", ",\"expires_in\":3600,\"refresh_in\":3599", 3301));
    /* By the clock alone. */
    (void)text_format(rest, sizeof rest, ",\"expires_on\":\"%lld\"",
                      (long long)(plat_unix_time_ms() / 1000 + 3600));
    assert_false(is_renewed_after("managed-identity", rest, 3290));
}

static void test_the_selector_must_be_echoed_by_arc(void **state)
{
    static const char challenge[] = "Basic realm=/nowhere/x.key";
    (void)state;
    config.sign_in.source = IDENTITY_SOURCE_ARC;
    scripted_http_add(&(struct scripted_answer){.status = 401, .authenticate = challenge});
    assert_int_equal(managed_identity_ask("managed-identity"), EKM_ARC_ATTACK);
    assert_int_equal(scripted_http_count(), 1);
    assert_string_equal(
        scripted_http_seen(0)->url,
        "http://127.0.0.1:40342/metadata/identity/oauth2/token?api-version=2020-06-01&resource="
        "https%3A%2F%2Fvault.azure.net");
    credential_forget_all();
    managed_identity_answer(200, TOKEN(",\"expires_in\":3599"));
    assert_int_equal(managed_identity_ask("managed-identity"),
                     EKM_ARC_ATTACK); /* a token without a challenge */
}

#ifdef _WIN32
#define KEYS "C:\\Agent\\Tokens"
#define SEP  "\\"
#else
#define KEYS "/var/opt/agent/tokens"
#define SEP  "/"
#endif

static void test_key_files_that_may_be_read(void **state)
{
    static const char *const wrong[] = {
        "",
        "Basic",
        "Basic realm=",
        "Bearer realm=" KEYS SEP "a.key",
        "Basic realm=\"" KEYS SEP "a.key\"",
        "Basic realm=" KEYS SEP "a.key, x=y",
        "Basic realm=" KEYS SEP "a.txt",
        "Basic realm=" KEYS SEP ".key",
        "Basic realm=" KEYS SEP "..key",
        "Basic realm=" KEYS SEP "a b.key",
        "Basic realm=" KEYS SEP SEP "a.key",
        "Basic realm=" KEYS SEP ".." SEP "tokens" SEP "a.key",
        "Basic realm=" KEYS "x" SEP "a.key",
        "Basic realm=" KEYS SEP "below" SEP "a.key",
        "Basic realm=a.key",
        "Basic realm=" SEP "a.key",
    };
    char path[256];
    (void)state;
    assert_true(arc_key_path("Basic realm=" KEYS SEP "0f-A_1.key", KEYS, path, sizeof path));
    assert_string_equal(path, KEYS SEP "0f-A_1.key");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (arc_key_path(wrong[i], KEYS, path, sizeof path)) {
            fail_msg("%s", wrong[i]);
        }
    }
    assert_false(arc_key_path("Basic realm=" SEP "a.key", "", path, sizeof path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_requests_of_each_source, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_surroundings_that_name_no_source, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refusals_and_what_passes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_source_that_is_not_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_how_long_tokens_are_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_selector_must_be_echoed_by_arc, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_key_files_that_may_be_read, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
