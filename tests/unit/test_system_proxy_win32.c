/* The source that decides the proxy, for how long, and which host may ask for the service's
 * account. */
// only: windows
// wrap: WinHttpGetIEProxyConfigForCurrentUser WinHttpGetDefaultProxyConfiguration
// wrap: WinHttpGetProxyForUrl plat_now_ms
#include <windows.h>

#include <winhttp.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/system_proxy.h"
#include "platform/system.h"

#define HOST "contoso.vault.azure.net"

static struct {
    bool detect;
    const wchar_t *script, *account, *machine; /* NULL: not set */
    DWORD script_error;                        /* 0: it answers */
    bool wants_logon;
    const wchar_t *answer; /* of the script; NULL: DIRECT */
    bool unreadable;
} world;
static int times_asked, times_logged_on;
static uint64_t now_ms;

uint64_t __wrap_plat_now_ms(void);
uint64_t __wrap_plat_now_ms(void)
{
    return now_ms;
}

static wchar_t *system_proxy_copy(const wchar_t *text)
{
    wchar_t *out = NULL;
    if (text != NULL) {
        out = GlobalAlloc(GPTR, (wcslen(text) + 1) * sizeof *text);
        assert_non_null(out);
        wcscpy(out, text);
    }
    return out;
}

BOOL WINAPI __wrap_WinHttpGetIEProxyConfigForCurrentUser(WINHTTP_CURRENT_USER_IE_PROXY_CONFIG *out);
BOOL WINAPI __wrap_WinHttpGetIEProxyConfigForCurrentUser(WINHTTP_CURRENT_USER_IE_PROXY_CONFIG *out)
{
    if (world.unreadable) {
        SetLastError(ERROR_FILE_NOT_FOUND);
        return FALSE;
    }
    *out = (WINHTTP_CURRENT_USER_IE_PROXY_CONFIG){world.detect, system_proxy_copy(world.script),
                                                  system_proxy_copy(world.account), NULL};
    return TRUE;
}

BOOL WINAPI __wrap_WinHttpGetDefaultProxyConfiguration(WINHTTP_PROXY_INFO *out);
BOOL WINAPI __wrap_WinHttpGetDefaultProxyConfiguration(WINHTTP_PROXY_INFO *out)
{
    DWORD type =
        world.machine != NULL ? WINHTTP_ACCESS_TYPE_NAMED_PROXY : WINHTTP_ACCESS_TYPE_NO_PROXY;
    *out = (WINHTTP_PROXY_INFO){type, system_proxy_copy(world.machine), NULL};
    return TRUE;
}

BOOL WINAPI __wrap_WinHttpGetProxyForUrl(HINTERNET session, LPCWSTR url,
                                         WINHTTP_AUTOPROXY_OPTIONS *options,
                                         WINHTTP_PROXY_INFO *out);
BOOL WINAPI __wrap_WinHttpGetProxyForUrl(HINTERNET session, LPCWSTR url,
                                         WINHTTP_AUTOPROXY_OPTIONS *options,
                                         WINHTTP_PROXY_INFO *out)
{
    (void)session;
    assert_int_equal(wcscmp(url, L"https://" HOST "/"), 0);
    assert_int_equal(options->dwFlags == WINHTTP_AUTOPROXY_CONFIG_URL, world.script != NULL);
    times_asked++;
    times_logged_on += options->fAutoLogonIfChallenged;
    DWORD error = world.script_error;
    if (error == 0 && world.wants_logon && !options->fAutoLogonIfChallenged) {
        error = ERROR_WINHTTP_LOGIN_FAILURE;
    }
    if (error != 0) {
        SetLastError(error);
        return FALSE;
    }
    DWORD type =
        world.answer != NULL ? WINHTTP_ACCESS_TYPE_NAMED_PROXY : WINHTTP_ACCESS_TYPE_NO_PROXY;
    *out = (WINHTTP_PROXY_INFO){type, system_proxy_copy(world.answer), NULL};
    return TRUE;
}

