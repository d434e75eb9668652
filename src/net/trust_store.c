#include "net/trust_store.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/text.h"
#include "net/trust_system.h"
#include "platform/file.h"
#include "platform/thread.h"

#define CA_FILE_MAX ((size_t)1024 * 1024)

enum loading { NOT_LOADED, LOADING, LOADED };

static struct {
    struct plat_mutex mutex;
    struct plat_cond loaded;
    enum loading system;
    bool has_ca_file;
    X509_STORE *store;
} trust = {.mutex = PLAT_MUTEX_INIT, .loaded = PLAT_COND_INIT};

static enum ekm_rc add_certificates(X509_STORE *store, const struct buf *pem, size_t *count)
{
    BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
    X509 *certificate;
    enum ekm_rc rc = bio != NULL ? EKM_OK : EKM_OUT_OF_MEMORY;
    *count = 0;
    while (rc == EKM_OK && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        rc = X509_STORE_add_cert(store, certificate) == 1 ? EKM_OK : EKM_OUT_OF_MEMORY;
        X509_free(certificate);
        (*count)++;
    }
    BIO_free(bio);
    ERR_clear_error();
    return rc;
}

static enum ekm_rc load_ca_file(X509_STORE *store, const char *path, char *reason, size_t cap)
{
    struct buf pem = BUF_EMPTY(CA_FILE_MAX);
    struct plat_file_state state;
    int handle = -1;
    size_t count = 0;
    enum plat_io io = plat_file_open(path, PLAT_TRUST_REQUIRED, &handle, &state);
    enum ekm_rc rc = io == PLAT_IO_OK ? buf_reserve(&pem, CA_FILE_MAX) : EKM_CONFIGURATION;
    if (rc == EKM_OK) {
        io = plat_file_read(handle, pem.data, CA_FILE_MAX, &pem.len);
        rc = io == PLAT_IO_OK ? add_certificates(store, &pem, &count) : EKM_CONFIGURATION;
    }
    if (io != PLAT_IO_OK) {
        (void)text_format(reason, cap, "ca_file %s: %s", path, plat_io_text(io));
    } else if (rc == EKM_OK && count == 0) {
        (void)text_format(reason, cap, "ca_file %s: holds no certificate in PEM form", path);
        rc = EKM_CONFIGURATION;
    }
    plat_file_close(&handle);
    buf_free(&pem);
    return rc;
}

enum ekm_rc trust_store_start(const struct config *config, char *reason, size_t reason_cap)
{
    X509_STORE *store = X509_STORE_new();
    if (store == NULL) {
        return EKM_OUT_OF_MEMORY;
    }
    /* An issuing authority in ca_file suffices, as it does for curl. */
    (void)X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    if (config->ca_file[0] != '\0') {
        enum ekm_rc rc = load_ca_file(store, config->ca_file, reason, reason_cap);
        if (rc != EKM_OK) {
            X509_STORE_free(store);
            return rc;
        }
    }
    plat_mutex_lock(&trust.mutex);
    trust.store = store;
    trust.system = NOT_LOADED;
    trust.has_ca_file = config->ca_file[0] != '\0';
    plat_mutex_unlock(&trust.mutex);
    return EKM_OK;
}

void trust_store_stop(void)
{
    plat_mutex_lock(&trust.mutex);
    X509_STORE *store = trust.store;
    trust.store = NULL;
    plat_mutex_unlock(&trust.mutex);
    X509_STORE_free(store);
}

bool trust_store_apply(SSL_CTX *context)
{
    plat_mutex_lock(&trust.mutex);
    while (trust.system == LOADING) {
        plat_cond_wait_until(&trust.loaded, &trust.mutex, UINT64_MAX / 2);
    }
    bool load = trust.system == NOT_LOADED;
    X509_STORE *store = trust.store;
    trust.system = load ? LOADING : trust.system;
    plat_mutex_unlock(&trust.mutex);
    if (load) {
        bool usable = trust_system_load(store);
        plat_mutex_lock(&trust.mutex);
        /* What failed for a passing reason is tried again at the next connection. */
        trust.system = usable ? LOADED : NOT_LOADED;
        plat_cond_broadcast(&trust.loaded);
        plat_mutex_unlock(&trust.mutex);
        if (!usable && !trust.has_ca_file) {
            return false;
        }
    }
    /* Counted: the context frees its reference. Plain text of answers is wiped where OpenSSL held
     * it. */
    SSL_CTX_set1_cert_store(context, store);
    SSL_CTX_set_options(context, SSL_OP_CLEANSE_PLAINTEXT);
    /* A connection keeps its buffers: else all of them were wiped and freed twice for each answer.
     * What is sent is small, and so is their memory then. */
    SSL_CTX_clear_mode(context, SSL_MODE_RELEASE_BUFFERS);
    (void)SSL_CTX_set_max_send_fragment(context, 4096);
    return true;
}
