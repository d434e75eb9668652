#include "platform/system.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

uint64_t plat_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t plat_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

int64_t plat_unix_time_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void plat_calendar(int64_t unix_time_ms, struct plat_time *out)
{
    int64_t rest_ms = unix_time_ms % 1000;
    time_t seconds = (time_t)((unix_time_ms - rest_ms) / 1000);
    struct tm tm;
    memset(&tm, 0, sizeof tm);
    (void)gmtime_r(&seconds, &tm);
    *out = (struct plat_time){tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,  tm.tm_hour,
                              tm.tm_min,         tm.tm_sec,     (int)rest_ms};
}

bool plat_random(void *out, size_t len)
{
    uint8_t *next = out;
    while (len > 0) {
        ssize_t got = getrandom(next, len, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        next += got;
        len -= (size_t)got;
    }
    return true;
}

void plat_wipe(void *data, size_t len)
{
    if (data != NULL) {
        explicit_bzero(data, len);
    }
}

uint32_t plat_process_id(void)
{
    return (uint32_t)getpid();
}

uint64_t plat_thread_id(void)
{
    return (uint64_t)syscall(SYS_gettid);
}

void plat_os_name(char *out, size_t cap)
{
    struct utsname name;
    if (uname(&name) != 0) {
        (void)snprintf(out, cap, "POSIX");
        return;
    }
    (void)snprintf(out, cap, "%.32s %.64s %.32s", name.sysname, name.release, name.machine);
}

size_t plat_environment(const char *name, char *out, size_t cap)
{
    const char *value = getenv(name);
    size_t len = value != NULL ? strlen(value) : 0;
    bool fits = len > 0 && len < cap;
    memcpy(out, fits ? value : "", fits ? len + 1 : 1);
    return len;
}

void plat_stay_loaded(void)
{
    /* The linker option -z nodelete does this. */
}

void plat_errors_save(struct plat_errors *errors)
{
    errors->errno_value = errno;
}

void plat_errors_restore(const struct plat_errors *errors)
{
    errno = errors->errno_value;
}

intptr_t plat_socket(int family, int type, int protocol)
{
    int fd = socket(family, type | SOCK_CLOEXEC, protocol);
    if (fd < 0 || fd > 2) {
        return fd;
    }
    /* Never uses descriptors 0 to 2: a process that closed its standard descriptors may still write
     * to them. */
    int high = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    close(fd);
    return high;
}

/* The ident and options of syslog(3) are process-wide and belong to the engine. So this sends a
 * datagram of its own, in the form of RFC 3164. */
static atomic_int log_socket = -1;

static int open_log_socket(void)
{
    int none = -1, fd = (int)plat_socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (fd >= 0 && !atomic_compare_exchange_strong(&log_socket, &none, fd)) {
        close(fd);
        return none;
    }
    return fd;
}

bool plat_system_log_wanted(enum plat_severity severity)
{
    return severity == PLAT_SEVERITY_ERROR;
}

bool plat_system_log(enum plat_severity severity, uint32_t code, const char *text)
{
    static const int priorities[] = {8 + 3, 8 + 4, 8 + 6}; /* facility user */
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
    char message[1024];
    (void)code;
    int fd = atomic_load(&log_socket);
    if (fd < 0) {
        fd = open_log_socket();
    }
    int len = snprintf(message, sizeof message, "<%d>akv-ekm[%u]: %s", priorities[severity],
                       (unsigned)plat_process_id(), text);
    if (fd < 0 || len < 0) {
        return false;
    }
    size_t size = (size_t)len < sizeof message ? (size_t)len : sizeof message - 1;
    return sendto(fd, message, size, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&address,
                  sizeof address) == (ssize_t)size;
}

void plat_system_log_close(void)
{
    int fd = atomic_exchange(&log_socket, -1);
    if (fd >= 0) {
        close(fd);
    }
}
