/* Encrypt and Decrypt: sizes before anything is sent, algorithms in order, requests counted. */
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

#include <cmocka.h>

#include "platform/system.h"

#define PLAIN "0123456789abcdef0123456789abcdef"

static uint8_t cipher_bytes[RSA_MAX_BYTES], plain_bytes[RSA_MAX_BYTES];

static SqlCpData cipher_of(const struct fake_key *key, enum rsa_algorithm algorithm)
{
    fake_wrapped(key, algorithm, PLAIN, sizeof PLAIN, cipher_bytes);
    return (SqlCpData){key->bits / 8, cipher_bytes};
}

static SqlCpError test_crypt_decrypt(const struct thumbprint *print, const SqlCpData *cipher)
{
    SqlCpData plain = {sizeof plain_bytes, plain_bytes};
    SqlCpError code = fixture_decrypt(print, cipher, &plain);
    if (code == SQLCP_SUCCESS) {
        assert_int_equal(plain.cb, sizeof PLAIN);
        assert_memory_equal(plain_bytes, PLAIN, sizeof PLAIN);
    }
    return code;
}

static SqlCpError test_crypt_encrypt(const struct thumbprint *print, size_t len, SqlCpData *cipher)
{
    static uint8_t text[600];
    *cipher = (SqlCpData){sizeof cipher_bytes, cipher_bytes};
    return fixture_encrypt(print, text, len, cipher);
}

static void start_with_key(struct thumbprint *print)
{
    fixture_start();
    assert_int_equal(fixture_find("TdeKey0", print), SQLCP_SUCCESS);
    fake_reset_counts();
}

static void test_one_request_each(void **state)
{
    struct thumbprint print;
    SqlCpData cipher = {sizeof cipher_bytes, cipher_bytes};
    (void)state;
    fake_add("TdeKey0", "v1", 1);
    start_with_key(&print);
    assert_int_equal(fixture_encrypt(&print, PLAIN, sizeof PLAIN, &cipher), SQLCP_SUCCESS);
    assert_int_equal(cipher.cb, 256);
    assert_int_equal(fake_requests(), 1);
    assert_int_equal(cipher_bytes[0], RSA_OAEP_256);
    assert_int_equal(test_crypt_decrypt(&print, &cipher), SQLCP_SUCCESS);
    assert_int_equal(fake_requests(), 2);
    /* A fresh process: the map alone leads to the key; the first wrap looks at its public part. */
    fixture_restart();
    fake_reset_counts();
    assert_int_equal(test_crypt_decrypt(&print, &cipher), SQLCP_SUCCESS);
    assert_int_equal(fake_requests(), 1);
    fixture_restart();
    fake_reset_counts();
    assert_int_equal(test_crypt_encrypt(&print, 32, &cipher), SQLCP_SUCCESS);
    assert_int_equal(fake_counts.get, 1);
    assert_int_equal(fake_counts.wrap, 1);
    assert_int_equal(test_crypt_encrypt(&print, 32, &cipher), SQLCP_SUCCESS);
    assert_int_equal(fake_requests(), 3);
    fixture_stop();
    assert_null(strstr(fixture_read(fixture.log), PLAIN));
}

static void test_decrypt_sizes(void **state)
{
    struct thumbprint print;
    (void)state;
    const struct fake_key *key = fake_add("TdeKey0", "v1", 1);
    start_with_key(&print);
    SqlCpData thumb = {20, print.bytes}, cipher = cipher_of(key, RSA_OAEP_256);
    SqlCpData plain = {0, NULL};
    SqlCpSession *session = &fixture.session;
    assert_int_equal(SqlCryptDecrypt(session, &thumb, 1, NULL, 0, &cipher, &plain), 2);
    assert_int_equal(plain.cb, 256);
    plain = (SqlCpData){0, plain_bytes};
    assert_int_equal(SqlCryptDecrypt(session, &thumb, 1, NULL, 0, &cipher, &plain), 2);
    assert_int_equal(plain.cb, 256);
    for (uint32_t len = 0; len <= 600; len++) {
        cipher.cb = len;
        plain.cb = sizeof plain_bytes;
        if (len != 256 && len != 384 && len != 512) {
            assert_int_equal(SqlCryptDecrypt(session, &thumb, 1, NULL, 0, &cipher, &plain), 6);
        }
    }
    cipher.cb = 256;
    assert_int_equal(SqlCryptDecrypt(session, &thumb, 0, NULL, 0, &cipher, &plain), 3);
    assert_int_equal(fake_requests(), 0);
    /* Too short by one: tried, told exactly, nothing handed out. */
    plain = (SqlCpData){sizeof PLAIN - 1, plain_bytes};
    memset(plain_bytes, 0x5A, sizeof plain_bytes);
    assert_int_equal(SqlCryptDecrypt(session, &thumb, 1, NULL, 0, &cipher, &plain), 2);
    assert_int_equal(plain.cb, sizeof PLAIN);
    assert_int_equal(plain_bytes[0], 0x5A);
    assert_int_equal(fake_requests(), 1);
    assert_int_equal(SqlCryptDecrypt(session, &thumb, 1, NULL, 0, &cipher, &plain), 0);
    assert_int_equal(plain_bytes[sizeof PLAIN], 0x5A);
    fixture_stop();
}

