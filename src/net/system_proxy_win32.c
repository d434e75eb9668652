#include "net/system_proxy.h"

#include <string.h>
#include <windows.h>

#include <winhttp.h>

#include "base/text.h"
#include "platform/system.h"
#include "platform/thread.h"

#define HOSTS_MAX    64
#define WAIT_MS      5000
#define ASK_AGAIN_MS 60000

/* FAILED: the lookup failed and is repeated later. */
enum way { WAY_FAILED, WAY_UNSET, WAY_DIRECT, WAY_PROXY };

/* The results. A new one overwrites the oldest. */
static struct {
    struct plat_mutex mutex;
    struct finding {
        char host[TEXT_HOST_CAP], proxy[512];
        uint64_t ask_ms; /* when to ask again; 0: never */
    } findings[HOSTS_MAX];
    size_t next;
} known = {.mutex = PLAT_MUTEX_INIT};

static bool proxy_to_utf8(const wchar_t *text, char *out, size_t cap)
{
    out[0] = '\0';
    return text != NULL && WideCharToMultiByte(CP_UTF8, 0, text, -1, out, (int)cap, NULL, NULL) > 0;
}

/* Uses a fixed proxy, unless the host is in its bypass list. */
static enum way use_list(const wchar_t *list, const wchar_t *bypass, const char *host, char *out,
                         size_t cap)
{
    char proxies[2048], around[4096];
    (void)proxy_to_utf8(bypass, around, sizeof around);
    bool leads = proxy_to_utf8(list, proxies, sizeof proxies) &&
                 !system_proxy_bypassed(around, host) && system_proxy_pick(proxies, out, cap);
    return leads ? WAY_PROXY : WAY_DIRECT;
}

/* Authenticates with the service's account only to a host that an administrator named, and only
 * after that host refused an anonymous request. Anybody may answer a search by DHCP and DNS. */
static bool run_script(HINTERNET session, const wchar_t *url, const wchar_t *script,
                       WINHTTP_PROXY_INFO *info)
{
    WINHTTP_AUTOPROXY_OPTIONS options = {.fAutoLogonIfChallenged = FALSE};
    if (script == NULL) {
        options.dwFlags = WINHTTP_AUTOPROXY_AUTO_DETECT;
        options.dwAutoDetectFlags = WINHTTP_AUTO_DETECT_TYPE_DHCP | WINHTTP_AUTO_DETECT_TYPE_DNS_A;
        return WinHttpGetProxyForUrl(session, url, &options, info);
    }
    options.dwFlags = WINHTTP_AUTOPROXY_CONFIG_URL;
    options.lpszAutoConfigUrl = script;
    if (WinHttpGetProxyForUrl(session, url, &options, info)) {
        return true;
    }
    options.fAutoLogonIfChallenged = TRUE;
    return GetLastError() == ERROR_WINHTTP_LOGIN_FAILURE &&
           WinHttpGetProxyForUrl(session, url, &options, info);
}

/* Runs the proxy script at this address; NULL: search for one by DHCP and DNS. The script's result
 * is final, also if it is DIRECT. */
static enum way ask_script(const wchar_t *script, const char *host, char *out, size_t cap)
{
    WINHTTP_PROXY_INFO info = {0, NULL, NULL};
    enum way way = WAY_FAILED;
    char address[300];
    wchar_t url[300];
    (void)text_format(address, sizeof address, "https://%s/", host);
    HINTERNET session = WinHttpOpen(L"akv-ekm", WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, 0);
    if (session != NULL && MultiByteToWideChar(CP_UTF8, 0, address, -1, url, 300) > 0 &&
        WinHttpSetTimeouts(session, WAIT_MS, WAIT_MS, WAIT_MS, WAIT_MS) &&
        run_script(session, url, script, &info)) {
        bool named = info.dwAccessType == WINHTTP_ACCESS_TYPE_NAMED_PROXY;
        way = named ? use_list(info.lpszProxy, info.lpszProxyBypass, host, out, cap) : WAY_DIRECT;
    }
    (void)GlobalFree(info.lpszProxy);
    (void)GlobalFree(info.lpszProxyBypass);
    if (session != NULL) {
        (void)WinHttpCloseHandle(session);
    }
    return way;
}

/* Reads what `netsh winhttp set proxy` set. It applies to services whose account has no settings of
 * its own. */
static enum way ask_machine(const char *host, char *out, size_t cap)
{
    WINHTTP_PROXY_INFO info = {0, NULL, NULL};
    enum way way = WAY_FAILED;
    if (WinHttpGetDefaultProxyConfiguration(&info)) {
        bool named = info.dwAccessType == WINHTTP_ACCESS_TYPE_NAMED_PROXY;
        way = named ? use_list(info.lpszProxy, info.lpszProxyBypass, host, out, cap) : WAY_UNSET;
    }
    (void)GlobalFree(info.lpszProxy);
    (void)GlobalFree(info.lpszProxyBypass);
    return way;
}

