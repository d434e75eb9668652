#include "provider/trace.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "platform/file.h"
#include "platform/thread.h"

#define MEBIBYTE        (UINT64_C(1024) * 1024)
#define TRACE_NAME_MAX  (SQLCP_MAX_KEY_NAME_BYTES / 2)
#define TRACE_THUMB_MAX SQLCP_MAX_THUMBPRINT_BYTES

atomic_bool trace_is_on = false;
static atomic_bool trace_filled;

/* The handle is used outside the lock. The last writer closes it if it was stopped meanwhile. */
static struct {
    struct plat_mutex mutex;
    int handle, retired;
    unsigned writers;
    uint64_t size, most;
} file = {.mutex = PLAT_MUTEX_INIT, .handle = -1, .retired = -1};

static void trace_add_part(struct trace_line *line, const char *text, size_t len)
{
    size_t room = sizeof line->text - 1 - line->len; /* one byte is reserved for the line break */
    len = len < room ? len : room;
    memcpy(line->text + line->len, text, len);
    line->len += len;
}

static void trace_add(struct trace_line *line, const char *text)
{
    trace_add_part(line, text, strlen(text));
}

static void trace_add_number(struct trace_line *line, uint64_t value, size_t width,
                             const char *behind)
{
    char text[TEXT_U64_MAX + 1];
    (void)text_from_u64(value, width, text);
    trace_add(line, text);
    trace_add(line, behind);
}

/* Takes the file for one line of this size; -1: there is no file, or it is full. */
static int trace_take(uint64_t len)
{
    plat_mutex_lock(&file.mutex);
    int handle = file.handle;
    bool full = handle >= 0 && file.size + len > file.most;
    if (full) {
        handle = -1;
    }
    if (handle >= 0) {
        file.size += len;
        file.writers++;
    }
    plat_mutex_unlock(&file.mutex);
    if (full && atomic_exchange(&trace_is_on, false)) {
        atomic_store(&trace_filled, true);
    }
    return handle;
}

static void trace_give_back(void)
{
    int retired = -1;
    plat_mutex_lock(&file.mutex);
    if (--file.writers == 0) {
        retired = file.retired;
        file.retired = -1;
    }
    plat_mutex_unlock(&file.mutex);
    plat_file_close(&retired);
}

static void trace_write(struct trace_line *line)
{
    line->text[line->len] = '\n';
    int handle = trace_take(line->len + 1);
    if (handle >= 0) {
        (void)plat_log_write(handle, line->text, line->len + 1);
        trace_give_back();
    }
}

void trace_start(const struct config *config)
{
    struct trace_line line = {.len = 0};
    struct plat_file_state state = {0, 0, 0, 0};
    char os[128];
    int handle = -1;
    if (config->trace_file[0] == '\0') {
        return;
    }
    enum plat_io io = plat_log_open(config->trace_file, &handle, &state);
    if (io != PLAT_IO_OK) {
        log_unused_file("trace", "trace_file", config->trace_file, io);
        return;
    }
    plat_mutex_lock(&file.mutex);
    file.handle = handle;
    file.size = state.size;
    file.most = config->trace_file_mb * MEBIBYTE;
    plat_mutex_unlock(&file.mutex);
    plat_os_name(os, sizeof os);
    trace_add(&line, "# akv-ekm recording 1, version " AKVEKM_VERSION ", on ");
    trace_add(&line, os);
    trace_write(&line);
    atomic_store(&trace_is_on, true);
}

void trace_stop(void)
{
    atomic_store(&trace_is_on, false);
    plat_mutex_lock(&file.mutex);
    int handle = file.handle;
    file.handle = -1;
    if (file.writers > 0) {
        file.retired = handle;
        handle = -1;
    }
    plat_mutex_unlock(&file.mutex);
    plat_file_close(&handle);
}

bool trace_has_filled(void)
{
    return atomic_load(&trace_filled) && atomic_exchange(&trace_filled, false);
}

