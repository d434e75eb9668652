/* The keys that the process remembers, and that it forgets them in time. */
#include "keymap/keycache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOST "contoso-vault.vault.azure.net"

static struct thumbprint print_of(uint32_t number)
{
    struct thumbprint thumbprint = {.len = 20};
    memcpy(thumbprint.bytes, &number, sizeof number);
    return thumbprint;
}

static int test_keycache_clear(void **state)
{
    (void)state;
    keycache_clear();
    return 0;
}

static void test_learns_and_forgets(void **state)
{
    const struct thumbprint print = print_of(1);
    const struct key_id id = {"TdeKey0", "v1"};
    struct vault_key key = {.id = {"TdeKey0", "v1"}, .enabled = true, .expires_s = 77};
    struct known_key known;
    (void)state;
    key.public.bits = 3072;
    assert_false(keycache_get(HOST, &print, &known));
    keycache_learn_id(HOST, &print, &id);
    assert_true(keycache_get(HOST, &print, &known));
    assert_false(known.has_public);
    assert_int_equal(known.oaep, RSA_ALGORITHM_COUNT);
    keycache_learn_key(HOST, &print, &key);
    keycache_learn_id(HOST, &print, &id);
    assert_true(keycache_get(HOST, &print, &known));
    assert_true(known.has_public && known.enabled);
    assert_int_equal(known.public.bits, 3072);
    assert_int_equal(known.expires_s, 77);
    assert_false(keycache_get("fabrikam-vault.vault.azure.net", &print, &known));
    keycache_forget(HOST, &print);
    assert_false(keycache_get(HOST, &print, &known));
    keycache_forget(HOST, &print);
}

static void test_another_version_starts_afresh(void **state)
{
    const struct thumbprint print = print_of(1);
    const struct key_id second = {"TdeKey0", "v2"};
    struct vault_key key = {.id = {"TdeKey0", "v1"}};
    struct known_key known;
    (void)state;
    keycache_learn_key(HOST, &print, &key);
    assert_true(keycache_note_unwrap(HOST, &print, RSA_OAEP));
    keycache_learn_id(HOST, &print, &second);
    assert_true(keycache_get(HOST, &print, &known));
    assert_string_equal(known.id.version, "v2");
    assert_false(known.has_public);
    assert_int_equal(known.oaep, RSA_ALGORITHM_COUNT);
}

static void test_only_oaep_is_remembered(void **state)
{
    const struct thumbprint print = print_of(1);
    const struct key_id id = {"TdeKey0", "v1"};
    struct known_key known;
    (void)state;
    keycache_learn_id(HOST, &print, &id);
    assert_true(keycache_note_unwrap(HOST, &print, RSA1_5));
    assert_true(keycache_get(HOST, &print, &known));
    assert_int_equal(known.oaep, RSA_ALGORITHM_COUNT);
    assert_false(keycache_note_unwrap(HOST, &print, RSA_OAEP));
    assert_true(keycache_get(HOST, &print, &known));
    assert_int_equal(known.oaep, RSA_OAEP);
    assert_int_equal(keycache_last_unwrap(HOST, RSA_OAEP_256), RSA_OAEP);
    /* Implicit rejection: this opened nothing. */
    assert_false(keycache_note_unwrap(HOST, &print, RSA1_5));
    assert_true(keycache_get(HOST, &print, &known));
    assert_int_equal(known.oaep, RSA_OAEP);
    assert_int_equal(keycache_last_unwrap(HOST, RSA_OAEP_256), RSA_OAEP);
    assert_int_equal(keycache_last_unwrap("other.vault.azure.net", RSA_OAEP_256), RSA_OAEP_256);
}

static void test_is_bounded(void **state)
{
    const struct key_id id = {"TdeKey0", "v1"};
    struct known_key known;
    (void)state;
    for (uint32_t i = 0; i < 3 * KEYCACHE_MAX; i++) {
        const struct thumbprint print = print_of(i);
        keycache_learn_id(HOST, &print, &id);
        assert_true(keycache_count() <= KEYCACHE_MAX);
        assert_true(keycache_get(HOST, &print, &known));
    }
    assert_int_equal(keycache_count(), KEYCACHE_MAX);
    keycache_clear();
    assert_int_equal(keycache_count(), 0);
}

static void test_many_vaults(void **state)
{
    const struct thumbprint print = print_of(1);
    (void)state;
    for (int i = 0; i < 200; i++) {
        char host[32];
        snprintf(host, sizeof host, "v%d.vault.azure.net", i);
        (void)keycache_note_unwrap(host, &print, RSA1_5);
        assert_int_equal(keycache_last_unwrap(host, RSA_OAEP_256), RSA1_5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_learns_and_forgets, test_keycache_clear),
        cmocka_unit_test_setup(test_another_version_starts_afresh, test_keycache_clear),
        cmocka_unit_test_setup(test_only_oaep_is_remembered, test_keycache_clear),
        cmocka_unit_test_setup(test_is_bounded, test_keycache_clear),
        cmocka_unit_test_setup(test_many_vaults, test_keycache_clear),
    };
    return cmocka_run_group_tests(tests, NULL, test_keycache_clear);
}
