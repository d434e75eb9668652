/* IDENTITY and SECRET as people paste them: what is forgiven, what is said of the rest. */
#include "vault/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ID   "11111111222243338444555555555555"
#define GUID "11111111-2222-4333-8444-555555555555"

static struct config config;
static struct call call;
static struct vault_address address;

static enum ekm_rc read_identity(const char *text)
{
    config_defaults(&config);
    call_begin(&call, "Test", &config);
    return identity_read(&call, text, strlen(text), &address);
}

static void test_invisible_characters_around_identity_are_ignored(void **state)
{
    static const char *const around[] = {"contoso ",
                                         " contoso",
                                         "\tcontoso\r\n",
                                         "contoso\xC2\xA0",
                                         ("\xEF\xBB\xBF"
                                          "contoso"),
                                         "contoso\xE2\x80\x8B",
                                         "\xE2\x80\x8E contoso \xE3\x80\x80",
                                         "https://contoso.vault.azure.net/\n",
                                         "contoso\xE2\x81\xA0\xC2\x85"};
    (void)state;
    for (size_t i = 0; i < sizeof around / sizeof around[0]; i++) {
        assert_int_equal(read_identity(around[i]), EKM_OK);
        assert_string_equal(address.host, "contoso.vault.azure.net");
    }
}

/* Refused, with a note that holds `told`. */
static void test_identity_refuse(const char *text, const char *told)
{
    assert_int_equal(read_identity(text), EKM_VAULT_NOT_ALLOWED);
    if (strstr(call.error.note, told) == NULL) {
        fail_msg("'%s' is refused with: %s", text, call.error.note);
    }
}

static void test_the_culprit_is_shown_and_named(void **state)
{
    (void)state;
    test_identity_refuse("{contoso}", "'{': character 1 is a brace");
    test_identity_refuse("contoso}", "'contoso}': character 8 is a brace");
    test_identity_refuse("con\xC2\xA0toso",
                         "'con\xC2\xA0': character 4 is a no-break space (U+00A0)");
    test_identity_refuse("con toso", "'con ': character 4 is a blank");
    test_identity_refuse("con\xE2\x80\x8Btoso",
                         "'con\xE2\x80\x8B': character 4 is a zero-width space");
    test_identity_refuse("'contoso'", "a quote");
    test_identity_refuse("contoso.vault.azure.net:443", "character 24 is a colon");
    test_identity_refuse("contoso_vault", "'contoso_': character 8 is an underscore");
    test_identity_refuse("contoso.vault.azure.net/keys", "a slash");
    test_identity_refuse("https://con{toso", "'https://con{'");
    test_identity_refuse("k\xC3\xB6nig", "'k\xC3\xB6': character 2 is a character beyond ASCII");
    test_identity_refuse("k\xF0\x9F\x94\x91", "'k\xF0\x9F\x94\x91'");
    test_identity_refuse("", "empty");
    test_identity_refuse(" \n", "empty");
}

static void test_wrong_hosts_get_a_hint(void **state)
{
    (void)state;
    test_identity_refuse("contoso.privatelink.vaultcore.azure.net", "public name");
    test_identity_refuse("contoso.vaultcore.azure.net", "public name");
    test_identity_refuse("contoso.vault.local.azurestack.external",
                         "Azure Stack Hub is not supported");
    test_identity_refuse("contoso.vault.azure.com", "no known cloud");
    test_identity_refuse("ab", "3 to 24");
}

/* A user who confuses the two writes a secret there. */
static void test_no_secret_is_shown(void **state)
{
    (void)state;
    static const char *const secrets[] = {
        ID "Abc8Q~the-secret", GUID "abc/the-secret=",
        "Abcdefghijklmnopqrstuvwxyzthe-secret0123456789=", ID "{the-secret"};
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        assert_int_equal(read_identity(secrets[i]), EKM_VAULT_NOT_ALLOWED);
        assert_null(strstr(call.error.note, "the-secret"));
        assert_null(strstr(call.error.note, "555555555555"));
        assert_null(strstr(call.error.note, "="));
        assert_null(strstr(call.error.note, "{"));
    }
}

static void test_a_secret_is_judged_by_kind(void **state)
{
    static const struct {
        const char *secret, *told;
    } cases[] = {
        {ID "abc8Q~good", ""},
        {GUID "abc8Q~good", ""},
        {ID "abc8Q~good\n", "SECRET ends with a line feed"},
        {ID "abc8Q~good\r\n", "SECRET ends with a line feed"},
        {ID "abc8Q~good\r", "SECRET ends with a carriage return"},
        {ID "abc8Q~good ", "SECRET ends with a blank"},
        {GUID "abc8Q~good\xC2\xA0", "SECRET ends with a no-break space"},
        {ID "abc8Q~good\xE2\x80\x8B", "SECRET ends with a zero-width space"},
        {ID "abc8Q~good\xEF\xBB\xBF", "SECRET ends with a byte order mark"},
        {ID " abc8Q~good", "in SECRET a blank follows the client ID"},
        {ID "abc8Q~good'", "ends with a quote"},
        {" " ID "abc8Q~good", "character 1 of SECRET, still within the client ID, is a blank"},
        {"\xEF\xBB\xBF" ID "abc8Q~good", "is a byte order mark"},
        {"{" GUID "}abc8Q~good", "character 1 of SECRET, still within the client ID, is a brace"},
        {"11111111-2222-4333-8444-55555555xyz", "character 33"},
        {"abc8Q~goodabc8Q~goodabc8Q~goodabc8Q~good", "character 5 of SECRET"},
        {"managed-identity\n", "SECRET ends with a line feed (U+000A); character 1 of SECRET"},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char told[160];
        identity_judge_secret(cases[i].secret, strlen(cases[i].secret), told, sizeof told);
        if (strstr(told, cases[i].told) == NULL ||
            (cases[i].told[0] == '\0') != (told[0] == '\0')) {
            fail_msg("'%s' is judged: %s", cases[i].secret, told);
        }
        assert_null(strstr(told, "good"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_invisible_characters_around_identity_are_ignored),
        cmocka_unit_test(test_the_culprit_is_shown_and_named),
        cmocka_unit_test(test_wrong_hosts_get_a_hint),
        cmocka_unit_test(test_no_secret_is_shown),
        cmocka_unit_test(test_a_secret_is_judged_by_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
