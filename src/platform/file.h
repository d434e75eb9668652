/*
 * Files: reading a whole file, appending to logs, and checking that rights are safe.
 *
 * Owns only the handles that it returns (close-on-exec, never 0 to 2). Paths are UTF-8 and
 * absolute. Any layer and thread.
 */
#ifndef AKVEKM_PLATFORM_FILE_H
#define AKVEKM_PLATFORM_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "platform/io.h"

const char *plat_io_text(enum plat_io io);

enum plat_io plat_file_state(const char *path, struct plat_file_state *out);
enum plat_file_trust {
    PLAT_TRUST_ANY,        /* the last part must not be a link */
    PLAT_TRUST_ANY_LINKED, /* links are followed */
    PLAT_TRUST_REQUIRED    /* links are followed; owner and rights are checked of the opened file
                            * and of everything on the way to it (specification.md sections 8, 10;
                            * Windows: file and folder, no links) */
};
/* Opens for reading. The caller closes. */
enum plat_io plat_file_open(const char *path, enum plat_file_trust trust, int *handle,
                            struct plat_file_state *state);
/* After a failure `io`: names the file or folder that causes it, and what to do about it. */
void plat_file_explain(const char *path, enum plat_io io, char *out, size_t cap);
/* Reads up to cap bytes from the current position to the end; TOO_BIG if there is more. */
enum plat_io plat_file_read(int handle, void *out, size_t cap, size_t *len);
/* Reads cap bytes from the current position; fewer only at the end of the file. */
enum plat_io plat_file_read_on(int handle, void *out, size_t cap, size_t *len);
void plat_file_close(int *handle); /* accepts -1 */

/* Opens a log for appending: mode 0640, no symbolic link, created if absent. UNSAFE because of
 * owner or rights of file or folder. A write is one system call. */
enum plat_io plat_log_open(const char *path, int *handle, struct plat_file_state *state);
void plat_log_explain(const char *path, enum plat_io io, char *out, size_t cap);
enum plat_io plat_log_write(int handle, const char *text, size_t len);
/* Writes to standard error. False: there is none, or another file has its descriptor. */
bool plat_standard_error(const char *line, size_t len);
bool plat_folder_exists(const char *path);

#endif
