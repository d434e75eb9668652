/*
 * malloc and its family, overwriting what is given back: for libraries that are linked privately.
 *
 * Owns nothing. Memory from here goes back here alone. Any floor may call, any thread.
 */
#ifndef AKVEKM_PLATFORM_WIPING_ALLOC_H
#define AKVEKM_PLATFORM_WIPING_ALLOC_H

#include <stddef.h>

void *wiping_malloc(size_t len);
void *wiping_calloc(size_t count, size_t len);
/* The old block is wiped when the new one is elsewhere, which it always is. */
void *wiping_realloc(void *block, size_t len);
char *wiping_strdup(const char *text);
void wiping_free(void *block); /* takes NULL */

#endif
