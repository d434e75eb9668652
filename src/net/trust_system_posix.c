#include "net/trust_system.h"

#include <curl/curl.h>
#include <openssl/err.h>

#include "net/trust_index.h"
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

/* Like X509_STORE_set_default_paths, but ignores SSL_CERT_FILE and SSL_CERT_DIR: the environment
 * must not decide what is trusted. */
static bool load_default_places(X509_STORE *store)
{
    bool file = trust_index_load_file(store, X509_get_default_cert_file());
    return X509_STORE_load_path(store, X509_get_default_cert_dir()) == 1 || file;
}

/* The distributions' bundles of authorities for TLS servers. */
static bool load_known_bundle(X509_STORE *store)
{
    static const char *const bundles[] = {
        "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Ubuntu */
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* RHEL and its kin */
        "/etc/pki/tls/certs/ca-bundle.crt",                  /* older ones of these */
        "/var/lib/ca-certificates/ca-bundle.pem",            /* SLES */
        "/etc/ssl/ca-bundle.pem",                            /* older SLES */
        "/etc/ssl/cert.pem",                                 /* Alpine */
    };
    for (size_t i = 0; i < sizeof bundles / sizeof bundles[0]; i++) {
        if (is_readable(bundles[i]) && trust_index_load_file(store, bundles[i])) {
            return true;
        }
    }
    return is_readable("/etc/ssl/certs") && X509_STORE_load_path(store, "/etc/ssl/certs") == 1;
}

/* Looks first where libcurl would (its build sets the place), then where OpenSSL would, then at the
 * places of the distributions. Only the last helps private libraries: their builds set no place. */
bool trust_system_load(X509_STORE *store)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    bool loaded = false;
    if (info->age >= CURLVERSION_SEVENTH) {
        loaded = info->cainfo != NULL && trust_index_load_file(store, info->cainfo);
        loaded =
            (!loaded && info->capath != NULL && X509_STORE_load_path(store, info->capath) == 1) ||
            loaded;
    }
    if (!loaded) {
        loaded = (is_readable(X509_get_default_cert_dir()) ||
                  is_readable(X509_get_default_cert_file())) &&
                 load_default_places(store);
    }
    loaded = loaded || load_known_bundle(store);
    ERR_clear_error();
    return loaded;
}
