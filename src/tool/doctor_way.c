/* The route to the vault: names, proxy, TCP, TLS, clock. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "net/proxy.h"
#include "platform/system.h"
#include "tool/doctor_report.h"
#include "tool/explain.h"
#include "tool/keys.h"
#include "tool/name_server.h"
#include "vault/expiry.h"

#define CLOCK_WARN_S   60
#define CLOCK_FAIL_S   240 /* Entra and assertions allow five minutes */
#define DAYS_LEFT_WARN 7
/* For an authority, because replacing one takes time. */
#define AUTHORITY_DAYS_WARN 30
#define CONNECT_TO_PART     254

/* Where the library's connections go. */
struct way {
    char host[TEXT_HOST_CAP], port[8];                         /* what the vault is reached by */
    char proxy[300], proxy_host[TEXT_HOST_CAP], proxy_port[8]; /* "": none */
    bool is_led;                                               /* by connect_to */
    bool tunnel; /* the proxy takes a CONNECT from anybody, as far as is known */
};

/* One part of an entry of connect_to, up to a colon outside brackets. */
static const char *way_take_part(const char *text, char *out, size_t cap)
{
    const char *end = text[0] == '[' ? strchr(text, ']') : NULL;
    size_t skip = end != NULL ? (size_t)(end - text) + 1 : 0;
    size_t len = skip + strcspn(text + skip, ":");
    if (end != NULL) {
        (void)text_copy_n(out, cap, text + 1, skip - 2);
    } else {
        (void)text_copy_n(out, cap, text, len);
    }
    return text[len] == ':' ? text + len + 1 : text + len;
}

/* Like curl: the first entry that matches. */
static void way_read_connect_to(const struct config *config, struct way *way)
{
    for (size_t i = 0; i < config->connect_to.count; i++) {
        char host[CONNECT_TO_PART], port[16], to_host[CONNECT_TO_PART], to_port[16];
        const char *rest = way_take_part(config->connect_to.items[i], host, sizeof host);
        rest = way_take_part(rest, port, sizeof port);
        rest = way_take_part(rest, to_host, sizeof to_host);
        (void)way_take_part(rest, to_port, sizeof to_port);
        if ((host[0] == '\0' || text_equal_nocase(host, way->host)) &&
            (port[0] == '\0' || strcmp(port, way->port) == 0)) {
            if (to_host[0] != '\0') {
                (void)text_copy(way->host, sizeof way->host, to_host);
            }
            if (to_port[0] != '\0') {
                (void)text_copy(way->port, sizeof way->port, to_port);
            }
            way->is_led = true;
            return;
        }
    }
}

static void way_read_proxy(const char *vault, struct way *way)
{
    char text[300];
    if (!proxy_leads_to(vault, way->proxy, sizeof way->proxy)) {
        way->proxy[0] = '\0';
        return;
    }
    const char *scheme = strstr(way->proxy, "://");
    const char *at = strrchr(way->proxy, '@');
    const char *start = at != NULL ? at + 1 : scheme != NULL ? scheme + 3 : way->proxy;
    bool plain = scheme == NULL || text_equal_nocase_n(way->proxy, "http://", 7);
    way->tunnel = plain && at == NULL;
    (void)text_copy_n(text, sizeof text, start, strcspn(start, "/"));
    const char *port = way_take_part(text, way->proxy_host, sizeof way->proxy_host);
    (void)text_copy(way->proxy_port, sizeof way->proxy_port, port[0] != '\0' ? port : "1080");
}

static void way_report_name_servers(struct doctor *doctor, const char *host)
{
    struct name_server servers[NAME_SERVERS_MAX];
    size_t count = name_server_list(servers);
    for (size_t i = 0; i < count; i++) {
        char answer[120];
        doctor_begin(doctor);
        bool found = name_server_ask(&servers[i], host, answer, sizeof answer);
        doctor_report(doctor, "name-server", found ? DOCTOR_OK : DOCTOR_WARNING,
                      "ask whoever runs it; a server that does not answer makes each lookup wait",
                      "%s: %s", servers[i].address, answer);
    }
}

/* An address needs no name server. */
static bool way_is_address(const char *host)
{
    return strchr(host, ':') != NULL || host[strspn(host, "0123456789.")] == '\0';
}

