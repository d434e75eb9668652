/* Keys by name and by thumbprint: requests counted, the map durable before success. */
#include "provider_fixture.h"

// wrap: vault_authenticate vault_get_key vault_wrap vault_unwrap vault_list_keys
// wrap: vault_list_versions vault_create_key vault_delete_key http_start http_stop
// wrap: vault_list_keys_page vault_request_try_all
// with: fake_vault.c provider_fixture.c

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/system.h"

static void expect_thumbprint(const struct thumbprint *got, const struct fake_key *key)
{
    struct thumbprint expected;
    fake_thumbprint(key, &expected);
    assert_true(thumbprint_equal(got, &expected));
}

static void test_one_request_for_the_dance(void **state)
{
    struct thumbprint print;
    (void)state;
    const struct fake_key *key = fake_add("TdeKey0", "v1", 1);
    fixture_start();
    fake_reset_counts();
    assert_int_equal(fixture_find("TdeKey0", &print), SQLCP_SUCCESS);
    assert_int_equal(fake_requests(), 1);
    expect_thumbprint(&print, key);
    assert_non_null(strstr(fixture_read(fixture.map), "/keys/TdeKey0/v1\n"));
    SqlCpData thumb = {20, print.bytes};
    uint8_t bytes[600];
    SqlCpKeyBlob size = {0, NULL}, blob = {sizeof bytes, bytes};
    assert_int_equal(SqlCryptExportKey(&fixture.session, &thumb, NULL, 1, &size), 2);
    assert_int_equal(size.cb, 24 + 3 + 256);
    assert_int_equal(SqlCryptExportKey(&fixture.session, &thumb, NULL, 1, &blob), 0);
    assert_int_equal(blob.cb, size.cb);
    assert_memory_equal(bytes, "RSA1\0\x08\0\0\x03\0\0\0\0\x01\0\0", 16);
    assert_int_equal(fake_requests(), 1);
    assert_int_equal(SqlCryptExportKey(&fixture.session, &thumb, &thumb, 1, &blob), 3);
    assert_int_equal(SqlCryptExportKey(&fixture.session, &thumb, NULL, 0, &blob), 3);
    fixture_stop();
}

static void test_size_query_writes_nothing(void **state)
{
    uint16_t units[16], found[16];
    uint8_t bytes[32];
    SqlCpStr name = fixture_wide("TdeKey0", units);
    SqlCpKeyInfo info = {{0, NULL}, {0, NULL}, 9, 9};
    (void)state;
    fake_add("TdeKey0", "v1", 1);
    fixture_start();
    assert_int_equal(SqlCryptGetKeyInfoByName(&fixture.session, &name, &info), 2);
    assert_int_equal(info.name.cb, 14);
    assert_int_equal(info.thumb.cb, 20);
    assert_int_equal(info.algId + info.flags, 18);
    assert_string_equal(fixture_read(fixture.map), "");
    /* One of two buffers is short: both sizes again, nothing copied. */
    info.name = (SqlCpStr){sizeof found, found};
    info.thumb = (SqlCpData){19, bytes};
    memset(bytes, 0x5A, sizeof bytes);
    assert_int_equal(SqlCryptGetKeyInfoByName(&fixture.session, &name, &info), 2);
    assert_int_equal(info.name.cb, 14);
    assert_int_equal(info.thumb.cb, 20);
    assert_int_equal(bytes[0], 0x5A);
    assert_string_equal(fixture_read(fixture.map), "");
    assert_int_equal(fake_counts.get, 1);
    info.thumb.cb = 20;
    assert_int_equal(SqlCryptGetKeyInfoByName(&fixture.session, &name, &info), 0);
    assert_int_equal(fake_counts.get, 1);
    assert_int_equal(info.algId, 1);
    assert_int_equal(info.flags, SQLCP_KEY_FLAG_SUPPORTED);
    assert_int_equal(found[6], '0');
    fixture_stop();
}

