/* Whatever expires is reported once a day, from 60 days before (specification.md section 9), and
 * the ways to write a day. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// wrap: plat_now_ms plat_unix_time_ms plat_cond_wait_until vault_get_key vault_unwrap
// wrap: vault_authenticate vault_wrap vault_list_keys vault_list_versions vault_create_key
// wrap: vault_delete_key http_start http_stop vault_list_keys_page vault_request_try_all
// with: fake_clock.c fake_vault.c provider_fixture.c

#include <cmocka.h>

#include "base/date.h"
#include "fake_clock.h"
#include "provider_fixture.h"
#include "vault/expiry.h"

#define NOW_S (FAKE_UNIX_TIME_MS / 1000) /* 2023-11-14T22:13:20Z */
#define DAY_S 86400
#define PLAIN "0123456789abcdef"

static int set_up(void **state)
{
    fake_clock_reset();
    expiry_clear();
    return fixture_set_up(state);
}

/* How often the log contains a text. */
static unsigned expiry_told(const char *text)
{
    unsigned count = 0;
    for (const char *at = fixture_read(fixture.log); (at = strstr(at, text)) != NULL; at++) {
        count++;
    }
    return count;
}

static void test_dates(void **state)
{
    static const struct {
        const char *text;
        int64_t unix_s;
    } good[] = {{"2000-01-01", 946684800},   {"2000-02-29", 951782400},  {"2023-11-14", 1699920000},
                {"2024-02-29", 1709164800},  {"2024-12-31", 1735603200}, {"2100-03-01", 4107542400},
                {"9999-12-31", 253402214400}};
    static const char *const bad[] = {"",           "2023-11-1",  "2023-11-141", "2023-13-01",
                                      "2023-00-01", "2023-01-00", "2023-02-29",  "2100-02-29",
                                      "1999-12-31", "2023/11/14", "14-11-2023",  "2023-1a-14"};
    char text[DATE_CAP];
    int64_t unix_s = 0;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(date_read(good[i].text, strlen(good[i].text), &unix_s));
        assert_int_equal(unix_s, good[i].unix_s);
        date_write(unix_s, text);
        assert_string_equal(text, good[i].text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(date_read(bad[i], strlen(bad[i]), &unix_s));
    }
    assert_int_equal(expiry_days_left(NOW_S + DAY_S), 1);
    assert_int_equal(expiry_days_left(NOW_S + DAY_S - 1), 0);
    assert_int_equal(expiry_days_left(NOW_S), 0);
    assert_int_equal(expiry_days_left(NOW_S - 1), -1);
    assert_int_equal(expiry_days_left(NOW_S - DAY_S), -1);
    assert_int_equal(expiry_days_left(NOW_S - DAY_S - 1), -2);
}

/* Each thing by itself; what was renewed is another one. */
static void test_once_a_day(void **state)
{
    struct config config;
    struct call call;
    (void)state;
    config_defaults(&config);
    fixture_start();
    call_begin(&call, "Test", &config);
    expiry_note(&call, EXPIRY_KEY, "a", 0);
    expiry_note(&call, EXPIRY_KEY, "a", NOW_S + 60 * DAY_S);
    assert_int_equal(expiry_told("the key ends"), 0);
    for (int i = 0; i < 5; i++) {
        expiry_note(&call, EXPIRY_KEY, "a", NOW_S + 60 * DAY_S - 1);
        expiry_note(&call, EXPIRY_KEY, "b", NOW_S + 60 * DAY_S - 1);
        expiry_note(&call, EXPIRY_SECRET, "a", NOW_S - 1);
    }
    assert_int_equal(expiry_told("error"), 3);
    assert_int_equal(expiry_told("the key ends in 59 days, on 2024-01-13: rotate it"), 2);
    assert_int_equal(expiry_told("the client secret ended on 2023-11-14"), 1);
    fake_clock_advance((uint64_t)DAY_S * 1000 - 1);
    expiry_note(&call, EXPIRY_KEY, "a", NOW_S + 60 * DAY_S - 1);
    assert_int_equal(expiry_told("the key ends"), 2);
    fake_clock_advance(1);
    expiry_note(&call, EXPIRY_KEY, "a", NOW_S + 60 * DAY_S - 1);
    assert_int_equal(expiry_told("the key ends in 58 days"), 1);
    expiry_note(&call, EXPIRY_KEY, "a", NOW_S + 61 * DAY_S - 1);
    assert_int_equal(expiry_told("the key ends in 59 days"), 3);
    /* More than fit: the oldest is forgotten, and told again, nothing else happens. */
    for (int i = 0; i < 300; i++) {
        char name[16];
        snprintf(name, sizeof name, "k%d", i);
        expiry_note(&call, EXPIRY_CERTIFICATE, name, NOW_S + 9 * DAY_S);
    }
    assert_int_equal(expiry_told("the certificate that signs in ends in 8 days"), 300);
    fixture_stop();
}