static void test_encrypt_sizes(void **state)
{
    static const struct {
        const char *algorithm;
        uint32_t bits;
        size_t longest;
    } rows[] = {
        {"RSA-OAEP-256", 2048, 190}, {"RSA-OAEP", 2048, 214}, {"RSA1_5", 2048, 245},
        {"RSA-OAEP-256", 4096, 446}, {"RSA1_5", 3072, 373},
    };
    struct thumbprint print;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char line[64];
        SqlCpData cipher;
        fake_reset();
        fake_add("TdeKey0", "v1", (uint8_t)(i + 1))->bits = rows[i].bits;
        snprintf(line, sizeof line, "wrap_algorithm = %s", rows[i].algorithm);
        if (i > 0) {
            (void)fixture_tear_down(NULL);
            struct fake_key kept = fake_keys[0];
            (void)fixture_set_up(NULL);
            fake_keys[0] = kept;
            fake_key_count = 1;
        }
        fixture_configure(line);
        start_with_key(&print);
        assert_int_equal(test_crypt_encrypt(&print, rows[i].longest + 1, &cipher), 6);
        assert_int_equal(test_crypt_encrypt(&print, 600, &cipher), 6);
        assert_int_equal(test_crypt_encrypt(&print, 0, &cipher), 6);
        assert_int_equal(fake_requests(), 0);
        SqlCpData thumb = {20, print.bytes}, plain = {(uint32_t)rows[i].longest, plain_bytes};
        cipher = (SqlCpData){rows[i].bits / 8 - 1, cipher_bytes};
        assert_int_equal(SqlCryptEncrypt(&fixture.session, &thumb, 1, NULL, 0, &plain, &cipher), 2);
        assert_int_equal(cipher.cb, rows[i].bits / 8);
        assert_int_equal(SqlCryptEncrypt(&fixture.session, &thumb, 0, NULL, 0, &plain, &cipher), 3);
        assert_int_equal(fake_requests(), 0);
        assert_int_equal(SqlCryptEncrypt(&fixture.session, &thumb, 1, NULL, 0, &plain, &cipher), 0);
        assert_int_equal(fake_counts.wrap, 1);
        fixture_stop();
    }
}

static void test_algorithms_in_turn(void **state)
{
    struct thumbprint print;
    (void)state;
    const struct fake_key *key = fake_add("TdeKey0", "v1", 1);
    start_with_key(&print);
    SqlCpData cipher = cipher_of(key, RSA1_5);
    assert_int_equal(test_crypt_decrypt(&print, &cipher), SQLCP_SUCCESS);
    assert_int_equal(fake_counts.unwrap, 3);
    assert_non_null(strstr(fixture_read(fixture.log), "opened with RSA1_5"));
    /* RSA1_5 is not remembered, OAEP is. */
    cipher = cipher_of(key, RSA_OAEP);
    assert_int_equal(test_crypt_decrypt(&print, &cipher), SQLCP_SUCCESS);
    assert_int_equal(fake_counts.unwrap, 5);
    assert_int_equal(test_crypt_decrypt(&print, &cipher), SQLCP_SUCCESS);
    assert_int_equal(fake_counts.unwrap, 6);
    cipher = cipher_of(key, RSA_OAEP_256);
    assert_int_equal(test_crypt_decrypt(&print, &cipher), SQLCP_SUCCESS);
    assert_int_equal(fake_counts.unwrap, 8);
    cipher_bytes[0] = 9;
    assert_int_equal(test_crypt_decrypt(&print, &cipher), 5010);
    assert_int_equal(fake_counts.unwrap, 11);
    fixture_stop();
}

