#include "provider/provider.h"

#include <openssl/crypto.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"
#include "discovery/discovery.h"
#include "keymap/keycache.h"
#include "keymap/keymap.h"
#include "keymap/keymap_store.h"
#include "keymap/tenants.h"
#include "net/curl_library.h"
#include "net/environment.h"
#include "net/http.h"
#include "net/http_retry.h"
#include "net/proxy.h"
#include "platform/heap.h"
#include "platform/system.h"
#include "platform/thread.h"
#include "provider/provider_info.h"
#include "provider/session.h"
#include "provider/trace.h"
#include "vault/challenge.h"
#include "vault/expiry.h"
#include "vault/second_vault.h"
#include "vault/token.h"
#include "vault/wire.h"

#define REASON_PART 200

enum state {
    STATE_DOWN,
    STATE_STARTING,
    STATE_UP,
    STATE_CLOSING, /* a Free waits for the running calls, then closes */
    STATE_STUCK    /* a Free stopped waiting: new calls are refused, nothing is closed */
};

static struct plat_mutex lock = PLAT_MUTEX_INIT;
static struct plat_cond changed = PLAT_COND_INIT;
static enum state state = STATE_DOWN;
static unsigned initialize_count, inside;
static struct config config;
static atomic_bool closing;

/* In a forked child, threads that do not exist there may hold locks. Nothing else may be
 * touched. */
static atomic_bool is_forked_child;

static void mark_child(void)
{
    atomic_store(&is_forked_child, true);
    atomic_store(&trace_is_on, false);
}

/* The process ends. OpenSSL may be cleaned up already and must not be touched. */
static atomic_bool is_exiting;

enum ekm_rc provider_check_process(void)
{
    return atomic_load(&is_forked_child) || atomic_load(&is_exiting) ? EKM_CLOSING : EKM_OK;
}

static void change_state(enum state next)
{
    plat_mutex_lock(&lock);
    state = next;
    plat_cond_broadcast(&changed);
    plat_mutex_unlock(&lock);
}

/* A value in a line has at most 256 bytes, so a long reason continues in further lines. */
static void log_reason(const char *operation, enum ekm_rc rc, const char *reason)
{
    struct log_line line;
    char part[REASON_PART + 1];
    bool whole = text_copy(part, sizeof part, reason);
    log_begin(&line, LEVEL_ERROR, 0, operation);
    line.code = ekm_code(rc);
    log_pair_number(&line, "code", ekm_code(rc));
    log_pair(&line, "text", ekm_text(rc));
    log_pair(&line, "note", part);
    log_write(&line);
    while (!whole) {
        reason += REASON_PART;
        whole = text_copy(part, sizeof part, reason);
        log_text(LEVEL_ERROR, 0, operation, "%s", part);
    }
}

/* Kept until the log is open. */
static void keep_warning(void *context, const char *text)
{
    struct buf *warnings = context;
    if (buf_append_text(warnings, text) != EKM_OK || buf_append_text(warnings, "\n") != EKM_OK) {
        log_text(LEVEL_ERROR, 0, "Initialize", "%s", text);
    }
}

static void log_warnings(struct buf *warnings)
{
    const char *rest = buf_text(warnings);
    while (*rest != '\0') {
        size_t len = strcspn(rest, "\n");
        log_text(LEVEL_ERROR, 0, "Initialize", "%.*s", (int)len, rest);
        rest += len + 1;
    }
    buf_free(warnings);
}

/* Settings that widen trust are logged even where only errors are. A long list takes several lines,
 * so that all of it is logged. */
static void log_setting(void *context, const char *key, const char *value, bool widens)
{
    enum log_level level = widens && !log_wanted(LEVEL_INFO) ? LEVEL_ERROR : LEVEL_INFO;
    (void)context;
    do {
        struct log_line line;
        char part[201];
        size_t len = text_copy(part, sizeof part, value) ? strlen(value) : sizeof part - 1;
        log_begin(&line, level, 0, "Initialize");
        log_pair(&line, "setting", key);
        log_pair(&line, "value", part);
        log_pair(&line, "note", widens ? "widens trust" : "");
        log_write(&line);
        value += len;
    } while (*value != '\0');
}

