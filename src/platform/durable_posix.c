#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "platform/durable.h"
#include "platform/path_posix.h"
#include "platform/system.h"

#define LOCK_SLICE_NS 5000000

static enum plat_io write_all(int handle, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t written = write(handle, data, len);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return path_io(errno);
        }
        data += written;
        len -= (size_t)written;
    }
    return fsync(handle) == 0 ? PLAT_IO_OK : path_io(errno);
}

static enum plat_io sync_folder(const char *path)
{
    char folder[PATH_MAX];
    int handle = -1;
    enum plat_io io = path_folder(path, folder, sizeof folder)
                          ? path_open(folder, O_RDONLY | O_DIRECTORY, 0, &handle)
                          : PLAT_IO_FAILED;
    if (io == PLAT_IO_OK && fsync(handle) != 0) {
        io = path_io(errno);
    }
    plat_file_close(&handle);
    return io;
}

static enum plat_io check_target(const char *path)
{
    struct stat st;
    if (lstat(path, &st) != 0) {
        return errno == ENOENT ? PLAT_IO_OK : path_io(errno);
    }
    return S_ISREG(st.st_mode) ? PLAT_IO_OK : PLAT_IO_NOT_FILE;
}

enum plat_io plat_file_replace(const char *path, const void *data, size_t len,
                               struct plat_file_state *state)
{
    char aside[PATH_MAX];
    int handle = -1;
    int aside_len = snprintf(aside, sizeof aside, "%s.tmp", path);
    if (aside_len < 0 || (size_t)aside_len >= sizeof aside) {
        return PLAT_IO_FAILED;
    }
    enum plat_io io = check_target(path);
    if (io != PLAT_IO_OK) {
        return io;
    }
    /* What a crash left behind; the lock says that nobody else is writing it now. */
    (void)unlink(aside);
    io = path_open(aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, &handle);
    if (io != PLAT_IO_OK) {
        return io;
    }
    io = fchmod(handle, 0600) == 0 ? write_all(handle, data, len) : path_io(errno);
    if (io == PLAT_IO_OK) {
        io = path_state(handle, state);
    }
    plat_file_close(&handle);
    if (io == PLAT_IO_OK && rename(aside, path) != 0) {
        io = path_io(errno);
    }
    if (io != PLAT_IO_OK) {
        (void)unlink(aside);
        return io;
    }
    return sync_folder(path);
}

enum plat_io plat_lock_take(const char *path, uint64_t until_ms, bool (*stopped)(void *),
                            void *context, int *handle)
{
    *handle = -1;
    enum plat_io io = path_open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600, handle);
    if (io == PLAT_IO_OK) {
        struct plat_file_state state;
        io = path_state(*handle, &state);
    }
    while (io == PLAT_IO_OK && flock(*handle, LOCK_EX | LOCK_NB) != 0) {
        const struct timespec slice = {0, LOCK_SLICE_NS};
        if (errno != EWOULDBLOCK && errno != EINTR) {
            io = path_io(errno);
        } else if (plat_now_ms() >= until_ms || (stopped != NULL && stopped(context))) {
            io = PLAT_IO_TIMED_OUT;
        } else {
            (void)nanosleep(&slice, NULL);
        }
    }
    if (io != PLAT_IO_OK) {
        plat_file_close(handle);
    }
    return io;
}

void plat_lock_release(int *handle)
{
    /* A child that was forked meanwhile holds the same open file: closing ours alone would leave it locked. */
    if (*handle >= 0) {
        (void)flock(*handle, LOCK_UN);
    }
    plat_file_close(handle);
}
