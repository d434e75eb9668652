#include "net/http_options.h"

#include <string.h>

#include "base/text.h"
#include "net/http_send.h"
#include "net/proxy.h"
#include "net/system_proxy.h"
#include "platform/system.h"

#define LOCAL_CONNECT_MS 1000 /* a service beside this process accepts at once, or is not there */
#define NAME_LIFE_S      60L

/* Both options are always set, so curl never reads the environment. NULL for no proxy saves curl a
 * copy of an empty name. */
bool http_options_proxy(CURL *curl, const char *proxy)
{
    bool none = proxy[0] == '\0';
    return curl_easy_setopt(curl, CURLOPT_PROXY, none ? NULL : proxy) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOPROXY, none ? "*" : proxy_exempt()) == CURLE_OK;
}

bool http_options_protocols(CURL *curl, bool plain)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    return curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, plain ? "http,https" : "https") ==
           CURLE_OK;
#else
    return curl_easy_setopt(curl, CURLOPT_PROTOCOLS,
                            CURLPROTO_HTTPS | (plain ? CURLPROTO_HTTP : 0L)) == CURLE_OK;
#endif
}

/* Sets the options that few requests need. http_options_forget resets them. */
static bool set_rarity(CURL *curl, const struct http_request *request)
{
    bool right = request->method != HTTP_DELETE ||
                 curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "DELETE") == CURLE_OK;
    right = right && (!request->local || http_options_protocols(curl, true));
    /* If a reused connection breaks, curl itself sends the request again. A request that must be
     * sent only once therefore uses a new connection. */
    return right &&
           (!request->once || curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L) == CURLE_OK) &&
           (!(request->once || request->new_connection || request->until_ms != 0) ||
            curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK);
}

/* The setting `connect_to` does not apply to a service beside this process or to a detour. No other
 * request may use the connections of a detour. */
static bool set_way(struct http_easy *easy)
{
    const struct http_detour *detour = easy->request->detour;
    if (detour == NULL) {
        return !easy->request->local ||
               curl_easy_setopt(easy->curl, CURLOPT_CONNECT_TO, NULL) == CURLE_OK;
    }
    easy->way = (struct curl_slist){(char *)(uintptr_t)detour->connect_to, NULL};
    return curl_easy_setopt(easy->curl, CURLOPT_CONNECT_TO, &easy->way) == CURLE_OK &&
           curl_easy_setopt(easy->curl, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK &&
           curl_easy_setopt(easy->curl, CURLOPT_FORBID_REUSE, 1L) == CURLE_OK;
}

/* curl caches an address for a minute, in all handles that share names. From 8.16 on it also caches
 * that a name has no address. */
static bool set_lookup(struct http_easy *easy)
{
    uint64_t doubted_ms = atomic_load(&easy->client->names_doubted_ms);
    bool anew = easy->request->new_lookup || (doubted_ms != 0 && plat_now_ms() < doubted_ms);
    if (anew == easy->looks_up_anew) {
        return true;
    }
    easy->looks_up_anew = anew;
    return curl_easy_setopt(easy->curl, CURLOPT_DNS_CACHE_TIMEOUT, anew ? 0L : NAME_LIFE_S) ==
           CURLE_OK;
}

static bool set_method(struct http_easy *easy)
{
    if (easy->request->method != HTTP_POST) {
        return curl_easy_setopt(easy->curl, CURLOPT_HTTPGET, 1L) == CURLE_OK;
    }
    return http_send_body(easy);
}

/* A service beside this process and a detour need no proxy. The setting `proxy` comes first, then
 * the system's proxy for this host, then the environment's. */
static bool set_proxy(struct http_easy *easy, const struct config *config,
                      const struct http_request *request)
{
    char proxy[512];
    if (request->local || request->detour != NULL) {
        easy->proxied = true; /* so that the next request sets its own */
        return http_options_proxy(easy->curl, "");
    }
    bool found = !config->has_proxy && system_proxy_find(request->host, proxy, sizeof proxy);
    if (!found && !easy->proxied) {
        return true;
    }
    easy->proxied = found;
    return http_options_proxy(easy->curl, found ? proxy : proxy_fixed());
}

/* The usual limit. A retry after which no other one would fit gets all the time that is left, so
 * that a response that takes longer than usual still arrives. */
static uint64_t time_limit_ms(uint64_t left_ms, uint64_t usual_ms, bool is_repeat)
{
    bool is_last = is_repeat && left_ms < 2 * usual_ms + usual_ms / 2;
    return is_last || left_ms < usual_ms ? left_ms : usual_ms;
}

static bool set_times(struct http_easy *easy, const struct http_request *request)
{
    CURL *curl = easy->curl;
    const struct config *config = easy->call->config;
    bool is_repeat = request->new_connection || request->new_lookup;
    uint64_t now_ms = plat_now_ms(), until_ms = easy->call->deadline_ms;
    if (request->until_ms != 0 && request->until_ms < until_ms) {
        until_ms = request->until_ms;
    }
    uint64_t left_ms = until_ms > now_ms ? until_ms - now_ms : 1;
    uint64_t try_ms = time_limit_ms(left_ms, config->try_timeout_ms, is_repeat);
    easy->until_ms = now_ms + try_ms;
    uint64_t connect_ms = time_limit_ms(left_ms, config->connect_timeout_ms, is_repeat);
    connect_ms = connect_ms < try_ms ? connect_ms : try_ms;
    if (request->local && connect_ms > LOCAL_CONNECT_MS) {
        connect_ms = LOCAL_CONNECT_MS;
    }
    return curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)try_ms) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms) == CURLE_OK;
}

