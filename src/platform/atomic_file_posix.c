#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "platform/atomic_file.h"
#include "platform/path_posix.h"
#include "platform/system.h"
#include "platform/thread.h"

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
    return PLAT_IO_OK;
}

static enum plat_io file_flush_path(const char *path, int flags)
{
    int handle = -1;
    enum plat_io io = path_open(path, O_RDONLY | flags, 0, &handle);
    /* Some file systems cannot flush a folder and return EINVAL. They offer nothing better. */
    if (io == PLAT_IO_OK && fsync(handle) != 0 && errno != EINVAL) {
        io = path_io(errno);
    }
    plat_file_close(&handle);
    return io;
}

static enum plat_io flush_folder(const char *path)
{
    char folder[PATH_MAX];
    return path_folder(path, folder, sizeof folder) ? file_flush_path(folder, O_DIRECTORY)
                                                    : PLAT_IO_FAILED;
}

enum plat_io plat_file_flush(const char *path)
{
    enum plat_io io = file_flush_path(path, O_NOFOLLOW);
    return io == PLAT_IO_OK ? flush_folder(path) : io;
}

enum plat_io plat_folder_flush(const char *path)
{
    char folder[PATH_MAX];
    return path_folder(path, folder, sizeof folder) ? flush_folder(folder) : PLAT_IO_FAILED;
}

bool plat_file_state_equal(const struct plat_file_state *a, const struct plat_file_state *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified_ns == b->modified_ns;
}

/* Whether the file at `path` is still in this state. */
static enum plat_io check_state(const char *path, const struct plat_file_state *expected)
{
    struct plat_file_state now;
    enum plat_io io = plat_file_state(path, &now);
    if (io != PLAT_IO_OK && io != PLAT_IO_ABSENT) {
        return io;
    }
    return plat_file_state_equal(&now, expected) ? PLAT_IO_OK : PLAT_IO_CHANGED;
}

/* Sets *there if the file at `path` is the open file `mine`. */
static enum plat_io check_same(const char *path, const struct plat_file_state *mine,
                               struct plat_file_state *there)
{
    enum plat_io io = plat_file_state(path, there);
    bool same = io == PLAT_IO_OK && there->inode == mine->inode && there->device == mine->device;
    return same ? PLAT_IO_OK : io == PLAT_IO_OK || io == PLAT_IO_ABSENT ? PLAT_IO_CHANGED : io;
}

enum plat_io plat_file_replace(const char *path, const struct plat_file_state *former,
                               const void *data, size_t len, struct plat_file_state *state)
{
    char aside[PATH_MAX];
    struct plat_signals signals;
    struct plat_file_state mine;
    int handle = -1;
    int aside_len = snprintf(aside, sizeof aside, "%s.tmp", path);
    if (aside_len < 0 || (size_t)aside_len >= sizeof aside) {
        return PLAT_IO_FAILED;
    }
    enum plat_io io = check_state(path, former);
    if (io != PLAT_IO_OK) {
        return io;
    }
    /* Removes what a crash left behind. The lock guarantees that nobody is writing it. */
    (void)unlink(aside);
    io = path_open(aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, &handle);
    if (io != PLAT_IO_OK) {
        return io;
    }
    plat_signals_hold(&signals);
    io = fchmod(handle, 0600) == 0 ? write_all(handle, data, len) : path_io(errno);
    plat_signals_release(&signals);
    if (io == PLAT_IO_OK && fsync(handle) != 0) {
        io = path_io(errno);
    }
    if (io == PLAT_IO_OK) {
        io = path_state(handle, &mine);
    }
    if (io == PLAT_IO_OK) {
        /* Some programs do not take the lock, and the lock file may have been deleted. While this
         * file is open, no other file has its inode number. */
        io = check_same(aside, &mine, state);
        if (io != PLAT_IO_OK) {
            plat_file_close(&handle);
            return io; /* its owner is unknown */
        }
        io = check_state(path, former);
    }
    if (io == PLAT_IO_OK && rename(aside, path) != 0) {
        io = path_io(errno);
    }
    plat_file_close(&handle);
    if (io != PLAT_IO_OK) {
        (void)unlink(aside);
        return io;
    }
    /* Network file systems may change the time when the file is closed. */
    if (check_same(path, &mine, state) != PLAT_IO_OK) {
        *state = mine;
    }
    return flush_folder(path);
}

/* CHANGED: the locked file is no longer the one at `path`, so others may lock that one. */
static enum plat_io lock_now(const char *path, int *handle)
{
    struct plat_file_state mine, there;
    enum plat_io io =
        *handle >= 0 ? PLAT_IO_OK : path_open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600, handle);
    if (io == PLAT_IO_OK) {
        io = path_state(*handle, &mine);
    }
    if (io != PLAT_IO_OK) {
        return io;
    }
    if (flock(*handle, LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK || errno == EINTR ? PLAT_IO_TIMED_OUT : path_io(errno);
    }
    io = check_same(path, &mine, &there);
    if (io != PLAT_IO_OK) {
        plat_file_close(handle);
    }
    return io;
}

enum plat_io plat_lock_take(const char *path, uint64_t until_ms, bool (*stopped)(void *),
                            void *context, int *handle)
{
    *handle = -1;
    enum plat_io io = lock_now(path, handle);
    while (io == PLAT_IO_TIMED_OUT || io == PLAT_IO_CHANGED) {
        const struct timespec slice = {0, LOCK_SLICE_NS};
        if (plat_now_ms() >= until_ms || (stopped != NULL && stopped(context))) {
            io = PLAT_IO_TIMED_OUT;
            break;
        }
        if (io == PLAT_IO_TIMED_OUT) {
            (void)nanosleep(&slice, NULL);
        }
        io = lock_now(path, handle);
    }
    if (io != PLAT_IO_OK) {
        plat_file_close(handle);
    }
    return io;
}

void plat_lock_release(int *handle)
{
    /* A child that was forked meanwhile holds the same open file. Closing alone would leave it
     * locked. */
    if (*handle >= 0) {
        (void)flock(*handle, LOCK_UN);
    }
    plat_file_close(handle);
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
