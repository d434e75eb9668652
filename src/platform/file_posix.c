#include "platform/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/path_posix.h"
#include "platform/thread.h"

const char *plat_io_text(enum plat_io io)
{
    static const char *const texts[] = {
        [PLAT_IO_OK] = "success",
        [PLAT_IO_ABSENT] = "no such file or folder",
        [PLAT_IO_DENIED] = "permission denied, or a read-only file system",
        [PLAT_IO_UNSAFE] =
            "unsafe rights: it or its folder has another owner or may be written by others",
        [PLAT_IO_NOT_FILE] = "not a regular file: a symbolic link, a folder, a pipe or a device",
        [PLAT_IO_TOO_BIG] = "too large",
        [PLAT_IO_TIMED_OUT] = "its lock did not become free in time",
        [PLAT_IO_FULL] = "no space left, or the limit of the file size is reached",
        [PLAT_IO_CHANGED] = "other programs keep changing it",
        [PLAT_IO_HANDLES] = "out of file descriptors: raise ulimit -n or LimitNOFILE",
        [PLAT_IO_FAILED] = "input or output failed",
    };
    return texts[io];
}

static void fill_state(const struct stat *st, struct plat_file_state *out)
{
    out->device = (uint64_t)st->st_dev;
    out->inode = (uint64_t)st->st_ino;
    out->size = (uint64_t)st->st_size;
    out->modified_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

enum plat_io path_state(int handle, struct plat_file_state *out)
{
    struct stat st;
    if (fstat(handle, &st) != 0) {
        return path_io(errno);
    }
    fill_state(&st, out);
    return S_ISREG(st.st_mode) ? PLAT_IO_OK : PLAT_IO_NOT_FILE;
}

enum plat_io plat_file_state(const char *path, struct plat_file_state *out)
{
    struct stat st;
    memset(out, 0, sizeof *out);
    if (lstat(path, &st) != 0) {
        return path_io(errno);
    }
    if (!S_ISREG(st.st_mode)) {
        return PLAT_IO_NOT_FILE;
    }
    fill_state(&st, out);
    return PLAT_IO_OK;
}

enum plat_io plat_file_open(const char *path, enum plat_file_trust trust, int *handle,
                            struct plat_file_state *state)
{
    struct path_fault fault;
    *handle = -1;
    int links = trust == PLAT_TRUST_ANY ? O_NOFOLLOW : 0;
    enum plat_io io = trust == PLAT_TRUST_REQUIRED ? path_open_trusted(path, handle, &fault)
                                                   : path_open(path, O_RDONLY | links, 0, handle);
    if (io == PLAT_IO_OK) {
        io = path_state(*handle, state);
    }
    if (io != PLAT_IO_OK) {
        plat_file_close(handle);
    }
    return io;
}

void plat_file_explain(const char *path, enum plat_io io, char *out, size_t cap)
{
    struct path_fault fault;
    int handle = -1;
    bool same = path_open_trusted(path, &handle, &fault) == io && fault.text[0] != '\0';
    plat_file_close(&handle);
    (void)snprintf(out, cap, "%s", same ? fault.text : plat_io_text(io));
}

enum plat_io plat_file_read_on(int handle, void *out, size_t cap, size_t *len)
{
    char *at = out;
    *len = 0;
    while (*len < cap) {
        ssize_t got = read(handle, at + *len, cap - *len);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got == 0 ? PLAT_IO_OK : path_io(errno);
        }
        *len += (size_t)got;
    }
    return PLAT_IO_OK;
}

enum plat_io plat_file_read(int handle, void *out, size_t cap, size_t *len)
{
    char beyond;
    size_t more = 0;
    enum plat_io io = plat_file_read_on(handle, out, cap, len);
    if (io == PLAT_IO_OK && *len == cap) {
        io = plat_file_read_on(handle, &beyond, 1, &more);
    }
    return more > 0 ? PLAT_IO_TOO_BIG : io;
}

void plat_file_close(int *handle)
{
    path_close(handle);
}

/* `flags` is O_CREAT or 0. Does not create a file in a folder with unsafe rights: the file would be
 * refused and left behind. */
static enum plat_io file_open_log(const char *path, int flags, int *handle,
                                  struct plat_file_state *state, struct path_fault *fault)
{
    const int append = O_WRONLY | O_APPEND | O_NOFOLLOW;
    fault->text[0] = '\0';
    enum plat_io io = path_open(path, append, 0, handle);
    if (io == PLAT_IO_ABSENT) {
        enum plat_io folder_io = path_check_folder(path, fault);
        if (folder_io != PLAT_IO_OK) {
            return folder_io;
        }
        io = path_open(path, append | flags, 0640, handle);
    }
    if (io == PLAT_IO_OK) {
        io = path_state(*handle, state);
    }
    return io == PLAT_IO_OK ? path_check_trust(path, *handle, fault) : io;
}

enum plat_io plat_log_open(const char *path, int *handle, struct plat_file_state *state)
{
    struct path_fault fault;
    *handle = -1;
    enum plat_io io = file_open_log(path, O_CREAT, handle, state, &fault);
    if (io != PLAT_IO_OK) {
        plat_file_close(handle);
    }
    return io;
}

void plat_log_explain(const char *path, enum plat_io io, char *out, size_t cap)
{
    struct path_fault fault;
    struct plat_file_state state;
    int handle = -1;
    bool same = file_open_log(path, 0, &handle, &state, &fault) == io;
    plat_file_close(&handle);
    (void)snprintf(out, cap, "%s", same && fault.text[0] != '\0' ? fault.text : plat_io_text(io));
}

enum plat_io plat_log_write(int handle, const char *text, size_t len)
{
    struct plat_signals signals;
    ssize_t written;
    plat_signals_hold(&signals);
    do {
        written = write(handle, text, len);
    } while (written < 0 && errno == EINTR);
    if (written != (ssize_t)len) {
        plat_signals_release(&signals);
        return PLAT_IO_FAILED;
    }
    plat_signals_restore(&signals);
    return PLAT_IO_OK;
}

bool plat_folder_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A process that closed its descriptor 2 may have a file or connection of its own there. Only a
 * terminal, a pipe, or a file that is open for writing only counts as standard error. */
static bool file_is_standard_error(void)
{
    struct stat st;
    int flags = fcntl(STDERR_FILENO, F_GETFL);
    if (flags < 0 || fstat(STDERR_FILENO, &st) != 0) {
        return false;
    }
    return (S_ISCHR(st.st_mode) && isatty(STDERR_FILENO)) || S_ISFIFO(st.st_mode) ||
           (S_ISREG(st.st_mode) && (flags & O_ACCMODE) == O_WRONLY);
}

bool plat_standard_error(const char *line, size_t len)
{
    struct pollfd room = {STDERR_FILENO, POLLOUT, 0};
    /* A pipe with free space accepts PIPE_BUF bytes at once. */
    if (len > PIPE_BUF || !file_is_standard_error() || poll(&room, 1, 0) != 1 ||
        (room.revents & POLLOUT) == 0) {
        return false;
    }
    return plat_log_write(STDERR_FILENO, line, len) == PLAT_IO_OK;
}