/* Path and query. If curl takes them from the URL itself and lacks memory, it drops the query
 * without an error, and the vault answers 400. */
static const char *target_of(const char *url)
{
    const char *host = strstr(url, "://");
    return host != NULL ? strchr(host + 3, '/') : NULL;
}

/* Of the URL only scheme, host and port: curl takes a URL apart and writes it anew for each
 * transfer, path and query character by character. Most requests of a handle go to one host. */
static bool set_url(struct http_easy *easy)
{
    const char *url = easy->request->url, *target = target_of(url);
    size_t len = target != NULL ? (size_t)(target - url) : strlen(url);
    if (strncmp(easy->origin, url, len) == 0 && easy->origin[len] == '\0') {
        return true;
    }
    bool fits = text_copy_n(easy->origin, sizeof easy->origin, url, len);
    bool right = curl_easy_setopt(easy->curl, CURLOPT_URL, fits ? easy->origin : url) == CURLE_OK;
    if (!right || !fits) {
        easy->origin[0] = '\0';
    }
    return right;
}

bool http_options_set(struct http_easy *easy)
{
    CURL *curl = easy->curl;
    const struct http_request *request = easy->request;
    return set_rarity(curl, request) && set_way(easy) && set_method(easy) && set_lookup(easy) &&
           set_proxy(easy, easy->call->config, request) && set_times(easy, request) &&
           set_url(easy) &&
           curl_easy_setopt(curl, CURLOPT_REQUEST_TARGET, target_of(request->url)) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTPHEADER, easy->headers) == CURLE_OK;
}

void http_options_forget(struct http_easy *easy)
{
    if (easy->request->method == HTTP_DELETE) {
        (void)curl_easy_setopt(easy->curl, CURLOPT_CUSTOMREQUEST, NULL);
    }
    if (easy->request->local) {
        (void)http_options_protocols(easy->curl, false);
    }
    if (easy->request->local || easy->request->detour != NULL) {
        (void)curl_easy_setopt(easy->curl, CURLOPT_CONNECT_TO, easy->client->connect_to);
    }
    if (easy->request->once || easy->request->new_connection || easy->request->until_ms != 0 ||
        easy->request->detour != NULL) {
        (void)curl_easy_setopt(easy->curl, CURLOPT_FRESH_CONNECT, 0L);
        (void)curl_easy_setopt(easy->curl, CURLOPT_FORBID_REUSE, 0L);
    }
    (void)curl_easy_setopt(easy->curl, CURLOPT_HTTPHEADER, NULL);
    (void)curl_easy_setopt(easy->curl, CURLOPT_POSTFIELDS, NULL);
}
