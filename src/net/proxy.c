#include "net/proxy.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "net/system_proxy.h"
#include "platform/system.h"

#define SEPARATORS ",; \t\r\n"
#define LIST_MAX   8192

/* Only proxy_start and proxy_stop write it. */
static struct {
    const struct config *config;
    char proxy[1024], exempt[LIST_MAX];
    char hopeless[512]; /* entries that no host can match */
    bool addresses;     /* an entry matches only addresses */
} way;
/* Names of the variables or settings that the values come from; "" for none. */
static struct {
    const char *proxy, *exempt;
} way_from = {"", ""};

/* Returns the first of these variables that is set, "" for none. As for curl, an empty variable
 * counts as absent. */
static const char *proxy_first_set(const char *const *variables, size_t count, char *out,
                                   size_t cap)
{
    for (size_t i = 0; i < count; i++) {
        size_t len = plat_environment(variables[i], out, cap);
        if (len >= cap) {
            log_text(LEVEL_ERROR, 0, "Initialize", "%s is longer than %zu bytes and is ignored",
                     variables[i], cap - 1);
        } else if (len > 0) {
            return variables[i];
        }
    }
    return "";
}

static void proxy_add(char *list, size_t cap, const char *entry)
{
    size_t len = strlen(list);
    if (!text_format(list + len, cap - len, "%s%s", len > 0 ? "," : "", entry)) {
        list[len] = '\0'; /* whole entries only */
    }
}

/* Turns an entry into curl's form, if its meaning is clear. False: no host can match it. Vaults and
 * login hosts are reached by name and on port 443. */
static bool proxy_read_entry(char *entry)
{
    const char *scheme = strstr(entry, "://");
    if (scheme != NULL) {
        memmove(entry, scheme + 3, strlen(scheme + 3) + 1);
        entry[strlen(entry) - (text_ends_nocase(entry, "/") ? 1 : 0)] = '\0';
    }
    size_t len = strlen(entry);
    if (len > 1 && entry[len - 1] == '.') {
        entry[--len] = '\0';
    }
    if (len > 4 && strcmp(entry + len - 4, ":443") == 0 && strchr(entry, ':') == entry + len - 4) {
        entry[len - 4] = '\0';
    }
    if (entry[0] == '*' && entry[1] == '.') {
        memmove(entry, entry + 1, strlen(entry));
    }
    if (strcmp(entry, "*") == 0) {
        return true;
    }
    const char *colon = strchr(entry, ':');
    bool ipv6 = entry[0] == '[' || (colon != NULL && strchr(colon + 1, ':') != NULL);
    bool slash_is_right = ipv6 || text_is_digit(entry[0]);
    return entry[0] != '\0' && strpbrk(entry, "*<>?|\"'") == NULL && (colon == NULL || ipv6) &&
           (strchr(entry, '/') == NULL || slash_is_right);
}

/* Whether the entry is an address or a range of addresses, except those of this machine. */
static bool proxy_is_address(const char *entry)
{
    bool ipv4 = entry[strspn(entry, "0123456789./")] == '\0' && strchr(entry, '.') != NULL;
    bool ipv6 = strchr(entry, ':') != NULL;
    return (ipv4 || ipv6) && strncmp(entry, "127.", 4) != 0 && strstr(entry, "::1") == NULL;
}

static void proxy_read_list(const char *list)
{
    char entry[300], read[300];
    bool all = false;
    while (*(list += strspn(list, SEPARATORS)) != '\0') {
        size_t len = strcspn(list, SEPARATORS);
        bool right = text_copy_n(entry, sizeof entry, list, len);
        (void)text_copy(read, sizeof read, entry);
        right = right && proxy_read_entry(read);
        if (right) {
            proxy_add(way.exempt, sizeof way.exempt, read);
        } else {
            proxy_add(way.hopeless, sizeof way.hopeless, entry);
        }
        all = all || (right && strcmp(read, "*") == 0);
        way.addresses = way.addresses || (right && proxy_is_address(read));
        list += len;
    }
    if (all) {
        /* curl accepts "*" only as the whole list. */
        (void)text_copy(way.exempt, sizeof way.exempt, "*");
    }
}

