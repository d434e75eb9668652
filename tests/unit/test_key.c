/* Key URIs: https://host[:443]/keys/name[/version] and nothing else (key-vault-wire.md section 2).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "vault/key.h"

#define HOST "contoso.vault.azure.net"

static void uris_that_are_read(void **state)
{
    static const char *const rows[][3] = {
        {"https://" HOST "/keys/name", "name", ""},
        {"https://" HOST "/keys/name/0123456789abcdef0123456789abcdef", "name",
         "0123456789abcdef0123456789abcdef"},
        {"https://" HOST ":443/keys/name/v", "name", "v"},
        {"HTTPS://Contoso.Vault.Azure.NET/keys/Name-1/V", "Name-1", "V"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct key_id key;
        char host[254];
        assert_true(key_uri_parse(rows[i][0], HOST, &key));
        assert_string_equal(key.name, rows[i][1]);
        assert_string_equal(key.version, rows[i][2]);
        assert_true(key_uri_split(rows[i][0], host, sizeof host, &key));
        assert_true(text_equal_nocase(host, HOST));
        assert_string_equal(key.name, rows[i][1]);
        assert_string_equal(key.version, rows[i][2]);
    }
}

static void uris_that_are_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "https://",
        "https://" HOST,
        "https://" HOST "/",
        "https://" HOST "/keys",
        "https://" HOST "/keys/",
        "https://" HOST "/keys//",
        "https://" HOST "/keys//v",
        "https://" HOST "/keys/name/",
        "https://" HOST "/keys/name/v/",
        "https://" HOST "/keys/name/v/wrapkey",
        "https://" HOST "//keys/name/v",
        "https://" HOST "/secrets/name/v",
        "https://" HOST "/keys/na_me/v",
        "https://" HOST "/keys/name/v_",
        "https://" HOST "/keys/name/v?x",
        "https://" HOST "/keys/name?x",
        "https://" HOST "/keys/name/v#x",
        "https://" HOST "/keys/../v",
        "https://" HOST "/keys/%2e/v",
        "https://" HOST "/keys/name/v ",
        " https://" HOST "/keys/name/v",
        "http://" HOST "/keys/name/v",
        "https://" HOST ":/keys/name/v",
        "https://" HOST ":80/keys/name/v",
        "https://" HOST ":4430/keys/name/v",
        "https://" HOST ":443",
        "https://user@" HOST "/keys/name/v",
        "https://" HOST "@evil.com/keys/name/v",
        "https://" HOST ".evil.com/keys/name/v",
        "https://x" HOST "/keys/name/v",
        "https:///keys/name/v",
        HOST "/keys/name/v",
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct key_id key;
        if (key_uri_parse(rows[i], HOST, &key)) {
            fail_msg("accepted: %s", rows[i]);
        }
    }
}

static void key_lengths(void **state)
{
    char uri[1024];
    struct key_id key;
    (void)state;
    for (int name_len = 126; name_len <= 128; name_len++) {
        for (int version_len = 63; version_len <= 65; version_len++) {
            (void)text_format(uri, sizeof uri, "https://" HOST "/keys/%0*d/%0*d", name_len, 1,
                              version_len, 2);
            assert_int_equal(key_uri_parse(uri, HOST, &key), name_len <= 127 && version_len <= 64);
        }
    }
}

static void split_has_room_or_refuses(void **state)
{
    char host[8];
    struct key_id key;
    (void)state;
    assert_false(key_uri_split("https://" HOST "/keys/n/v", host, sizeof host, &key));
}

static void key_formatted(void **state)
{
    struct key_id key = {"name", "v1"}, read;
    char uri[KEY_URI_MAX + 1];
    (void)state;
    assert_true(key_uri_format(uri, sizeof uri, HOST, &key));
    assert_string_equal(uri, "https://" HOST "/keys/name/v1");
    assert_true(key_uri_parse(uri, HOST, &read));
    assert_true(key_id_equal(&key, &read));
    key.version[0] = '\0';
    assert_true(key_uri_format(uri, sizeof uri, HOST, &key));
    assert_string_equal(uri, "https://" HOST "/keys/name");
    assert_false(key_uri_format(uri, 10, HOST, &key));
}

static void the_longest_fits(void **state)
{
    struct key_id key;
    char host[254], uri[KEY_URI_MAX + 1];
    (void)state;
    memset(&key, 0, sizeof key);
    memset(key.name, 'n', KEY_NAME_MAX);
    memset(key.version, 'v', KEY_VERSION_MAX);
    memset(host, 'h', 253);
    host[253] = '\0';
    assert_true(key_uri_format(uri, sizeof uri, host, &key));
    assert_int_equal(strlen(uri), KEY_URI_MAX);
}

static void names_compare_without_case(void **state)
{
    struct key_id a = {"Name", "AbC"}, b = {"nAME", "aBc"}, c = {"Name", ""}, d = {"Nam", "AbC"};
    (void)state;
    assert_true(key_id_equal(&a, &b));
    assert_false(key_id_equal(&a, &c));
    assert_false(key_id_equal(&a, &d));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uris_that_are_read),
        cmocka_unit_test(uris_that_are_refused),
        cmocka_unit_test(key_lengths),
        cmocka_unit_test(split_has_room_or_refuses),
        cmocka_unit_test(key_formatted),
        cmocka_unit_test(the_longest_fits),
        cmocka_unit_test(names_compare_without_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