static int system_proxy_reset(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    times_asked = times_logged_on = 0;
    now_ms = 5000;
    system_proxy_forget();
    return 0;
}

static void expect_proxy(const char *wanted)
{
    char proxy[64];
    assert_int_equal(system_proxy_find(HOST, proxy, sizeof proxy), wanted[0] != '\0');
    assert_string_equal(proxy, wanted);
}

/* The network comes later than the service: what failed once is asked again, not at each call. */
static void test_failed_search_is_repeated(void **state)
{
    (void)state;
    world.detect = true;
    world.script_error = ERROR_WINHTTP_AUTODETECTION_FAILED;
    world.answer = L"late.test:3128";
    expect_proxy("");
    world.script_error = 0;
    now_ms += 59000;
    expect_proxy("");
    assert_int_equal(times_asked, 1);
    now_ms += 2000;
    expect_proxy("http://late.test:3128");
    now_ms += 3600000;
    expect_proxy("http://late.test:3128");
    assert_int_equal(times_asked, 2);
}

/* The replacement of the script does not stay either. */
static void test_what_replaced_a_failed_script_is_dropped(void **state)
{
    (void)state;
    world.script = L"http://pac.test/proxy.pac";
    world.script_error = ERROR_WINHTTP_UNABLE_TO_DOWNLOAD_SCRIPT;
    world.account = L"fixed.test:1";
    world.answer = L"late.test:3128";
    expect_proxy("http://fixed.test:1");
    world.script_error = 0;
    now_ms += 61000;
    expect_proxy("http://late.test:3128");
}

static void test_unreadable_settings_are_read_again(void **state)
{
    (void)state;
    world.unreadable = true;
    expect_proxy("");
    world.unreadable = false;
    world.account = L"fixed.test:1";
    expect_proxy("");
    now_ms += 61000;
    expect_proxy("http://fixed.test:1");
}

static void test_settings_that_name_none_are_final(void **state)
{
    (void)state;
    expect_proxy("");
    world.account = L"fixed.test:1";
    now_ms += 3600000;
    expect_proxy("");
}

/* DIRECT is an answer of the script, not a missing answer. */
static void test_direct_wins(void **state)
{
    (void)state;
    world.script = L"http://pac.test/proxy.pac";
    world.account = L"fixed.test:1";
    world.machine = L"machine.test:2";
    expect_proxy("");
    now_ms += 3600000;
    expect_proxy("");
    assert_int_equal(times_asked, 1);
    (void)system_proxy_reset(NULL);
    world.detect = true;
    world.machine = L"machine.test:2";
    expect_proxy("");
}

/* A host that answers a search of the network gets no proof of the service's account. */
static void test_no_logon_at_a_found_host(void **state)
{
    (void)state;
    world.detect = true;
    world.wants_logon = true;
    world.answer = L"foreign.test:1";
    expect_proxy("");
    assert_int_equal(times_asked, 1);
    assert_int_equal(times_logged_on, 0);
}

static void test_logon_where_an_administrator_said_so(void **state)
{
    (void)state;
    world.script = L"http://pac.test/proxy.pac";
    world.answer = L"proxy.test:1";
    expect_proxy("http://proxy.test:1");
    assert_int_equal(times_logged_on, 0);
    system_proxy_forget();
    world.wants_logon = true;
    expect_proxy("http://proxy.test:1");
    assert_int_equal(times_asked, 3);
    assert_int_equal(times_logged_on, 1);
    /* Any other failure is no reason. */
    system_proxy_forget();
    world.script_error = ERROR_WINHTTP_UNABLE_TO_DOWNLOAD_SCRIPT;
    expect_proxy("");
    assert_int_equal(times_logged_on, 1);
}

#define CASE(test) cmocka_unit_test_setup(test, system_proxy_reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_failed_search_is_repeated),
        CASE(test_what_replaced_a_failed_script_is_dropped),
        CASE(test_unreadable_settings_are_read_again),
        CASE(test_settings_that_name_none_are_final),
        CASE(test_direct_wins),
        CASE(test_no_logon_at_a_found_host),
        CASE(test_logon_where_an_administrator_said_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