static void test_bare_name_is_asked_anew(void **state)
{
    struct thumbprint first, second;
    (void)state;
    const struct fake_key *old = fake_add("TdeKey0", "v1", 1);
    fixture_start();
    assert_int_equal(fixture_find("TdeKey0", &first), SQLCP_SUCCESS);
    const struct fake_key *new = fake_add("TdeKey0", "v2", 2);
    assert_int_equal(fixture_find("TdeKey0", &second), SQLCP_SUCCESS);
    assert_int_equal(fake_counts.get, 2);
    expect_thumbprint(&first, old);
    expect_thumbprint(&second, new);
    assert_int_equal(fixture_find("TdeKey0/v1", &first), SQLCP_SUCCESS);
    expect_thumbprint(&first, old);
    assert_non_null(strstr(fixture_read(fixture.map), "TdeKey0/v1\n"));
    assert_non_null(strstr(fixture_read(fixture.map), "TdeKey0/v2\n"));
    fixture_stop();
}

static void test_names(void **state)
{
    static const struct {
        const char *name;
        SqlCpError code;
    } rows[] = {
        {"a-name-of-26-characters-12", 3112},
        {"a-name-of-27-characters-123", 2049},
        {"no_underscore", 3110},
        {"name/ver/sion", 3110},
        {"name/", 3110},
        {"/version", 3110},
        {"", 3110},
        {"na me", 3110},
        {"na\xE4me", 3110},
        {"Tde/v1", 3112},
    };
    struct thumbprint print;
    (void)state;
    fixture_start();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fake_reset_counts();
        assert_int_equal(fixture_find(rows[i].name, &print), rows[i].code);
        assert_int_equal(fake_requests(), rows[i].code == 3112 ? 1 : 0);
    }
    fixture_stop();
}

static void test_unusable_keys(void **state)
{
    struct thumbprint print;
    (void)state;
    fake_add("curve", "v1", 1)->not_rsa = true;
    fake_add("small", "v1", 2)->bits = 1024;
    fake_add("off", "v1", 3)->disabled = true;
    fake_add("sign", "v1", 4)->no_wrap = true;
    fixture_start();
    assert_int_equal(fixture_find("curve", &print), SQLCP_NOT_SUPPORTED);
    assert_int_equal(fixture_find("small", &print), SQLCP_NOT_SUPPORTED);
    assert_int_equal(fixture_find("off", &print), 5004);
    assert_int_equal(fixture_find("sign", &print), 5012);
    assert_string_equal(fixture_read(fixture.map), "");
    fixture_stop();
}

static void test_warnings(void **state)
{
    struct thumbprint print;
    (void)state;
    fake_add("loose", "v1", 1)->purge_protected = false;
    fake_add("ending", "v1", 2)->expires_s = plat_unix_time_ms() / 1000 + 10 * 24 * 3600;
    fake_add("fine", "v1", 3)->expires_s = plat_unix_time_ms() / 1000 + 100 * 24 * 3600;
    fixture_start();
    assert_int_equal(fixture_find("fine", &print), SQLCP_SUCCESS);
    assert_null(strstr(fixture_read(fixture.log), "warning"));
    assert_int_equal(fixture_find("loose", &print), SQLCP_SUCCESS);
    const char *first = strstr(fixture_read(fixture.log), "warning: the vault has no purge");
    assert_non_null(first);
    assert_null(strstr(first + 1, "warning"));
    assert_int_equal(fixture_find("ending", &print), SQLCP_SUCCESS);
    assert_non_null(strstr(fixture_read(fixture.log), "expires within 60 days"));
    fixture_stop();
}

static void test_map_must_be_durable(void **state)
{
    struct thumbprint print;
    (void)state;
    fake_add("TdeKey0", "v1", 1);
    fixture_forbid_map(true);
    fixture_start();
    assert_int_equal(fixture_find("TdeKey0", &print), 2058);
    fixture_forbid_map(false);
    assert_int_equal(fixture_find("TdeKey0", &print), SQLCP_SUCCESS);
    fixture_stop();
}

