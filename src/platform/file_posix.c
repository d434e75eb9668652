#include "platform/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
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
            "unsafe rights: it or its folder has a foreign owner or may be written by others",
        [PLAT_IO_NOT_FILE] = "not a plain file: a symbolic link, a folder or a device",
        [PLAT_IO_TOO_BIG] = "too large",
        [PLAT_IO_TIMED_OUT] = "its lock was not free in time",
        [PLAT_IO_FULL] = "no space left, or a limit of the file's size",
        [PLAT_IO_CHANGED] = "others change it all the time",
        [PLAT_IO_FAILED] = "input or output failed",
    };
    return texts[io];
}

enum plat_io path_io(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return PLAT_IO_ABSENT;
    case EACCES:
    case EPERM:
    case EROFS:
        return PLAT_IO_DENIED;
    case ELOOP:
    case EISDIR:
    case EEXIST:
        return PLAT_IO_NOT_FILE;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return PLAT_IO_FULL;
    default:
        return PLAT_IO_FAILED;
    }
}

bool path_folder(const char *path, char *folder, size_t cap)
{
    const char *slash = strrchr(path, '/');
    if (path[0] != '/' || slash == NULL || (size_t)(slash - path) >= cap) {
        return false;
    }
    size_t len = slash == path ? 1 : (size_t)(slash - path);
    memcpy(folder, path, len);
    folder[len] = '\0';
    return true;
}

enum plat_io path_open(const char *path, int flags, mode_t mode, int *handle)
{
    int fd;
    do {
        fd = open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, mode);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) {
        return path_io(errno);
    }
    if (fd < 3) {
        /* A host that closed its standard descriptors may write to them all the same. */
        int high = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        int error = errno;
        close(fd);
        if (high < 0) {
            return path_io(error);
        }
        fd = high;
    }
    *handle = fd;
    return PLAT_IO_OK;
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

static bool is_own_group(gid_t group)
{
    bool own = group == getegid();
    int count = own ? 0 : getgroups(0, NULL);
    /* Up to 65,536 of them: not on the host's stack. */
    gid_t *groups = count > 0 ? calloc((size_t)count, sizeof *groups) : NULL;
    count = groups != NULL ? getgroups(count, groups) : 0;
    for (int i = 0; i < count && !own; i++) {
        own = groups[i] == group;
    }
    free(groups);
    return own;
}

/* behaviour.md section 8: foreign owner, world-writable, or writable by a group that is not ours.
 */
static bool is_trusted(const struct stat *st)
{
    bool owner = st->st_uid == 0 || st->st_uid == geteuid();
    bool world = (st->st_mode & S_IWOTH) != 0;
    bool group = (st->st_mode & S_IWGRP) != 0 && !is_own_group(st->st_gid);
    return owner && !world && !group;
}

static enum plat_io file_check_trust_posix(const char *path, int handle)
{
    char folder[PATH_MAX];
    int folder_handle = -1;
    struct stat st;
    if (fstat(handle, &st) != 0 || !is_trusted(&st) || !path_folder(path, folder, sizeof folder)) {
        return PLAT_IO_UNSAFE;
    }
    enum plat_io io = path_open(folder, O_PATH | O_DIRECTORY, 0, &folder_handle);
    if (io == PLAT_IO_OK) {
        io = fstat(folder_handle, &st) == 0 && is_trusted(&st) ? PLAT_IO_OK : PLAT_IO_UNSAFE;
    }
    plat_file_close(&folder_handle);
    return io;
}

enum plat_io plat_file_open(const char *path, enum plat_file_trust trust, int *handle,
                            struct plat_file_state *state)
{
    *handle = -1;
    enum plat_io io = path_open(path, O_RDONLY | O_NOFOLLOW, 0, handle);
    if (io == PLAT_IO_OK) {
        io = path_state(*handle, state);
    }
    if (io == PLAT_IO_OK && trust == PLAT_TRUST_REQUIRED) {
        io = file_check_trust_posix(path, *handle);
    }
    if (io != PLAT_IO_OK) {
        plat_file_close(handle);
    }
    return io;
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
    if (*handle >= 0) {
        (void)close(*handle);
        *handle = -1;
    }
}

enum plat_io plat_log_open(const char *path, int *handle, struct plat_file_state *state)
{
    *handle = -1;
    enum plat_io io = path_open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0640, handle);
    if (io == PLAT_IO_OK) {
        io = path_state(*handle, state);
    }
    if (io != PLAT_IO_OK) {
        plat_file_close(handle);
    }
    return io;
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

enum plat_io plat_folder_for(const char *path)
{
    char folder[PATH_MAX];
    if (!path_folder(path, folder, sizeof folder)) {
        return PLAT_IO_FAILED;
    }
    if (mkdir(folder, 0700) == 0) {
        return PLAT_IO_OK;
    }
    return errno == EEXIST && plat_folder_exists(folder) ? PLAT_IO_OK : path_io(errno);
}
