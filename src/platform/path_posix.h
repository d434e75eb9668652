/*
 * What the POSIX file modules share: opening, folder of a path, errno to plat_io, and whom a path
 * lets change what is read through it.
 *
 * Called by the POSIX sources of this folder alone; any thread.
 */
#ifndef AKVEKM_PLATFORM_PATH_POSIX_H
#define AKVEKM_PLATFORM_PATH_POSIX_H

#include <sys/types.h>

#include "platform/file.h"

enum plat_io path_io(int error);
/* False: not absolute, or longer than cap. */
bool path_folder(const char *path, char *folder, size_t cap);
/* open(2), close-on-exec, never giving 0 to 2. */
enum plat_io path_open(const char *path, int flags, mode_t mode, int *handle);
/* NOT_FILE for what is not a plain file. */
enum plat_io path_state(int handle, struct plat_file_state *out);

/* What was found wrong, and where; "" where plat_io_text says enough. */
struct path_fault {
    char text[640];
};
/* Opens a plain file for reading. Links are followed one by one; the file, each folder and each
 * link on the way must belong to root or to this account, and be writable by nobody else. */
enum plat_io path_open_trusted(const char *path, int *handle, struct path_fault *fault);
/* The same judgement of an opened file and of the folder that its path names, of no others. */
enum plat_io path_check_trust(const char *path, int handle, struct path_fault *fault);

#endif