static void test_imported_thumbprint_is_kept(void **state)
{
    struct thumbprint print;
    (void)state;
    fake_add("LFZ3129213-", "v1", 1);
    fixture_start();
    assert_int_equal(fixture_find("LFZ3129213-", &print), SQLCP_SUCCESS);
    fixture_write(fixture.map, FAKE_HOST "\t2C5677D76F76D77F80\thttps://" FAKE_HOST
                                         ":443/keys/LFZ3129213-/v1\n");
    assert_int_equal(fixture_find("LFZ3129213-", &print), SQLCP_SUCCESS);
    assert_int_equal(print.len, 9);
    assert_memory_equal(print.bytes, "\x2C\x56\x77\xD7\x6F\x76\xD7\x7F\x80", 9);
    fixture_stop();
}

static void test_wrong_thumbprint_in_the_map(void **state)
{
    struct thumbprint print;
    (void)state;
    const struct fake_key *key = fake_add("TdeKey0", "v1", 1);
    fixture_start();
    assert_int_equal(fixture_find("TdeKey0", &print), SQLCP_SUCCESS);
    fixture_write(fixture.map,
                  FAKE_HOST "\t0102030405060708090A0B0C0D0E0F1011121314\thttps://" FAKE_HOST
                            "/keys/TdeKey0/v1\n");
    assert_int_equal(fixture_find("TdeKey0", &print), SQLCP_SUCCESS);
    expect_thumbprint(&print, key);
    fixture_stop();
}

/* Neither of the new rule nor of the old one, whose lengths are multiples of three. */
static void test_thumbprint_of_no_rule(void **state)
{
    struct thumbprint print;
    uint8_t bytes[10] = {0x2C, 0x56, 0x77, 0xD7, 0x6F, 0x76, 0xD7, 0x7F, 0x80, 0x01};
    (void)state;
    const struct fake_key *key = fake_add("LFZ3129213-", "v1", 1);
    fixture_start();
    assert_int_equal(fixture_find("LFZ3129213-", &print), SQLCP_SUCCESS);
    fixture_write(fixture.map,
                  FAKE_HOST "\t2C5677D76F76D77F8001\thttps://" FAKE_HOST "/keys/LFZ3129213-/v1\n");
    assert_int_equal(fixture_find("LFZ3129213-", &print), SQLCP_SUCCESS);
    expect_thumbprint(&print, key);
    fixture_write(fixture.map,
                  FAKE_HOST "\t2C5677D76F76D77F8001\thttps://" FAKE_HOST "/keys/LFZ3129213-/v1\n");
    SqlCpData thumb = {sizeof bytes, bytes}, blob = {0, NULL};
    assert_int_equal(SqlCryptExportKey(&fixture.session, &thumb, NULL, 1, &blob), 5008);
    fixture_stop();
}

/* One key imported under two names: the existing entry stays while its key exists. */
static void test_same_key_twice(void **state)
{
    struct thumbprint print;
    (void)state;
    struct fake_key *first = fake_add("first", "v1", 1);
    fixture_start();
    assert_int_equal(fixture_find("first", &print), SQLCP_SUCCESS);
    fake_add("second", "v2", 1);
    fake_reset_counts();
    assert_int_equal(fixture_find("second", &print), SQLCP_SUCCESS);
    assert_int_equal(fake_requests(), 2);
    assert_non_null(strstr(fixture_read(fixture.map), "first/v1"));
    assert_null(strstr(fixture_read(fixture.map), "second/v2"));
    assert_non_null(strstr(fixture_read(fixture.log), "first/v1 stays in the map, not second/v2"));
    first->disabled = true;
    assert_int_equal(fixture_find("second", &print), SQLCP_SUCCESS);
    assert_null(strstr(fixture_read(fixture.map), "first/v1"));
    assert_non_null(strstr(fixture_read(fixture.map), "second/v2"));
    atomic_store(&fake_get_fails, EKM_NO_ANSWER);
    assert_int_equal(fixture_find("second", &print), 3107);
    fixture_stop();
}

/* A refusal of the former key must not block the new one; a vault that cannot be reached says
 * nothing about it. */
