#include "net/http_easy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "net/http_failure.h"
#include "net/http_header.h"
#include "net/http_options.h"
#include "net/http_send.h"
#include "net/proxy.h"
#include "net/system_proxy.h"
#include "net/tls_resume.h"
#include "net/trust_store.h"
#include "platform/system.h"

#define HEADERS_MAX 65536

/* Wipes the data in curl's own buffer, because a shared curl frees the buffer without wiping it. */
static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    struct http_easy *easy = context;
    easy->body_rc = buf_append(&easy->response->body, data, size * count);
    plat_wipe(data, size * count);
    return easy->body_rc == EKM_OK ? size * count : 0;
}

static size_t on_header(char *line, size_t size, size_t count, void *context)
{
    struct http_easy *easy = context;
    size_t len = size * count;
    if (easy->sent) {
        http_send_wipe(easy); /* before curl's next blocks reuse what it freed */
    }
    easy->header_len += len;
    if (easy->header_len > HEADERS_MAX) {
        easy->body_rc = EKM_ANSWER_TOO_BIG;
        return 0;
    }
    if (*line == '\r' || *line == '\n') {
        easy->header_ended = true;
    } else if (http_header_read(line, len, easy->response)) {
        easy->header_ended = false;
    }
    return len;
}

/* Whether the name has only addresses in doubt, so that none was tried. curl's result does not show
 * it: if an earlier attempt timed out, 7.88 reports a time-out here as well. */
bool http_easy_goes_again(struct http_easy *easy, CURLcode result)
{
    bool ended =
        result == CURLE_OK || result == CURLE_ABORTED_BY_CALLBACK || result == CURLE_OUT_OF_MEMORY;
    return !ended && http_trial_takes_any(&easy->trial) && http_options_set(easy);
}

/* Opens the socket in curl's place, because programs that the engine starts would inherit curl's
 * own sockets. They still inherit its pair of wake-up sockets. */
static curl_socket_t on_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct http_easy *easy = context;
    (void)purpose;
    if (!easy->request->local && !http_trial_admits(&easy->trial, address)) {
        return CURL_SOCKET_BAD;
    }
    easy->has_connected = true;
    easy->opened_ms = plat_now_ms();
    intptr_t opened = plat_socket(address->family, address->socktype, address->protocol);
    /* curl reports this as a refused connection. */
    if (opened < 0 && (errno == EMFILE || errno == ENFILE) &&
        log_failure_admitted("socket", ekm_code(EKM_CONNECT_FAILED), "")) {
        log_text(LEVEL_ERROR, 0, "socket",
                 "out of file descriptors: raise ulimit -n or LimitNOFILE");
    }
    return opened < 0 ? CURL_SOCKET_BAD : (curl_socket_t)opened;
}

/* Passes on what is known of the route right before the handshake. */
static void http_resume_session(struct http_easy *easy, SSL_CTX *context)
{
    char proxy[300] = "";
    curl_off_t connected_us = 0, resolved_us = 0;
    (void)curl_easy_getinfo(easy->curl, CURLINFO_CONNECT_TIME_T, &connected_us);
    (void)curl_easy_getinfo(easy->curl, CURLINFO_NAMELOOKUP_TIME_T, &resolved_us);
    if (!easy->request->local) {
        (void)proxy_leads_to(easy->request->host, proxy, sizeof proxy);
    }
    const struct tls_resume_way way = {
        .proxy = proxy,
        .connect_us = connected_us > resolved_us ? (uint64_t)(connected_us - resolved_us) : 0,
        .alone = easy->alone};
    easy->leads = tls_resume_prepare(context, easy->call, easy->request, &way) || easy->leads;
}

static CURLcode on_tls_context(CURL *curl, void *context, void *user)
{
    struct http_easy *easy = user;
    (void)curl;
    SSL_CTX_set_msg_callback(context, NULL); /* curl's own callback, which writes a text for each
                                              * record */
    if (easy->request->detour != NULL && easy->request->detour->authorities != NULL) {
        return http_detour_trust(easy->request->detour, context) ? CURLE_OK
                                                                 : CURLE_SSL_CACERT_BADFILE;
    }
    switch (trust_store_apply(context, easy->call)) {
    case EKM_OK:
        http_resume_session(easy, context);
        return CURLE_OK;
    case EKM_CLOSING:
        return CURLE_ABORTED_BY_CALLBACK;
    case EKM_DEADLINE:
        return CURLE_OPERATION_TIMEDOUT;
    default:
        return CURLE_SSL_CACERT_BADFILE;
    }
}

static bool prepare_network(CURL *curl, const struct http_client *client)
{
    /* HTTP/2 would put every request onto one connection, dead or not, and keep plain text of
     * responses in buffers of its own. */
    bool right =
        curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK;
    right = right && http_options_protocols(curl, false);
#if LIBCURL_VERSION_NUM >= 0x075700
    right = right && curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK;
#endif
    right = right && http_options_proxy(curl, proxy_fixed());
    return right && curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_socket) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK &&
           /* Otherwise 64 KiB are allocated and wiped for each small body that is sent. */
           curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, 16384L) == CURLE_OK &&
           /* The same for what is read: an answer has some 1.5 KiB. */
           curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 4096L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)HTTP_BODY_MAX) ==
               CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CONNECT_TO, client->connect_to) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SHARE, client->share) == CURLE_OK;
}

