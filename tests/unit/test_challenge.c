/* The effects of a vault's 401 (specification.md section 2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "vault/challenge.h"

#define TENANT    "72f988bf-86f1-41af-91ab-2d7cd011db47"
#define AUTHORITY "https://login.microsoftonline.com/" TENANT
#define RESOURCE  "https://vault.azure.net"

static struct config config;
static struct call call;
static struct vault_address vault;
static struct challenge challenge;

static int set_up(void **state)
{
    (void)state;
    config_defaults(&config);
    call_begin(&call, "Test", &config);
    memset(&challenge, 0, sizeof challenge);
    challenge_forget_all();
    return address_parse(&config, "contoso", &vault) == EKM_OK ? 0 : -1;
}

static enum ekm_rc test_challenge_parse(const char *value)
{
    call_new_try(&call);
    enum ekm_rc rc = challenge_parse(&call, &vault, value, &challenge);
    if (call.error.rc != rc) {
        fail_msg("the call says %s, not %s: %s", ekm_name(call.error.rc), ekm_name(rc), value);
    }
    return rc;
}

static enum ekm_rc parse_pair(const char *authority, const char *resource)
{
    char value[2048];
    (void)text_format(value, sizeof value, "Bearer authorization=\"%s\", resource=\"%s\"",
                      authority, resource);
    return test_challenge_parse(value);
}

static void accepted_spellings_of_a_challenge(void **state)
{
    static const char *const rows[] = {
        "Bearer authorization=\"" AUTHORITY "\", resource=\"" RESOURCE "\"",
        "bearer authorization=\"" AUTHORITY "\", resource=\"" RESOURCE "\"",
        "Bearer resource=\"" RESOURCE "\", authorization=\"" AUTHORITY "\"",
        "Bearer authorization=\"" AUTHORITY "\" resource=\"" RESOURCE "\"",
        "Bearer authorization=\"" AUTHORITY "\",resource=\"" RESOURCE "\",",
        "Bearer authorization=" AUTHORITY ", resource=" RESOURCE,
        "Bearer AUTHORIZATION=\"" AUTHORITY "\", Resource=\"" RESOURCE "\"",
        "Bearer authorization_uri=\"" AUTHORITY "\", resource=\"" RESOURCE "\"",
        "Bearer authorization=\"" AUTHORITY "\", scope=\"" RESOURCE "/.default\"",
        "Bearer authorization=\"" AUTHORITY "\", scope=\"" RESOURCE "\"",
        "Bearer authorization=\"" AUTHORITY "\", resource=\"" RESOURCE "/\"",
        "Bearer authorization=\"" AUTHORITY "/\", resource=\"" RESOURCE "\"",
        "Bearer authorization=\"" AUTHORITY "/oauth2/authorize\", resource=\"" RESOURCE "\"",
        "Bearer authorization=\"HTTPS://Login.MicrosoftOnline.com/" TENANT
        "\", resource=\"https://Vault.Azure.net\"",
        "Bearer realm=\"\", supportspop=\"true\", authorization=\"" AUTHORITY
        "\", x-ms-message-signing-key=\"a=b,c\", resource=\"" RESOURCE "\"",
        "Bearer realm=\"a \\\"quoted\\\" one\", authorization=\"" AUTHORITY
        "\", resource=\"" RESOURCE "\"",
        "PoP authorization=\"https://evil.com/t\", nonce=\"x\", Bearer authorization=\"" AUTHORITY
        "\", resource=\"" RESOURCE "\"",
        "Bearer authorization=\"" AUTHORITY "\", resource=\"" RESOURCE
        "\", PoP authorization=\"https://evil.com/t\", resource=\"https://evil.com\"",
        "  Bearer   authorization = \"" AUTHORITY "\" ,  resource = \"" RESOURCE "\"  ",
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        memset(&challenge, 0, sizeof challenge);
        if (test_challenge_parse(rows[i]) != EKM_OK) {
            fail_msg("refused (%s: %s): %s", ekm_name(call.error.rc), call.error.note, rows[i]);
        }
        assert_string_equal(challenge.authority, "login.microsoftonline.com");
        assert_string_equal(challenge.tenant, TENANT);
        assert_string_equal(challenge.resource, "vault.azure.net");
    }
}

static void all_clouds(void **state)
{
    static const char *const rows[][3] = {
        {"c.managedhsm.azure.net", "login.microsoftonline.com", "managedhsm.azure.net"},
        {"c.vault.usgovcloudapi.net", "login.microsoftonline.us", "vault.usgovcloudapi.net"},
        {"c.managedhsm.usgovcloudapi.net", "login.microsoftonline.us",
         "managedhsm.usgovcloudapi.net"},
        {"c.vault.azure.cn", "login.partner.microsoftonline.cn", "vault.azure.cn"},
        {"c.vault.sovcloud-api.fr", "login.sovcloud-identity.fr", "vault.sovcloud-api.fr"},
        {"c.managedhsm.sovcloud-api.de", "login.sovcloud-identity.de",
         "managedhsm.sovcloud-api.de"},
        {"c.vault.microsoftazure.de", "login.microsoftonline.de", "vault.microsoftazure.de"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char authority[256], resource[256];
        assert_int_equal(address_parse(&config, rows[i][0], &vault), EKM_OK);
        (void)text_format(authority, sizeof authority, "https://%s/contoso.onmicrosoft.com",
                          rows[i][1]);
        (void)text_format(resource, sizeof resource, "https://%s", rows[i][2]);
        assert_int_equal(parse_pair(authority, resource), EKM_OK);
        assert_string_equal(challenge.authority, rows[i][1]);
        assert_string_equal(challenge.tenant, "contoso.onmicrosoft.com");
        assert_string_equal(challenge.resource, rows[i][2]);
    }
}

/* Any name of the cloud's login service serves, and one of them is used. */
static void aliases_of_a_cloud(void **state)
{
    static const char *const rows[][3] = {
        {"c.vault.azure.net", "login.windows.net", "login.microsoftonline.com"},
        {"c.vault.azure.net", "STS.windows.net", "login.microsoftonline.com"},
        {"c.vault.azure.cn", "login.chinacloudapi.cn", "login.partner.microsoftonline.cn"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char authority[256], resource[300];
        assert_int_equal(address_parse(&config, rows[i][0], &vault), EKM_OK);
        (void)text_format(authority, sizeof authority, "https://%s/" TENANT, rows[i][1]);
        (void)text_format(resource, sizeof resource, "https://%s", vault.resource);
        assert_int_equal(parse_pair(authority, resource), EKM_OK);
        assert_string_equal(challenge.authority, rows[i][2]);
    }
}

/* A vault of public Azure that names another cloud's login service: no secret goes there. */
static void authorities_of_other_clouds(void **state)
{
    static const char *const logins[] = {
        "login.partner.microsoftonline.cn", "login.chinacloudapi.cn",
        "login.microsoftonline.us",         "login.usgovcloudapi.net",
        "login.microsoftonline.de",         "login.sovcloud-identity.fr",
        "login.sovcloud-identity.de",       "login.sovcloud-identity.sg",
    };
    (void)state;
    for (size_t i = 0; i < sizeof logins / sizeof logins[0]; i++) {
        char authority[256];
        (void)text_format(authority, sizeof authority, "https://%s/" TENANT, logins[i]);
        assert_int_equal(parse_pair(authority, "https://vault.azure.net"), EKM_CHALLENGE_FOREIGN);
        assert_non_null(strstr(call.error.note, logins[i]));
    }
}

static void foreign_authorities(void **state)
{
    static const char *const rows[] = {
        "https://evil.com/" TENANT,
        "http://login.microsoftonline.com/" TENANT,
        "login.microsoftonline.com/" TENANT,
        "//login.microsoftonline.com/" TENANT,
        "https://login.microsoftonline.com.evil.com/" TENANT,
        "https://xlogin.microsoftonline.com/" TENANT,
        "https://login.microsoftonline.com./" TENANT,
        "https://login.microsoftonline.com:443/" TENANT,
        "https://login.microsoftonline.com:8443/" TENANT,
        "https://user@login.microsoftonline.com/" TENANT,
        "https://login.microsoftonline.com@evil.com/" TENANT,
        "https://login.microsoftonline.com:x@evil.com/" TENANT,
        "https://login.microsoftonline.com\\@evil.com/" TENANT,
        "https://evil.com#login.microsoftonline.com/" TENANT,
        "https://evil.com?login.microsoftonline.com/" TENANT,
        "https://login.microsoftonline.com/" TENANT "?x=y",
        "https://login.microsoftonline.com/" TENANT "#x",
        "https://login.microsoftonline.com/" TENANT "/../x@y",
        "https:///" TENANT,
        "https://",
        "javascript:alert(1)",
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (parse_pair(rows[i], RESOURCE) != EKM_CHALLENGE_FOREIGN) {
            fail_msg("%s: %s", ekm_name(call.error.rc), rows[i]);
        }
    }
}

static void malformed_tenants(void **state)
{
    static const char *const rows[] = {
        "https://login.microsoftonline.com",
        "https://login.microsoftonline.com/",
        "https://login.microsoftonline.com//x",
        "https://login.microsoftonline.com/..",
        "https://login.microsoftonline.com/a%2fb",
        "https://login.microsoftonline.com/a_b",
        "https://login.microsoftonline.com/a b",
        "https://login.microsoftonline.com/t\xc3\xa9nant",
        ("https://login.microsoftonline.com/"
         "a1234567890123456789012345678901234567890123456789012345678901234"),
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum ekm_rc rc = parse_pair(rows[i], RESOURCE);
        if (rc != EKM_CHALLENGE_MALFORMED && rc != EKM_CHALLENGE_FOREIGN) {
            fail_msg("%s: %s", ekm_name(rc), rows[i]);
        }
    }
    assert_int_equal(parse_pair("https://login.microsoftonline.com/"
                                "a123456789012345678901234567890123456789012345678901234567890123",
                                RESOURCE),
                     EKM_OK);
}

static void foreign_resources(void **state)
{
    static const char *const rows[] = {
        "https://graph.microsoft.com",
        "https://managedhsm.azure.net",
        "https://vault.azure.cn",
        "https://azure.net",
        "https://net",
        "https://contoso.vault.azure.net",
        "https://xvault.azure.net",
        "https://vault.azure.net.evil.com",
        "https://vault.azure.net.",
        "https://vault.azure.net:443",
        "https://vault.azure.net/x",
        "https://vault.azure.net//",
        "https://vault.azure.net?x",
        "https://vault.azure.net#x",
        "https://user@vault.azure.net",
        "https://evil.com/vault.azure.net",
        "http://vault.azure.net",
        "vault.azure.net",
        "https://",
        "/.default",
        "https:///.default",
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (parse_pair(AUTHORITY, rows[i]) != EKM_CHALLENGE_FOREIGN) {
            fail_msg("%s: %s", ekm_name(call.error.rc), rows[i]);
        }
    }
}

/* Whichever of two the parser prefers, a foreign one beside a good one must not go unseen. */
static void a_foreign_parameter_beside_a_right_one_is_refused(void **state)
{
    (void)state;
    assert_int_equal(test_challenge_parse(
                         "Bearer authorization=\"https://evil.com/t\", authorization=\"" AUTHORITY
                         "\", resource=\"" RESOURCE "\""),
                     EKM_CHALLENGE_FOREIGN);
    enum ekm_rc rc =
        test_challenge_parse("Bearer authorization=\"" AUTHORITY
                             "\", authorization=\"https://evil.com/t\", resource=\"" RESOURCE "\"");
    assert_true(rc != EKM_OK || strcmp(challenge.authority, "login.microsoftonline.com") == 0);
}

static void challenge_malformed(void **state)
{
    static const char *const rows[] = {
        "",
        "   ",
        "Bearer",
        "Basic realm=\"x\"",
        "Negotiate",
        "PoP authorization=\"" AUTHORITY "\", resource=\"" RESOURCE "\"",
        "authorization=\"" AUTHORITY "\", resource=\"" RESOURCE "\"",
        "Bearer resource=\"" RESOURCE "\"",
        "Bearer authorization=\"\", resource=\"" RESOURCE "\"",
        "Bearer authorization=\"" AUTHORITY "\", resource=\"" RESOURCE,
        "Bearer authorization=\"" AUTHORITY ", resource=" RESOURCE,
        "Bearer error=\"insufficient_claims\", claims=\"eyJ9\"",
        "Bearer =\"x\"",
        "\"",
        "=",
        ",,,,",
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (test_challenge_parse(rows[i]) != EKM_CHALLENGE_MALFORMED) {
            fail_msg("%s: %s", ekm_name(call.error.rc), rows[i]);
        }
    }
}

static void no_resource(void **state)
{
    (void)state;
    assert_int_equal(test_challenge_parse("Bearer authorization=\"" AUTHORITY "\""),
                     EKM_CHALLENGE_NO_RESOURCE);
    assert_int_equal(test_challenge_parse("Bearer authorization=\"" AUTHORITY "\", resource=\"\""),
                     EKM_CHALLENGE_NO_RESOURCE);
}

/* Every truncation and every single changed byte: no crash, and never a host that is not allowed.
 */
static void challenge_mutations(void **state)
{
    static const char whole[] = "PoP a=b, Bearer authorization=\"" AUTHORITY
                                "\", realm=\"\\\"\", scope=" RESOURCE "/.default";
    static const char strange[] = "\"\\,= @:/?#%\t\x7f\xff.a";
    char value[sizeof whole];
    (void)state;
    for (size_t i = 0; i < sizeof whole; i++) {
        for (size_t j = 0; j < sizeof strange; j++) {
            memcpy(value, whole, sizeof whole);
            value[i < sizeof whole - 1 ? i : 0] = strange[j];
            if (test_challenge_parse(value) == EKM_OK) {
                assert_string_equal(challenge.authority, "login.microsoftonline.com");
                assert_string_equal(challenge.resource, "vault.azure.net");
                assert_true(text_is_name(challenge.tenant, ".-", 64));
            }
        }
    }
}

static void overlong_values(void **state)
{
    char value[8192] = "Bearer realm=\"";
    (void)state;
    size_t len = strlen(value);
    memset(value + len, 'x', 7000);
    (void)text_copy(value + len + 7000, sizeof value - len - 7000,
                    "\", authorization=\"" AUTHORITY "\", resource=\"" RESOURCE "\"");
    enum ekm_rc rc = test_challenge_parse(value);
    assert_true(rc == EKM_OK || rc == EKM_CHALLENGE_MALFORMED);
    memset(value, 'B', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    assert_int_equal(test_challenge_parse(value), EKM_CHALLENGE_MALFORMED);
}

/* A key for signed requests, say, is nothing to us, and may be long. */
static void long_values_of_other_parameters(void **state)
{
    char value[4096];
    (void)state;
    for (size_t len = 900; len < 3000; len += 61) {
        for (int quoted = 0; quoted < 2; quoted++) {
            (void)text_copy(value, sizeof value, "Bearer x-ms-message-signing-key=");
            size_t start = strlen(value);
            memset(value + start, quoted ? '"' : 'x', len);
            memset(value + start + 1, 'x', len - 2);
            (void)text_copy(value + start + len, sizeof value - start - len,
                            ", authorization=\"" AUTHORITY "\", resource=\"" RESOURCE "\"");
            assert_int_equal(test_challenge_parse(value), EKM_OK);
            assert_string_equal(challenge.tenant, TENANT);
        }
    }
}

/* Cut, it might look like a good one. */
static void long_values_of_ours(void **state)
{
    char authority[1500], resource[1024];
    (void)state;
    memset(authority, 'x', sizeof authority);
    memcpy(authority, AUTHORITY "/", sizeof AUTHORITY);
    authority[sizeof authority - 1] = '\0';
    assert_int_equal(parse_pair(authority, RESOURCE), EKM_CHALLENGE_MALFORMED);
    memset(resource, '/', sizeof resource);
    memcpy(resource, RESOURCE, sizeof RESOURCE - 1);
    resource[sizeof resource - 1] = '\0';
    assert_int_equal(parse_pair(AUTHORITY, resource), EKM_CHALLENGE_FOREIGN);
}

static bool test_challenge_recall(const char *host, struct challenge *out, bool *guessed)
{
    struct vault_address address = {"", "vault.azure.net"};
    (void)text_copy(address.host, sizeof address.host, host);
    return challenge_recall(&address, out, guessed);
}

static void remembered_by_vault(void **state)
{
    bool guessed = false;
    struct challenge first = {"login.microsoftonline.com", "t1", "vault.azure.net"};
    struct challenge second = {"login.microsoftonline.com", "t2", "vault.azure.net"};
    struct challenge found;
    (void)state;
    assert_false(test_challenge_recall("a.vault.azure.net", &found, &guessed));
    challenge_remember("a.vault.azure.net", &first);
    assert_true(test_challenge_recall("a.vault.azure.net", &found, &guessed));
    assert_string_equal(found.tenant, "t1");
    assert_false(test_challenge_recall("b.vault.azure.net", &found, &guessed));
    challenge_remember("a.vault.azure.net", &second);
    assert_true(test_challenge_recall("a.vault.azure.net", &found, &guessed));
    assert_string_equal(found.tenant, "t2");
    challenge_forget_all();
    assert_false(test_challenge_recall("a.vault.azure.net", &found, &guessed));
}

/* The memory is bounded; the newest are there. */
static void many_vaults(void **state)
{
    struct challenge one = {"login.microsoftonline.com", "t", "vault.azure.net"}, found;
    char host[64];
    bool guessed = false;
    (void)state;
    for (int i = 0; i < 3000; i++) {
        (void)snprintf(host, sizeof host, "v%d.vault.azure.net", i);
        (void)snprintf(one.tenant, sizeof one.tenant, "t%d", i);
        challenge_remember(host, &one);
        assert_true(test_challenge_recall(host, &found, &guessed));
        assert_string_equal(found.tenant, one.tenant);
    }
}

/* A hint gives the tenant alone: authority and resource are those of the vault's cloud. */
static void guessed_from_a_hint(void **state)
{
    struct challenge said = {"login.windows.net", "t2", "vault.azure.net"}, found;
    char tenant[CHALLENGE_TENANT_MAX + 1];
    bool guessed = false;
    (void)state;
    challenge_forget_all();
    assert_int_equal(challenge_suggest("a.vault.azure.net", "t1"), EKM_OK);
    assert_true(test_challenge_recall("a.vault.azure.net", &found, &guessed));
    assert_true(guessed);
    assert_string_equal(found.authority, "login.microsoftonline.com");
    assert_string_equal(found.tenant, "t1");
    assert_string_equal(found.resource, "vault.azure.net");
    assert_false(challenge_is_news("a.vault.azure.net", tenant));
    challenge_remember("a.vault.azure.net", &said);
    assert_true(test_challenge_recall("a.vault.azure.net", &found, &guessed));
    assert_false(guessed);
    assert_string_equal(found.authority, "login.windows.net");
    assert_true(challenge_is_news("a.vault.azure.net", tenant));
    assert_string_equal(tenant, "t2");
    assert_false(challenge_is_news("a.vault.azure.net", tenant));
}

static void malformed_hints(void **state)
{
    static const char *const wrong[] = {"", ".", "..", "a/b", "a b", "a%2fb", "a@b", "a?b"};
    struct vault_address elsewhere = {"a.vault.example.org", "vault.example.org"};
    struct challenge found;
    bool guessed = false;
    (void)state;
    challenge_forget_all();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(challenge_suggest("a.vault.azure.net", wrong[i]), EKM_REQUEST_REFUSED);
    }
    assert_false(test_challenge_recall("a.vault.azure.net", &found, &guessed));
    /* A cloud whose authority is not known. */
    assert_int_equal(challenge_suggest(elsewhere.host, "t1"), EKM_OK);
    assert_false(challenge_recall(&elsewhere, &found, &guessed));
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(accepted_spellings_of_a_challenge),
        TEST(all_clouds),
        TEST(aliases_of_a_cloud),
        TEST(authorities_of_other_clouds),
        TEST(foreign_authorities),
        TEST(malformed_tenants),
        TEST(foreign_resources),
        TEST(a_foreign_parameter_beside_a_right_one_is_refused),
        TEST(challenge_malformed),
        TEST(no_resource),
        TEST(challenge_mutations),
        TEST(overlong_values),
        TEST(long_values_of_other_parameters),
        TEST(long_values_of_ours),
        TEST(remembered_by_vault),
        TEST(many_vaults),
        TEST(guessed_from_a_hint),
        TEST(malformed_hints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
