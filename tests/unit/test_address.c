/* IDENTITY to vault host; which hosts get the secret (specification.md section 2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vault/address.h"

static struct config config;

static int set_up(void **state)
{
    (void)state;
    config_defaults(&config);
    return 0;
}

static void identities_that_name_a_vault(void **state)
{
    static const char *const rows[][3] = {
        {"contoso", "contoso.vault.azure.net", "vault.azure.net"},
        {"abc", "abc.vault.azure.net", "vault.azure.net"},
        {"ContosoEKMKeyVault", "contosoekmkeyvault.vault.azure.net", "vault.azure.net"},
        {"abcdefghijklmnopqrstuvwx", "abcdefghijklmnopqrstuvwx.vault.azure.net", "vault.azure.net"},
        {"contoso.vault.azure.net", "contoso.vault.azure.net", "vault.azure.net"},
        {"CONTOSO.Vault.Azure.NET", "contoso.vault.azure.net", "vault.azure.net"},
        {"https://contoso.vault.azure.net", "contoso.vault.azure.net", "vault.azure.net"},
        {"https://contoso.vault.azure.net/", "contoso.vault.azure.net", "vault.azure.net"},
        {"HTTPS://Contoso.vault.azure.net/", "contoso.vault.azure.net", "vault.azure.net"},
        {"contoso.vault.azure.net/", "contoso.vault.azure.net", "vault.azure.net"},
        {"contoso.managedhsm.azure.net", "contoso.managedhsm.azure.net", "managedhsm.azure.net"},
        {"a.b.managedhsm.azure.net", "a.b.managedhsm.azure.net", "managedhsm.azure.net"},
        {"contoso.vault.azure.cn", "contoso.vault.azure.cn", "vault.azure.cn"},
        {"contoso.managedhsm.azure.cn", "contoso.managedhsm.azure.cn", "managedhsm.azure.cn"},
        {"contoso.vault.usgovcloudapi.net", "contoso.vault.usgovcloudapi.net",
         "vault.usgovcloudapi.net"},
        {"contoso.managedhsm.usgovcloudapi.net", "contoso.managedhsm.usgovcloudapi.net",
         "managedhsm.usgovcloudapi.net"},
        {"contoso.vault.microsoftazure.de", "contoso.vault.microsoftazure.de",
         "vault.microsoftazure.de"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vault_address address;
        assert_int_equal(address_parse(&config, rows[i][0], &address), EKM_OK);
        assert_string_equal(address.host, rows[i][1]);
        assert_string_equal(address.resource, rows[i][2]);
    }
}

static void identities_that_are_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "/",
        ".",
        "ab",
        "abcdefghijklmnopqrstuvwxy",
        "contoso_1",
        "contoso ",
        " contoso",
        "con toso",
        "cont\xc3\xb6so",
        "contoso\n",
        "contoso.vault.azure.net\r\nX: y",
        "contoso.vault.azure.net.",
        "contoso.vault.azure.net:443",
        "contoso.vault.azure.net:443/",
        "contoso.vault.azure.net//",
        "contoso.vault.azure.net/keys",
        "contoso.vault.azure.net?x",
        "contoso.vault.azure.net#x",
        "user@contoso.vault.azure.net",
        "user:pw@contoso.vault.azure.net",
        "http://contoso.vault.azure.net",
        "https://",
        "https:///",
        "https:///contoso.vault.azure.net",
        "https://https://contoso.vault.azure.net",
        "ftp://contoso.vault.azure.net",
        "vault.azure.net",
        ".vault.azure.net",
        "contoso..vault.azure.net",
        ".contoso.vault.azure.net",
        "evilvault.azure.net",
        "contoso.evilvault.azure.net",
        "contoso.vault.azure.net.evil.com",
        "contoso.vault.azure.net@evil.com",
        "evil.com/contoso.vault.azure.net",
        "evil.com#.vault.azure.net",
        "evil.com?.vault.azure.net",
        "evil.com\\.vault.azure.net",
        "evil.com%2f.vault.azure.net",
        "contoso.vault.azure.com",
        "contoso.azure.net",
        "localhost.localdomain",
        "127.0.0.1",
        "[::1]",
        "contoso.vault.azure.us",
        "contoso.managedhsm.microsoftazure.de",
        "a123456789012345678901234567890123456789012345678901234567890123.vault.azure.net",
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vault_address address;
        if (address_parse(&config, rows[i], &address) != EKM_VAULT_NOT_ALLOWED) {
            fail_msg("accepted: %s", rows[i]);
        }
    }
}

static void hosts_have_a_longest(void **state)
{
    char identity[1100];
    struct vault_address address;
    (void)state;
    /* Labels of 49 and a dot, four times, then what fills 253 with the suffix. */
    size_t len = 0;
    while (len < 200) {
        memset(identity + len, 'a', 49);
        identity[len + 49] = '.';
        len += 50;
    }
    memset(identity + len, 'b', 60);
    strcpy(identity + 253 - strlen(".vault.azure.net"), ".vault.azure.net");
    assert_int_equal(strlen(identity), 253);
    assert_int_equal(address_parse(&config, identity, &address), EKM_OK);
    assert_string_equal(address.host, identity);
    memmove(identity + 1, identity, 254);
    assert_int_equal(address_parse(&config, identity, &address), EKM_VAULT_NOT_ALLOWED);
    memset(identity, 'a', sizeof identity - 1);
    identity[sizeof identity - 1] = '\0';
    assert_int_equal(address_parse(&config, identity, &address), EKM_VAULT_NOT_ALLOWED);
}

