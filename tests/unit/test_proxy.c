/* The proxy for each host, and the log lines about it. */
// only: posix
// with: scratch.c
#include "net/proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/text.h"
#include "scratch.h"

#define VAULT "contoso.vault.azure.net"

static struct config config;
static char content[8192];

static int set_up(void **state)
{
    static const char *const names[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
                                        "http_proxy",  "HTTP_PROXY",  "no_proxy",  "NO_PROXY"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)unsetenv(names[i]);
    }
    config_defaults(&config);
    return make_folder(state);
}

static int tear_down(void **state)
{
    proxy_stop();
    log_stop();
    return remove_folder(state);
}

/* The log lines about it at the start. */
static const char *test_proxy_report(void)
{
    (void)text_copy(config.log_file, sizeof config.log_file, path);
    log_start(&config);
    proxy_start(&config);
    proxy_report();
    log_stop();
    assert_int_equal(get(path, PLAT_TRUST_ANY, content, sizeof content), PLAT_IO_OK);
    return content;
}

static void test_variables_are_read_in_curls_order(void **state)
{
    (void)state;
    char shown[160];
    (void)setenv("ALL_PROXY", "http://all:1", 1);
    (void)setenv("http_proxy", "http://plain:4", 1);
    proxy_start(&config);
    assert_string_equal(proxy_fixed(), "http://all:1");
    (void)setenv("HTTPS_PROXY", "http://upper:2", 1);
    proxy_start(&config);
    assert_string_equal(proxy_fixed(), "http://upper:2");
    (void)setenv("https_proxy", "http://user:pa:ss@w@lower:3", 1);
    proxy_start(&config);
    assert_true(proxy_leads_to(VAULT, shown, sizeof shown));
    assert_string_equal(shown, "http://***@lower:3");
    (void)setenv("https_proxy", "", 1);
    proxy_start(&config);
    assert_string_equal(proxy_fixed(), "http://upper:2");
    /* The setting overrules all of them. */
    config.has_proxy = true;
    proxy_start(&config);
    assert_string_equal(proxy_fixed(), "");
    assert_false(proxy_leads_to(VAULT, shown, sizeof shown));
    assert_string_equal(shown, "");
}

static void test_a_proxy_of_the_environment_is_logged_without_its_password(void **state)
{
    (void)state;
    (void)setenv("HTTPS_PROXY", "http://user:hunter2@proxy.local:3128", 1);
    (void)setenv("NO_PROXY", "localhost, .local", 1);
    const char *log = test_proxy_report();
    assert_non_null(strstr(log, "from=\"HTTPS_PROXY\" proxy=\"http://***@proxy.local:3128\""));
    assert_non_null(strstr(log, "without=\"localhost,.local\""));
    assert_null(strstr(log, "hunter2"));
    assert_null(strstr(log, " error "));
}

/* As curl does with a URL that it does not understand. */
static void test_a_password_that_is_quoted_is_blotted_out(void **state)
{
    static const struct {
        const char *proxy, *text, *left;
    } rows[] = {
        {"http://us:p@ss@lower:3", "syntax in 'http://us:p@ss@lower:3'",
         "syntax in 'http://***@lower:3'"},
        {"us:pw@lower:3", "'us:pw@lower:3' and us:pw", "'***@lower:3' and ***"},
        {"x@lower:3", "x@lower:3", "*@lower:3"},
        {"http://lower:3", "no proxy at lower:3", "no proxy at lower:3"},
        {"@lower:3", "@lower:3", "@lower:3"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[100];
        (void)setenv("https_proxy", rows[i].proxy, 1);
        (void)text_copy(text, sizeof text, rows[i].text);
        proxy_start(&config);
        proxy_hide(VAULT, text);
        assert_string_equal(text, rows[i].left);
    }
}

static void test_entries_are_taken_as_they_were_meant(void **state)
{
    static const struct {
        const char *list, *read;
        bool exempt;
    } cases[] = {
        {"*.vault.azure.net", ".vault.azure.net", true},
        {"a.b;vault.azure.net", "a.b,vault.azure.net", true},
        {VAULT ":443", VAULT, true},
        {"https://" VAULT, VAULT, true},
        {"https://" VAULT "/", VAULT, true},
        {VAULT ".", VAULT, true},
        {"*.azure.net:443 ; x", ".azure.net,x", true},
        {"localhost,*", "*", true},
        {"*", "*", true},
        {VAULT ":8443", "", false},
        {"other.vault.azure.net", "other.vault.azure.net", false},
        {"ault.azure.net", "ault.azure.net", false},
        {"10.0.0.0/8,[::1],fe80::/10", "10.0.0.0/8,[::1],fe80::/10", false},
        {" ,; ", "", false},
    };
    (void)state;
    config.has_proxy = config.has_no_proxy = true;
    (void)text_copy(config.proxy, sizeof config.proxy, "http://proxy:1");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char shown[160];
        (void)text_copy(config.no_proxy, sizeof config.no_proxy, cases[i].list);
        proxy_start(&config);
        assert_string_equal(proxy_exempt(), cases[i].read);
        assert_int_equal(proxy_leads_to(VAULT, shown, sizeof shown), !cases[i].exempt);
    }
}

