#include "net/system_proxy.h"

#include <string.h>
#include <windows.h>

#include <winhttp.h>

#include "base/text.h"
#include "platform/thread.h"

#define HOSTS_MAX 64
#define WAIT_MS   5000

/* What was found out, the oldest overwritten first. */
static struct {
    struct plat_mutex mutex;
    struct finding {
        char host[254], proxy[512];
    } findings[HOSTS_MAX];
    size_t next;
} known = {.mutex = PLAT_MUTEX_INIT};

static bool proxy_to_utf8(const wchar_t *text, char *out, size_t cap)
{
    out[0] = '\0';
    return text != NULL && WideCharToMultiByte(CP_UTF8, 0, text, -1, out, (int)cap, NULL, NULL) > 0;
}

/* A fixed proxy and the hosts that go round it. */
static bool use_list(const wchar_t *list, const wchar_t *bypass, const char *host, char *out,
                     size_t cap)
{
    char proxies[2048], around[4096];
    (void)proxy_to_utf8(bypass, around, sizeof around);
    return proxy_to_utf8(list, proxies, sizeof proxies) && !system_proxy_bypassed(around, host) &&
           system_proxy_pick(proxies, out, cap);
}

/* A script: its address is given, or found by DHCP and DNS. */
static bool ask_script(const WINHTTP_CURRENT_USER_IE_PROXY_CONFIG *settings, const char *host,
                       char *out, size_t cap)
{
    WINHTTP_AUTOPROXY_OPTIONS options = {.fAutoLogonIfChallenged = TRUE};
    WINHTTP_PROXY_INFO info = {0, NULL, NULL};
    char address[300];
    wchar_t url[300];
    if (settings->lpszAutoConfigUrl != NULL) {
        options.dwFlags = WINHTTP_AUTOPROXY_CONFIG_URL;
        options.lpszAutoConfigUrl = settings->lpszAutoConfigUrl;
    } else {
        options.dwFlags = WINHTTP_AUTOPROXY_AUTO_DETECT;
        options.dwAutoDetectFlags = WINHTTP_AUTO_DETECT_TYPE_DHCP | WINHTTP_AUTO_DETECT_TYPE_DNS_A;
    }
    (void)text_format(address, sizeof address, "https://%s/", host);
    HINTERNET session = WinHttpOpen(L"akv-ekm", WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, 0);
    bool found = session != NULL && MultiByteToWideChar(CP_UTF8, 0, address, -1, url, 300) > 0 &&
                 WinHttpSetTimeouts(session, WAIT_MS, WAIT_MS, WAIT_MS, WAIT_MS) &&
                 WinHttpGetProxyForUrl(session, url, &options, &info) &&
                 info.dwAccessType == WINHTTP_ACCESS_TYPE_NAMED_PROXY &&
                 use_list(info.lpszProxy, info.lpszProxyBypass, host, out, cap);
    (void)GlobalFree(info.lpszProxy);
    (void)GlobalFree(info.lpszProxyBypass);
    if (session != NULL) {
        (void)WinHttpCloseHandle(session);
    }
    return found;
}

/* What `netsh winhttp set proxy` set, for services whose account has no settings of its own. */
static bool ask_machine(const char *host, char *out, size_t cap)
{
    WINHTTP_PROXY_INFO info = {0, NULL, NULL};
    bool found = WinHttpGetDefaultProxyConfiguration(&info) &&
                 info.dwAccessType == WINHTTP_ACCESS_TYPE_NAMED_PROXY &&
                 use_list(info.lpszProxy, info.lpszProxyBypass, host, out, cap);
    (void)GlobalFree(info.lpszProxy);
    (void)GlobalFree(info.lpszProxyBypass);
    return found;
}

static bool ask_system(const char *host, char *out, size_t cap)
{
    WINHTTP_CURRENT_USER_IE_PROXY_CONFIG settings = {FALSE, NULL, NULL, NULL};
    bool has = WinHttpGetIEProxyConfigForCurrentUser(&settings), found = false;
    if (has && (settings.fAutoDetect || settings.lpszAutoConfigUrl != NULL)) {
        found = ask_script(&settings, host, out, cap);
    }
    if (!found && has && settings.lpszProxy != NULL) {
        found = use_list(settings.lpszProxy, settings.lpszProxyBypass, host, out, cap);
    } else if (!found) {
        found = ask_machine(host, out, cap);
    }
    (void)GlobalFree(settings.lpszAutoConfigUrl);
    (void)GlobalFree(settings.lpszProxy);
    (void)GlobalFree(settings.lpszProxyBypass);
    return found;
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
static const struct finding *find_known(const char *host)
{
    for (size_t i = 0; i < HOSTS_MAX; i++) {
        if (strcmp(known.findings[i].host, host) == 0) {
            return &known.findings[i];
        }
    }
    return NULL;
}

/* Once, though several may have asked at a time. */
static void proxy_remember(const char *host, const char *proxy)
{
    plat_mutex_lock(&known.mutex);
    if (find_known(host) == NULL) {
        struct finding *place = &known.findings[known.next++ % HOSTS_MAX];
        (void)text_copy(place->host, sizeof place->host, host);
        (void)text_copy(place->proxy, sizeof place->proxy, proxy);
    }
    plat_mutex_unlock(&known.mutex);
}

bool system_proxy_find(const char *host, char *out, size_t cap)
{
    char proxy[sizeof known.findings[0].proxy] = "";
    plat_mutex_lock(&known.mutex);
    const struct finding *finding = find_known(host);
    if (finding != NULL) {
        (void)text_copy(proxy, sizeof proxy, finding->proxy);
    }
    plat_mutex_unlock(&known.mutex);
    if (finding == NULL) {
        if (!ask_system(host, proxy, sizeof proxy)) {
            proxy[0] = '\0';
        }
        proxy_remember(host, proxy);
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
