/* JSON bodies, good and bad: the code names the field at fault (specification.md section 6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/codec.h"
#include "base/text.h"
#include "vault/wire.h"

#define HOST "contoso.vault.azure.net"
#define KID  "https://" HOST "/keys/name/0123456789abcdef0123456789abcdef"

static struct config config;
static struct call call;
static struct buf body = BUF_EMPTY(512 * 1024);

static int set_up(void **state)
{
    (void)state;
    config_defaults(&config);
    call_begin(&call, "Test", &config);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_free(&body);
    return 0;
}

static const struct buf *wire_bytes(const char *wire_text, size_t len)
{
    call_new_try(&call);
    buf_free(&body);
    assert_int_equal(buf_append(&body, wire_text, len), EKM_OK);
    return &body;
}

static const struct buf *wire_text(const char *json)
{
    return wire_bytes(json, strlen(json));
}

/* A modulus of `len` bytes with its highest and lowest bit set, in base64url. */
static const char *wire_modulus(size_t len)
{
    static char out[1024];
    uint8_t n[1 + RSA_MAX_BYTES + 32] = {0};
    struct buf encoded = BUF_EMPTY(sizeof out - 1);
    for (size_t i = 0; i < len; i++) {
        n[i] = (uint8_t)(0x80 | (i + 1) | (i == len - 1));
    }
    assert_int_equal(base64url_encode(n, len, &encoded), EKM_OK);
    assert_true(text_copy(out, sizeof out, buf_text(&encoded)));
    buf_free(&encoded);
    return out;
}

static enum ekm_rc read_key_of(const char *key_members, const char *others, struct vault_key *key)
{
    char json[4096];
    assert_true(text_format(json, sizeof json, "{\"key\":{%s}%s}", key_members, others));
    enum ekm_rc rc = wire_read_key(&call, HOST, wire_text(json), key);
    assert_int_equal(call.error.rc, rc);
    return rc;
}

static void a_whole_key(void **state)
{
    struct vault_key key;
    char members[2048];
    (void)state;
    (void)text_format(members, sizeof members,
                      "\"kid\":\"" KID "\",\"kty\":\"rsa-HSM\",\"key_ops\":[\"sign\",\"wrapKey\","
                      "\"unwrapKey\",\"novel\"],\"n\":\"%s\",\"e\":\"AQAB\"",
                      wire_modulus(256));
    assert_int_equal(
        read_key_of(members,
                    ",\"attributes\":{\"enabled\":true,\"nbf\":5,\"exp\":\"4102444800\","
                    "\"created\":1493942451,\"recoveryLevel\":\"Recoverable\"},"
                    "\"tags\":{},\"managed\":true,\"news\":[[{}]]",
                    &key),
        EKM_OK);
    assert_string_equal(key.id.name, "name");
    assert_string_equal(key.id.version, "0123456789abcdef0123456789abcdef");
    assert_true(key.is_rsa && key.usable_size && key.enabled && key.managed);
    assert_true(key.purge_protected && key.can_wrap && key.can_unwrap);
    assert_int_equal(key.public.bits, 2048);
    assert_int_equal(key.public.exponent, 65537);
    assert_int_equal(key.not_before_s, 5);
    assert_int_equal(key.expires_s, 4102444800);
    assert_int_equal(key.created_s, 1493942451);
}

static void a_bare_key(void **state)
{
    struct vault_key key;
    char members[2048];
    (void)state;
    (void)text_format(members, sizeof members,
                      "\"kid\":\"" KID "\",\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"AQAB\"",
                      wire_modulus(512));
    assert_int_equal(read_key_of(members, "", &key), EKM_OK);
    assert_true(key.enabled && key.can_wrap && key.can_unwrap);
    assert_false(key.managed || key.purge_protected);
    assert_int_equal(key.public.bits, 4096);
    assert_int_equal(key.expires_s, 0);
}

