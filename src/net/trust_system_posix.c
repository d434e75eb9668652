#include "net/trust_system.h"

#include <curl/curl.h>
#include <openssl/err.h>

#include "platform/file.h"

static bool is_readable(const char *path)
{
    struct plat_file_state state;
    int handle = -1;
    bool readable = plat_folder_exists(path) ||
                    plat_file_open(path, PLAT_TRUST_ANY, &handle, &state) == PLAT_IO_OK;
    plat_file_close(&handle);
    return readable;
}

/* As X509_STORE_set_default_paths does, but whatever SSL_CERT_FILE and SSL_CERT_DIR say: whom to
 * trust is no matter of the environment. */
static bool load_default_places(X509_STORE *store)
{
    bool file = X509_STORE_load_file(store, X509_get_default_cert_file()) == 1;
    return X509_STORE_load_path(store, X509_get_default_cert_dir()) == 1 || file;
}

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
        loaded = (is_readable(X509_get_default_cert_dir()) ||
                  is_readable(X509_get_default_cert_file())) &&
                 load_default_places(store);
    }
    ERR_clear_error();
    return loaded;
}
