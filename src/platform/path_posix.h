/*
 * Shared by the POSIX file modules: opening, the folder of a path, errno to plat_io, and whether
 * others can change a file.
 *
 * Only the POSIX sources of this folder call it; any thread.
 */
#ifndef AKVEKM_PLATFORM_PATH_POSIX_H
#define AKVEKM_PLATFORM_PATH_POSIX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "platform/io.h"

enum plat_io path_io(int error);
/* False: not absolute, or longer than cap. */
bool path_folder(const char *path, char *folder, size_t cap);
/* open(2), close-on-exec, never returns 0 to 2. */
enum plat_io path_open(const char *path, int flags, mode_t mode, int *handle);
void path_close(int *handle); /* accepts -1, and leaves -1 */
/* NOT_FILE if it is not a regular file. */
enum plat_io path_state(int handle, struct plat_file_state *out);

/* The fault and its place; "" if plat_io_text says enough. */
struct path_fault {
    char text[640];
};
/* Opens a regular file for reading. Links are followed one by one. The file, each folder and each
 * link on the way must belong to root or to this account, and nobody else may write them. */
enum plat_io path_open_trusted(const char *path, int *handle, struct path_fault *fault);
/* The same check of an opened file and of the folder of its path only; or of that folder alone. */
enum plat_io path_check_trust(const char *path, int handle, struct path_fault *fault);
enum plat_io path_check_folder(const char *path, struct path_fault *fault);

#endif
