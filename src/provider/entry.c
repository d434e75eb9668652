#include "provider/entry.h"

#include <openssl/err.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/text.h"
#include "provider/provider.h"

/* If OpenSSL is private to the library, the engine never sees its error queue. It must not be read
 * before the first Initialize either: that would allocate before the wiping allocator is
 * installed. */
#ifdef AKVEKM_PRIVATE_LIBRARIES
static const bool shares_openssl = false;
#else
static const bool shares_openssl = true;
#endif

/* One error of the queue. A mark is not enough, because curl empties the whole queue when it
 * connects and reads. */
struct entry_openssl_error {
    struct entry_openssl_error *next;
    unsigned long code;
    int line;
    char file[128], function[64], data[256];
};

/* Takes the engine's errors off the queue. Without memory the rest of them is lost, and nothing
 * else. */
static struct entry_openssl_error *take_queue(void)
{
    struct entry_openssl_error *first = NULL, *last = NULL;
    const char *file, *function, *data;
    int line, flags;
    unsigned long code;
    while ((code = ERR_get_error_all(&file, &line, &function, &data, &flags)) != 0) {
        struct entry_openssl_error *taken = calloc(1, sizeof *taken);
        if (taken == NULL) {
            break;
        }
        taken->code = code;
        taken->line = line;
        (void)text_copy(taken->file, sizeof taken->file, file);
        (void)text_copy(taken->function, sizeof taken->function, function);
        (void)text_copy(taken->data, sizeof taken->data, (flags & ERR_TXT_STRING) != 0 ? data : "");
        if (last == NULL) {
            first = taken;
        } else {
            last->next = taken;
        }
        last = taken;
    }
    return first;
}

static void put_queue(struct entry_openssl_error *first)
{
    if (!shares_openssl || (first == NULL && ERR_peek_error() == 0)) {
        return;
    }
    ERR_clear_error();
    while (first != NULL) {
        struct entry_openssl_error *taken = first;
        first = first->next;
        ERR_new();
        ERR_set_debug(taken->file, taken->line, taken->function);
        if (taken->data[0] != '\0') {
            ERR_set_error(ERR_GET_LIB(taken->code), ERR_GET_REASON(taken->code), "%s", taken->data);
        } else {
            ERR_set_error(ERR_GET_LIB(taken->code), ERR_GET_REASON(taken->code), NULL);
        }
        free(taken);
    }
}

/* How many logins could not be set aside, and the last reason. A thread that still impersonates
 * must not write the log, because a log file that it creates would belong to the login. The next
 * call writes the line. */
static atomic_uint refused_count, refused_error;

static void log_refused_logins(void)
{
    unsigned count = atomic_load(&refused_count) > 0 ? atomic_exchange(&refused_count, 0) : 0;
    if (count > 0) {
        log_text(LEVEL_ERROR, 0, "entry",
                 "%u calls were refused, because the login that their thread impersonates could "
                 "not be set aside: Windows' error %u",
                 count, atomic_load(&refused_error));
    }
}

enum ekm_rc entry_save_engine_state(struct entry_engine_state *engine)
{
    uint32_t error = 0;
    plat_errors_save(&engine->errors);
    engine->queue = NULL;
    if (!plat_impersonation_leave(&engine->login, &error)) {
        atomic_store(&refused_error, error);
        atomic_fetch_add(&refused_count, 1);
        plat_errors_restore(&engine->errors);
        return EKM_INTERNAL;
    }
    engine->queue = shares_openssl && ERR_peek_error() != 0 ? take_queue() : NULL;
    return EKM_OK;
}

enum ekm_rc entry_restore_engine_state(struct entry_engine_state *engine)
{
    enum ekm_rc rc = EKM_OK;
    uint32_t error = 0;
    put_queue(engine->queue);
    if (!plat_impersonation_restore(&engine->login, &error)) {
        log_text(LEVEL_ERROR, 0, "entry",
                 "the login of this thread could not be put back (Windows' error %u): the thread "
                 "continues with no rights",
                 error);
        plat_impersonation_drop();
        rc = EKM_INTERNAL;
    }
    plat_errors_restore(&engine->errors);
    return rc;
}

bool entry_begin(struct entry_point *entry, const char *operation)
{
    const struct config *config = NULL;
    entry->session = NULL;
    entry->inside = false;
    /* After a refusal OpenSSL must not be touched, because it may be cleaned up already. */
    entry->rc = provider_enter(&config);
    if (entry->rc != EKM_OK) {
        return false;
    }
    entry->rc = entry_save_engine_state(&entry->engine);
    if (entry->rc != EKM_OK) {
        provider_leave();
        return false;
    }
    entry->inside = true;
    log_refused_logins();
    call_begin(&entry->call, operation, config);
    entry->call.provider_closing = provider_closing();
    credential_sweep(entry->call.start_ms);
    return true;
}

bool entry_begin_session(struct entry_point *entry, const char *operation,
                         const SqlCpSession *handle)
{
    if (!entry_begin(entry, operation)) {
        return false;
    }
    struct call *call = &entry->call;
    entry->session = session_get(handle);
    if (entry->session == NULL) {
        entry->rc = call_fail(call, EKM_INVALID_ARGUMENT, "the session is not open");
        return false;
    }
    const struct vault *vault = &entry->session->vault;
    call->session_aborted = &entry->session->aborted;
    (void)text_copy(call->vault, sizeof call->vault, vault->address.host);
    (void)text_copy(call->client_id, sizeof call->client_id,
                    credential_client_id(vault->credential));
    entry->rc = call_check(call);
    return entry->rc == EKM_OK;
}

SqlCpError entry_end(struct entry_point *entry)
{
    if (!entry->inside) {
        return ekm_code(entry->rc);
    }
    SqlCpError code = call_end(&entry->call, entry->rc);
    session_put(entry->session);
    enum ekm_rc rc = entry_restore_engine_state(&entry->engine);
    if (rc != EKM_OK) {
        code = ekm_code(rc);
    }
    provider_leave();
    return code;
}
