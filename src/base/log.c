#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/log_dedup.h"
#include "base/text.h"
#include "platform/file.h"
#include "platform/system.h"
#include "platform/thread.h"

#define VALUE_MAX         256
#define BLOCK             16
#define ROTATION_CHECK_MS 1000

/* The handle changes only under the lock. The last writer that may still use a replaced handle
 * closes it, so that no thread waits for another one's I/O. */
static struct {
    struct plat_mutex mutex;
    char path[1024];
    int handle, retired;
    struct plat_file_state state;
    uint64_t checked_ms;
    unsigned writers; /* now inside plat_log_write */
    bool refused;     /* opening it again failed, and this was reported */
    atomic_bool lost; /* a line could not be written, and this was reported */
    atomic_uint process_id;
} file = {.mutex = PLAT_MUTEX_INIT, .handle = -1, .retired = -1};

static _Atomic int wanted_level = LEVEL_ERROR;

void log_unused_file(const char *operation, const char *setting, const char *path, enum plat_io io)
{
    struct log_line line;
    char text[64], why[256];
    (void)text_join(text, sizeof text, (const char *const[]){setting, " is not used", NULL});
    plat_log_explain(path, io, why, sizeof why);
    log_begin(&line, LEVEL_ERROR, 0, operation);
    log_pair(&line, "text", text);
    log_pair(&line, "file", path);
    log_pair(&line, "note", why);
    log_write(&line);
}

void log_start(const struct config *config)
{
    int handle = -1;
    struct plat_file_state state = {0, 0, 0, 0};
    enum plat_io io = PLAT_IO_OK;
    if (config->log_file[0] != '\0' && config->log_level != LEVEL_NONE) {
        io = plat_log_open(config->log_file, &handle, &state);
    }
    if (io != PLAT_IO_OK) {
        memset(&state, 0, sizeof state); /* no file is open, so any file is another one */
    }
    plat_mutex_lock(&file.mutex);
    (void)text_copy(file.path, sizeof file.path, config->log_file);
    file.handle = handle;
    file.state = state;
    file.checked_ms = plat_now_ms();
    file.refused = io != PLAT_IO_OK;
    plat_mutex_unlock(&file.mutex);
    atomic_store(&file.lost, false);
    atomic_store(&file.process_id, plat_process_id());
    atomic_store(&wanted_level, config->log_level);
    if (io != PLAT_IO_OK) {
        log_unused_file("log", "log_file", config->log_file, io);
    }
}

void log_start_default(void)
{
    static struct config defaults; /* called by the one thread that starts the provider */
    config_defaults(&defaults);
    defaults.log_level = LEVEL_ERROR;
    log_start(&defaults);
}

static void write_folded(const struct log_folded *folded)
{
    struct log_line line;
    log_begin(&line, LEVEL_ERROR, 0, folded->operation);
    line.code = folded->code;
    log_pair_number(&line, "code", folded->code);
    log_pair(&line, "vault", folded->vault);
    log_pair_number(&line, "repeated", folded->suppressed);
    log_pair(&line, "text", "the same failure again, this many times within a minute");
    log_write(&line);
}

void log_tick(void)
{
    struct log_folded folded;
    while (log_dedup_expired(plat_now_ms(), false, &folded)) {
        write_folded(&folded);
    }
}

void log_stop(void)
{
    struct log_folded folded;
    while (log_dedup_expired(plat_now_ms(), true, &folded)) {
        write_folded(&folded);
    }
    atomic_store(&wanted_level, LEVEL_ERROR);
    atomic_store(&file.process_id, 0);
    plat_mutex_lock(&file.mutex);
    int handle = file.handle, retired = file.retired;
    file.handle = file.retired = -1;
    file.path[0] = '\0';
    plat_mutex_unlock(&file.mutex);
    plat_file_close(&handle);
    plat_file_close(&retired);
    plat_system_log_close();
}