void trace_begin(struct trace_line *line, const char *function)
{
    struct plat_time now;
    plat_errors_save(&line->errors);
    line->len = 0;
    plat_calendar(plat_unix_time_ms(), &now);
    trace_add_number(line, (uint64_t)now.year, 4, "-");
    trace_add_number(line, (uint64_t)now.month, 2, "-");
    trace_add_number(line, (uint64_t)now.day, 2, "T");
    trace_add_number(line, (uint64_t)now.hour, 2, ":");
    trace_add_number(line, (uint64_t)now.minute, 2, ":");
    trace_add_number(line, (uint64_t)now.second, 2, ".");
    trace_add_number(line, (uint64_t)now.millisecond, 3, "Z ");
    trace_add_number(line, plat_process_id(), 1, "/");
    trace_add_number(line, plat_thread_id(), 1, " ");
    trace_add(line, function);
    line->start_us = plat_now_us();
}

static void trace_key(struct trace_line *line, const char *key)
{
    trace_add(line, " ");
    trace_add(line, key);
    trace_add(line, "=");
}

void trace_number(struct trace_line *line, const char *key, uint64_t value)
{
    trace_key(line, key);
    trace_add_number(line, value, 1, "");
}

void trace_size(struct trace_line *line, const char *key, uint32_t size, const void *pointer)
{
    trace_key(line, key);
    trace_add_number(line, size, 1, pointer != NULL ? "p" : "n");
}

void trace_data(struct trace_line *line, const char *key, const SqlCpData *data)
{
    if (data != NULL) {
        trace_size(line, key, data->cb, data->pb);
    }
}

static void trace_add_hex(struct trace_line *line, unsigned value)
{
    static const char digits[] = "0123456789ABCDEF";
    trace_add_part(line, &digits[value >> 4 & 15], 1);
    trace_add_part(line, &digits[value & 15], 1);
}

void trace_thumbprint(struct trace_line *line, const SqlCpKeyThumbprint *thumbprint)
{
    trace_data(line, "thumb", thumbprint);
    if (thumbprint == NULL || thumbprint->pb == NULL || thumbprint->cb == 0 ||
        thumbprint->cb > TRACE_THUMB_MAX) {
        return;
    }
    trace_add(line, ":");
    for (uint32_t i = 0; i < thumbprint->cb; i++) {
        trace_add_hex(line, thumbprint->pb[i]);
    }
}

void trace_name(struct trace_line *line, const SqlCpStr *name)
{
    if (name == NULL) {
        return;
    }
    trace_size(line, "name", name->cb, name->ws);
    if (name->ws == NULL || name->cb / 2 > TRACE_NAME_MAX) {
        return;
    }
    trace_add(line, ":\"");
    for (uint32_t i = 0; i < name->cb / 2; i++) {
        uint16_t unit;
        memcpy(&unit, (const char *)name->ws + 2 * (size_t)i, sizeof unit); /* may be at any
                                                                             * address */
        const char text[2] = {(char)unit, '\0'};
        if (unit > 0x20 && unit < 0x7F && unit != '"' && unit != '\\') {
            trace_add(line, text);
        } else {
            trace_add(line, "\\u");
            trace_add_hex(line, unit >> 8);
            trace_add_hex(line, unit & 255);
        }
    }
    trace_add(line, "\"");
}

void trace_session(struct trace_line *line, const SqlCpSession *session)
{
    if (session != NULL) {
        trace_number(line, "session", (uint64_t)(uintptr_t)*session);
    }
}

SqlCpError trace_end(struct trace_line *line, SqlCpError result)
{
    uint64_t took_us = plat_now_us() - line->start_us;
    struct plat_errors errors;
    plat_errors_save(&errors);
    trace_number(line, "rc", (uint64_t)result);
    trace_number(line, "us", took_us);
    trace_write(line);
    plat_errors_restore(&errors);
    return result;
}

void trace_last(struct trace_line *line)
{
    trace_write(line);
    plat_errors_restore(&line->errors);
}
