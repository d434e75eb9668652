#include "net/trust_system.h"

#include <curl/curl.h>
#include <openssl/err.h>

/* Where libcurl would look, as its builder set it; else where OpenSSL would. */
bool trust_system_load(X509_STORE *store)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    bool loaded = false;
    if (info->age >= CURLVERSION_SEVENTH) {
        loaded = info->cainfo != NULL && X509_STORE_load_file(store, info->cainfo) == 1;
        loaded =
            (!loaded && info->capath != NULL && X509_STORE_load_path(store, info->capath) == 1) ||
            loaded;
    }
    if (!loaded) {
        loaded = X509_STORE_set_default_paths(store) == 1;
    }
    ERR_clear_error();
    return loaded;
}
