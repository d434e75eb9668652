/*
 * Files: whole reads, appended logs, and whether rights are safe.
 *
 * Owns nothing beyond the handles it returns (close-on-exec, never 0 to 2). Paths are UTF-8 and
 * absolute. Any floor may call, any thread.
 */
#ifndef AKVEKM_PLATFORM_FILE_H
#define AKVEKM_PLATFORM_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum plat_io {
    PLAT_IO_OK,
    PLAT_IO_ABSENT,    /* no such file, or its folder is missing */
    PLAT_IO_DENIED,    /* rights, read-only file system */
    PLAT_IO_UNSAFE,    /* others may write it or its folder, foreign owner */
    PLAT_IO_NOT_FILE,  /* symbolic link, folder, device */
    PLAT_IO_TOO_BIG,   /* more than `cap` bytes */
    PLAT_IO_TIMED_OUT, /* a lock not won in time */
    PLAT_IO_FULL,      /* no space, quota, size limit */
    PLAT_IO_CHANGED,   /* not the file that it was a moment ago */
    PLAT_IO_HANDLES,   /* the process or the system has as many open as it may */
    PLAT_IO_FAILED
};
const char *plat_io_text(enum plat_io io);

/* What tells one state of a file from another; all zero means absent. */
struct plat_file_state {
    uint64_t device, inode, size;
    int64_t modified_ns;
};
enum plat_io plat_file_state(const char *path, struct plat_file_state *out);
enum plat_file_trust {
    PLAT_TRUST_ANY,        /* the last part may be no link */
    PLAT_TRUST_ANY_LINKED, /* links are followed */
    PLAT_TRUST_REQUIRED    /* links are followed, and owner and rights judged of the opened file and
                            * of all on the way to it (specification.md sections 8, 10; Windows:
                            * file and folder, no links) */
};
/* Opens for reading. The caller closes. */
enum plat_io plat_file_open(const char *path, enum plat_file_trust trust, int *handle,
                            struct plat_file_state *state);
/* What is in the way where that gave `io`: which file or folder, and what to do about it. */
void plat_file_explain(const char *path, enum plat_io io, char *out, size_t cap);
/* Reads up to cap bytes from the present position until the end; TOO_BIG if there is more. */
enum plat_io plat_file_read(int handle, void *out, size_t cap, size_t *len);
void plat_file_close(int *handle); /* -1 allowed, and left there */

/* For appended logs: mode 0640, no symbolic link, made if absent; UNSAFE by owner or rights of file
 * or folder. Write is one system call. */
enum plat_io plat_log_open(const char *path, int *handle, struct plat_file_state *state);
void plat_log_explain(const char *path, enum plat_io io, char *out, size_t cap);
enum plat_io plat_log_write(int handle, const char *text, size_t len);
bool plat_folder_exists(const char *path);

#endif
