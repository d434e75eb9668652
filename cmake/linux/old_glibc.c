/*
 * Functions that glibc 2.28 has under another name or not at all. Only a library that is linked
 * against glibc_stub.sh's libc.so.6 needs them; there they take the place of glibc's own, hidden in
 * that library.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

#define HIDDEN __attribute__((visibility("hidden")))

struct stat;

/* --- stat and its kin: functions since 2.33; before, an inline call of __xstat with the version of
 * struct stat --------- */

#ifdef __aarch64__
#define STAT_VERSION 0
#else
#define STAT_VERSION 1
#endif

int __xstat(int version, const char *path, struct stat *out);
int __lxstat(int version, const char *path, struct stat *out);
int __fxstat(int version, int handle, struct stat *out);
int __fxstatat(int version, int folder, const char *path, struct stat *out, int flags);
HIDDEN int stat(const char *path, struct stat *out);
HIDDEN int lstat(const char *path, struct stat *out);
HIDDEN int fstat(int handle, struct stat *out);
HIDDEN int fstatat(int folder, const char *path, struct stat *out, int flags);

int stat(const char *path, struct stat *out)
{
    return __xstat(STAT_VERSION, path, out);
}

int lstat(const char *path, struct stat *out)
{
    return __lxstat(STAT_VERSION, path, out);
}

int fstat(int handle, struct stat *out)
{
    return __fxstat(STAT_VERSION, handle, out);
}

int fstatat(int folder, const char *path, struct stat *out, int flags)
{
    return __fxstatat(STAT_VERSION, folder, path, out, flags);
}

/* --- pthread_cond_clockwait: since 2.30
 * -------------------------------------------------------------------------------- */

HIDDEN int pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock,
                                  const struct timespec *until);

typedef int clockwait_function(pthread_cond_t *, pthread_mutex_t *, clockid_t,
                               const struct timespec *);

/* The C library's own where it has one. NULL: not looked for yet; without_clock: there is none. */
static _Atomic(clockwait_function *) clockwait;

/* What is left until then, counted from now by the clock of the day. At most an hour: who waits
 * looks again, so that a clock that is set back costs an hour at most. */
static int without_clock(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock,
                         const struct timespec *until)
{
    const int64_t second_ns = 1000000000, most_ns = 3600 * second_ns;
    struct timespec now, day;
    clock_gettime(clock, &now);
    clock_gettime(CLOCK_REALTIME, &day);
    int64_t left_ns = most_ns;
    if (until->tv_sec - now.tv_sec < 3600) {
        left_ns = (until->tv_sec - now.tv_sec) * second_ns + until->tv_nsec - now.tv_nsec;
    }
    int64_t ns = day.tv_nsec + (left_ns > 0 ? left_ns : 0);
    day.tv_sec += ns / second_ns;
    day.tv_nsec = ns % second_ns;
    return pthread_cond_timedwait(cond, mutex, &day);
}

int pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock,
                           const struct timespec *until)
{
    clockwait_function *function = atomic_load_explicit(&clockwait, memory_order_relaxed);
    if (function == NULL) {
        void *found = dlsym(RTLD_DEFAULT, "pthread_cond_clockwait");
        function = found != NULL ? __extension__(clockwait_function *) found : without_clock;
        atomic_store_explicit(&clockwait, function, memory_order_relaxed);
    }
    return function(cond, mutex, clock, until);
}

/* --- the readers of numbers that headers of 2.38 and newer ask for: they know "0b1" as well, which
 * nobody here writes ---- */

long old_strtol(const char *text, char **end, int base) __asm__("strtol");
unsigned long old_strtoul(const char *text, char **end, int base) __asm__("strtoul");
long long old_strtoll(const char *text, char **end, int base) __asm__("strtoll");
unsigned long long old_strtoull(const char *text, char **end, int base) __asm__("strtoull");
int old_vsscanf(const char *text, const char *format, va_list values) __asm__("__isoc99_vsscanf");
HIDDEN long __isoc23_strtol(const char *text, char **end, int base);
HIDDEN unsigned long __isoc23_strtoul(const char *text, char **end, int base);
HIDDEN long long __isoc23_strtoll(const char *text, char **end, int base);
HIDDEN unsigned long long __isoc23_strtoull(const char *text, char **end, int base);
HIDDEN int __isoc23_sscanf(const char *text, const char *format, ...);

long __isoc23_strtol(const char *text, char **end, int base)
{
    return old_strtol(text, end, base);
}

unsigned long __isoc23_strtoul(const char *text, char **end, int base)
{
    return old_strtoul(text, end, base);
}

long long __isoc23_strtoll(const char *text, char **end, int base)
{
    return old_strtoll(text, end, base);
}

unsigned long long __isoc23_strtoull(const char *text, char **end, int base)
{
    return old_strtoull(text, end, base);
}

int __isoc23_sscanf(const char *text, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    int count = old_vsscanf(text, format, values);
    va_end(values);
    return count;
}