static void recovery_levels(void **state)
{
    static const struct {
        const char *level;
        bool is_protected;
    } rows[] = {
        {"Purgeable", false},
        {"Recoverable+Purgeable", false},
        {"Recoverable", true},
        {"Recoverable+ProtectedSubscription", true},
        {"CustomizedRecoverable+Purgeable", false},
        {"CustomizedRecoverable", true},
        {"CustomizedRecoverable+ProtectedSubscription", true},
        {"", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char others[256];
        struct vault_key key;
        (void)text_format(others, sizeof others, ",\"attributes\":{\"recoveryLevel\":\"%s\"}",
                          rows[i].level);
        assert_int_equal(read_key_of("\"kid\":\"" KID "\",\"kty\":\"EC\"", others, &key), EKM_OK);
        assert_int_equal(key.purge_protected, rows[i].is_protected);
    }
}

static void keys_that_cannot_serve(void **state)
{
    struct vault_key key;
    char members[2048];
    (void)state;
    assert_int_equal(read_key_of("\"kid\":\"" KID "\",\"kty\":\"EC\",\"crv\":\"P-256\"", "", &key),
                     EKM_OK);
    assert_false(key.is_rsa);
    (void)text_format(members, sizeof members,
                      "\"kid\":\"" KID "\",\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"AQAB\"",
                      wire_modulus(128));
    assert_int_equal(read_key_of(members, "", &key), EKM_OK);
    assert_true(key.is_rsa);
    assert_false(key.usable_size);
    assert_int_equal(read_key_of("\"kid\":\"" KID "\",\"kty\":\"EC\",\"key_ops\":[\"sign\",7]",
                                 ",\"attributes\":{\"enabled\":false}", &key),
                     EKM_OK);
    assert_false(key.can_wrap || key.can_unwrap || key.enabled);
}

static void a_leading_zero_of_the_modulus(void **state)
{
    struct vault_key key;
    uint8_t n[257] = {0};
    struct buf encoded = BUF_EMPTY(1024);
    char members[2048];
    (void)state;
    memset(n + 1, 0xff, 256);
    assert_int_equal(base64url_encode(n, sizeof n, &encoded), EKM_OK);
    (void)text_format(members, sizeof members,
                      "\"kid\":\"" KID "\",\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"AAEAAQ\"",
                      buf_text(&encoded));
    assert_int_equal(read_key_of(members, "", &key), EKM_OK);
    assert_true(key.usable_size);
    assert_int_equal(key.public.bits, 2048);
    assert_int_equal(key.public.exponent, 65537);
    buf_free(&encoded);
}

static void fields_at_fault(void **state)
{
    static const struct {
        const char *members;
        enum ekm_rc rc;
    } rows[] = {
        {"\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"", EKM_KEY_NO_ID},
        {"\"kid\":7,\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"", EKM_KEY_NO_ID},
        {"\"kid\":null,\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"", EKM_KEY_NO_ID},
        {"\"kid\":\"\",\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"", EKM_KEY_BAD_ID},
        {"\"kid\":\"x\",\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"", EKM_KEY_BAD_ID},
        {"\"kid\":\"https://" HOST "/secrets/a/b\",\"kty\":\"RSA\"", EKM_KEY_BAD_ID},
        {"\"kid\":\"http://" HOST "/keys/a/b\",\"kty\":\"RSA\"", EKM_KEY_BAD_ID},
        {"\"kid\":\"https://evil.vault.azure.net/keys/a/b\",\"kty\":\"RSA\"", EKM_OTHER_KEY},
        {"\"kid\":\"" KID "\",\"n\":\"AQAB\",\"e\":\"AQAB\"", EKM_KEY_NO_TYPE},
        {"\"kid\":\"" KID "\",\"kty\":1,\"n\":\"AQAB\",\"e\":\"AQAB\"", EKM_KEY_NO_TYPE},
        {"\"kid\":\"" KID "\",\"kty\":\"RSA\",\"e\":\"AQAB\"", EKM_KEY_NO_N},
        {"\"kid\":\"" KID "\",\"kty\":\"RSA\",\"n\":5,\"e\":\"AQAB\"", EKM_KEY_NO_N},
        {"\"kid\":\"" KID "\",\"kty\":\"RSA\",\"n\":\"A$\",\"e\":\"AQAB\"", EKM_KEY_BAD_N},
        {"\"kid\":\"" KID "\",\"kty\":\"RSA\",\"n\":\"\",\"e\":\"AQAB\"", EKM_KEY_BAD_N},
        {"\"kid\":\"" KID "\",\"kty\":\"RSA\",\"n\":\"AQAB\"", EKM_KEY_NO_E},
        {"\"kid\":\"" KID "\",\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":{}", EKM_KEY_NO_E},
        {"\"kid\":\"" KID "\",\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"A Q\"", EKM_KEY_BAD_E},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vault_key key;
        enum ekm_rc rc = read_key_of(rows[i].members, "", &key);
        if (rc != rows[i].rc) {
            fail_msg("%s instead of %s: %s", ekm_name(rc), ekm_name(rows[i].rc), rows[i].members);
        }
    }
}

static void bodies_that_are_no_key(void **state)
{
    static const struct {
        const char *body;
        enum ekm_rc rc;
    } rows[] = {
        {"", EKM_KEY_NOT_JSON},
        {"<html>no</html>", EKM_KEY_NOT_JSON},
        {"{", EKM_KEY_NOT_JSON},
        {"{}x", EKM_KEY_NOT_JSON},
        {"{}{}", EKM_KEY_NOT_JSON},
        {"[]", EKM_KEY_NOT_JSON},
        {"null", EKM_KEY_NOT_JSON},
        {"\"key\"", EKM_KEY_NOT_JSON},
        {"{\"key\":\"\\ud800\"}", EKM_KEY_NOT_JSON},
        {"{}", EKM_KEY_NO_NODE},
        {"{\"key\":null}", EKM_KEY_NO_NODE},
        {"{\"key\":[]}", EKM_KEY_NO_NODE},
        {"{\"Key\":{}}", EKM_KEY_NO_NODE},
        {"{\"key\":{}}", EKM_KEY_NO_ID},
        {" \r\n\t{\"key\":{}} \r\n\t", EKM_KEY_NO_ID},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vault_key key;
        enum ekm_rc rc = wire_read_key(&call, HOST, wire_text(rows[i].body), &key);
        if (rc != rows[i].rc) {
            fail_msg("%s instead of %s: %s", ekm_name(rc), ekm_name(rows[i].rc), rows[i].body);
        }
    }
}

/* A text that a C string would cut short must not pass for the shorter text. */
static void embedded_zeros(void **state)
{
    static const char raw[] = "{\"key\":{\"kid\":\"" KID "\0x\",\"kty\":\"EC\"}}";
    static const char behind[] = "{\"key\":{\"kid\":\"" KID "\",\"kty\":\"EC\"}}\0";
    struct vault_key key;
    struct buf token = BUF_EMPTY(4096);
    struct wire_token facts = {0};
    (void)state;
    assert_true(read_key_of("\"kid\":\"" KID "\\u0000.evil\",\"kty\":\"EC\"", "", &key) != EKM_OK);
    assert_true(read_key_of("\"kid\":\"" KID "\",\"kty\":\"EC\\u0000x\"", "", &key) != EKM_OK);
    assert_true(wire_read_key(&call, HOST, wire_bytes(raw, sizeof raw - 1), &key) != EKM_OK);
    assert_true(wire_read_key(&call, HOST, wire_bytes(behind, sizeof behind - 1), &key) != EKM_OK);
    assert_true(wire_read_token(&call,
                                wire_text("{\"access_token\":\"abc\\u0000def\",\"expires_in\":1}"),
                                &token, &facts) != EKM_OK);
    buf_free(&token);
}

static void nesting_is_bounded(void **state)
{
    size_t len = 200000;
    char *json = malloc(len + 1);
    struct vault_key key;
    (void)state;
    assert_non_null(json);
    for (size_t i = 0; i < len; i++) {
        json[i] = "{\"a\":"[i % 5];
    }
    json[len] = '\0';
    assert_int_equal(wire_read_key(&call, HOST, wire_text(json), &key), EKM_KEY_NOT_JSON);
    memset(json, '[', len);
    assert_int_equal(wire_read_key(&call, HOST, wire_text(json), &key), EKM_KEY_NOT_JSON);
    memcpy(json, "{\"key\":", 7);
    assert_int_equal(wire_read_key(&call, HOST, wire_text(json), &key), EKM_KEY_NOT_JSON);
    free(json);
}

/* Every truncation of a good answer is refused, none crashes. */
static void wire_truncations(void **state)
{
    char json[2048];
    struct vault_key key;
    (void)state;
    (void)text_format(json, sizeof json,
                      "{\"key\":{\"kid\":\"" KID "\",\"kty\":\"RSA\",\"key_ops\":[\"wrapKey\"],"
                      "\"n\":\"%s\",\"e\":\"AQAB\"},\"attributes\":{\"exp\":1e400,\"nbf\":-1}}",
                      wire_modulus(256));
    assert_int_equal(wire_read_key(&call, HOST, wire_text(json), &key), EKM_OK);
    for (size_t len = 0; len < strlen(json); len++) {
        assert_int_equal(wire_read_key(&call, HOST, wire_bytes(json, len), &key), EKM_KEY_NOT_JSON);
    }
}

struct visits {
    unsigned count, most;
    char names[8][32];
    bool enabled[8];
};

static bool wire_visit(void *context, const struct vault_key *key)
{
    struct visits *visits = context;
    assert_true(visits->count < 8);
    (void)text_copy(visits->names[visits->count], 32, key->id.name);
    visits->enabled[visits->count] = key->enabled;
    visits->count++;
    return visits->most == 0 || visits->count < visits->most;
}

static enum ekm_rc read_page(const char *json, struct visits *visits, struct buf *next)
{
    return wire_read_page(&call, HOST, wire_text(json), wire_visit, visits, next);
}

static void wire_pages(void **state)
{
    struct visits visits = {0};
    struct buf next = BUF_EMPTY(4096);
    (void)state;
    assert_int_equal(buf_append_text(&next, "stale"), EKM_OK);
    assert_int_equal(read_page("{\"value\":[{\"kid\":\"https://" HOST
                               "/keys/a\",\"attributes\":{\"enabled\":"
                               "false}},{\"kid\":\"https://" HOST
                               ":443/keys/b/v\"}],\"nextLink\":\"https://" HOST ":443/keys?x\"}",
                               &visits, &next),
                     EKM_OK);
    assert_int_equal(visits.count, 2);
    assert_string_equal(visits.names[0], "a");
    assert_string_equal(visits.names[1], "b");
    assert_false(visits.enabled[0]);
    assert_true(visits.enabled[1]);
    assert_string_equal(buf_text(&next), "https://" HOST ":443/keys?x");
    assert_int_equal(read_page("{\"value\":[],\"nextLink\":null}", &visits, &next), EKM_OK);
    assert_int_equal(next.len, 0);
    assert_int_equal(read_page("{\"value\":[],\"nextLink\":\"l\"}", &visits, &next), EKM_OK);
    assert_string_equal(buf_text(&next), "l");
    assert_int_equal(read_page("{\"value\":[]}", &visits, &next), EKM_OK);
    assert_int_equal(next.len, 0);
    assert_int_equal(visits.count, 2);
    buf_free(&next);
}

static void a_visitor_may_stop(void **state)
{
    struct visits visits = {.most = 1};
    struct buf next = BUF_EMPTY(4096);
    (void)state;
    assert_int_equal(read_page("{\"value\":[{\"kid\":\"https://" HOST
                               "/keys/a\"},{\"kid\":\"https://" HOST
                               "/keys/b\"}],\"nextLink\":\"l\"}",
                               &visits, &next),
                     EKM_OK);
    assert_int_equal(visits.count, 1);
    assert_int_equal(next.len, 0);
    buf_free(&next);
}

static void odd_pages(void **state)
{
    static const struct {
        const char *body;
        enum ekm_rc rc;
    } rows[] = {
        {"", EKM_KEY_NOT_JSON},
        {"x", EKM_KEY_NOT_JSON},
        {"{\"value\":7}", EKM_KEY_NOT_JSON},
        {"{\"value\":[7]}", EKM_KEY_NO_ID},
        {"{\"value\":[{}]}", EKM_KEY_NO_ID},
        {"{\"value\":[{\"kid\":\"x\"}]}", EKM_KEY_BAD_ID},
        {"{\"value\":[{\"kid\":\"https://evil.com/keys/a\"}]}", EKM_OTHER_KEY},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct visits visits = {0};
        struct buf next = BUF_EMPTY(4096);
        assert_int_equal(read_page(rows[i].body, &visits, &next), rows[i].rc);
        assert_int_equal(call.error.rc, rows[i].rc);
        assert_int_equal(next.len, 0);
        buf_free(&next);
    }
}

static void operations_are_written(void **state)
{
    static const uint8_t value[] = {0xfb, 0xff, 0xfe, 0x00};
    struct buf out = BUF_EMPTY(1024);
    (void)state;
    assert_int_equal(wire_write_operation("RSA-OAEP-256", value, sizeof value, &out), EKM_OK);
    assert_string_equal(buf_text(&out), "{\"alg\":\"RSA-OAEP-256\",\"value\":\"-__-AA\"}");
    buf_free(&out);
}

static void operations_are_read(void **state)
{
    static const char *const values[] = {"-__-AA", "+//+AA==", "-__-AA=="};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char json[512];
        struct key_id worker;
        struct buf value = BUF_EMPTY(64);
        (void)text_format(json, sizeof json, "{\"kid\":\"" KID "\",\"value\":\"%s\"}", values[i]);
        assert_int_equal(
            wire_read_operation(&call, WIRE_UNWRAP, HOST, wire_text(json), &worker, &value),
            EKM_OK);
        assert_string_equal(worker.name, "name");
        assert_string_equal(worker.version, "0123456789abcdef0123456789abcdef");
        assert_int_equal(value.len, 4);
        assert_memory_equal(value.data, "\xfb\xff\xfe\x00", 4);
        buf_free(&value);
    }
}

static void odd_operations(void **state)
{
    static const struct {
        const char *body;
        enum ekm_rc wrap, unwrap;
    } rows[] = {
        {"", EKM_WRAP_EMPTY, EKM_UNWRAP_EMPTY},
        {"x", EKM_WRAP_NOT_JSON, EKM_UNWRAP_NOT_JSON},
        {"[]", EKM_WRAP_NOT_JSON, EKM_UNWRAP_NOT_JSON},
        {"{\"kid\":\"" KID "\",\"value\":\"AA\\u0000\"}", EKM_WRAP_NOT_JSON, EKM_UNWRAP_NOT_JSON},
        {"{}", EKM_WRAP_NO_VALUE, EKM_UNWRAP_NO_VALUE},
        {"{\"kid\":\"" KID "\"}", EKM_WRAP_NO_VALUE, EKM_UNWRAP_NO_VALUE},
        {"{\"kid\":\"" KID "\",\"value\":7}", EKM_WRAP_NO_VALUE, EKM_UNWRAP_NO_VALUE},
        {"{\"kid\":\"" KID "\",\"value\":\"\"}", EKM_WRAP_NO_VALUE, EKM_UNWRAP_NO_VALUE},
        {"{\"kid\":\"" KID "\",\"value\":\"=\"}", EKM_WRAP_BAD_VALUE, EKM_UNWRAP_BAD_VALUE},
        {"{\"kid\":\"" KID "\",\"value\":\"A\"}", EKM_WRAP_BAD_VALUE, EKM_UNWRAP_BAD_VALUE},
        {"{\"kid\":\"" KID "\",\"value\":\"AA A\"}", EKM_WRAP_BAD_VALUE, EKM_UNWRAP_BAD_VALUE},
        {"{\"value\":\"AAAA\"}", EKM_OTHER_KEY, EKM_OTHER_KEY},
        {"{\"kid\":\"https://evil.com/keys/a/b\",\"value\":\"AAAA\"}", EKM_OTHER_KEY,
         EKM_OTHER_KEY},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct key_id worker;
        struct buf value = BUF_EMPTY(64);
        enum ekm_rc rc =
            wire_read_operation(&call, WIRE_WRAP, HOST, wire_text(rows[i].body), &worker, &value);
        if (rc != rows[i].wrap || call.error.rc != rc) {
            fail_msg("%s: %s", ekm_name(rc), rows[i].body);
        }
        rc =
            wire_read_operation(&call, WIRE_UNWRAP, HOST, wire_text(rows[i].body), &worker, &value);
        if (rc != rows[i].unwrap || call.error.rc != rc) {
            fail_msg("%s: %s", ekm_name(rc), rows[i].body);
        }
        buf_free(&value);
    }
}

static void creation_is_written(void **state)
{
    struct buf out = BUF_EMPTY(1024);
    (void)state;
    assert_int_equal(wire_write_create(3072, false, &out), EKM_OK);
    assert_non_null(strstr(buf_text(&out), "\"kty\":\"RSA\""));
    assert_non_null(strstr(buf_text(&out), "\"key_size\":3072"));
    buf_clear(&out);
    assert_int_equal(wire_write_create(2048, true, &out), EKM_OK);
    assert_non_null(strstr(buf_text(&out), "\"kty\":\"RSA-HSM\""));
    buf_free(&out);
}

static void tokens_are_read(void **state)
{
    static const struct {
        const char *body;
        uint64_t life_s;
    } rows[] = {
        {"{\"token_type\":\"Bearer\",\"expires_in\":3599,\"access_token\":\"eyJ.a-b_c~+/=\"}",
         3599},
        {"{\"token_type\":\"bearer\",\"expires_in\":\"3599\",\"access_token\":\"eyJ.a-b_c~+/=\"}",
         3599},
        {"{\"access_token\":\"eyJ.a-b_c~+/=\",\"expires_in\":86399,\"novel\":{}}", 86399},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf token = BUF_EMPTY(4096);
        struct wire_token facts = {0};
        assert_int_equal(wire_read_token(&call, wire_text(rows[i].body), &token, &facts), EKM_OK);
        assert_string_equal(buf_text(&token), "eyJ.a-b_c~+/=");
        assert_int_equal(facts.expires_in_s, rows[i].life_s);
        buf_free(&token);
    }
}

static void odd_tokens(void **state)
{
    static const struct {
        const char *body;
        enum ekm_rc rc;
    } rows[] = {
        {"", EKM_TOKEN_NOT_JSON},
        {"<html>", EKM_TOKEN_NOT_JSON},
        {"[]", EKM_TOKEN_NOT_JSON},
        {"{\"access_token\":\"x\"", EKM_TOKEN_NOT_JSON},
        {"{}", EKM_TOKEN_MISSING},
        {"{\"access_token\":null,\"expires_in\":1}", EKM_TOKEN_MISSING},
        {"{\"access_token\":7,\"expires_in\":1}", EKM_TOKEN_MISSING},
        {"{\"access_token\":\"\",\"expires_in\":1}", EKM_TOKEN_MISSING},
        {"{\"access_token\":\"a\\r\\nX: y\",\"expires_in\":1}", EKM_TOKEN_MISSING},
        {"{\"access_token\":\"a b\",\"expires_in\":1}", EKM_TOKEN_MISSING},
        {"{\"access_token\":\"a\\u0001\",\"expires_in\":1}", EKM_TOKEN_MISSING},
        {"{\"access_token\":\"t\xc3\xb6\",\"expires_in\":1}", EKM_TOKEN_MISSING},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf token = BUF_EMPTY(4096);
        struct wire_token facts = {0};
        enum ekm_rc rc = wire_read_token(&call, wire_text(rows[i].body), &token, &facts);
        if (rc != rows[i].rc || call.error.rc != rc) {
            fail_msg("%s: %s", ekm_name(rc), rows[i].body);
        }
        buf_free(&token);
    }
    /* One that no request could carry. */
    static char json[40000] = "{\"access_token\":\"";
    struct buf token = BUF_EMPTY(sizeof json);
    struct wire_token facts = {0};
    memset(json + strlen(json), 'A', sizeof json - 100);
    (void)strcat(json, "\"}");
    assert_int_equal(wire_read_token(&call, wire_text(json), &token, &facts), EKM_TOKEN_MISSING);
    buf_free(&token);
}

/* Lives that make no sense are none: token.c then takes a short one. */
static void odd_lives(void **state)
{
    static const char *const lives[] = {"0", "-1", "\"-1\"", "\"soon\"", "null", "{}", "1e300"};
    (void)state;
    for (size_t i = 0; i < sizeof lives / sizeof lives[0]; i++) {
        char json[256];
        struct buf token = BUF_EMPTY(4096);
        struct wire_token facts = {.expires_in_s = 77};
        (void)text_format(json, sizeof json, "{\"access_token\":\"t\",\"expires_in\":%s}",
                          lives[i]);
        assert_int_equal(wire_read_token(&call, wire_text(json), &token, &facts), EKM_OK);
        assert_int_equal(facts.expires_in_s, 0);
        buf_free(&token);
    }
}

static void errors_are_read(void **state)
{
    bool is_own = false;
    (void)state;
    wire_read_error(&call,
                    wire_text("{\"error\":{\"code\":\"Forbidden\",\"message\":\"m\",\"innererror\":"
                              "{\"code\":\"AccessDenied\",\"innererror\":{\"code\":\"KeyDisabled\""
                              "}}}}"),
                    &is_own);
    assert_true(is_own);
    assert_string_equal(call.error.azure_code, "Forbidden");
    assert_string_equal(call.error.inner_code, "KeyDisabled");
    wire_read_error(&call,
                    wire_text("{\"error\":{\"code\":\"Forbidden\",\"innerError\":{\"code\":"
                              "\"ForbiddenByRbac\",\"innererror\":null}}}"),
                    &is_own);
    assert_string_equal(call.error.inner_code, "ForbiddenByRbac");
}

/* The service's own number is in the message, not always at its start. */
static void service_numbers_are_read(void **state)
{
    static const struct {
        const char *message;
        uint32_t akv;
    } rows[] = {
        {"AKV10046: Unable to resolve the key used for signature validation.", 10046},
        {"[x] AKV10022: Invalid audience.", 10022},
        {"AKV", 0},
        {"AKVx AKV10032", 10032},
        {"AKV99999999999", 0},
        {"no number", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char said[256];
        bool is_own = false;
        (void)text_format(said, sizeof said, "{\"error\":{\"code\":\"u\",\"message\":\"%s\"}}",
                          rows[i].message);
        wire_read_error(&call, wire_text(said), &is_own);
        assert_int_equal(call.error.akv, rows[i].akv);
    }
}

static void unreadable_errors_are_skipped(void **state)
{
    static const struct {
        const char *body;
        bool is_own;
    } rows[] = {
        {"", false},
        {"OK", false},
        {"<html>400</html>", false},
        {"[]", false},
        {"{}", false},
        {"{\"error\":null}", false},
        {"{\"error\":\"Forbidden\"}", false},
        {"{\"error\":{}}", false},
        {"{\"error\":{\"status\":403}}", false},
        {"{\"error\":{\"code\":7,\"message\":\"m\"}}", false},
        {"{\"error\":{\"code\":null,\"innererror\":[]}}", true},
        {"{\"error\":{\"message\":\"m\"}}", true},
        {"{\"error\":{\"innererror\":{}}}", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool is_own = !rows[i].is_own;
        wire_read_error(&call, wire_text(rows[i].body), &is_own);
        assert_int_equal(is_own, rows[i].is_own);
        assert_string_equal(call.error.azure_code, "");
        assert_string_equal(call.error.inner_code, "");
    }
}

static void token_errors_are_read(void **state)
{
    static const struct {
        const char *body, *error;
        uint32_t aadsts;
    } rows[] = {
        {"{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: Invalid client "
         "secret\",\"error_codes\":[7000215]}",
         "invalid_client", 7000215},
        {"{\"error\":\"unauthorized_client\",\"error_codes\":[700016]}", "unauthorized_client",
         700016},
        {"{\"error\":\"invalid_request\",\"error_description\":\"AADSTS90002: Tenant\"}",
         "invalid_request", 90002},
        {"{\"error\":7,\"error_codes\":7}", "", 0},
        {"Too Many Requests", "", 0},
        {"", "", 0},
        {"{\"error\":\"x\\r\\ny\"}", "", 0},
        {"{\"error\":\"e\",\"error_description\":\"AADSTS99999999999999999999: x\"}", "e", 0},
        {"{\"error\":\"e\",\"error_codes\":[-5]}", "e", 0},
        {"{\"error\":\"e\",\"error_codes\":[1e300]}", "e", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char error[64] = "?";
        wire_read_token_error(&call, wire_text(rows[i].body), error, sizeof error);
        assert_string_equal(error, rows[i].error);
        assert_int_equal(call.error.aadsts, rows[i].aadsts);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_whole_key),
        TEST(a_bare_key),
        TEST(recovery_levels),
        TEST(keys_that_cannot_serve),
        TEST(a_leading_zero_of_the_modulus),
        TEST(fields_at_fault),
        TEST(bodies_that_are_no_key),
        TEST(embedded_zeros),
        TEST(nesting_is_bounded),
        TEST(wire_truncations),
        TEST(wire_pages),
        TEST(a_visitor_may_stop),
        TEST(odd_pages),
        TEST(operations_are_written),
        TEST(operations_are_read),
        TEST(odd_operations),
        TEST(creation_is_written),
        TEST(tokens_are_read),
        TEST(odd_tokens),
        TEST(odd_lives),
        TEST(errors_are_read),
        TEST(unreadable_errors_are_skipped),
        TEST(service_numbers_are_read),
        TEST(token_errors_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
