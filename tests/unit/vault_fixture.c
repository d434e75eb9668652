#include "vault_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/codec.h"
#include "base/text.h"
#include "net/http_retry.h"

#define SECRET "11111111222243338444555555555555Canary~Secret"

struct config config;
struct call call;
struct vault vault;

int vault_set_up(void **state)
{
    (void)state;
    fake_clock_reset();
    scripted_http_reset();
    http_retry_reset();
    challenge_forget_all();
    config_defaults(&config);
    call_begin(&call, "Test", &config);
    if (address_parse(&config, "contoso", &vault.address) != EKM_OK) {
        return -1;
    }
    return credential_open(&call, SECRET, strlen(SECRET), &vault.credential) == EKM_OK ? 0 : -1;
}

int vault_tear_down(void **state)
{
    (void)state;
    credential_release(vault.credential);
    credential_forget_all();
    return 0;
}

void script(long status, const char *body)
{
    scripted_http_add(&(struct scripted_answer){.status = status, .body = body});
}

void script_401(const char *authenticate)
{
    scripted_http_add(&(struct scripted_answer){
        .status = 401,
        .authenticate = authenticate,
        .body = "{\"error\":{\"code\":\"Unauthorized\",\"message\":\"AKV10000\"}}"});
}

void vault_warm_up(void)
{
    script_401(CHALLENGE("tenant-1"));
    script(200, TOKEN("t1"));
    assert_int_equal(vault_authenticate(&call, &vault), EKM_OK);
    scripted_http_reset();
    call_begin(&call, "Test", &config);
}

const char *vault_key_body(const char *kid)
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

void expect_key(const struct key_id *key, enum ekm_rc rc)
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