static bool way_report_dns(struct doctor *doctor, struct probe *probe, bool is_proxy)
{
    char problem[200] = "", list[400] = "";
    bool found = probe_resolve(probe, problem, sizeof problem);
    for (size_t i = 0; i < probe->count; i++) {
        size_t len = strlen(list);
        (void)text_format(list + len, sizeof list - len, "%s%s %s", i > 0 ? ", " : "",
                          probe->addresses[i].ipv6 ? "IPv6" : "IPv4", probe->addresses[i].text);
    }
    if (found) {
        doctor_report(doctor, "dns", DOCTOR_OK, NULL, "%s: %s", probe->host, list);
    } else if (is_proxy) {
        doctor_report(doctor, "dns", DOCTOR_FAILED, explain_todo(ekm_code(EKM_PROXY_UNREACHABLE)),
                      "5013: the name of the proxy does not resolve: %s: %s", probe->host, problem);
    } else {
        doctor_report(doctor, "dns", DOCTOR_FAILED, explain_todo(ekm_code(EKM_HOST_NOT_RESOLVED)),
                      "3900: the name does not resolve: %s: %s", probe->host, problem);
    }
    if (!way_is_address(probe->host)) {
        way_report_name_servers(doctor, probe->host);
    }
    return found;
}

static bool way_report_tcp(struct doctor *doctor, struct probe *probe, bool is_proxy)
{
    char list[900] = "";
    unsigned bad = 0;
    bool connected = probe_connect(probe);
    for (size_t i = 0; i < probe->count; i++) {
        const struct probe_address *address = &probe->addresses[i];
        size_t len = strlen(list);
        bad += address->problem[0] != '\0';
        (void)text_format(list + len, sizeof list - len, "%s%s port %s: %s", i > 0 ? "; " : "",
                          address->text, probe->port,
                          address->problem[0] != '\0' ? address->problem : "connected");
    }
    enum doctor_outcome outcome = !connected ? DOCTOR_FAILED : bad > 0 ? DOCTOR_WARNING : DOCTOR_OK;
    const char *todo = connected
                           ? "some addresses do not answer: the first try of a connection may wait"
                       : is_proxy ? explain_todo(ekm_code(EKM_PROXY_UNREACHABLE))
                                  : explain_todo(ekm_code(EKM_CONNECT_FAILED));
    const char *code = connected ? "" : is_proxy ? "5013: the proxy does not answer: " : "3102: ";
    doctor_report(doctor, is_proxy ? "proxy" : "tcp", outcome, todo, "%s%s", code, list);
    return connected;
}