/* Certificates come from the process's one store, so no handle or connection loads any. */
static bool prepare_tls(CURL *curl)
{
#if LIBCURL_VERSION_NUM >= 0x075700
    /* Before 8.3 curl keeps the first store and uses it instead of this one. */
    if (curl_easy_setopt(curl, CURLOPT_CA_CACHE_TIMEOUT, 0L) != CURLE_OK) {
        return false;
    }
#endif
    return curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) ==
               CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CAINFO, NULL) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CAPATH, NULL) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROXY_CAINFO, NULL) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROXY_CAPATH, NULL) == CURLE_OK &&
           /* curl itself resumes only sessions of the same handle; see tls_resume.h. */
           curl_easy_setopt(curl, CURLOPT_SSL_SESSIONID_CACHE, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, on_tls_context) == CURLE_OK;
}

static bool http_easy_prepare(struct http_easy *easy, const struct http_client *client)
{
    CURL *curl = easy->curl;
    return prepare_network(curl, client) && prepare_tls(curl) && http_send_prepare(easy) &&
           curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, easy) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, easy) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_USERAGENT, client->user_agent) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PRIVATE, easy) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, easy->error) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, easy) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HEADERDATA, easy) == CURLE_OK;
}

bool http_easy_open(struct http_easy *easy, struct http_client *client)
{
    easy->client = client;
    easy->looks_up_anew = easy->proxied = false;
    easy->origin[0] = '\0';
    memset(&easy->trial, 0, sizeof easy->trial);
    easy->curl = curl_easy_init();
    if (easy->curl != NULL && !http_easy_prepare(easy, client)) {
        http_easy_close(easy);
    }
    return easy->curl != NULL;
}

void http_easy_close(struct http_easy *easy)
{
    curl_easy_cleanup(easy->curl);
    easy->curl = NULL;
}

/* The list's type is not const, but curl only reads it and frees nothing of it. */
static void add_header(struct http_easy *easy, size_t *count, const char *text)
{
    struct curl_slist *header = &easy->headers[*count];
    *header = (struct curl_slist){(char *)(uintptr_t)text, NULL};
    if (*count > 0) {
        header[-1].next = header;
    }
    ++*count;
}

static void make_headers(struct http_easy *easy)
{
    const struct http_request *request = easy->request;
    size_t count = 0;
    add_header(easy, &count, "Accept: application/json");
    (void)text_join(
        easy->id_header, sizeof easy->id_header,
        (const char *const[]){"x-ms-client-request-id: ", call_correlation_id(easy->call), NULL});
    add_header(easy, &count, easy->id_header);
    if (request->content_type != NULL) {
        (void)text_join(easy->type_header, sizeof easy->type_header,
                        (const char *const[]){"Content-Type: ", request->content_type, NULL});
        add_header(easy, &count, easy->type_header);
    }
    if (request->header != NULL) {
        add_header(easy, &count, request->header);
    }
    if (request->authorization != NULL) {
        add_header(easy, &count, request->authorization);
    }
}

bool http_easy_begin(struct http_easy *easy, CURLM *multi, struct call *call,
                     const struct http_request *request, struct http_response *response)
{
    easy->call = call;
    easy->request = request;
    easy->response = response;
    easy->body_rc = EKM_OK;
    easy->header_len = 0;
    easy->header_ended = easy->has_connected = easy->sent = easy->withheld = false;
    easy->sent_ms = 0;
    http_trial_begin(&easy->trial);
    easy->error[0] = '\0';
    http_response_free(response);
    make_headers(easy);
    easy->begun = http_options_set(easy) && curl_multi_add_handle(multi, easy->curl) == CURLM_OK;
    return easy->begun;
}

static enum ekm_rc read_outcome(struct http_easy *easy, CURLcode result)
{
    struct call *call = easy->call;
    long sent = 0;
    if (!easy->begun) {
        return call_fail(call, EKM_OUT_OF_MEMORY, "no memory for a request");
    }
    (void)curl_easy_getinfo(easy->curl, CURLINFO_REQUEST_SIZE, &sent);
    easy->response->maybe_sent = sent > 0;
    (void)text_copy(call->request_id, sizeof call->request_id, easy->response->request_id);
    if (easy->body_rc != EKM_OK) {
        return call_fail(call, easy->body_rc, "%s: the response", easy->request->host);
    }
    if (result != CURLE_OK) {
        return http_failure(call, easy, result);
    }
    if (!easy->header_ended) {
        /* For curl, a connection that is closed within the header ends the header. */
        return call_fail(call, EKM_CONNECTION_BROKEN, "%s: the response's header is incomplete",
                         easy->request->host);
    }
    (void)curl_easy_getinfo(easy->curl, CURLINFO_RESPONSE_CODE, &easy->response->status);
    return EKM_OK;
}

void http_easy_forget(struct http_easy *easy)
{
    if (easy->leads) {
        tls_resume_settle(easy->call);
        easy->leads = false;
    }
    http_send_wipe(easy);
    http_options_forget(easy);
    easy->call = NULL;
    easy->request = NULL;
    easy->response = NULL;
}

enum ekm_rc http_easy_end(struct http_easy *easy, CURLcode result)
{
    enum ekm_rc rc = read_outcome(easy, result);
    if (rc != EKM_OK || easy->response->status >= 300) {
        char *address = NULL;
        long port = 0;
        (void)curl_easy_getinfo(easy->curl, CURLINFO_PRIMARY_IP, &address);
        (void)curl_easy_getinfo(easy->curl, CURLINFO_PRIMARY_PORT, &port);
        proxy_note(easy->call, easy->request->host, address, port);
        if (easy->request->local) {
            easy->call->proxy[0] = '\0';
        }
    }
    http_easy_forget(easy);
    return rc;
}