bool log_wanted(enum log_level level)
{
    return level != LEVEL_NONE &&
           (int)level <= atomic_load_explicit(&wanted_level, memory_order_relaxed);
}

bool log_failure_admitted(const char *operation, int32_t code, const char *vault)
{
    return log_dedup_admit(plat_now_ms(), operation, code, vault);
}

static void log_line_add(struct log_line *line, const char *text, size_t len)
{
    /* One byte is reserved for the line break. */
    size_t room = sizeof line->text - 2 - line->len;
    len = len < room ? len : room;
    memcpy(line->text + line->len, text, len);
    line->len += len;
}

static void log_line_put(struct log_line *line, char c)
{
    if (line->len < sizeof line->text - 2) {
        line->text[line->len++] = c;
    }
}

static void add_number(struct log_line *line, int64_t value)
{
    char text[TEXT_U64_MAX + 1];
    size_t len = text_from_u64((uint64_t)value, 1, text);
    log_line_add(line, text, len);
}

static void put_digits(char *at, size_t width, int value)
{
    for (; width > 0; value /= 10) {
        at[--width] = (char)('0' + value % 10);
    }
}

static void add_time(struct log_line *line)
{
    struct plat_time now;
    plat_calendar(plat_unix_time_ms(), &now);
    char text[] = "0000-00-00T00:00:00.000Z ";
    put_digits(text, 4, now.year);
    put_digits(text + 5, 2, now.month);
    put_digits(text + 8, 2, now.day);
    put_digits(text + 11, 2, now.hour);
    put_digits(text + 14, 2, now.minute);
    put_digits(text + 17, 2, now.second);
    put_digits(text + 20, 3, now.millisecond);
    log_line_add(line, text, sizeof text - 1);
}

/* A forked child never comes here after log_start, because its calls end at the entry. */
static unsigned own_process_id(void)
{
    unsigned known = atomic_load_explicit(&file.process_id, memory_order_relaxed);
    return known != 0 ? known : plat_process_id();
}

