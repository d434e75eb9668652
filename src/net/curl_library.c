#include "net/curl_library.h"

#include <openssl/crypto.h>
#include <string.h>

#include "base/text.h"
#include "platform/wiping_alloc.h"

#define NEEDED_CURL (LIBCURL_VERSION_NUM < 0x075700 ? LIBCURL_VERSION_NUM : 0x075700)

#ifdef AKVEKM_PRIVATE_LIBRARIES
static void *crypto_malloc(size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    return wiping_malloc(len);
}

static void *crypto_realloc(void *block, size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    return wiping_realloc(block, len);
}

static void crypto_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    wiping_free(block);
}
#endif

/* A private OpenSSL and a private curl get allocators that wipe freed blocks, because these hold
 * records, headers with tokens and bodies. Shared libraries keep their own allocators. OpenSSL
 * accepts the functions only before its first allocation; later starts find them installed. A
 * private OpenSSL also does not clean up when the process ends: on Windows the other threads have
 * been killed by then, perhaps while they held its locks, and the process's end frees its memory.
 */
bool curl_library_prepare(void)
{
#ifdef AKVEKM_PRIVATE_LIBRARIES
    (void)CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free);
    return OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL) == 1;
#else
    return OPENSSL_init_crypto(0, NULL) == 1;
#endif
}

bool curl_library_start(void)
{
    if (!curl_library_prepare()) {
        return false;
    }
#ifdef AKVEKM_PRIVATE_LIBRARIES
    return curl_global_init_mem(CURL_GLOBAL_DEFAULT, wiping_malloc, wiping_free, wiping_realloc,
                                wiping_strdup, wiping_calloc) == CURLE_OK;
#else
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
#endif
}

/* A version in parentheses is built into curl but not used. */
unsigned long curl_library_openssl(const char *ssl_version)
{
    static const char name[] = "OpenSSL/";
    const char *at = ssl_version != NULL ? strstr(ssl_version, name) : NULL;
    bool used = at != NULL && (at == ssl_version || at[-1] == ' ');
    unsigned long major = 0;
    for (at = used ? at + sizeof name - 1 : ""; text_is_digit(*at) && major < 1000; at++) {
        major = major * 10 + (unsigned long)(*at - '0');
    }
    return major;
}

enum ekm_rc curl_library_check(char *reason, size_t reason_cap)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    /* Another major version cannot use this library's SSL_CTX. */
    unsigned long ours = OpenSSL_version_num() >> 28;
    if (ours < 3 || curl_library_openssl(info->ssl_version) != ours) {
        (void)text_format(reason, reason_cap,
                          "this libcurl uses %s, this library OpenSSL %lu; both must use the same, "
                          "3 or newer",
                          info->ssl_version != NULL ? info->ssl_version : "no TLS", ours);
        return EKM_CONFIGURATION;
    }
    /* This libcurl must have the features that the build relied on. It must also resolve names in a
     * thread, because otherwise no lookup could be abandoned. */
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

void curl_library_set_quick_exit(CURLM *multi)
{
    /* By number, because the headers of older versions lack the name. */
    const CURLMoption quick_exit = (CURLMoption)21;
    if (curl_version_info(CURLVERSION_NOW)->version_num >= 0x081400) {
        (void)curl_multi_setopt(multi, quick_exit, 1L);
    }
}

const char *curl_library_inside(void)
{
#ifdef AKVEKM_INSIDE
    return AKVEKM_INSIDE;
#else
    return "";
#endif
}

void curl_library_versions(char *out, size_t cap)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    (void)text_format(out, cap, "curl %s, %s", info->version,
                      info->ssl_version != NULL ? info->ssl_version : "no TLS");
}