static void log_started(void)
{
    struct log_line line;
    char os[128], curl[128];
    plat_os_name(os, sizeof os);
    curl_library_versions(curl, sizeof curl);
    log_begin(&line, LEVEL_INFO, 0, "Initialize");
    log_pair(&line, "version", AKVEKM_VERSION);
    log_pair(&line, "openssl", OpenSSL_version(OPENSSL_VERSION_STRING));
    log_pair(&line, "curl", curl);
    log_pair(&line, "inside", curl_library_inside());
    log_pair(&line, "os", os);
    log_pair(&line, "config", config.path[0] != '\0' ? config.path : "none: defaults");
    log_pair(&line, "keymap", keymap_store_name());
    log_pair_number(&line, "keymap_entries", (int64_t)keymap_count());
    log_write(&line);
    config_visit_changed(&config, log_setting, NULL);
    proxy_report();
    environment_report();
}

static enum ekm_rc provider_start_network(char *reason, size_t cap)
{
    enum ekm_rc rc = second_vault_start(&config, reason, cap);
    if (rc != EKM_OK) {
        return rc;
    }
    rc = http_start(&config, reason, cap);
    if (rc != EKM_OK) {
        second_vault_stop();
    }
    return rc;
}

/* Needs no lock: the thread that set the state to STARTING is alone. */
static enum ekm_rc provider_start(void)
{
    char reason[1536] = "";
    struct buf warnings = BUF_EMPTY(65536);
    plat_stay_loaded();
    wire_start();
    enum ekm_rc rc = config_load(&config, reason, sizeof reason, keep_warning, &warnings);
    if (rc != EKM_OK) {
        log_start_default();
        log_warnings(&warnings);
        log_reason("Initialize", rc, reason);
        log_stop();
        return rc;
    }
    log_start(&config);
    log_warnings(&warnings);
    rc = provider_start_network(reason, sizeof reason);
    if (rc != EKM_OK) {
        log_reason("Initialize", rc, reason);
        log_stop();
        config_free(&config);
        return rc;
    }
    keymap_start(&config);
    tenants_start();
    provider_info_set(&config);
    log_started();
    trace_start(&config);
    return EKM_OK;
}

/* In reverse order; no call is running and none can start. */
static void tear_down(void)
{
    trace_stop();
    session_close_all();
    second_vault_stop();
    discovery_clear();
    keycache_clear();
    keymap_stop();
    credential_forget_all();
    challenge_forget_all();
    expiry_clear();
    http_retry_reset();
    http_stop();
    log_text(LEVEL_INFO, 0, "Free", "closed");
    log_stop();
    config_free(&config);
    plat_wipe_freed();
}

/* Called under the lock; waits until the state is settled. True: it became STARTING, and the caller
 * must start. */
static bool join_or_begin(void)
{
    while (state == STATE_STARTING || state == STATE_CLOSING) {
        plat_cond_wait_until(&changed, &lock, plat_now_ms() + CALL_SLICE_MS);
    }
    if (state == STATE_DOWN) {
        state = STATE_STARTING;
        return true;
    }
    if (state == STATE_STUCK) {
        atomic_store(&closing, false);
        state = STATE_UP;
    }
    initialize_count++;
    return false;
}

/* Called under the lock: whether another thread starts or closes. A Free that asks counts
 * itself. */
static bool provider_is_busy(bool freeing)
{
    return inside > 0 || state == STATE_STARTING || (state == STATE_CLOSING && !freeing);
}