void log_begin(struct log_line *line, enum log_level level, uint64_t call_number,
               const char *operation)
{
    static const char *const names[] = {"none ", "error ", "info ", "debug "};
    line->level = level;
    line->code = 0;
    line->len = 0;
    add_time(line);
    log_line_add(line, names[level], strlen(names[level]));
    add_number(line, own_process_id());
    log_line_put(line, '/');
    add_number(line, (int64_t)plat_thread_id());
    log_line_put(line, ' ');
    log_line_put(line, '#');
    add_number(line, (int64_t)call_number);
    log_line_put(line, ' ');
    log_line_add(line, operation, strlen(operation));
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

/* The number of plain characters before the first other one. Mostly all are plain, so this compares
 * blocks, which the compiler vectorizes. */
static size_t plain_len(const char *value, size_t len)
{
    size_t plain = 0;
    for (unsigned char odd = 0; plain + BLOCK <= len; plain += BLOCK) {
        for (size_t i = 0; i < BLOCK; i++) {
            unsigned char c = (unsigned char)value[plain + i];
            odd |= (unsigned char)((c < 0x20) | (c >= 0x7F) | (c == '"') | (c == '\\'));
        }
        if (odd != 0) {
            break;
        }
    }
    while (plain < len && is_plain((unsigned char)value[plain])) {
        plain++;
    }
    return plain;
}

void log_pair(struct log_line *line, const char *key, const char *value)
{
    static const char hex[] = "0123456789ABCDEF";
    if (value == NULL || value[0] == '\0') {
        return;
    }
    log_line_put(line, ' ');
    log_line_add(line, key, strlen(key));
    log_line_put(line, '=');
    log_line_put(line, '"');
    for (size_t room = VALUE_MAX; *value != '\0';) {
        size_t plain = plain_len(value, strnlen(value, room));
        log_line_add(line, value, plain);
        value += plain;
        room -= plain;
        if (*value == '\0' || room < sizeof "\\xNN" - 1) {
            break;
        }
        unsigned char c = (unsigned char)*value++;
        const char escape[4] = {'\\', 'x', hex[c >> 4], hex[c & 15]};
        log_line_add(line, escape, sizeof escape);
        room -= sizeof escape;
    }
    log_line_put(line, '"');
}

void log_pair_number(struct log_line *line, const char *key, int64_t value)
{
    char text[TEXT_U64_MAX + 2] = "-";
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    (void)text_from_u64(size, 1, text + (value < 0));
    log_pair(line, key, text);
}

/* At most once a second: if the file was rotated away, opens the new one. */
static void follow_rotation(void)
{
    char path[sizeof file.path];
    uint64_t now_ms = plat_now_ms();
    plat_mutex_lock(&file.mutex);
    bool due =
        file.path[0] != '\0' && file.retired < 0 && now_ms - file.checked_ms >= ROTATION_CHECK_MS;
    struct plat_file_state former = file.state, current = {0, 0, 0, 0};
    if (due) {
        file.checked_ms = now_ms;
        (void)text_copy(path, sizeof path, file.path);
    }
    plat_mutex_unlock(&file.mutex);
    if (!due || (plat_file_state(path, &current) == PLAT_IO_OK && current.inode == former.inode &&
                 current.device == former.device)) {
        return;
    }
    int opened = -1;
    enum plat_io io = plat_log_open(path, &opened, &current);
    plat_mutex_lock(&file.mutex);
    bool say = io != PLAT_IO_OK && !file.refused;
    file.refused = io != PLAT_IO_OK;
    if (io == PLAT_IO_OK && file.retired < 0) {
        file.retired = file.handle;
        file.handle = opened;
        file.state = current;
        opened = -1;
    }
    plat_mutex_unlock(&file.mutex);
    plat_file_close(&opened);
    if (say) {
        log_unused_file("log", "log_file", path, io);
    }
}

/* False: there is no file, or the write failed. Lines are lost until this is repaired, so the first
 * one goes to the system log with a notice. */
static bool log_append(const struct log_line *line)
{
    plat_mutex_lock(&file.mutex);
    int handle = file.handle;
    file.writers += handle >= 0;
    plat_mutex_unlock(&file.mutex);
    if (handle < 0) {
        return false;
    }
    enum plat_io io = plat_log_write(handle, line->text, line->len + 1);
    int retired = -1;
    plat_mutex_lock(&file.mutex);
    if (--file.writers == 0) {
        retired = file.retired;
        file.retired = -1;
    }
    plat_mutex_unlock(&file.mutex);
    plat_file_close(&retired);
    if (io == PLAT_IO_OK) {
        if (atomic_load_explicit(&file.lost, memory_order_relaxed)) {
            atomic_store(&file.lost, false);
        }
    } else if (!atomic_exchange(&file.lost, true) && plat_system_log_wanted(PLAT_SEVERITY_ERROR)) {
        (void)plat_system_log(PLAT_SEVERITY_ERROR, 0,
                              "log_file takes no lines: is its volume full?");
    }
    return io == PLAT_IO_OK;
}

void log_write(struct log_line *line)
{
    if (!log_wanted(line->level)) {
        return;
    }
    enum plat_severity severity =
        line->level == LEVEL_ERROR ? PLAT_SEVERITY_ERROR : PLAT_SEVERITY_INFO;
    bool told = false;
    if (line->level != LEVEL_DEBUG && plat_system_log_wanted(severity)) {
        line->text[line->len] = '\0';
        told = plat_system_log(severity, (uint32_t)line->code, line->text);
    }
    line->text[line->len] = '\n';
    follow_rotation();
    told = log_append(line) || told;
    if (!told && line->level == LEVEL_ERROR) {
        (void)plat_standard_error(line->text, line->len + 1);
    }
}

void log_text(enum log_level level, uint64_t call_number, const char *operation, const char *format,
              ...)
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
    log_begin(&line, level, call_number, operation);
    log_pair(&line, "text", text);
    log_write(&line);
}
