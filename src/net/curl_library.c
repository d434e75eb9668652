#include "net/curl_library.h"

#include <curl/curl.h>
#include <string.h>

#include "base/text.h"
#include "platform/wiping.h"

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

enum ekm_rc curl_library_check(char *reason, size_t reason_cap)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    if (info->ssl_version == NULL || strstr(info->ssl_version, "OpenSSL/3") == NULL) {
        (void)text_format(reason, reason_cap, "this libcurl uses %s; it must use OpenSSL 3",
                          info->ssl_version != NULL ? info->ssl_version : "no TLS");
        return EKM_CONFIGURATION;
    }
    return EKM_OK;
}
