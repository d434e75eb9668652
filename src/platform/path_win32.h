/*
 * Shared by the Windows modules: UTF-8 to UTF-16 and back, error to plat_io, opening, trust.
 *
 * Only the Windows sources of this folder call it; any thread.
 */
#ifndef AKVEKM_PLATFORM_PATH_WIN32_H
#define AKVEKM_PLATFORM_PATH_WIN32_H

#include <stdbool.h>
#include <stddef.h>

#include "platform/io.h"

/* 32 bits of a handle are significant, by the promise that lets 32-bit programs share them. */
#define path_handle(handle) ((void *)(intptr_t)(handle))
#define PATH_UNITS          1100 /* a configured path (1023) and the prefix of long paths */

enum plat_io path_io(unsigned long error); /* of GetLastError */
/* False: not valid, or longer than cap (in units or bytes); out is "" then. */
bool path_widen(const char *text, wchar_t *out, size_t cap);
bool path_narrow(const wchar_t *text, char *out, size_t cap);
/* Like path_widen, for a file: with backslashes, and the prefix that lifts the limit of 260. */
bool path_native(const char *path, wchar_t *out, size_t cap);

/* Calls CreateFile and shares the file with all other programs. With PATH_WHOLE it does not follow
 * a link as the last part, and may open a folder. */
#define PATH_WHOLE (FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT)
enum plat_io path_open(const char *path, unsigned long access, unsigned long disposition,
                       unsigned long flags, int *handle);
/* NOT_FILE: a folder or a link. */
enum plat_io path_state(int handle, struct plat_file_state *out);
/* The folder of an absolute path, its separator included; false if there is none. */
bool path_folder(const char *path, char *folder, size_t cap);

/* Whether only SYSTEM, Administrators, TrustedInstaller and the account of this process own or may
 * change the object of the handle, which was opened with READ_CONTROL (specification.md section
 * 8). */
bool path_trusted(void *native_handle);
bool path_folder_trusted(const char *path);

#endif