static void test_corrupt_cipher_spoils_nothing(void **state)
{
    struct thumbprint print;
    SqlCpData plain = {sizeof plain_bytes, plain_bytes};
    (void)state;
    const struct fake_key *key = fake_add("TdeKey0", "v1", 1);
    start_with_key(&print);
    fake_implicit_rejection = true;
    SqlCpData cipher = cipher_of(key, RSA_OAEP_256);
    cipher_bytes[1] ^= 1;
    assert_int_equal(fixture_decrypt(&print, &cipher, &plain), SQLCP_SUCCESS);
    assert_int_equal(plain.cb, 7);
    cipher = cipher_of(key, RSA_OAEP_256);
    fake_reset_counts();
    assert_int_equal(test_crypt_decrypt(&print, &cipher), SQLCP_SUCCESS);
    assert_int_equal(fake_counts.unwrap, 1);
    fixture_stop();
}

static void test_other_failures_end_at_once(void **state)
{
    struct thumbprint print;
    (void)state;
    struct fake_key *key = fake_add("TdeKey0", "v1", 1);
    start_with_key(&print);
    SqlCpData cipher = cipher_of(key, RSA_OAEP_256);
    atomic_store(&fake_unwrap_fails, EKM_FORBIDDEN);
    assert_int_equal(test_crypt_decrypt(&print, &cipher), 3113);
    assert_int_equal(fake_counts.unwrap, 1);
    atomic_store(&fake_unwrap_fails, EKM_OK);
    key->disabled = true;
    assert_int_equal(test_crypt_decrypt(&print, &cipher), 5004);
    assert_int_equal(fake_requests(), 3);
    key->disabled = false;
    key->expires_s = 1000000000;
    assert_int_equal(test_crypt_decrypt(&print, &cipher), SQLCP_SUCCESS);
    fixture_stop();
}

/* A 403 without a reason: the attributes of the key decide, the current ones before the remembered
 * ones. */
static void test_refusals_explained_by_attributes(void **state)
{
    struct thumbprint print;
    SqlCpData out;
    (void)state;
    struct fake_key *key = fake_add("TdeKey0", "v1", 1);
    start_with_key(&print);
    SqlCpData cipher = cipher_of(key, RSA_OAEP_256);
    uint8_t wrapped[256];
    memcpy(wrapped, cipher.pb, sizeof wrapped);
    cipher.pb = wrapped;
    atomic_store(&fake_wrap_fails, EKM_FORBIDDEN);
    atomic_store(&fake_unwrap_fails, EKM_FORBIDDEN);
    assert_int_equal(test_crypt_encrypt(&print, 16, &out), 3113);
    assert_int_equal(fake_counts.get, 1);
    key->expires_s = 1000000000;
    assert_int_equal(test_crypt_encrypt(&print, 16, &out), 5005);
    assert_int_equal(test_crypt_decrypt(&print, &cipher),
                     3113); /* expired keys unwrap: it is not that */
    key->expires_s = 0;
    key->not_before_s = 4000000000;
    assert_int_equal(test_crypt_encrypt(&print, 16, &out), 5005);
    key->not_before_s = 0;
    key->disabled = true;
    assert_int_equal(test_crypt_encrypt(&print, 16, &out), 5004);
    assert_int_equal(test_crypt_decrypt(&print, &cipher), 5004);
    /* Where the key cannot be read either, the refusal stays as it is. */
    atomic_store(&fake_get_fails, EKM_FORBIDDEN);
    assert_int_equal(test_crypt_encrypt(&print, 16, &out), 3113);
    assert_int_equal(test_crypt_decrypt(&print, &cipher), 3113);
    atomic_store(&fake_get_fails, EKM_OK);
    fixture_stop();
}

