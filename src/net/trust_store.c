#include "net/trust_store.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"
#include "base/whole_file.h"
#include "net/trust_bundle.h"
#include "net/trust_system.h"

#include "platform/system.h"
#include "platform/thread.h"

#define CA_FILE_MAX ((size_t)1024 * 1024)
#define REREAD_MS   10000

static struct {
    struct plat_mutex mutex;
    struct plat_cond read;
    X509_STORE *store;
    bool reading, has_system, doubted;
    uint64_t read_ms;
    const char *ca_file; /* of the configuration; "" for none */
} trust = {.mutex = PLAT_MUTEX_INIT, .read = PLAT_COND_INIT};

/* Replaces zero bytes. Otherwise the first one would end the text, and the certificates behind it
 * would be lost without a log line. */
static void blot_zeros(uint8_t *data, size_t len)
{
    for (uint8_t *zero = data; (zero = memchr(zero, 0, len - (size_t)(zero - data))) != NULL;) {
        *zero = '?';
    }
}

/* `say`: log which certificates are left out. That is done once, not at each later reading. */
static enum ekm_rc load_ca_file(X509_STORE *store, const char *path, bool say, char *reason,
                                size_t cap)
{
    struct buf pem = BUF_EMPTY(CA_FILE_MAX);
    size_t count = 0;
    enum ekm_rc rc = buf_reserve(&pem, CA_FILE_MAX);
    if (rc != EKM_OK) {
        goto out;
    }
    enum plat_io io = whole_file_read(path, PLAT_TRUST_REQUIRED, CA_FILE_MAX, &pem);
    if (io != PLAT_IO_OK) {
        char why[640];
        plat_file_explain(path, io, why, sizeof why);
        (void)text_format(reason, cap, "ca_file %s: %s", path, why);
        rc = EKM_CONFIGURATION;
        goto out;
    }
    blot_zeros(pem.data, pem.len);
    rc = trust_bundle_add(store, buf_text(&pem), path, say, &count);
    if (rc != EKM_OK) {
        goto out;
    }
    if (count == 0) {
        (void)text_format(reason, cap, "ca_file %s: has no certificate in PEM form", path);
        rc = EKM_CONFIGURATION;
    }
out:
    buf_free(&pem);
    return rc;
}

/* A store with the content of ca_file. A failure has a reason, except for a lack of memory. */
static enum ekm_rc make_store(const char *ca_file, bool say, X509_STORE **out, char *reason,
                              size_t cap)
{
    X509_STORE *store = X509_STORE_new();
    if (store == NULL) {
        return EKM_OUT_OF_MEMORY;
    }
    /* An issuing authority in ca_file suffices, as it does for curl. curl sets these flags as well,
     * later, while other threads read them; so they are set here first. */
    (void)X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
    enum ekm_rc rc = ca_file[0] != '\0' ? load_ca_file(store, ca_file, say, reason, cap) : EKM_OK;
    if (rc != EKM_OK) {
        X509_STORE_free(store);
        return rc;
    }
    *out = store;
    return EKM_OK;
}

/* Checks that OpenSSL can make a TLS context. Otherwise every connection would fail, and curl would
 * call that "out of memory". */
static enum ekm_rc check_openssl(char *reason, size_t cap)
{
    ERR_clear_error();
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    bool usable = context != NULL;
    unsigned long error = ERR_peek_error();
    const char *why = ERR_reason_error_string(error);
    SSL_CTX_free(context);
    if (!usable && ERR_GET_REASON(error) != ERR_R_MALLOC_FAILURE) {
        (void)text_format(
            reason, cap,
            "OpenSSL makes no TLS context: %s; check its configuration (OPENSSL_CONF, "
            "openssl.cnf, FIPS provider)",
            why != NULL ? why : "no reason given");
    }
    ERR_clear_error();
    return usable ? EKM_OK : reason[0] != '\0' ? EKM_CONFIGURATION : EKM_OUT_OF_MEMORY;
}

