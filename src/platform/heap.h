/*
 * The memory that was freed in this process and not given out again.
 *
 * Owns nothing. Any thread.
 */
#ifndef AKVEKM_PLATFORM_HEAP_H
#define AKVEKM_PLATFORM_HEAP_H

/* Wipes what other libraries freed as it was, in the part of the heap that serves this thread.
 * Takes some milliseconds, as it takes every free block once; to be called when all is closed. */
void plat_wipe_freed(void);

#endif
