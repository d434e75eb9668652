/*
 * Clock, random bytes, wiping, identity of process and thread, environment, system log.
 *
 * Owns the handle of the system log. Any layer and thread.
 */
#ifndef AKVEKM_PLATFORM_SYSTEM_H
#define AKVEKM_PLATFORM_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint64_t plat_now_ms(void), plat_now_us(void); /* monotonic */
int64_t plat_unix_time_ms(void);               /* wall clock, UTC */

struct plat_time {
    int year, month, day, hour, minute, second, millisecond;
};
/* UTC calendar of a wall-clock time, independent of locale and time zone. */
void plat_calendar(int64_t unix_time_ms, struct plat_time *out);

/* False: the system gave no random bytes. */
bool plat_random(void *out, size_t len);
/* Overwrites so that the compiler cannot remove it. NULL with len 0 is allowed. */
void plat_wipe(void *data, size_t len);

uint32_t plat_process_id(void);
uint64_t plat_thread_id(void);
/* Writes for example "Linux 6.1.0 x86_64", always terminated. */
void plat_os_name(char *out, size_t cap);
/* The length of the value in UTF-8; 0 if unset or empty. If it does not fit, out is "". Also in a
 * process with raised rights: the caller checks what the variable names. */
size_t plat_environment(const char *name, char *out, size_t cap);
/* Keeps this library mapped even if the engine unloads it. */
void plat_stay_loaded(void);

/* The caller's errno (and GetLastError), restored at the end of a call. */
struct plat_errors {
    int errno_value;
#ifdef _WIN32
    unsigned long last_error;
#endif
};
void plat_errors_save(struct plat_errors *errors);
void plat_errors_restore(const struct plat_errors *errors);

/* socket(2), close-on-exec, never returns 0 to 2; negative on failure. */
intptr_t plat_socket(int family, int type, int protocol);

enum plat_severity { PLAT_SEVERITY_ERROR, PLAT_SEVERITY_WARNING, PLAT_SEVERITY_INFO };
/* Whether the system log accepts such messages; by default errors only. */
bool plat_system_log_wanted(enum plat_severity severity);
/* Sends one message, UTF-8 without line breaks, without blocking. False: the log did not accept it.
 * `code` is the event id, where the system has event ids. */
bool plat_system_log(enum plat_severity severity, uint32_t code, const char *text);
void plat_system_log_close(void);

#endif
