#include "token_fixture.h"

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

struct config config;
struct call call;
struct credential *credential;
const struct challenge public_cloud = {"login.microsoftonline.com", "tenant-1", "vault.azure.net"};

void token_fixture_begin(struct call *which)
{
    call_begin(which, "Test", &config);
}

struct credential *token_fixture_open(const char *secret)
{
    struct credential *opened = NULL;
    assert_int_equal(credential_open(&call, secret, strlen(secret), &opened), EKM_OK);
    assert_non_null(opened);
    return opened;
}

int token_set_up(void **state)
{
    (void)state;
    fake_clock_reset();
    scripted_http_reset();
    http_retry_reset();
    config_defaults(&config);
    token_fixture_begin(&call);
    credential = token_fixture_open(SECRET);
    return 0;
}

int token_tear_down(void **state)
{
    (void)state;
    credential_release(credential);
    credential_forget_all();
    return 0;
}

void script_token(const char *value, const char *expires_in)
{
    static char bodies[64][256];
    static unsigned next;
    char *body = bodies[next++ % 64];
    (void)text_format(body, 256,
                      "{\"token_type\":\"Bearer\",\"expires_in\":%s,\"access_token\":\"%s\"}",
                      expires_in, value);
    scripted_http_add(&(struct scripted_answer){.status = 200, .body = body});
}

void script_refusal(long status, const char *error, const char *number)
{
    static char bodies[64][256];
    static unsigned next;
    char *body = bodies[next++ % 64];
    (void)text_format(body, 256, "{\"error\":\"%s\",\"error_description\":\"AADSTS%s: x\"}", error,
                      number);
    scripted_http_add(&(struct scripted_answer){.status = status, .body = body});
}

const char *token_value_of(const struct token *token)
{
    static const char name[] = "Authorization: Bearer ";
    const char *header = token_header(token);
    return strncmp(header, name, sizeof name - 1) == 0 ? header + sizeof name - 1 : header;
}

/* Asks in a fresh call, expects this token after so many requests. */
void expect_token(const char *value, unsigned requests)
{
    struct token *token = NULL;
    unsigned before = scripted_http_count();
    token_fixture_begin(&call);
    assert_int_equal(token_get(&call, credential, &public_cloud, &token), EKM_OK);
    assert_string_equal(token_value_of(token), value);
    assert_int_equal(scripted_http_count() - before, requests);
    assert_int_equal(call.error.rc, EKM_OK);
    token_release(token);
}

void expect_token_failure(enum ekm_rc rc)
{
    struct token *token = NULL;
    token_fixture_begin(&call);
    enum ekm_rc got = token_get(&call, credential, &public_cloud, &token);
    if (got != rc) {
        fail_msg("%s instead of %s", ekm_name(got), ekm_name(rc));
    }
    assert_int_equal(call.error.rc, rc);
    assert_null(token);
}