enum ekm_rc trust_store_start(const struct config *config, char *reason, size_t reason_cap)
{
    X509_STORE *store = NULL;
    enum ekm_rc rc = check_openssl(reason, reason_cap);
    if (rc != EKM_OK) {
        return rc;
    }
    rc = make_store(config->ca_file, true, &store, reason, reason_cap);
    if (rc != EKM_OK) {
        return rc;
    }
    plat_mutex_lock(&trust.mutex);
    trust.store = store;
    trust.ca_file = config->ca_file;
    trust.has_system = trust.doubted = false;
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

void trust_store_doubt(void)
{
    plat_mutex_lock(&trust.mutex);
    trust.doubted = true;
    plat_mutex_unlock(&trust.mutex);
}

/* Whether this connection must read the certificates first (*due): the first connection, each later
 * one while reading fails, or one connection when they must be read again (*again). A connection
 * that has certificates does not wait for a reading. */
static enum ekm_rc begin_reading(const struct call *call, bool *due, bool *again)
{
    enum ekm_rc rc = EKM_OK;
    *due = *again = false;
    plat_mutex_lock(&trust.mutex);
    while (rc == EKM_OK && trust.reading && !trust.has_system) {
        plat_cond_wait_until(&trust.read, &trust.mutex, plat_now_ms() + CALL_SLICE_MS);
        rc = call_aborted(call)             ? EKM_CLOSING
             : call_remaining_ms(call) == 0 ? EKM_DEADLINE
                                            : EKM_OK;
    }
    if (rc != EKM_OK) {
        goto out;
    }
    *again = trust.doubted && plat_now_ms() - trust.read_ms >= REREAD_MS;
    *due = !trust.reading && (*again || !trust.has_system);
    trust.reading = trust.reading || *due;
    trust.doubted = trust.doubted && !(*due && *again);
out:
    plat_mutex_unlock(&trust.mutex);
    return rc;
}

/* The caller holds no lock, but only one thread reads at a time. Frees `unused`, which may be
 * NULL. */
static void end_reading(X509_STORE *store, X509_STORE *unused, bool has_system)
{
    plat_mutex_lock(&trust.mutex);
    trust.store = store;
    trust.has_system = has_system;
    trust.reading = false;
    trust.read_ms = plat_now_ms();
    plat_cond_broadcast(&trust.read);
    plat_mutex_unlock(&trust.mutex);
    X509_STORE_free(unused);
}

/* Replaces the store with a new one. Keeps the old one if only that has the system's
 * certificates. */
static void read_again(X509_STORE *former, bool has_system)
{
    char reason[256] = "the system's store, or no memory";
    X509_STORE *store = NULL;
    bool made = make_store(trust.ca_file, false, &store, reason, sizeof reason) == EKM_OK;
    bool loaded = made && trust_system_load(store);
    made = made && (loaded || !has_system);
    end_reading(made ? store : former, made ? former : store, loaded || has_system);
    if (made) {
        log_text(LEVEL_INFO, 0, "trust",
                 "certificates read again, because a server's certificate was refused");
    } else {
        log_text(LEVEL_ERROR, 0, "trust", "certificates cannot be read again: %s", reason);
    }
}

static X509_STORE *current_store(bool *has_system)
{
    plat_mutex_lock(&trust.mutex);
    X509_STORE *store = trust.store;
    (void)X509_STORE_up_ref(store);
    *has_system = trust.has_system;
    plat_mutex_unlock(&trust.mutex);
    return store;
}

enum ekm_rc trust_store_apply(SSL_CTX *context, const struct call *call)
{
    bool due = false, again = false, has_system = false;
    enum ekm_rc rc = begin_reading(call, &due, &again);
    if (rc != EKM_OK) {
        return rc;
    }
    if (due) {
        X509_STORE *store = trust.store;
        if (again) {
            read_again(store, trust.has_system);
        } else {
            end_reading(store, NULL, trust_system_load(store));
        }
    }
    /* The context takes over the reference. */
    SSL_CTX_set_cert_store(context, current_store(&has_system));
    /* Otherwise curl writes the keys of each connection to the file that SSLKEYLOGFILE names. */
    SSL_CTX_set_keylog_callback(context, NULL);
    /* OpenSSL wipes plain text of responses in its buffers. */
    SSL_CTX_set_options(context, SSL_OP_CLEANSE_PLAINTEXT);
    /* A connection keeps its buffers; otherwise all of them would be wiped and freed twice for each
     * response. Requests are small, so their buffer is small too. */
    SSL_CTX_clear_mode(context, SSL_MODE_RELEASE_BUFFERS);
    (void)SSL_CTX_set_max_send_fragment(context, 4096);
    return has_system || trust.ca_file[0] != '\0' ? EKM_OK : EKM_CERTIFICATE_REFUSED;
}