static void further_suffixes(void **state)
{
    char suffix[] = ".Vault.Contoso.local";
    char *items[] = {suffix};
    struct vault_address address;
    (void)state;
    assert_int_equal(address_parse(&config, "x.vault.contoso.local", &address),
                     EKM_VAULT_NOT_ALLOWED);
    config.vault_suffixes.items = items;
    config.vault_suffixes.count = 1;
    assert_int_equal(address_parse(&config, "X.vault.contoso.local", &address), EKM_OK);
    assert_string_equal(address.host, "x.vault.contoso.local");
    assert_string_equal(address.resource, "vault.contoso.local");
    assert_int_equal(address_parse(&config, "evilvault.contoso.local", &address),
                     EKM_VAULT_NOT_ALLOWED);
    assert_int_equal(address_parse(&config, "vault.contoso.local", &address),
                     EKM_VAULT_NOT_ALLOWED);
}

/* Every name of a cloud's login service, with the one that is used, and a vault of that cloud. */
static const struct {
    const char *vault, *login, *used;
} clouds[] = {
    {"c.vault.azure.net", "login.microsoftonline.com", "login.microsoftonline.com"},
    {"c.vault.azure.net", "LOGIN.MicrosoftOnline.com", "login.microsoftonline.com"},
    {"c.managedhsm.azure.net", "login.windows.net", "login.microsoftonline.com"},
    {"c.vault.azure.net", "login.microsoft.com", "login.microsoftonline.com"},
    {"c.vault.azure.net", "sts.windows.net", "login.microsoftonline.com"},
    {"c.vault.azure.cn", "login.partner.microsoftonline.cn", "login.partner.microsoftonline.cn"},
    {"c.managedhsm.azure.cn", "login.chinacloudapi.cn", "login.partner.microsoftonline.cn"},
    {"c.vault.usgovcloudapi.net", "login.microsoftonline.us", "login.microsoftonline.us"},
    {"c.managedhsm.usgovcloudapi.net", "login.usgovcloudapi.net", "login.microsoftonline.us"},
    {"c.vault.microsoftazure.de", "login.microsoftonline.de", "login.microsoftonline.de"},
    {"c.vault.sovcloud-api.fr", "login.sovcloud-identity.fr", "login.sovcloud-identity.fr"},
    {"c.managedhsm.sovcloud-api.fr", "login.sovcloud-identity.fr", "login.sovcloud-identity.fr"},
    {"c.vault.sovcloud-api.de", "login.sovcloud-identity.de", "login.sovcloud-identity.de"},
    {"c.managedhsm.sovcloud-api.de", "login.sovcloud-identity.de", "login.sovcloud-identity.de"},
};
#define CLOUDS (sizeof clouds / sizeof clouds[0])

static const char *login_of(const char *vault, const char *login)
{
    struct vault_address address;
    assert_int_equal(address_parse(&config, vault, &address), EKM_OK);
    return address_login(&config, &address, login);
}

/* The secret goes to the login service of the vault's own cloud, under one name. */
static void address_authorities(void **state)
{
    (void)state;
    for (size_t i = 0; i < CLOUDS; i++) {
        assert_string_equal(login_of(clouds[i].vault, clouds[i].login), clouds[i].used);
        for (size_t j = 0; j < CLOUDS; j++) {
            const char *login = login_of(clouds[i].vault, clouds[j].login);
            bool same = strcmp(clouds[i].used, clouds[j].used) == 0;
            assert_true(same ? strcmp(login, clouds[i].used) == 0 : login == NULL);
        }
    }
    assert_null(login_of("c.vault.azure.net", "login.sovcloud-identity.sg"));
}

static void malformed_authorities(void **state)
{
    static const char *const strangers[] = {
        "",
        "login",
        "microsoftonline.com",
        "xlogin.microsoftonline.com",
        "x.login.microsoftonline.com",
        "login.microsoftonline.com.",
        "login.microsoftonline.com.evil.com",
        "login.microsoftonline.co",
        "login.microsoftonline.com:443",
        "contoso.vault.azure.net",
    };
    (void)state;
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        assert_null(login_of("contoso", strangers[i]));
    }
}

/* Hosts that the administrator adds count for every vault and are used as they are written. */
static void further_authorities(void **state)
{
    char host[] = "login.contoso.local", alias[] = "login.windows.net";
    char *items[] = {host, alias};
    (void)state;
    assert_null(login_of("c.vault.azure.cn", "login.contoso.local"));
    config.authority_hosts.items = items;
    config.authority_hosts.count = 2;
    assert_string_equal(login_of("c.vault.azure.cn", "login.contoso.local"), host);
    assert_null(login_of("contoso", "x.login.contoso.local"));
    assert_string_equal(login_of("contoso", "login.windows.net"), alias);
    assert_string_equal(login_of("contoso", "sts.windows.net"), "login.microsoftonline.com");
}

/* A vault of vault_suffixes is of no cloud that is known: any login service may be its own. */
static void authorities_of_further_suffixes(void **state)
{
    char suffix[] = ".vault.contoso.local";
    char *items[] = {suffix};
    (void)state;
    config.vault_suffixes.items = items;
    config.vault_suffixes.count = 1;
    assert_string_equal(login_of("x.vault.contoso.local", "login.windows.net"),
                        "login.microsoftonline.com");
    assert_string_equal(login_of("x.vault.contoso.local", "login.chinacloudapi.cn"),
                        "login.partner.microsoftonline.cn");
    assert_string_equal(login_of("x.vault.contoso.local", "login.sovcloud-identity.sg"),
                        "login.sovcloud-identity.sg");
    assert_null(login_of("x.vault.contoso.local", "login.contoso.local"));
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(identities_that_name_a_vault), TEST(identities_that_are_refused),
        TEST(hosts_have_a_longest),         TEST(further_suffixes),
        TEST(address_authorities),          TEST(malformed_authorities),
        TEST(further_authorities),          TEST(authorities_of_further_suffixes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