/* The authorities of Azure's certificates. */
static bool way_is_root_of_azure(const char *root)
{
    static const char *const owners[] = {"O=DigiCert Inc",
                                         "O=Microsoft Corporation",
                                         "O=D-Trust GmbH",
                                         "O=Baltimore",
                                         "O=GlobalSign",
                                         "DigiCert",
                                         "CFCA"};
    for (size_t i = 0; i < sizeof owners / sizeof owners[0]; i++) {
        if (strstr(root, owners[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/* Empty if the chain has no such certificate. */
static const struct chain_link *way_link(const struct chain *chain, size_t index)
{
    static const struct chain_link none;
    return index < chain->count ? &chain->links[index] : &none;
}

/* The authority at the end, whether its own certificate was sent or not. */
static const char *way_root(const struct chain *chain)
{
    return way_link(chain, chain->count > 0 ? chain->count - 1 : 0)->issuer;
}

static void way_report_verdict(struct doctor *doctor, const struct probe_certificate *seen)
{
    int64_t now_s = plat_unix_time_ms() / 1000;
    bool dates = seen->verdict == X509_V_ERR_CERT_HAS_EXPIRED ||
                 seen->verdict == X509_V_ERR_CERT_NOT_YET_VALID;
    bool foreign = !way_is_root_of_azure(way_root(&seen->chain));
    const struct chain_link *outdated = dates ? chain_find_outdated(&seen->chain, now_s) : NULL;
    const struct chain_link *link = outdated != NULL ? outdated : way_link(&seen->chain, 0);
    bool leaf = link == way_link(&seen->chain, 0);
    char from[16], until[16];
    keys_date(link->not_before_s, from);
    keys_date(link->not_after_s, until);
    doctor_report(doctor, "tls", DOCTOR_FAILED,
                  dates ? "is this machine's clock right? If so, who answers in the vault's place?"
                        : explain_todo(ekm_code(EKM_CERTIFICATE_REFUSED)),
                  "3106: the server's certificate is not trusted: %s; %sof %s, issued by %s, good "
                  "from %s until %s%s",
                  X509_verify_cert_error_string(seen->verdict),
                  dates && !leaf ? "an authority in its chain: " : "", link->subject, link->issuer,
                  from, until,
                  foreign && !dates
                      ? "; not an authority of Azure: a device on the way opens TLS, or a "
                        "private root is missing"
                      : "");
}

/* The certificates above the server's own. */
static void way_report_chain(struct doctor *doctor, const struct chain *chain)
{
    for (size_t i = 1; i < chain->count; i++) {
        const struct chain_link *link = &chain->links[i];
        char end[DOCTOR_END_MAX];
        enum doctor_outcome outcome = doctor_judge_end(link->not_after_s, AUTHORITY_DAYS_WARN, end);
        doctor_report(doctor, "chain", outcome,
                      "this authority ends soon, and every certificate below it: Azure changes "
                      "its own in time; one of yours must be renewed in its file and in ca_file",
                      "%zu of %zu: %s, issued by %s, until %s left", i + 1, chain->count,
                      link->subject, link->issuer, end);
    }
}

static bool way_report_tls(struct doctor *doctor, struct probe *probe, const char *vault)
{
    struct probe_certificate seen;
    char problem[200] = "";
    connection_begin_call(&doctor->connection, &doctor->call, "Probe");
    if (!probe_shake(probe, &doctor->call, vault, &seen, problem, sizeof problem)) {
        bool silent = strstr(problem, "silently") != NULL;
        doctor_report(
            doctor, "tls", DOCTOR_FAILED,
            silent ? "a firewall or proxy on the way: let TLS to port 443 of this host through"
                   : explain_todo(ekm_code(EKM_TLS_FAILED)),
            "%s: %s", silent ? "3107" : "3106: the handshake failed", problem);
        return false;
    }
    if (seen.verdict != X509_V_OK) {
        way_report_verdict(doctor, &seen);
        return false;
    }
    const struct chain_link *own = way_link(&seen.chain, 0);
    int64_t left = expiry_days_left(own->not_after_s);
    const char *root = way_root(&seen.chain);
    bool foreign = !way_is_root_of_azure(root);
    const char *todo =
        foreign
            ? "a root that Azure does not use: a device on the way opens TLS (or this is a private "
              "cloud); it sees tokens and keys, so let the vault's traffic pass unopened"
            : "the vault's certificate ends soon; Azure renews its own, a device may not";
    bool warn = foreign || left < DAYS_LEFT_WARN;
    doctor_report(doctor, "tls", warn ? DOCTOR_WARNING : DOCTOR_OK, todo,
                  "%s, certificate of %s, root %s%s, %lld days left", seen.tls, own->subject, root,
                  foreign ? " (INTERCEPTION? not an authority of Azure)" : "", (long long)left);
    way_report_chain(doctor, &seen.chain);
    return true;
}

/* RFC 9110's date: "Sun, 06 Nov 1994 08:49:37 GMT". 0: it is not a date. */
static int64_t way_read_date(const char *text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char name[4] = "";
    uint64_t part[5]; /* day, year, hour, minute, second */
    static const struct {
        size_t at, len;
    } places[5] = {{5, 2}, {12, 4}, {17, 2}, {20, 2}, {23, 2}};
    if (strlen(text) < 29) {
        return 0;
    }
    for (size_t i = 0; i < 5; i++) {
        char digits[8];
        (void)text_copy_n(digits, sizeof digits, text + places[i].at, places[i].len);
        if (!text_to_u64(digits, 9999, &part[i])) {
            return 0;
        }
    }
    (void)text_copy_n(name, sizeof name, text + 8, 3);
    const char *month = strstr(months, name);
    if (month == NULL || name[0] == '\0') {
        return 0;
    }
    /* Days from the civil calendar, with March as the first month. */
    int64_t m = (month - months) / 3 + 1, y = (int64_t)part[1] - (m <= 2);
    int64_t shifted = (m + 9) % 12, century = y / 100;
    int64_t days = 365 * y + y / 4 - century + century / 4 + (153 * shifted + 2) / 5 +
                   (int64_t)part[0] - 1 - 719468;
    return ((days * 24 + (int64_t)part[2]) * 60 + (int64_t)part[3]) * 60 + (int64_t)part[4];
}

static void way_report_response(struct doctor *doctor, struct probe *probe, const char *vault)
{
    char head[8192], path[80], date[64];
    (void)text_format(path, sizeof path, "/keys?maxresults=1&api-version=%s",
                      doctor->connection.config->api_version);
    if (!probe_ask(probe, vault, path, head, sizeof head)) {
        doctor_report(doctor, "http", DOCTOR_FAILED, explain_todo(ekm_code(EKM_NO_ANSWER)),
                      "3107: TLS works, but no response to a request came within %d s",
                      PROBE_WAIT_S);
        return;
    }
    doctor->reached = true;
    probe_field(head, "x-ms-keyvault-network-info", doctor->network, sizeof doctor->network);
    probe_field(head, "Date", date, sizeof date);
    int64_t told = way_read_date(date);
    int64_t off = told - plat_unix_time_ms() / 1000;
    int64_t amount = off < 0 ? -off : off;
    if (told == 0) {
        doctor_report(doctor, "clock", DOCTOR_SKIPPED, NULL, "the answer has no date");
    } else {
        doctor_report(
            doctor, "clock",
            amount >= CLOCK_FAIL_S   ? DOCTOR_FAILED
            : amount >= CLOCK_WARN_S ? DOCTOR_WARNING
                                     : DOCTOR_OK,
            "set the clock (timedatectl, w32tm): tokens and certificates are refused outside "
            "their time",
            "this machine's clock is %lld s %s the vault's", (long long)amount,
            off > 0 ? "behind" : "before");
    }
}

void doctor_look_at_way(struct doctor *doctor)
{
    const char *vault = doctor->connection.vault.address.host;
    struct way way;
    struct probe probe;
    char problem[200];
    memset(&way, 0, sizeof way);
    (void)text_copy(way.host, sizeof way.host, vault);
    (void)text_copy(way.port, sizeof way.port, "443");
    way_read_connect_to(doctor->connection.config, &way);
    way_read_proxy(vault, &way);
    bool proxied = way.proxy[0] != '\0';
    bool unmatched = proxy_unmatched()[0] != '\0';
    doctor_report(doctor, "route", unmatched ? DOCTOR_WARNING : DOCTOR_OK,
                  "write them as hosts or as .suffix, with commas between",
                  "%s port 443%s%s%s%s%s%s%s%s", vault, way.is_led ? ", led by connect_to to " : "",
                  way.is_led ? way.host : "", way.is_led ? " port " : "",
                  way.is_led ? way.port : "", proxied ? ", through the proxy " : ", no proxy",
                  way.proxy, unmatched ? "; entries of no_proxy that no host can match: " : "",
                  proxy_unmatched());
    probe_init(&probe, proxied ? way.proxy_host : way.host, proxied ? way.proxy_port : way.port);
    bool open = way_report_dns(doctor, &probe, proxied) && way_report_tcp(doctor, &probe, proxied);
    if (open && proxied && !way.tunnel) {
        doctor_report(doctor, "tls", DOCTOR_SKIPPED, NULL,
                      "the proxy wants a login or TLS: the library's own requests tell");
        doctor->reached = true;
        open = false;
    } else if (open && proxied &&
               !probe_tunnel(&probe, way.host, way.port, problem, sizeof problem)) {
        doctor_report(doctor, "proxy", DOCTOR_FAILED, explain_todo(ekm_code(EKM_PROXY)),
                      "5013: no way to %s through the proxy: %s", way.host, problem);
        open = false;
    }
    if (open && way_report_tls(doctor, &probe, vault)) {
        way_report_response(doctor, &probe, vault);
    }
    probe_close(&probe);
}
