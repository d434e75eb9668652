/*
 * Files that must survive a crash complete, and locks between processes, for a map that is a file.
 *
 * Owns only the handles that it returns. Any layer and thread.
 */
#ifndef AKVEKM_PLATFORM_ATOMIC_FILE_H
#define AKVEKM_PLATFORM_ATOMIC_FILE_H

#include "platform/file.h"

bool plat_file_state_equal(const struct plat_file_state *a, const struct plat_file_state *b);
/* Replaces the content. After a crash either the old or the new file is there, complete: the new
 * one is written as `<path>.tmp`, mode 0600, flushed and renamed, and the folder is flushed. The
 * caller holds the lock. CHANGED: the file is not in the state `former` (all zero: absent), because
 * a program wrote it without the lock; nothing is replaced. NOT_FILE: `path` is a symbolic link or
 * a folder. */
enum plat_io plat_file_replace(const char *path, const struct plat_file_state *former,
                               const void *data, size_t len, struct plat_file_state *state);
/* Flushes the file, whoever wrote it, and its folder. */
enum plat_io plat_file_flush(const char *path);
/* Flushes the folder that holds the folder of `path`; needed before its first file. */
enum plat_io plat_folder_flush(const char *path);
/* Makes the folder of `path`, mode 0700, if its parent exists. OK if it is there already. */
enum plat_io plat_folder_for(const char *path);
/* Takes an exclusive lock, between processes and threads, on the file at `path`. The file is
 * created with mode 0600, and the library never removes it; if another program did, the new file
 * counts. Tries until plat_now_ms() reaches until_ms or until `stopped` (may be NULL) is set:
 * TIMED_OUT. */
enum plat_io plat_lock_take(const char *path, uint64_t until_ms, bool (*stopped)(void *),
                            void *context, int *handle);
void plat_lock_release(int *handle);

#endif
