#include "net/http_failure.h"

#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "net/curl_result.h"
#include "net/proxy.h"
#include "net/tls_resume.h"
#include "net/trust_store.h"
#include "platform/system.h"

#define CURL_HEADER_LINE_MAX ((size_t)100 * 1024)
#define NAMES_DOUBTED_MS     60000

/* Whether a failed connection counts as the proxy's failure. Only curl decides which route it
 * takes. */
static bool uses_proxy(const struct http_request *request)
{
    char proxy[300];
    return !request->local && request->detour == NULL &&
           proxy_leads_to(request->host, proxy, sizeof proxy);
}

/* curl caches the failed lookup. So names are resolved again for as long as the cache may hold it.
 * Behind a proxy the proxy's name is the only one that curl resolves; libcurl 8.14.1 at times
 * returns the code for a host's name all the same. */
static enum ekm_rc not_resolved(const struct http_request *request, const struct http_easy *easy)
{
    atomic_store(&easy->client->names_doubted_ms, plat_now_ms() + NAMES_DOUBTED_MS);
    if (uses_proxy(request)) {
        return EKM_PROXY_UNREACHABLE;
    }
    return request->to_entra ? EKM_CONNECT_FAILED : EKM_HOST_NOT_RESOLVED;
}

/* The error depends on how far the transfer came before its time was over. curl's own times do not
 * show that: from 8.20 on it sets the time of a transfer's begin while the lookup still runs. */
static enum ekm_rc timed_out(const struct http_request *request, const struct http_easy *easy)
{
    curl_off_t secured_us = 0;
    long sent = 0;
    (void)curl_easy_getinfo(easy->curl, CURLINFO_APPCONNECT_TIME_T, &secured_us);
    (void)curl_easy_getinfo(easy->curl, CURLINFO_REQUEST_SIZE, &sent);
    /* On a new connection the bytes sent may be only the CONNECT request to a proxy. */
    bool is_asked = sent > 0 && (!easy->has_connected || !uses_proxy(request));
    if (secured_us > 0 || is_asked) {
        return EKM_NO_ANSWER;
    }
    if (!easy->has_connected) {
        return not_resolved(request, easy);
    }
    return uses_proxy(request) ? EKM_PROXY_UNREACHABLE : EKM_CONNECT_FAILED;
}

static enum ekm_rc tunnel_failure(long connect_status)
{
    return connect_status >= 500 ? EKM_PROXY_UNREACHABLE : EKM_PROXY;
}

/* Before 8.6 curl returns the same code for a header line that is too long; only then is there
 * memory. */
static enum ekm_rc out_of_memory(const struct http_easy *easy)
{
    curl_off_t first_byte_us = 0;
    (void)curl_easy_getinfo(easy->curl, CURLINFO_STARTTRANSFER_TIME_T, &first_byte_us);
    void *room = first_byte_us > 0 && !easy->header_ended ? malloc(CURL_HEADER_LINE_MAX) : NULL;
    bool too_long = room != NULL;
    free(room);
    return too_long ? EKM_ANSWER_TOO_BIG : EKM_OUT_OF_MEMORY;
}

/* "Not valid yet" is transient: a clock that was behind at boot is set later. */
static enum ekm_rc http_certificate_failure(const struct http_easy *easy)
{
    long verified = X509_V_OK;
    (void)curl_easy_getinfo(easy->curl, CURLINFO_SSL_VERIFYRESULT, &verified);
    return verified == X509_V_ERR_CERT_NOT_YET_VALID ? EKM_CERTIFICATE_EARLY
                                                     : EKM_CERTIFICATE_REFUSED;
}

static enum ekm_rc proxy_failure(const struct http_easy *easy)
{
    long detail = 0;
#if LIBCURL_VERSION_NUM >= 0x074900
    (void)curl_easy_getinfo(easy->curl, CURLINFO_PROXY_ERROR, &detail);
#else
    (void)easy;
#endif
    return curl_result_proxy(detail);
}

/* The few results whose meaning depends on how far the transfer came. */
static enum ekm_rc http_failure_classify(const struct http_request *request,
                                         const struct http_easy *easy, CURLcode result)
{
    enum ekm_rc rc = curl_result_meaning((int)result);
    if (rc == EKM_HOST_NOT_RESOLVED || result == CURLE_COULDNT_RESOLVE_PROXY) {
        return not_resolved(request, easy);
    }
    if (rc == EKM_CONNECT_FAILED && uses_proxy(request)) {
        return EKM_PROXY_UNREACHABLE;
    }
    if (result == CURLE_OPERATION_TIMEDOUT) {
        return timed_out(request, easy);
    }
    if (result == CURLE_PEER_FAILED_VERIFICATION) {
        return http_certificate_failure(easy);
    }
    if (result == CURLE_OUT_OF_MEMORY) {
        return out_of_memory(easy);
    }
    return rc == EKM_PROXY ? proxy_failure(easy) : rc;
}

enum ekm_rc http_failure(struct call *call, const struct http_easy *easy, CURLcode result)
{
    const struct http_request *request = easy->request;
    long connect_status = 0;
    (void)curl_easy_getinfo(easy->curl, CURLINFO_HTTP_CONNECTCODE, &connect_status);
    enum ekm_rc rc = http_failure_classify(request, easy, result);
    bool tunnelled = connect_status >= 200 && connect_status < 300;
    if (connect_status != 0 && !tunnelled && result != CURLE_ABORTED_BY_CALLBACK) {
        rc = tunnel_failure(connect_status);
    }
    if (rc == EKM_CERTIFICATE_REFUSED) {
        trust_store_doubt();
        tls_resume_forget();
    }
    /* Near the end of a second curl counts one millisecond too many. */
    if (result == CURLE_OPERATION_TIMEDOUT && call_remaining_ms(call) <= 1) {
        return call_fail(call, EKM_DEADLINE, "%s: %s", request->host, ekm_text(rc));
    }
    char why[CURL_ERROR_SIZE];
    (void)text_copy(why, sizeof why,
                    easy->error[0] != '\0' ? easy->error : curl_easy_strerror(result));
    proxy_hide(request->host, why); /* curl quotes a proxy URL that it cannot parse */
    return call_fail(call, rc, "%s: %s (curl %d)", request->host, why, (int)result);
}