static void test_way_back_to_another_provider(void **state)
{
    struct thumbprint print;
    SqlCpData out;
    (void)state;
    const struct fake_key *key = fake_add("TdeKey0", "v1", 1);
    fixture_configure("provider_guid = 12345678-1234-1234-1234-123456789abc");
    start_with_key(&print);
    assert_int_equal(test_crypt_encrypt(&print, 32, &out), SQLCP_SUCCESS);
    assert_int_equal(cipher_bytes[0], RSA_OAEP_256);
    SqlCpData cipher = cipher_of(key, RSA1_5);
    assert_int_equal(test_crypt_decrypt(&print, &cipher), SQLCP_SUCCESS);
    assert_int_equal(test_crypt_encrypt(&print, 32, &out), SQLCP_SUCCESS);
    assert_int_equal(cipher_bytes[0], RSA1_5);
    fixture_stop();
    fixture_configure("wrap_algorithm = RSA-OAEP");
    fixture_start();
    assert_int_equal(test_crypt_encrypt(&print, 32, &out), SQLCP_SUCCESS);
    assert_int_equal(cipher_bytes[0], RSA_OAEP);
    fixture_stop();
}

static void test_verified_wrap(void **state)
{
    struct thumbprint print;
    SqlCpData out;
    (void)state;
    fake_add("TdeKey0", "v1", 1);
    fixture_configure("verify_wrap = yes");
    start_with_key(&print);
    assert_int_equal(test_crypt_encrypt(&print, 32, &out), SQLCP_SUCCESS);
    assert_int_equal(fake_counts.wrap, 1);
    assert_int_equal(fake_counts.unwrap, 1);
    atomic_store(&fake_unwrap_fails, EKM_UNWRAP_REFUSED);
    assert_int_equal(test_crypt_encrypt(&print, 32, &out), 5010);
    fixture_stop();
}

