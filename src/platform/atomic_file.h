/*
 * Files that must survive a crash whole, and locks between processes: for a map that is a file.
 *
 * Owns nothing beyond the handles it returns. Any floor may call, any thread.
 */
#ifndef AKVEKM_PLATFORM_ATOMIC_FILE_H
#define AKVEKM_PLATFORM_ATOMIC_FILE_H

#include "platform/file.h"

bool plat_file_state_equal(const struct plat_file_state *a, const struct plat_file_state *b);
/* Reads cap bytes from the present position on, fewer at the end alone. */
enum plat_io plat_file_read_on(int handle, void *out, size_t cap, size_t *len);
/* Replaces the content so that a crash leaves the old or the new file, whole: written aside as
 * `<path>.tmp`, mode 0600, flushed, renamed, folder flushed. The caller holds the lock. CHANGED:
 * the file is no longer in the state `former`, which all zero means absent: somebody wrote it
 * without the lock, and nothing is replaced. A symbolic link or folder at `path`: NOT_FILE. */
enum plat_io plat_file_replace(const char *path, const struct plat_file_state *former,
                               const void *data, size_t len, struct plat_file_state *state);
/* Flushes the file, whoever wrote it, and its folder. */
enum plat_io plat_file_flush(const char *path);
/* Flushes the folder that holds the folder of `path`: before a first file makes that matter. */
enum plat_io plat_folder_flush(const char *path);
/* Makes the folder of `path`, 0700, if that folder's own parent exists. OK if it is there. */
enum plat_io plat_folder_for(const char *path);
/* Exclusive lock of the file at `path` (made 0600, never removed by us; if somebody did, the new
 * one counts) between processes and threads, tried until plat_now_ms() reaches until_ms or
 * `stopped`, which may be NULL, says so: TIMED_OUT. */
enum plat_io plat_lock_take(const char *path, uint64_t until_ms, bool (*stopped)(void *),
                            void *context, int *handle);
void plat_lock_release(int *handle);

#endif
