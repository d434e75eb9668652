#include "net/http.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "net/curl_library.h"
#include "net/http_failure.h"
#include "net/http_header.h"
#include "net/http_pool.h"
#include "net/system_proxy.h"
#include "net/trust_store.h"
#include "platform/system.h"
#include "platform/thread.h"

#ifndef AKVEKM_VERSION
#define AKVEKM_VERSION "unknown"
#endif

static struct {
    const struct config *config;
    struct curl_slist *connect_to;
    char user_agent[256];
} client;

/* One transfer, as curl's callbacks see it. */
struct transfer {
    struct call *call;
    struct http_answer *answer;
    enum ekm_rc body_rc;
    size_t header_len;
};

#define HEADERS_MAX 65536

void http_versions(char *out, size_t cap)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    (void)text_format(out, cap, "curl %s, %s", info->version,
                      info->ssl_version != NULL ? info->ssl_version : "no TLS");
}

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    transfer->body_rc = buf_append(&transfer->answer->body, data, size * count);
    return transfer->body_rc == EKM_OK ? size * count : 0;
}

static size_t on_header(char *line, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    size_t len = size * count;
    transfer->header_len += len;
    if (transfer->header_len > HEADERS_MAX) {
        transfer->body_rc = EKM_ANSWER_TOO_BIG;
        return 0;
    }
    http_header_read(line, len, transfer->answer);
    return len;
}

/* Called by curl at least once a second, whatever the transfer waits for. */
static int on_progress(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                       curl_off_t up)
{
    const struct transfer *transfer = context;
    (void)down_total;
    (void)down;
    (void)up_total;
    (void)up;
    return call_aborted(transfer->call) ? 1 : 0;
}

/* Curl's own sockets would be inherited by whatever the host executes. (Its pair of wake-up sockets
 * still is.) */
static curl_socket_t on_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)context;
    (void)purpose;
    intptr_t opened = plat_socket(address->family, address->socktype, address->protocol);
    return opened < 0 ? CURL_SOCKET_BAD : (curl_socket_t)opened;
}

static CURLcode on_tls_context(CURL *easy, void *context, void *unused)
{
    (void)easy;
    (void)unused;
    return trust_store_apply(context) ? CURLE_OK : CURLE_SSL_CACERT_BADFILE;
}

static bool prepare_network(CURL *easy, const struct config *config)
{
    bool right = true;
#if LIBCURL_VERSION_NUM >= 0x075500
    right = right && curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK;
#else
    right = right && curl_easy_setopt(easy, CURLOPT_PROTOCOLS, CURLPROTO_HTTPS) == CURLE_OK;
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
    right = right && curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK;
#endif
    if (config->has_proxy) {
        right = right && curl_easy_setopt(easy, CURLOPT_PROXY, config->proxy) == CURLE_OK;
    }
    if (config->has_no_proxy) {
        right = right && curl_easy_setopt(easy, CURLOPT_NOPROXY, config->no_proxy) == CURLE_OK;
    }
    return right && curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECT_TO, client.connect_to) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SHARE, http_pool_share()) == CURLE_OK;
}

/* Certificates come from the process's one store: nothing is loaded for each handle or connection.
 */
static bool prepare_tls(CURL *easy)
{
    return curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CAINFO, NULL) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, NULL) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls_context) == CURLE_OK;
}

static bool prepare(struct http_handle *handle)
{
    CURL *easy = handle->easy;
    return prepare_network(easy, client.config) && prepare_tls(easy) &&
           curl_easy_setopt(easy, CURLOPT_USERAGENT, client.user_agent) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, handle->error) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L) == CURLE_OK;
}

static bool add_header(struct curl_slist **list, const char *header)
{
    struct curl_slist *longer = curl_slist_append(*list, header);
    if (longer == NULL) {
        return false;
    }
    *list = longer;
    return true;
}

/* One of the headers holds the token. */
static void free_headers(struct curl_slist *list)
{
    for (struct curl_slist *at = list; at != NULL; at = at->next) {
        plat_wipe(at->data, strlen(at->data));
    }
    curl_slist_free_all(list);
}

static enum ekm_rc make_headers(struct call *call, const struct http_request *request,
                                struct curl_slist **list)
{
    char line[256];
    struct buf bearer = BUF_EMPTY(65536);
    (void)text_format(line, sizeof line, "x-ms-client-request-id: %s", call_correlation_id(call));
    enum ekm_rc rc = add_header(list, "Accept: application/json") && add_header(list, line)
                         ? EKM_OK
                         : EKM_OUT_OF_MEMORY;
    if (rc == EKM_OK && request->content_type != NULL) {
        (void)text_format(line, sizeof line, "Content-Type: %s", request->content_type);
        rc = add_header(list, line) ? EKM_OK : EKM_OUT_OF_MEMORY;
    }
    if (rc == EKM_OK && request->bearer != NULL) {
        rc = buf_append_text(&bearer, "Authorization: Bearer ");
        if (rc == EKM_OK) {
            rc = buf_append_text(&bearer, request->bearer);
        }
        if (rc == EKM_OK && !add_header(list, buf_text(&bearer))) {
            rc = EKM_OUT_OF_MEMORY;
        }
    }
    buf_free(&bearer);
    return rc;
}

static bool set_method(CURL *easy, const struct http_request *request)
{
    const char *custom = request->method == HTTP_DELETE ? "DELETE" : NULL;
    if (curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, custom) != CURLE_OK) {
        return false;
    }
    if (request->method != HTTP_POST) {
        return curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L) == CURLE_OK;
    }
    return curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len) ==
               CURLE_OK;
}

