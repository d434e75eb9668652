/*
 * Memory that was freed in this process and not allocated again.
 *
 * Owns nothing. Any thread.
 */
#ifndef AKVEKM_PLATFORM_HEAP_H
#define AKVEKM_PLATFORM_HEAP_H

/* Wipes memory that other libraries freed without wiping, in the part of the heap that serves this
 * thread. It allocates every free block once, which takes some milliseconds. Call it when
 * everything is closed. */
void plat_wipe_freed(void);

#endif