static void test_local_wrap(void **state)
{
    struct thumbprint print;
    SqlCpData out;
    (void)state;
    struct fake_key *key = fake_add("TdeKey0", "v1", 1);
    fixture_configure("wrap_locally = yes");
    start_with_key(&print);
    assert_int_equal(test_crypt_encrypt(&print, 32, &out), SQLCP_SUCCESS);
    assert_int_equal(out.cb, 256);
    assert_int_equal(fake_requests(), 0);
    static const struct {
        int64_t not_before_s, expires_s;
        bool disabled, no_wrap;
        SqlCpError code;
    } rows[] = {
        {0, 1000000000, false, false, 5005},
        {4000000000, 0, false, false, 5005},
        {0, 0, true, false, 5004},
        {0, 0, false, true, 5012},
        {1000000000, 4000000000, false, false, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        key->not_before_s = rows[i].not_before_s;
        key->expires_s = rows[i].expires_s;
        key->disabled = rows[i].disabled;
        key->no_wrap = rows[i].no_wrap;
        fixture_restart();
        assert_int_equal(test_crypt_encrypt(&print, 32, &out), rows[i].code);
    }
    assert_int_equal(fake_counts.wrap, 0);
    assert_int_equal(fake_counts.get, sizeof rows / sizeof rows[0]);
    fixture_stop();
}

/* Known from the map alone: the first wrap checks the public part, an old thumbprint is believed.
 */
static void test_first_wrap_checks_the_map(void **state)
{
    struct thumbprint print;
    SqlCpData out;
    (void)state;
    fake_add("LFZ3129213-", "v1", 1);
    fixture_start();
    assert_int_equal(fixture_find("LFZ3129213-", &print), SQLCP_SUCCESS);
    fixture_write(fixture.map, FAKE_HOST
                  "\t2C5677D76F76D77F80\thttps://" FAKE_HOST "/keys/LFZ3129213-/v1\n" FAKE_HOST
                  "\t0102030405060708090A0B0C0D0E0F1011121314\thttps://" FAKE_HOST
                  "/keys/LFZ3129213-/v1\n");
    assert_true(thumbprint_set(&print, (const uint8_t *)"\x2C\x56\x77\xD7\x6F\x76\xD7\x7F\x80", 9));
    assert_int_equal(test_crypt_encrypt(&print, 32, &out), SQLCP_SUCCESS);
    assert_non_null(strstr(fixture_read(fixture.log), "older rule"));
    assert_true(thumbprint_set(
        &print,
        (const uint8_t
             *)"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F\x10\x11\x12\x13\x14",
        20));
    assert_int_equal(test_crypt_encrypt(&print, 32, &out), 5008);
    assert_int_equal(fake_counts.wrap, 1);
    fixture_stop();
}

/* The map names Other/v7 for TdeKey0, which RSA1_5 would "open" as well. */
static const struct fake_key *misled_start(const char *setting, struct thumbprint *print)
{
    char line[300], text[65];
    const struct fake_key *key = fake_add("TdeKey0", "v1", 1);
    fake_add("Other", "v7", 2);
    fake_implicit_rejection = true;
    fixture_configure(setting);
    fixture_start();
    assert_int_equal(fixture_find("TdeKey0", print), SQLCP_SUCCESS);
    thumbprint_text(print, text);
    (void)snprintf(line, sizeof line, FAKE_HOST "\t%s\thttps://" FAKE_HOST "/keys/Other/v7\n",
                   text);
    fixture_stop();
    fixture_write(fixture.map, line);
    fixture_start();
    fake_reset_counts();
    return key;
}

static void misled_expect_healing(const char *setting, enum rsa_algorithm algorithm)
{
    struct thumbprint print;
    SqlCpData cipher = cipher_of(misled_start(setting, &print), algorithm);
    assert_int_equal(test_crypt_decrypt(&print, &cipher), SQLCP_SUCCESS);
    fixture_restart();
    fake_reset_counts();
    assert_int_equal(test_crypt_decrypt(&print, &cipher), SQLCP_SUCCESS);
    assert_int_equal(fake_counts.list, 0); /* the map is right again */
    fixture_stop();
}

/* A damaged or forged line of the map: the right key is found and the line replaced. */
static void test_misled_by_the_map(void **state)
{
    (void)state;
    misled_expect_healing("# as it comes", RSA_OAEP_256);
}

static void test_misled_and_opened_by_anything(void **state)
{
    (void)state;
    misled_expect_healing("unwrap_algorithms = RSA1_5", RSA1_5);
}

/* The right key is gone: the map is named, not the data. */
static void test_misled_for_good(void **state)
{
    struct thumbprint print;
    (void)state;
    SqlCpData cipher = cipher_of(misled_start("# as it comes", &print), RSA_OAEP_256);
    fake_keys[0].seed = 3; /* TdeKey0 */
    assert_int_equal(test_crypt_decrypt(&print, &cipher), 5008);
    fixture_stop();
}

static void test_unknown_thumbprint(void **state)
{
    struct thumbprint print = {.len = 20};
    SqlCpData cipher, out;
    (void)state;
    const struct fake_key *key = fake_add("TdeKey0", "v1", 1);
    fixture_start();
    cipher = cipher_of(key, RSA_OAEP_256);
    assert_int_equal(test_crypt_decrypt(&print, &cipher), SQLCP_NOT_FOUND);
    assert_int_equal(test_crypt_encrypt(&print, 32, &out), SQLCP_NOT_FOUND);
    print.len = 0;
    assert_int_equal(test_crypt_decrypt(&print, &cipher), SQLCP_INVALID_ARGUMENT);
    print.len = 32;
    assert_int_equal(test_crypt_decrypt(&print, &cipher), SQLCP_NOT_FOUND);
    /* The vault was looked through once: keys, the newest version of the one, its versions. */
    assert_int_equal(fake_requests(), 3);
    fixture_stop();
}

/* A map that cannot be read never fails Decrypt of a key in memory. */
static void test_map_gone_while_running(void **state)
{
    struct thumbprint print;
    (void)state;
    const struct fake_key *key = fake_add("TdeKey0", "v1", 1);
    start_with_key(&print);
    fixture_remove_map();
    SqlCpData cipher = cipher_of(key, RSA_OAEP_256);
    assert_int_equal(test_crypt_decrypt(&print, &cipher), SQLCP_SUCCESS);
    fixture_stop();
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_one_request_each),
        CASE(test_decrypt_sizes),
        CASE(test_encrypt_sizes),
        CASE(test_algorithms_in_turn),
        CASE(test_corrupt_cipher_spoils_nothing),
        CASE(test_other_failures_end_at_once),
        CASE(test_refusals_explained_by_attributes),
        CASE(test_way_back_to_another_provider),
        CASE(test_verified_wrap),
        CASE(test_local_wrap),
        CASE(test_first_wrap_checks_the_map),
        CASE(test_misled_by_the_map),
        CASE(test_misled_and_opened_by_anything),
        CASE(test_misled_for_good),
        CASE(test_unknown_thumbprint),
        CASE(test_map_gone_while_running),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
