/*
 * A folder of a test's own under /tmp, and files in it.
 *
 * Owns the paths: `path` lies in the folder, `aside` is path.tmp. make_folder and remove_folder are
 * a test's set-up and tear-down. For tests with a line `// with: scratch.c`; the main thread alone
 * makes and removes.
 */
#ifndef AKVEKM_TESTS_SCRATCH_H
#define AKVEKM_TESTS_SCRATCH_H

#include <sys/types.h>

#include "platform/file.h"

extern char folder[64], path[128], aside[160];

int make_folder(void **state);
int remove_folder(void **state);
void put(const char *name, const char *text, mode_t mode);
/* The whole content, terminated; what does not fit is TOO_BIG. */
enum plat_io get(const char *name, enum plat_file_trust trust, char *out, size_t cap);
void assert_content(const char *name, const char *expected);
unsigned mode_of(const char *name);

#endif