/* Asks the account's script, then its fixed proxy, then the machine's proxy. The first one that is
 * set counts. False: the lookup of an earlier one failed. */
static bool ask_system(const char *host, char *out, size_t cap)
{
    WINHTTP_CURRENT_USER_IE_PROXY_CONFIG settings = {FALSE, NULL, NULL, NULL};
    bool complete = WinHttpGetIEProxyConfigForCurrentUser(&settings);
    enum way way = WAY_UNSET;
    if (settings.fAutoDetect || settings.lpszAutoConfigUrl != NULL) {
        way = ask_script(settings.lpszAutoConfigUrl, host, out, cap);
        complete = complete && way != WAY_FAILED;
    }
    if (way < WAY_DIRECT && settings.lpszProxy != NULL) {
        way = use_list(settings.lpszProxy, settings.lpszProxyBypass, host, out, cap);
    } else if (way < WAY_DIRECT) {
        way = ask_machine(host, out, cap);
        complete = complete && way != WAY_FAILED;
    }
    if (way != WAY_PROXY) {
        out[0] = '\0';
    }
    (void)GlobalFree(settings.lpszAutoConfigUrl);
    (void)GlobalFree(settings.lpszProxy);
    (void)GlobalFree(settings.lpszProxyBypass);
    return complete;
}

bool system_proxy_settings(char *out, size_t cap)
{
    WINHTTP_CURRENT_USER_IE_PROXY_CONFIG settings = {FALSE, NULL, NULL, NULL};
    WINHTTP_PROXY_INFO info = {0, NULL, NULL};
    char script[300] = "", account[512] = "", machine[512] = "";
    if (WinHttpGetIEProxyConfigForCurrentUser(&settings)) {
        (void)proxy_to_utf8(settings.lpszAutoConfigUrl, script, sizeof script);
        (void)proxy_to_utf8(settings.lpszProxy, account, sizeof account);
    }
    if (WinHttpGetDefaultProxyConfiguration(&info)) {
        (void)proxy_to_utf8(info.lpszProxy, machine, sizeof machine);
    }
    (void)GlobalFree(settings.lpszAutoConfigUrl);
    (void)GlobalFree(settings.lpszProxy);
    (void)GlobalFree(settings.lpszProxyBypass);
    (void)GlobalFree(info.lpszProxy);
    (void)GlobalFree(info.lpszProxyBypass);
    (void)text_format(
        out, cap, "%s%s%s%s%s%s%s", settings.fAutoDetect ? "looked for by DHCP and DNS; " : "",
        script[0] != '\0' ? "script " : "", script, account[0] != '\0' ? " account " : "", account,
        machine[0] != '\0' ? " winhttp " : "", machine);
    return out[0] != '\0';
}

/* Under the lock. */
static struct finding *find_known(const char *host)
{
    for (size_t i = 0; i < HOSTS_MAX; i++) {
        if (strcmp(known.findings[i].host, host) == 0) {
            return &known.findings[i];
        }
    }
    return NULL;
}

/* Stores the result once, although several threads may have asked. A complete result is never
 * replaced. */
static void proxy_remember(const char *host, const char *proxy, bool complete)
{
    plat_mutex_lock(&known.mutex);
    struct finding *place = find_known(host);
    if (place == NULL) {
        place = &known.findings[known.next++ % HOSTS_MAX];
        place->ask_ms = 1;
        (void)text_copy(place->host, sizeof place->host, host);
    }
    if (place->ask_ms != 0) {
        place->ask_ms = complete ? 0 : plat_now_ms() + ASK_AGAIN_MS;
        (void)text_copy(place->proxy, sizeof place->proxy, proxy);
    }
    plat_mutex_unlock(&known.mutex);
}

/* Whether the caller must ask the system. When it is time to ask again, one thread does so, and the
 * others use the known result. */
static bool proxy_must_ask(const char *host, char *proxy, size_t cap)
{
    bool ask = true;
    plat_mutex_lock(&known.mutex);
    struct finding *finding = find_known(host);
    if (finding != NULL) {
        uint64_t now_ms = plat_now_ms();
        (void)text_copy(proxy, cap, finding->proxy);
        ask = finding->ask_ms != 0 && now_ms >= finding->ask_ms;
        if (ask) {
            finding->ask_ms = now_ms + ASK_AGAIN_MS;
        }
    }
    plat_mutex_unlock(&known.mutex);
    return ask;
}

bool system_proxy_find(const char *host, char *out, size_t cap)
{
    char proxy[sizeof known.findings[0].proxy] = "";
    if (proxy_must_ask(host, proxy, sizeof proxy)) {
        bool complete = ask_system(host, proxy, sizeof proxy);
        proxy_remember(host, proxy, complete);
    }
    return text_copy(out, cap, proxy) && proxy[0] != '\0';
}

void system_proxy_forget(void)
{
    plat_mutex_lock(&known.mutex);
    memset(known.findings, 0, sizeof known.findings);
    known.next = 0;
    plat_mutex_unlock(&known.mutex);
}
