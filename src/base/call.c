#include "base/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/codec.h"
#include "base/log.h"
#include "base/text.h"
#include "platform/system.h"
#include "platform/thread.h"

void call_begin(struct call *call, const char *operation, const struct config *config)
{
    static _Atomic uint64_t last_number;
    memset(call, 0, sizeof *call);
    call->operation = operation;
    call->config = config;
    call->number = atomic_fetch_add_explicit(&last_number, 1, memory_order_relaxed) + 1;
    call->start_ms = plat_now_ms();
    call->deadline_ms = call->start_ms + config->call_timeout_ms;
}

const char *call_correlation_id(struct call *call)
{
    if (call->correlation_id[0] == '\0' && !uuid_make(call->correlation_id)) {
        (void)text_copy(call->correlation_id, sizeof call->correlation_id, "unknown");
    }
    return call->correlation_id;
}

void call_clear_error(struct call *call)
{
    call->error = (struct call_error){.rc = EKM_OK};
}

void call_new_try(struct call *call)
{
    call_clear_error(call);
    call->proxy[0] = call->peer[0] = '\0';
    call->tries++;
}

enum ekm_rc call_fail(struct call *call, enum ekm_rc rc, const char *format, ...)
{
    call->error.rc = rc;
    if (format != NULL) {
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(call->error.note, sizeof call->error.note, format, arguments);
        va_end(arguments);
    }
    return rc;
}

void call_add_note(struct call *call, const char *text)
{
    char *note = call->error.note;
    size_t len = strlen(note);
    (void)text_format(note + len, sizeof call->error.note - len, "%s%s", len > 0 ? "; " : "", text);
}

bool call_aborted(const struct call *call)
{
    return (call->session_aborted != NULL && atomic_load(call->session_aborted)) ||
           (call->provider_closing != NULL && atomic_load(call->provider_closing));
}

uint64_t call_remaining_ms(const struct call *call)
{
    uint64_t now_ms = plat_now_ms();
    bool is_over = now_ms >= call->deadline_ms || call_patience_is_over(&call->patience);
    return is_over ? 0 : call->deadline_ms - now_ms;
}

enum ekm_rc call_check(struct call *call)
{
    if (call_aborted(call)) {
        return call_fail(call, EKM_CLOSING, "the session was aborted");
    }
    if (call_remaining_ms(call) == 0) {
        return call_fail(call, EKM_DEADLINE, NULL);
    }
    return EKM_OK;
}

enum ekm_rc call_sleep(struct call *call, uint64_t ms)
{
    /* A condition of our own that nobody signals: the wait ends after each slice, which then sees
     * an abort. */
    struct plat_mutex mutex = PLAT_MUTEX_INIT;
    struct plat_cond cond = PLAT_COND_INIT;
    uint64_t now_ms = plat_now_ms();
    uint64_t end_ms = ms < UINT64_MAX - now_ms ? now_ms + ms : UINT64_MAX;
    if (end_ms > call->deadline_ms) {
        end_ms = call->deadline_ms;
    }
    plat_mutex_lock(&mutex);
    while (!call_aborted(call) && !call_patience_is_over(&call->patience) &&
           (now_ms = plat_now_ms()) < end_ms) {
        uint64_t slice_ms = end_ms - now_ms < CALL_SLICE_MS ? end_ms - now_ms : CALL_SLICE_MS;
        plat_cond_wait_until(&cond, &mutex, now_ms + slice_ms);
    }
    plat_mutex_unlock(&mutex);
    return call_aborted(call) ? call_fail(call, EKM_CLOSING, "the session was aborted") : EKM_OK;
}

/* Adds the fields of every log line that name the call's vault, key and identity. */
static void add_subject(const struct call *call, struct log_line *line)
{
    char key[sizeof call->key + sizeof call->version + 1];
    (void)text_join(
        key, sizeof key,
        (const char *const[]){call->key, call->version[0] != '\0' ? "/" : "", call->version, NULL});
    log_pair(line, "vault", call->vault);
    log_pair(line, "key", key);
    log_pair(line, "thumbprint", call->thumbprint);
    log_pair(line, "client", call->client_id);
    log_pair(line, "sign_in", call->sign_in);
}

static void add_error(const struct call *call, enum ekm_rc rc, struct log_line *line)
{
    const struct call_error *error = &call->error;
    log_pair_number(line, "code", ekm_code(rc));
    log_pair(line, "text", ekm_text(rc));
    log_pair(line, "note", error->note);
    if (error->http_status != 0) {
        log_pair_number(line, "http", error->http_status);
    }
    log_pair(line, "azure", error->azure_code);
    log_pair(line, "inner", error->inner_code);
    if (error->akv != 0) {
        char number[16];
        (void)text_format(number, sizeof number, "AKV%u", (unsigned)error->akv);
        log_pair(line, "akv", number);
    }
    if (error->aadsts != 0) {
        log_pair_number(line, "aadsts", error->aadsts);
    }
    log_pair(line, "proxy", call->proxy);
    log_pair(line, "peer", call->peer);
}

/* Whether the code is no failure: the call succeeded, returned a size, or ended an enumeration. */
static bool call_is_response(const struct call *call, enum ekm_rc rc)
{
    return rc == EKM_OK || rc == EKM_INSUFFICIENT_BUFFER ||
           (rc == EKM_NOT_FOUND && call->error.rc != EKM_NOT_FOUND);
}

int32_t call_end(struct call *call, enum ekm_rc rc)
{
    /* First, so that this failure is not counted into a minute that is over. */
    log_tick();
    bool failed = !call_is_response(call, rc);
    enum log_level level = failed                          ? LEVEL_ERROR
                           : call->audited && rc == EKM_OK ? LEVEL_INFO
                                                           : LEVEL_DEBUG;
    bool admitted = !failed || log_failure_admitted(call->operation, ekm_code(rc), call->vault);
    if (admitted && log_wanted(level)) {
        struct log_line line;
        log_begin(&line, level, call->number, call->operation);
        line.code = ekm_code(rc);
        if (failed) {
            add_error(call, rc, &line);
        } else if (rc != EKM_OK) {
            log_pair_number(&line, "code", ekm_code(rc));
        }
        add_subject(call, &line);
        log_pair_number(&line, "ms", (int64_t)(plat_now_ms() - call->start_ms));
        if (call->tries > 0) {
            log_pair_number(&line, "tries", call->tries);
        }
        log_pair(&line, "hedge", call->hedge_won ? "won" : call->hedged ? "lost" : "");
        bool own = failed && call->error.request_id[0] != '\0';
        log_pair(&line, "request", own ? call->error.request_id : call->request_id);
        log_pair(&line, "correlation", call->correlation_id);
        log_write(&line);
    }
    return ekm_code(rc);
}

void call_log(const struct call *call, enum log_level level, const char *format, ...)
{
    if (!log_wanted(level)) {
        return;
    }
    char text[512];
    struct log_line line;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    log_begin(&line, level, call->number, call->operation);
    log_pair(&line, "text", text);
    add_subject(call, &line);
    log_write(&line);
}