static void test_entries_that_nothing_can_match_are_reported(void **state)
{
    (void)state;
    (void)setenv("https_proxy", "http://proxy:1", 1);
    (void)setenv("no_proxy", "good.local,contoso*.vault.azure.net,<local>,a:8080,b/c", 1);
    const char *log = test_proxy_report();
    assert_non_null(strstr(log, " error "));
    assert_non_null(strstr(log, "from=\"no_proxy\" "
                                "entries=\"contoso*.vault.azure.net,<local>,a:8080,b/c\""));
    assert_non_null(strstr(log, "without=\"good.local\""));
}

static void test_addresses_exempt_no_vault(void **state)
{
    (void)state;
    (void)setenv("https_proxy", "http://proxy:1", 1);
    (void)setenv("no_proxy", "127.0.0.1,::1,localhost", 1);
    assert_null(strstr(test_proxy_report(), "addresses"));
    (void)unlink(path);
    (void)setenv("no_proxy", "127.0.0.1,10.0.0.0/8", 1);
    const char *log = test_proxy_report();
    assert_non_null(strstr(log, "no_proxy names addresses"));
    assert_null(strstr(log, " error "));
}

static void test_a_value_that_is_too_long_is_reported(void **state)
{
    static char list[10000];
    (void)state;
    memset(list, 'a', sizeof list - 1);
    (void)setenv("no_proxy", list, 1);
    assert_non_null(strstr(test_proxy_report(), "no_proxy is longer than 8191 bytes"));
    assert_string_equal(proxy_exempt(), "");
}

static void test_the_way_of_a_try_is_noted(void **state)
{
    (void)state;
    struct call call;
    config.has_proxy = true;
    (void)text_copy(config.proxy, sizeof config.proxy, "http://u:p@proxy:1");
    proxy_start(&config);
    call_begin(&call, "Test", &config);
    proxy_note(&call, VAULT, "fe80::1", 3128);
    assert_string_equal(call.proxy, "http://***@proxy:1");
    assert_string_equal(call.peer, "[fe80::1]:3128");
    proxy_note(&call, VAULT, "10.1.2.3", 443);
    assert_string_equal(call.peer, "10.1.2.3:443");
    proxy_note(&call, VAULT, "", 0);
    assert_string_equal(call.peer, "");
    call_new_try(&call);
    assert_string_equal(call.proxy, "");
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_variables_are_read_in_curls_order),
        EACH(test_a_proxy_of_the_environment_is_logged_without_its_password),
        EACH(test_a_password_that_is_quoted_is_blotted_out),
        EACH(test_entries_are_taken_as_they_were_meant),
        EACH(test_entries_that_nothing_can_match_are_reported),
        EACH(test_addresses_exempt_no_vault),
        EACH(test_a_value_that_is_too_long_is_reported),
        EACH(test_the_way_of_a_try_is_noted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
