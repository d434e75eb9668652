/* Lists of proxies and of hosts that go round them, as Windows writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/system_proxy.h"

static void test_lists(void **state)
{
    static const struct {
        const char *list, *proxy;
    } rows[] = {
        {"proxy:8080", "http://proxy:8080"},
        {"http=a:80;https=b:8080;socks=c:1080", "http://b:8080"},
        {"http=a:80 HTTPS=https://b:443", "https://b:443"},
        {"http=a:80", ""},
        {"any:1;https=b:2", "http://b:2"},
        {"first:1; second:2", "http://first:1"},
        {"", ""},
        {" ; ", ""},
    };
    char proxy[64];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(system_proxy_pick(rows[i].list, proxy, sizeof proxy),
                         rows[i].proxy[0] != '\0');
        assert_string_equal(proxy, rows[i].proxy);
    }
    assert_false(system_proxy_pick("a-name-that-does-not-fit:8080", proxy, 12));
}

static void test_hosts_that_bypass_the_proxy(void **state)
{
    static const struct {
        const char *bypass, *host;
        bool around;
    } rows[] = {
        {"", "a.test", false},
        {"a.test", "A.Test", true},
        {"a.test", "b.a.test", false},
        {"*.a.test", "b.a.test", true},
        {"*.a.test", "a.test", false},
        {"*a.te*", "b.a.test", true},
        {"10.*; *.b.test", "10.1.2.3", true},
        {"10.*; *.b.test", "x.b.test", true},
        {"10.*; *.b.test", "x.c.test", false},
        {"<local>", "server", true},
        {"<local>", "server.test", false},
        {"https://*.a.test", "b.a.test", true},
        {"*", "anything", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(system_proxy_bypassed(rows[i].bypass, rows[i].host), rows[i].around);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_hosts_that_bypass_the_proxy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