/* Whether all calls ended in time. */
static bool provider_wait_idle(bool freeing)
{
    uint64_t until_ms = plat_now_ms() + PROVIDER_CLOSE_WAIT_MS;
    plat_mutex_lock(&lock);
    while (provider_is_busy(freeing) && plat_now_ms() < until_ms) {
        plat_cond_wait_until(&changed, &lock, until_ms);
    }
    bool idle = !provider_is_busy(freeing);
    plat_mutex_unlock(&lock);
    return idle;
}

/* The engine ends the process while its other threads still run. OpenSSL cleans up next: it
 * registered its handler before this one, so its handler runs later. This aborts the calls and
 * refuses new ones. */
static void provider_on_exit(void)
{
    if (atomic_load(&is_forked_child)) {
        return;
    }
    plat_mutex_lock(&lock);
    atomic_store(&is_exiting, true);
    atomic_store(&closing, true);
    plat_mutex_unlock(&lock);
    session_abort_all();
    (void)provider_wait_idle(false);
}

/* Once per process. Initializes OpenSSL first, so that OpenSSL is cleaned up last. */
static bool provider_watch_process(void)
{
    static bool watching; /* the state STARTING guards it */
    if (!watching) {
        watching = curl_library_prepare() && plat_on_fork_child(mark_child) &&
                   plat_on_exit(provider_on_exit);
    }
    return watching;
}

enum ekm_rc provider_initialize(void)
{
    if (provider_check_process() != EKM_OK) {
        return EKM_CLOSING;
    }
    plat_mutex_lock(&lock);
    bool begin = join_or_begin();
    plat_mutex_unlock(&lock);
    if (!begin) {
        return EKM_OK;
    }
    enum ekm_rc rc = EKM_OUT_OF_MEMORY;
    if (provider_watch_process()) {
        rc = provider_start();
    } else {
        log_reason("Initialize", rc, "handlers for fork and exit cannot be registered");
    }
    plat_mutex_lock(&lock);
    initialize_count = rc == EKM_OK ? 1 : 0;
    atomic_store(&closing, atomic_load(&is_exiting));
    state = rc == EKM_OK ? STATE_UP : STATE_DOWN;
    plat_cond_broadcast(&changed);
    plat_mutex_unlock(&lock);
    return rc;
}

/* Called under the lock. True: this caller closes. */
static bool shut_gate(void)
{
    if (state == STATE_UP && --initialize_count > 0) {
        return false;
    }
    if (state != STATE_UP && state != STATE_STUCK) {
        return false; /* one Free too many */
    }
    state = STATE_CLOSING;
    atomic_store(&closing, true);
    return true;
}

enum ekm_rc provider_free(void)
{
    if (provider_check_process() != EKM_OK) {
        return EKM_CLOSING;
    }
    plat_mutex_lock(&lock);
    bool close = shut_gate();
    plat_mutex_unlock(&lock);
    if (!close) {
        return EKM_OK;
    }
    session_abort_all();
    if (!provider_wait_idle(true)) {
        log_reason("Free", EKM_FAILURE, "calls still run: nothing was closed, call Free again");
        change_state(STATE_STUCK);
        return EKM_FAILURE;
    }
    tear_down();
    change_state(STATE_DOWN);
    return EKM_OK;
}

enum ekm_rc provider_enter(const struct config **out)
{
    if (provider_check_process() != EKM_OK) {
        return EKM_CLOSING;
    }
    plat_mutex_lock(&lock);
    bool open = state == STATE_UP && !atomic_load(&is_exiting);
    if (open) {
        inside++;
    }
    plat_mutex_unlock(&lock);
    *out = &config;
    return open ? EKM_OK : EKM_CLOSING;
}

void provider_leave(void)
{
    plat_mutex_lock(&lock);
    inside--;
    if (inside == 0 && (state == STATE_CLOSING || atomic_load(&is_exiting))) {
        plat_cond_broadcast(&changed);
    }
    plat_mutex_unlock(&lock);
}

const atomic_bool *provider_closing(void)
{
    return &closing;
}
