/*
 * Reads a whole file into a buffer.
 *
 * Owns nothing; any thread.
 */
#ifndef AKVEKM_BASE_WHOLE_FILE_H
#define AKVEKM_BASE_WHOLE_FILE_H

#include "base/buf.h"
#include "platform/file.h"

/* A writer may renew a file in place. So a file whose content is unusable is read again, so many
 * times, after this wait. */
#define WHOLE_FILE_TRIES   3
#define WHOLE_FILE_WAIT_MS 20

/* Appends the content of the file, at most `max` bytes, for which the caller has reserved room. On
 * failure the buffer's content is unchanged; PLAT_IO_TOO_BIG: the file is longer. */
enum plat_io whole_file_read(const char *path, enum plat_file_trust trust, size_t max,
                             struct buf *out);

#endif
