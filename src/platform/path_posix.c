#include "platform/path_posix.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define LINKS_MOST 40 /* the limit of Linux itself */
#define PATH_MOST  2048

/* A walk along a path: the folder reached so far, as handle and text, and the rest of the path. */
struct path_walk {
    int at;
    unsigned links;
    bool end_is_link; /* the file's own name turned out to be a link */
    char reached[PATH_MOST], rest[PATH_MOST];
    struct path_fault *fault;
};

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
    case ENXIO: /* a pipe without a reader, or a socket */
        return PLAT_IO_NOT_FILE;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return PLAT_IO_FULL;
    case EMFILE:
    case ENFILE:
        return PLAT_IO_HANDLES;
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

static enum plat_io path_open_at(int folder, const char *name, int flags, mode_t mode, int *handle)
{
    int fd;
    do {
        fd = openat(folder, name, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, mode);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) {
        return path_io(errno);
    }
    if (fd < 3) {
        /* Never uses descriptors 0 to 2: a process that closed its standard descriptors may still
         * write to them. */
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

void path_close(int *handle)
{
    if (*handle >= 0) {
        (void)close(*handle);
        *handle = -1;
    }
}

enum plat_io path_open(const char *path, int flags, mode_t mode, int *handle)
{
    return path_open_at(AT_FDCWD, path, flags, mode, handle);
}

static bool path_own_group(gid_t group)
{
    bool own = group == getegid();
    int count = own ? 0 : getgroups(0, NULL);
    /* Up to 65,536 groups, too many for the caller's stack. */
    gid_t *groups = count > 0 ? calloc((size_t)count, sizeof *groups) : NULL;
    count = groups != NULL ? getgroups(count, groups) : 0;
    for (int i = 0; i < count && !own; i++) {
        own = groups[i] == group;
    }
    free(groups);
    return own;
}

/* Whether nobody can replace a file in this folder: only the owner of a file may rename it (sticky
 * bit), or nothing can be changed (a volume mounted read-only, as in containers, often with mode
 * 0777). */
static bool path_holds_entries(int handle, const struct stat *st)
{
    struct statvfs volume;
    return S_ISDIR(st->st_mode) &&
           ((st->st_mode & S_ISVTX) != 0 ||
            (fstatvfs(handle, &volume) == 0 && (volume.f_flag & ST_RDONLY) != 0));
}

/* specification.md section 8: another owner, or writable by everybody or by a group that the
 * account is not in. The rights of a link do not count, but its owner may change it. */
static enum plat_io path_judge(int handle, const struct stat *st, const char *shown,
                               struct path_fault *fault)
{
    const unsigned mode = st->st_mode & 07777;
    const int cut = 400;
    if (st->st_uid != 0 && st->st_uid != geteuid()) {
        (void)snprintf(
            fault->text, sizeof fault->text,
            "unsafe rights: %.*s belongs to user %u, neither to root nor to this account (%u)", cut,
            shown, (unsigned)st->st_uid, (unsigned)geteuid());
        return PLAT_IO_UNSAFE;
    }
    if (S_ISLNK(st->st_mode) || path_holds_entries(handle, st)) {
        return PLAT_IO_OK;
    }
    if ((st->st_mode & S_IWOTH) != 0) {
        (void)snprintf(fault->text, sizeof fault->text,
                       "unsafe rights: %.*s may be written by everybody (mode %04o): chmod o-w%s",
                       cut, shown, mode, S_ISDIR(st->st_mode) ? ", or mount it read-only" : "");
        return PLAT_IO_UNSAFE;
    }
    if ((st->st_mode & S_IWGRP) != 0 && !path_own_group(st->st_gid)) {
        (void)snprintf(fault->text, sizeof fault->text,
                       "unsafe rights: %.*s may be written by group %u (mode %04o), which this "
                       "account is not in: chmod g-w",
                       cut, shown, (unsigned)st->st_gid, mode);
        return PLAT_IO_UNSAFE;
    }
    return PLAT_IO_OK;
}

enum plat_io path_check_folder(const char *path, struct path_fault *fault)
{
    char folder[PATH_MAX];
    int handle = -1;
    struct stat st;
    if (!path_folder(path, folder, sizeof folder)) {
        return PLAT_IO_UNSAFE;
    }
    enum plat_io io = path_open(folder, O_PATH | O_DIRECTORY, 0, &handle);
    if (io == PLAT_IO_OK) {
        io = fstat(handle, &st) == 0 ? path_judge(handle, &st, folder, fault) : PLAT_IO_UNSAFE;
    }
    path_close(&handle);
    return io;
}

enum plat_io path_check_trust(const char *path, int handle, struct path_fault *fault)
{
    struct stat st;
    if (fstat(handle, &st) != 0) {
        return PLAT_IO_UNSAFE;
    }
    enum plat_io io = path_judge(handle, &st, path, fault);
    return io == PLAT_IO_OK ? path_check_folder(path, fault) : io;
}

/* Starts the walk in the root folder. */
static enum plat_io path_begin(struct path_walk *walk)
{
    struct stat st;
    path_close(&walk->at);
    walk->reached[0] = '\0';
    enum plat_io io = path_open("/", O_PATH | O_DIRECTORY, 0, &walk->at);
    if (io != PLAT_IO_OK) {
        return io;
    }
    return fstat(walk->at, &st) == 0 ? path_judge(walk->at, &st, "/", walk->fault) : PLAT_IO_FAILED;
}

/* The next name of the rest; false at the end. */
static bool path_next(struct path_walk *walk, char name[NAME_MAX + 1])
{
    const char *begin = walk->rest + strspn(walk->rest, "/");
    size_t len = strcspn(begin, "/");
    if (len == 0 || len > NAME_MAX) {
        return false;
    }
    memcpy(name, begin, len);
    name[len] = '\0';
    begin += len;
    memmove(walk->rest, begin, strlen(begin) + 1);
    return true;
}

/* Puts the link's text before the rest. */
static enum plat_io path_follow(struct path_walk *walk, int link)
{
    char rest[PATH_MOST];
    ssize_t len = readlinkat(link, "", rest, sizeof rest);
    if (len <= 0 || (size_t)len + strlen(walk->rest) >= sizeof rest || ++walk->links > LINKS_MOST) {
        return len < 0 ? path_io(errno) : PLAT_IO_NOT_FILE;
    }
    walk->end_is_link = walk->end_is_link || walk->rest[0] == '\0';
    memcpy(rest + len, walk->rest, strlen(walk->rest) + 1);
    memcpy(walk->rest, rest, strlen(rest) + 1);
    return rest[0] == '/' ? path_begin(walk) : PLAT_IO_OK;
}

/* Opens the last part of the path, if it is still the file that was checked. */
static enum plat_io path_open_end(struct path_walk *walk, const char *name, const struct stat *seen,
                                  const char *shown, int *handle)
{
    struct stat st;
    if (walk->rest[0] != '\0' || !S_ISREG(seen->st_mode)) {
        return PLAT_IO_NOT_FILE;
    }
    enum plat_io io = path_open_at(walk->at, name, O_RDONLY | O_NOFOLLOW, 0, handle);
    if (io != PLAT_IO_OK) {
        return io;
    }
    if (fstat(*handle, &st) != 0 || st.st_dev != seen->st_dev || st.st_ino != seen->st_ino) {
        return PLAT_IO_CHANGED;
    }
    return path_judge(*handle, &st, shown, walk->fault);
}

/* Advances by one name. Done when *handle is open, or at a failure. */
static enum plat_io path_step(struct path_walk *walk, int *handle)
{
    char name[NAME_MAX + 1], shown[PATH_MOST + NAME_MAX + 2];
    struct stat st;
    int opened = -1;
    if (!path_next(walk, name)) {
        return PLAT_IO_NOT_FILE;
    }
    (void)snprintf(shown, sizeof shown, "%s/%s", walk->reached, name);
    enum plat_io io = path_open_at(walk->at, name, O_PATH | O_NOFOLLOW, 0, &opened);
    if (io == PLAT_IO_ABSENT && walk->end_is_link) {
        (void)snprintf(walk->fault->text, sizeof walk->fault->text,
                       "a symbolic link leads to %.400s, which is not there", shown);
        return PLAT_IO_NOT_FILE;
    }
    if (io == PLAT_IO_OK && fstat(opened, &st) != 0) {
        io = path_io(errno);
    }
    if (io == PLAT_IO_OK && S_ISLNK(st.st_mode)) {
        io = path_judge(opened, &st, shown, walk->fault);
        io = io == PLAT_IO_OK ? path_follow(walk, opened) : io;
    } else if (io == PLAT_IO_OK && S_ISDIR(st.st_mode)) {
        io = path_judge(opened, &st, shown, walk->fault);
        int former = walk->at;
        walk->at = opened;
        opened = former;
        (void)snprintf(walk->reached, sizeof walk->reached, "%.*s", PATH_MOST - 1, shown);
    } else if (io == PLAT_IO_OK) {
        io = path_open_end(walk, name, &st, shown, handle);
    }
    path_close(&opened);
    return io;
}

enum plat_io path_open_trusted(const char *path, int *handle, struct path_fault *fault)
{
    struct path_walk walk = {.at = -1, .fault = fault};
    fault->text[0] = '\0';
    *handle = -1;
    if (path[0] != '/' || strlen(path) >= sizeof walk.rest) {
        return path[0] != '/' ? PLAT_IO_ABSENT : PLAT_IO_FAILED;
    }
    memcpy(walk.rest, path, strlen(path) + 1);
    enum plat_io io = path_begin(&walk);
    while (io == PLAT_IO_OK && *handle < 0) {
        io = path_step(&walk, handle);
    }
    path_close(&walk.at);
    if (io != PLAT_IO_OK) {
        path_close(handle);
    }
    return io;
}
