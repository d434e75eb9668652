#include "net/http_failure.h"

#include <string.h>

#include "base/text.h"
#include "net/system_proxy.h"
#include "platform/system.h"

/* The host part of "scheme://user:password@host:port". */
static void proxy_host(const char *proxy, char *out, size_t cap)
{
    const char *scheme = strstr(proxy, "://"), *at = strrchr(proxy, '@');
    const char *host = at != NULL ? at + 1 : scheme != NULL ? scheme + 3 : proxy;
    (void)text_copy_n(out, cap, host, strcspn(host, ":/"));
}

/* Curl's message names the proxy's host if a proxy was what it tried to reach. */
static bool blames_proxy(const struct config *config, const char *request_host, const char *message)
{
    static const char *const variables[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    char host[254] = "", proxy[512];
    if (config->has_proxy) {
        proxy_host(config->proxy, host, sizeof host);
    }
    if (!config->has_proxy && system_proxy_find(request_host, proxy, sizeof proxy)) {
        proxy_host(proxy, host, sizeof host);
    }
    for (size_t i = 0; i < 4 && host[0] == '\0' && !config->has_proxy; i++) {
        if (plat_environment(variables[i], proxy, sizeof proxy) > 0) {
            proxy_host(proxy, host, sizeof host);
        }
    }
    return host[0] != '\0' && strstr(message, host) != NULL;
}

static enum ekm_rc not_resolved(const struct http_request *request)
{
    return request->to_entra ? EKM_CONNECT_FAILED : EKM_HOST_NOT_RESOLVED;
}

/* How far the transfer came before its time was over. */
static enum ekm_rc timed_out(const struct http_request *request, const struct http_handle *handle)
{
    curl_off_t resolved_us = 0, ready_us = 0;
    (void)curl_easy_getinfo(handle->easy, CURLINFO_NAMELOOKUP_TIME_T, &resolved_us);
    (void)curl_easy_getinfo(handle->easy, CURLINFO_PRETRANSFER_TIME_T, &ready_us);
    if (ready_us > 0) {
        return EKM_NO_ANSWER;
    }
    return resolved_us > 0 ? EKM_CONNECT_FAILED : not_resolved(request);
}

static enum ekm_rc tunnel_failure(long connect_status)
{
    return connect_status >= 500 ? EKM_PROXY_UNREACHABLE : EKM_PROXY;
}

static enum ekm_rc classify(const struct call *call, const struct http_request *request,
                            const struct http_handle *handle, CURLcode result)
{
    switch (result) {
    case CURLE_COULDNT_RESOLVE_PROXY:
        return EKM_PROXY_UNREACHABLE;
    case CURLE_COULDNT_RESOLVE_HOST:
        return not_resolved(request);
    case CURLE_COULDNT_CONNECT:
        return blames_proxy(call->config, request->host, handle->error) ? EKM_PROXY_UNREACHABLE
                                                                        : EKM_CONNECT_FAILED;
#if LIBCURL_VERSION_NUM >= 0x074900
    case CURLE_PROXY:
        return EKM_PROXY;
#endif
    case CURLE_OPERATION_TIMEDOUT:
        return timed_out(request, handle);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        return EKM_CERTIFICATE_REFUSED;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_SEND_ERROR:
    case CURLE_SEND_FAIL_REWIND:
        return EKM_TLS_FAILED;
    case CURLE_OUT_OF_MEMORY:
        return EKM_OUT_OF_MEMORY;
    case CURLE_ABORTED_BY_CALLBACK:
        return EKM_CLOSING;
    case CURLE_WRITE_ERROR:
        return EKM_ANSWER_TOO_BIG;
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
        return EKM_CONNECTION_BROKEN;
    default:
        return EKM_INTERNAL;
    }
}

enum ekm_rc http_failure(struct call *call, const struct http_request *request,
                         const struct http_handle *handle, CURLcode result)
{
    long connect_status = 0;
    (void)curl_easy_getinfo(handle->easy, CURLINFO_HTTP_CONNECTCODE, &connect_status);
    enum ekm_rc rc = classify(call, request, handle, result);
    bool tunnelled = connect_status >= 200 && connect_status < 300;
    if (connect_status != 0 && !tunnelled && result != CURLE_ABORTED_BY_CALLBACK) {
        rc = tunnel_failure(connect_status);
    }
    if (result == CURLE_OPERATION_TIMEDOUT && call_remaining_ms(call) == 0) {
        return call_fail(call, EKM_DEADLINE, "%s: %s", request->host, ekm_text(rc));
    }
    return call_fail(call, rc, "%s: %s (curl %d)", request->host,
                     handle->error[0] != '\0' ? handle->error : curl_easy_strerror(result),
                     (int)result);
}