/* Without a `proxy` of ours: the system's for this host, or NULL, and curl reads the environment.
 */
static bool set_proxy(CURL *easy, const struct config *config, const char *host)
{
    char proxy[512];
    if (config->has_proxy) {
        return true;
    }
    bool found = system_proxy_find(host, proxy, sizeof proxy);
    return curl_easy_setopt(easy, CURLOPT_PROXY, found ? proxy : NULL) == CURLE_OK;
}

static bool set_request(CURL *easy, const struct http_request *request, struct transfer *transfer,
                        struct curl_slist *headers)
{
    const struct config *config = transfer->call->config;
    uint64_t try_ms = call_remaining_ms(transfer->call);
    try_ms = try_ms < config->try_timeout_ms ? try_ms : config->try_timeout_ms;
    try_ms = try_ms > 0 ? try_ms : 1;
    /* On a connection that was used before, curl itself sends a request again when it breaks. */
    const long alone = request->once ? 1L : 0L;
    long connect_ms =
        (long)(try_ms < config->connect_timeout_ms ? try_ms : config->connect_timeout_ms);
    return set_method(easy, request) && set_proxy(easy, config, request->host) &&
           curl_easy_setopt(easy, CURLOPT_URL, request->url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, alone) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, alone) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)try_ms) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_ms) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_XFERINFODATA, transfer) == CURLE_OK;
}

/* Nothing of this request stays behind in the handle. */
static void forget_request(CURL *easy)
{
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
    (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, NULL);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, NULL);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, NULL);
    (void)curl_easy_setopt(easy, CURLOPT_XFERINFODATA, NULL);
}

static enum ekm_rc transfer_once(const struct http_request *request, struct http_handle *handle,
                                 struct transfer *transfer)
{
    struct call *call = transfer->call;
    struct plat_sigpipe sigpipe;
    long sent = 0;
    handle->error[0] = '\0';
    plat_sigpipe_hold(&sigpipe);
    CURLcode result = curl_easy_perform(handle->easy);
    plat_sigpipe_release(&sigpipe);
    (void)curl_easy_getinfo(handle->easy, CURLINFO_REQUEST_SIZE, &sent);
    transfer->answer->maybe_sent = sent > 0;
    (void)text_copy(call->request_id, sizeof call->request_id, transfer->answer->request_id);
    if (transfer->body_rc != EKM_OK) {
        return call_fail(call, transfer->body_rc, "%s: the answer", request->host);
    }
    if (result != CURLE_OK) {
        return http_failure(call, request, handle, result);
    }
    (void)curl_easy_getinfo(handle->easy, CURLINFO_RESPONSE_CODE, &transfer->answer->status);
    return EKM_OK;
}

enum ekm_rc http_perform(struct call *call, const struct http_request *request,
                         struct http_answer *answer)
{
    struct transfer transfer = {call, answer, EKM_OK, 0};
    struct curl_slist *headers = NULL;
    struct http_handle *handle = NULL;
    http_answer_free(answer);
    enum ekm_rc rc = http_pool_take(call, request->host, &handle);
    if (rc != EKM_OK) {
        return rc;
    }
    rc = make_headers(call, request, &headers);
    if (rc == EKM_OK && !set_request(handle->easy, request, &transfer, headers)) {
        rc = EKM_OUT_OF_MEMORY;
    }
    rc = rc == EKM_OK ? transfer_once(request, handle, &transfer)
                      : call_fail(call, rc, "no memory for a request");
    forget_request(handle->easy);
    free_headers(headers);
    http_pool_give(handle, request->host);
    return rc;
}

void http_answer_init(struct http_answer *answer)
{
    const struct buf empty = BUF_EMPTY(HTTP_BODY_MAX);
    answer->body = empty;
    http_answer_free(answer);
}

void http_answer_free(struct http_answer *answer)
{
    buf_free(&answer->body);
    answer->status = 0;
    answer->maybe_sent = false;
    answer->authenticate[0] = answer->retry_after[0] = answer->request_id[0] = '\0';
}

static enum ekm_rc make_client(const struct config *config)
{
    char os[160];
    client.config = config;
    plat_os_name(os, sizeof os);
    (void)text_format(client.user_agent, sizeof client.user_agent, "akv-ekm/%s (%s%s%s)",
                      AKVEKM_VERSION, os, config->instance_tag[0] != '\0' ? "; " : "",
                      config->instance_tag);
    for (size_t i = 0; i < config->connect_to.count; i++) {
        if (!add_header(&client.connect_to, config->connect_to.items[i])) {
            return EKM_OUT_OF_MEMORY;
        }
    }
    return EKM_OK;
}

enum ekm_rc http_start(const struct config *config, char *reason, size_t reason_cap)
{
    (void)text_copy(reason, reason_cap, "");
    if (!curl_library_start()) {
        return EKM_OUT_OF_MEMORY;
    }
    enum ekm_rc rc = curl_library_check(reason, reason_cap);
    if (rc == EKM_OK) {
        rc = trust_store_start(config, reason, reason_cap);
    }
    if (rc == EKM_OK) {
        rc = make_client(config);
    }
    if (rc == EKM_OK) {
        rc = http_pool_start(config->max_connections, prepare);
    }
    if (rc != EKM_OK) {
        http_stop();
    }
    return rc;
}

void http_stop(void)
{
    struct plat_sigpipe sigpipe;
    plat_sigpipe_hold(&sigpipe);
    http_pool_stop();
    plat_sigpipe_release(&sigpipe);
    curl_slist_free_all(client.connect_to);
    client.connect_to = NULL;
    client.config = NULL;
    trust_store_stop();
    system_proxy_forget();
    curl_global_cleanup();
}
