#include "net/trust_store.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"
#include "net/trust_system.h"
#include "platform/file.h"
#include "platform/system.h"
#include "platform/thread.h"

#define CA_FILE_MAX ((size_t)1024 * 1024)
#define REREAD_MS   10000

enum loading { NOT_LOADED, LOADING, LOADED };

static struct {
    struct plat_mutex mutex;
    struct plat_cond loaded;
    enum loading system;
    bool doubted;
    uint64_t read_ms;
    const char *ca_file; /* of the configuration; "" for none */
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

/* A store with what stands in ca_file; NULL: a reason is given, but for want of memory. */
static enum ekm_rc make_store(const char *ca_file, X509_STORE **out, char *reason, size_t cap)
{
    X509_STORE *store = X509_STORE_new();
    if (store == NULL) {
        return EKM_OUT_OF_MEMORY;
    }
    /* An issuing authority in ca_file suffices, as it does for curl. */
    (void)X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    enum ekm_rc rc = ca_file[0] != '\0' ? load_ca_file(store, ca_file, reason, cap) : EKM_OK;
    if (rc != EKM_OK) {
        X509_STORE_free(store);
        return rc;
    }
    *out = store;
    return EKM_OK;
}

enum ekm_rc trust_store_start(const struct config *config, char *reason, size_t reason_cap)
{
    X509_STORE *store = NULL;
    enum ekm_rc rc = make_store(config->ca_file, &store, reason, reason_cap);
    if (rc == EKM_OK) {
        plat_mutex_lock(&trust.mutex);
        trust.store = store;
        trust.system = NOT_LOADED;
        trust.doubted = false;
        trust.ca_file = config->ca_file;
        plat_mutex_unlock(&trust.mutex);
    }
    return rc;
}

void trust_store_stop(void)
{
    plat_mutex_lock(&trust.mutex);
    X509_STORE *store = trust.store;
    trust.store = NULL;
    plat_mutex_unlock(&trust.mutex);
    X509_STORE_free(store);
}

void trust_store_doubt(void)
{
    plat_mutex_lock(&trust.mutex);
    trust.doubted = true;
    plat_mutex_unlock(&trust.mutex);
}

/* Ends the reading that this thread alone does; `unused` is freed. */
static void end_reading(enum loading system, bool doubted, X509_STORE *store, X509_STORE *unused)
{
    plat_mutex_lock(&trust.mutex);
    trust.system = system;
    trust.doubted = doubted;
    trust.read_ms = plat_now_ms();
    trust.store = store;
    plat_cond_broadcast(&trust.loaded);
    plat_mutex_unlock(&trust.mutex);
    X509_STORE_free(unused);
}

/* The system's certificates, into the store that was made at the start; false: there are none at
 * all. What failed for a passing reason is tried again at the next connection. */
static bool read_first(X509_STORE *store)
{
    bool loaded = trust_system_load(store);
    end_reading(loaded ? LOADED : NOT_LOADED, false, store, NULL);
    return loaded || trust.ca_file[0] != '\0';
}

/* A new store with all of it; the former stays if that cannot be had. */
static void read_again(X509_STORE *former)
{
    char reason[256] = "the system's store, or no memory";
    X509_STORE *store = NULL;
    bool made = make_store(trust.ca_file, &store, reason, sizeof reason) == EKM_OK &&
                trust_system_load(store);
    end_reading(LOADED, !made, made ? store : former, made ? former : store);
    if (made) {
        log_text(LEVEL_INFO, 0, "trust", "trusted certificates read again, one was refused");
    } else {
        log_text(LEVEL_ERROR, 0, "trust", "trusted certificates not read again: %s", reason);
    }
}

/* Whether this connection reads first, and which store there is. */
static bool begin_reading(bool *again, X509_STORE **store)
{
    plat_mutex_lock(&trust.mutex);
    while (trust.system == LOADING) {
        plat_cond_wait_until(&trust.loaded, &trust.mutex, UINT64_MAX / 2);
    }
    *again = trust.system == LOADED;
    bool due = !*again || (trust.doubted && plat_now_ms() - trust.read_ms >= REREAD_MS);
    trust.system = due ? LOADING : trust.system;
    *store = trust.store;
    plat_mutex_unlock(&trust.mutex);
    return due;
}

static X509_STORE *current_store(void)
{
    plat_mutex_lock(&trust.mutex);
    X509_STORE *store = trust.store;
    (void)X509_STORE_up_ref(store);
    plat_mutex_unlock(&trust.mutex);
    return store;
}

bool trust_store_apply(SSL_CTX *context)
{
    bool again = false;
    X509_STORE *store = NULL;
    if (begin_reading(&again, &store)) {
        if (again) {
            read_again(store);
        } else if (!read_first(store)) {
            return false;
        }
    }
    /* Takes over the reference. */
    SSL_CTX_set_cert_store(context, current_store());
    /* Plain text of answers is wiped where OpenSSL held it. */
    SSL_CTX_set_options(context, SSL_OP_CLEANSE_PLAINTEXT);
    /* A connection keeps its buffers: else all of them were wiped and freed twice for each answer.
     * What is sent is small, and so is their memory then. */
    SSL_CTX_clear_mode(context, SSL_MODE_RELEASE_BUFFERS);
    (void)SSL_CTX_set_max_send_fragment(context, 4096);
    return true;
}
