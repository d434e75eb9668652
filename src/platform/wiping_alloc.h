/*
 * malloc and its family, which wipe freed memory, for libraries that are linked privately.
 *
 * Owns nothing. Memory from here must be freed here. Any layer and thread.
 */
#ifndef AKVEKM_PLATFORM_WIPING_ALLOC_H
#define AKVEKM_PLATFORM_WIPING_ALLOC_H

#include <stddef.h>

void *wiping_malloc(size_t len);
void *wiping_calloc(size_t count, size_t len);
/* Always moves the block, and wipes the old one. */
void *wiping_realloc(void *block, size_t len);
char *wiping_strdup(const char *text);
void wiping_free(void *block); /* accepts NULL */

#endif