void proxy_start(const struct config *config)
{
    static const char *const proxies[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    static const char *const exempt[] = {"no_proxy", "NO_PROXY"};
    char list[LIST_MAX] = "";
    proxy_stop();
    way.config = config;
    if (config->has_proxy) {
        (void)text_copy(way.proxy, sizeof way.proxy, config->proxy);
        way_from.proxy = "proxy";
    } else {
        way_from.proxy = proxy_first_set(proxies, 4, way.proxy, sizeof way.proxy);
    }
    if (config->has_no_proxy) {
        way_from.exempt = "no_proxy";
        proxy_read_list(config->no_proxy);
    } else {
        way_from.exempt = proxy_first_set(exempt, 2, list, sizeof list);
        proxy_read_list(list);
    }
}

void proxy_stop(void)
{
    plat_wipe(way.proxy, sizeof way.proxy); /* may hold a password */
    memset(&way, 0, sizeof way);
    way_from.proxy = way_from.exempt = "";
}

const char *proxy_fixed(void)
{
    return way.proxy;
}

const char *proxy_exempt(void)
{
    return way.exempt;
}

/* Whether an entry of `len` bytes is the host or a domain above it. */
static bool proxy_covers(const char *entry, size_t len, const char *host)
{
    size_t host_len = strlen(host);
    if (len > 0 && entry[0] == '.') {
        entry++;
        len--;
    }
    return len > 0 && len <= host_len && text_equal_nocase_n(host + host_len - len, entry, len) &&
           (len == host_len || host[host_len - len - 1] == '.');
}

static bool proxy_is_exempt(const char *host)
{
    for (const char *list = way.exempt; *list != '\0'; list += strspn(list, ",")) {
        size_t len = strcspn(list, ",");
        if ((len == 1 && *list == '*') || proxy_covers(list, len, host)) {
            return true;
        }
        list += len;
    }
    return false;
}

/* Copies the URL with its user and password masked. */
static void proxy_show(const char *url, char *out, size_t cap)
{
    const char *at = strrchr(url, '@'), *scheme = strstr(url, "://");
    int scheme_len = scheme != NULL && at != NULL && scheme < at ? (int)(scheme - url) + 3 : 0;
    (void)text_format(out, cap, "%.*s%s%s", scheme_len, url, at != NULL ? "***" : "",
                      at != NULL ? at : url);
}

/* Masks the URL's user and password wherever `text` quotes them. */
static void proxy_hide_user(const char *url, char *text)
{
    char user[512];
    const char *at = strrchr(url, '@'), *scheme = strstr(url, "://");
    const char *begin = scheme != NULL && at != NULL && scheme < at ? scheme + 3 : url;
    if (at == NULL || at == begin || !text_copy_n(user, sizeof user, begin, (size_t)(at - begin))) {
        return;
    }
    for (char *found; (found = strstr(text, user)) != NULL;) {
        size_t len = strlen(user);
        memset(found, '*', len < 3 ? len : 3);
        memmove(found + (len < 3 ? len : 3), found + len, strlen(found + len) + 1);
    }
    plat_wipe(user, sizeof user);
}

void proxy_hide(const char *host, char *text)
{
    char system[512];
    proxy_hide_user(way.proxy, text);
    if (way.config != NULL && !way.config->has_proxy &&
        system_proxy_find(host, system, sizeof system)) {
        proxy_hide_user(system, text);
    }
}

bool proxy_leads_to(const char *host, char *out, size_t cap)
{
    char system[512];
    bool named = way.config != NULL && !way.config->has_proxy &&
                 system_proxy_find(host, system, sizeof system);
    const char *url = named ? system : way.proxy;
    bool leads = url[0] != '\0' && !proxy_is_exempt(host);
    proxy_show(leads ? url : "", out, cap);
    return leads;
}

void proxy_note(struct call *call, const char *host, const char *peer_address, long peer_port)
{
    (void)proxy_leads_to(host, call->proxy, sizeof call->proxy);
    call->peer[0] = '\0';
    if (peer_address != NULL && peer_address[0] != '\0') {
        bool ipv6 = strchr(peer_address, ':') != NULL;
        (void)text_format(call->peer, sizeof call->peer, "%s%s%s:%ld", ipv6 ? "[" : "",
                          peer_address, ipv6 ? "]" : "", peer_port);
    }
}

const char *proxy_unmatched(void)
{
    return way.hopeless;
}

static void proxy_report_entries(void)
{
    struct log_line line;
    if (way.hopeless[0] != '\0') {
        log_begin(&line, LEVEL_ERROR, 0, "Initialize");
        log_pair(&line, "text", "entries of no_proxy that no host can match are ignored");
        log_pair(&line, "from", way_from.exempt);
        log_pair(&line, "entries", way.hopeless);
        log_write(&line);
    }
    if (way.addresses && way.proxy[0] != '\0') {
        log_text(LEVEL_INFO, 0, "Initialize",
                 "%s names addresses: they exempt no vault, because vaults are reached by name",
                 way_from.exempt);
    }
}

void proxy_report(void)
{
    struct log_line line;
    char shown[300], settings[600];
    if (way.config == NULL) {
        return; /* not started */
    }
    if (!way.config->has_proxy && system_proxy_settings(settings, sizeof settings)) {
        log_begin(&line, log_wanted(LEVEL_INFO) ? LEVEL_INFO : LEVEL_ERROR, 0, "Initialize");
        proxy_show(settings, shown, sizeof shown);
        log_pair(&line, "text", "using the proxy settings of the system");
        log_pair(&line, "proxy", shown);
        log_write(&line);
    }
    if (way.proxy[0] != '\0' && !way.config->has_proxy) {
        log_begin(&line, log_wanted(LEVEL_INFO) ? LEVEL_INFO : LEVEL_ERROR, 0, "Initialize");
        proxy_show(way.proxy, shown, sizeof shown);
        log_pair(&line, "text", "using a proxy of the environment");
        log_pair(&line, "from", way_from.proxy);
        log_pair(&line, "proxy", shown);
        log_pair(&line, "without", way.exempt);
        log_write(&line);
    }
    proxy_report_entries();
}
