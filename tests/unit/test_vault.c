// wrap: http_perform http_perform_all plat_now_ms plat_unix_time_ms plat_cond_wait_until
// with: vault_fixture.c scripted_http.c fake_clock.c
/* The vault's operations: sessions, keys, wrap and unwrap, effects (key-vault-wire.md). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "vault_fixture.h"

static const struct key_id newest = {"name", ""}, pinned = {"name", VERSION};

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
    vault_warm_up();
    assert_int_equal(vault_authenticate(&call, &vault), EKM_OK);
    assert_int_equal(scripted_http_count(), 0);
}

static void get_key(void **state)
{
    struct vault_key key;
    (void)state;
    vault_warm_up();
    script(200, vault_key_body(KID));
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
    script(200, vault_key_body(KID));
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
    script(200, vault_key_body(kid));
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
    vault_warm_up();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf value = BUF_EMPTY(512);
        char body[512];
        script(200, vault_key_body(rows[i].kid));
        expect_key(&newest, rows[i].of_newest);
        script(200, vault_key_body(rows[i].kid));
        expect_key(&pinned, rows[i].of_pinned);
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
    vault_warm_up();
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

static void key_creation(void **state)
{
    struct vault_key key;
    (void)state;
    vault_warm_up();
    script(200, vault_key_body(KID));
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
    script(200, vault_key_body("https://contoso.managedhsm.azure.net/keys/name/v"));
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
    vault_warm_up();
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

static void key_deletion(void **state)
{
    (void)state;
    vault_warm_up();
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
    vault_warm_up();
    script(503, "");
    script(200, vault_key_body(KID));
    expect_key(&pinned, EKM_OK);
    assert_int_equal(call.tries, 2);
    assert_int_equal(call.error.rc, EKM_OK);
    assert_int_equal(call.error.http_status, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, vault_set_up, vault_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(cold_session),
        TEST(warm_session),
        TEST(get_key),
        TEST(the_longest_names_are_not_cut),
        TEST(answers_about_other_keys),
        TEST(wrap_and_unwrap),
        TEST(key_creation),
        TEST(creation_in_a_managed_hsm),
        TEST(effects_are_not_repeated),
        TEST(key_deletion),
        TEST(repeats_keep_the_correlation_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