static void test_secret(void **state)
{
    SqlCpSession session;
    (void)state;
    fixture_configure("secret_expires = 2024-06-30, 11111111-2222-4333-8444-555555555555 : "
                      "2023-12-01,AAAAAAAA222243338444555555555555:2023-11-20");
    fixture_start();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(fixture_open("contoso-vault", FAKE_SECRET, &session), SQLCP_SUCCESS);
        assert_int_equal(SqlCryptCloseSession(&session, 0), SQLCP_SUCCESS);
    }
    assert_int_equal(expiry_told("the client secret ends in 16 days, on 2023-12-01"), 1);
    assert_int_equal(
        fixture_open("contoso-vault", "aaaaaaaa-2222-4333-8444-555555555555s~", &session),
        SQLCP_SUCCESS);
    assert_int_equal(SqlCryptCloseSession(&session, 0), SQLCP_SUCCESS);
    assert_int_equal(expiry_told("the client secret ends in 5 days, on 2023-11-20"), 1);
    /* One that is not named: the date for all, which is far away. */
    assert_int_equal(
        fixture_open("contoso-vault", "bbbbbbbb-2222-4333-8444-555555555555s~", &session),
        SQLCP_SUCCESS);
    assert_int_equal(SqlCryptCloseSession(&session, 0), SQLCP_SUCCESS);
    assert_int_equal(expiry_told("the client secret"), 2);
    assert_int_equal(expiry_told("fake~secret"), 0);
    fixture_stop();
}

static void expiry_decrypt(const struct thumbprint *print, const struct fake_key *key)
{
    uint8_t wrapped[RSA_MAX_BYTES], plain[RSA_MAX_BYTES];
    fake_wrapped(key, RSA_OAEP_256, PLAIN, sizeof PLAIN, wrapped);
    SqlCpData cipher = {key->bits / 8, wrapped}, out = {sizeof plain, plain};
    assert_int_equal(fixture_decrypt(print, &cipher, &out), SQLCP_SUCCESS);
}

/* A server that runs for months asks for nothing but Decrypt, whose answer does not say when the
 * key ends: now and then one call looks. */
static void test_key_in_use(void **state)
{
    struct thumbprint print;
    (void)state;
    struct fake_key *key = fake_add("TdeKey0", "v1", 1);
    fixture_start();
    assert_int_equal(fixture_find("TdeKey0", &print), SQLCP_SUCCESS);
    fixture_restart();
    key->expires_s = NOW_S + 30 * DAY_S;
    fake_reset_counts();
    for (int i = 0; i < 3; i++) {
        expiry_decrypt(&print, key);
        fake_clock_advance(60000);
    }
    assert_int_equal(fake_counts.get, 0);
    fake_clock_advance(600000);
    expiry_decrypt(&print, key);
    expiry_decrypt(&print, key);
    assert_int_equal(fake_counts.get, 1);
    assert_int_equal(expiry_told("the key ends in 29 days"), 1);
    /* The look may fail without effect on the call. */
    fake_clock_advance((uint64_t)DAY_S * 1000);
    atomic_store(&fake_get_fails, EKM_FORBIDDEN);
    expiry_decrypt(&print, key);
    assert_int_equal(fake_counts.get, 2);
    assert_int_equal(expiry_told("the key ends in 28 days"), 1);
    atomic_store(&fake_get_fails, EKM_OK);
    /* It was given more time. */
    key->expires_s = NOW_S + 400 * DAY_S;
    fake_clock_advance((uint64_t)DAY_S * 1000);
    expiry_decrypt(&print, key);
    assert_int_equal(expiry_told("the key ends"), 2);
    fixture_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_dates, set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(test_once_a_day, set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(test_secret, set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(test_key_in_use, set_up, fixture_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
