/*
 * Files that must survive a crash whole, and locks between processes: for a map that is a file.
 *
 * Owns nothing beyond the handles it returns. POSIX alone: on Windows the map is in the registry,
 * which is durable by itself. Any floor may call, any thread.
 */
#ifndef AKVEKM_PLATFORM_DURABLE_H
#define AKVEKM_PLATFORM_DURABLE_H

#include "platform/file.h"

/* Replaces the content so that a crash leaves the old or the new file, whole: written aside as
 * `<path>.tmp`, mode 0600, flushed, renamed, folder flushed. The caller holds the lock. A symbolic
 * link or folder at `path`: NOT_FILE. */
enum plat_io plat_file_replace(const char *path, const void *data, size_t len,
                               struct plat_file_state *state);
/* Makes the folder of `path`, 0700, if that folder's own parent exists. OK if it is there. */
enum plat_io plat_folder_for(const char *path);
/* Exclusive lock of the file at `path` (made 0600, never removed) between processes and threads,
 * tried until plat_now_ms() reaches until_ms or `stopped`, which may be NULL, says so: TIMED_OUT.
 */
enum plat_io plat_lock_take(const char *path, uint64_t until_ms, bool (*stopped)(void *),
                            void *context, int *handle);
void plat_lock_release(int *handle);

#endif
