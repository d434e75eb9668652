/*
 * The types of all file modules: results of input and output, and states of files.
 *
 * Only types; any thread.
 */
#ifndef AKVEKM_PLATFORM_IO_H
#define AKVEKM_PLATFORM_IO_H

#include <stdint.h>

enum plat_io {
    PLAT_IO_OK,
    PLAT_IO_ABSENT,    /* no such file, or its folder is missing */
    PLAT_IO_DENIED,    /* rights, read-only file system */
    PLAT_IO_UNSAFE,    /* others may write it or its folder, or another user owns it */
    PLAT_IO_NOT_FILE,  /* symbolic link, folder, device */
    PLAT_IO_TOO_BIG,   /* more than `cap` bytes */
    PLAT_IO_TIMED_OUT, /* the lock did not become free in time */
    PLAT_IO_FULL,      /* no space, quota, size limit */
    PLAT_IO_CHANGED,   /* no longer the file that it was */
    PLAT_IO_HANDLES,   /* the process or the system has no free descriptor */
    PLAT_IO_FAILED
};

/* Identifies one state of a file; all zero means absent. */
struct plat_file_state {
    uint64_t device, inode, size;
    int64_t modified_ns;
};

#endif