static void test_an_existing_key_is_refused(void **state)
{
    struct thumbprint print;
    uint16_t units[16], found[16];
    uint8_t bytes[32];
    SqlCpStr name = fixture_wide("second", units);
    SqlCpKeyInfo info = {{0, NULL}, {0, NULL}, 0, 0};
    (void)state;
    fake_add("first", "v1", 1);
    fixture_start();
    assert_int_equal(fixture_find("first", &print), SQLCP_SUCCESS);
    fake_add("second", "v2", 1);
    for (int i = 0; i < 2; i++) {
        info.name = (SqlCpStr){0, NULL};
        atomic_store(&fake_get_fails, EKM_OK);
        assert_int_equal(SqlCryptGetKeyInfoByName(&fixture.session, &name, &info), 2);
        info.name = (SqlCpStr){sizeof found, found};
        info.thumb = (SqlCpData){sizeof bytes, bytes};
        /* The size query's answer serves the new key: only the former one is asked for now. */
        atomic_store(&fake_get_fails, i == 0 ? EKM_NO_ANSWER : EKM_FORBIDDEN);
        assert_int_equal(SqlCryptGetKeyInfoByName(&fixture.session, &name, &info),
                         i == 0 ? 3107 : SQLCP_SUCCESS);
    }
    assert_non_null(strstr(fixture_read(fixture.map), "second/v2"));
    assert_non_null(strstr(fixture_read(fixture.log), "first/v1 is replaced in the map by second"));
    fixture_stop();
}

static void test_by_thumbprint(void **state)
{
    struct thumbprint print;
    uint16_t units[64];
    uint8_t bytes[32];
    (void)state;
    fake_add("big", "v1", 1)->bits = 3072;
    fixture_start();
    assert_int_equal(fixture_find("big", &print), SQLCP_SUCCESS);
    fixture_restart();
    fake_reset_counts();
    SqlCpData thumb = {20, print.bytes};
    SqlCpKeyInfo info = {{0, NULL}, {0, NULL}, 0, 0};
    assert_int_equal(SqlCryptGetKeyInfoByThumb(&fixture.session, &thumb, &info), 2);
    assert_int_equal(info.name.cb, 6);
    info.name.ws = units;
    info.thumb.pb = bytes;
    assert_int_equal(SqlCryptGetKeyInfoByThumb(&fixture.session, &thumb, &info), 0);
    assert_int_equal(info.algId, 2);
    assert_memory_equal(bytes, print.bytes, 20);
    assert_int_equal(fake_requests(), 1);
    fixture_stop();
    fixture_configure("report_3072_as_2048 = yes");
    fixture_start();
    assert_int_equal(SqlCryptGetKeyInfoByThumb(&fixture.session, &thumb, &info), 0);
    assert_int_equal(info.algId, 1);
    fixture_stop();
}

/* The map must not lead to another key. */
static void test_map_names_another_key(void **state)
{
    struct thumbprint print;
    (void)state;
    fake_add("TdeKey0", "v1", 1);
    fake_add("TdeKey0", "v2", 2);
    fixture_start();
    assert_int_equal(fixture_find("TdeKey0/v1", &print), SQLCP_SUCCESS);
    fixture_stop();
    char text[512];
    snprintf(text, sizeof text, "%s", fixture_read(fixture.map));
    char *version = strstr(text, "/v1");
    assert_non_null(version);
    version[2] = '2';
    fixture_write(fixture.map, text);
    fixture_start();
    SqlCpData thumb = {20, print.bytes}, blob = {0, NULL};
    assert_int_equal(SqlCryptExportKey(&fixture.session, &thumb, NULL, 1, &blob), 5008);
    fixture_stop();
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_one_request_for_the_dance),
        CASE(test_size_query_writes_nothing),
        CASE(test_bare_name_is_asked_anew),
        CASE(test_names),
        CASE(test_unusable_keys),
        CASE(test_warnings),
        CASE(test_map_must_be_durable),
        CASE(test_imported_thumbprint_is_kept),
        CASE(test_wrong_thumbprint_in_the_map),
        CASE(test_thumbprint_of_no_rule),
        CASE(test_same_key_twice),
        CASE(test_an_existing_key_is_refused),
        CASE(test_by_thumbprint),
        CASE(test_map_names_another_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
