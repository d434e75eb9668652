#include "net/curl_library.h"

#include <curl/curl.h>
#include <string.h>

#include "base/text.h"
#include "platform/wiping_alloc.h"

#define NEEDED_CURL (LIBCURL_VERSION_NUM < 0x075700 ? LIBCURL_VERSION_NUM : 0x075700)

/* A curl of the library's own wipes what it frees: headers with tokens, bodies. One that the host
 * shares must be left as it is. */
bool curl_library_start(void)
{
#ifdef AKVEKM_PRIVATE_LIBRARIES
    return curl_global_init_mem(CURL_GLOBAL_DEFAULT, wiping_malloc, wiping_free, wiping_realloc,
                                wiping_strdup, wiping_calloc) == CURLE_OK;
#else
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
#endif
}

/* The TLS library in use; one in parentheses is there but not in use. Another major version than
 * ours would not know our SSL_CTX. */
static bool uses_openssl_3(const char *ssl_version)
{
    const char *at = ssl_version != NULL ? strstr(ssl_version, "OpenSSL/3") : NULL;
    return at != NULL && (at == ssl_version || at[-1] != '(');
}

enum ekm_rc curl_library_check(char *reason, size_t reason_cap)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    if (!uses_openssl_3(info->ssl_version)) {
        (void)text_format(reason, reason_cap, "this libcurl uses %s; it must use OpenSSL 3",
                          info->ssl_version != NULL ? info->ssl_version : "no TLS");
        return EKM_CONFIGURATION;
    }
    /* What the build relied on must be there; and without its resolver thread no name lookup could
     * be ended. */
    if (info->version_num < NEEDED_CURL || (info->features & CURL_VERSION_ASYNCHDNS) == 0) {
        (void)text_format(reason, reason_cap,
                          "this libcurl, %s, is older than the one built against%s", info->version,
                          info->version_num < NEEDED_CURL ? "" : ", or resolves without a thread");
        return EKM_CONFIGURATION;
    }
    return EKM_OK;
}

bool curl_library_may_signal(void)
{
    return curl_version_info(CURLVERSION_NOW)->version_num < 0x075700;
}

void curl_library_versions(char *out, size_t cap)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    (void)text_format(out, cap, "curl %s, %s", info->version,
                      info->ssl_version != NULL ? info->ssl_version : "no TLS");
}
