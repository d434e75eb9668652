#include "platform/heap.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "platform/system.h"

#define LARGEST_BLOCK  32768
#define SMALLEST_BLOCK 24 /* the smallest block of glibc */
#define CACHED_MOST    1032
#define CACHED_STEP    16
#define CACHED_COUNT   16 /* at least the number of blocks of one size that a thread caches */
/* Blocks taken between two checks, because each check walks all free blocks of all heaps. */
#define BATCH_BYTES  ((size_t)256 << 10)
#define TAKEN_MOST   ((size_t)64 << 20)
#define TIME_MOST_MS 2000 /* Initialize waits for Free during this time */

#if defined(__GLIBC__) && !defined(AKVEKM_PRIVATE_LIBRARIES)
#if __GLIBC_PREREQ(2, 33)
#define HEAP_IS_KNOWN
#endif
#endif

#ifdef HEAP_IS_KNOWN

struct heap_block {
    struct heap_block *next;
};

/* Holds the blocks until all are taken; otherwise the same block would come again and again. They
 * are freed in the order in which they came, so that the thread's cache of small blocks, which came
 * first, gets its own blocks back. Newer blocks from the heap's end would keep the heap from
 * shrinking. */
struct heap_taken {
    struct heap_block *oldest, **end;
    size_t bytes;
    uint64_t until_ms;
};

static bool heap_take(struct heap_taken *taken, size_t size, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct heap_block *block = taken->bytes < TAKEN_MOST ? malloc(size) : NULL;
        if (block == NULL) {
            return false;
        }
        plat_wipe(block, size);
        block->next = NULL;
        *taken->end = block;
        taken->end = &block->next;
        taken->bytes += size;
    }
    return true;
}

static void heap_give_back(struct heap_taken *taken)
{
    while (taken->oldest != NULL) {
        struct heap_block *block = taken->oldest;
        taken->oldest = block->next;
        free(block);
    }
}

/* Takes every free block that holds `size`. If the heap had to grow, none was left. */
static bool heap_take_all(struct heap_taken *taken, size_t size)
{
    for (struct mallinfo2 before = mallinfo2(), now = before; now.arena <= before.arena;) {
        if (plat_now_ms() >= taken->until_ms ||
            !heap_take(taken, size, (unsigned)(BATCH_BYTES / size))) {
            return false;
        }
        struct mallinfo2 former = now;
        now = mallinfo2();
        if (now.uordblks == former.uordblks) {
            return false; /* another allocator replaces glibc's */
        }
    }
    return true;
}

void plat_wipe_freed(void)
{
    struct heap_taken taken = {NULL, &taken.oldest, 0, plat_now_ms() + TIME_MOST_MS};
    bool going = true;
    /* The largest size first: the smaller sizes then take the rest of a block that was cut. */
    for (size_t size = LARGEST_BLOCK; going && size > SMALLEST_BLOCK; size /= 2) {
        going = heap_take_all(&taken, size);
    }
    going = going && heap_take_all(&taken, SMALLEST_BLOCK);
    for (size_t size = SMALLEST_BLOCK; going && size <= CACHED_MOST; size += CACHED_STEP) {
        going = heap_take(&taken, size, CACHED_COUNT);
    }
    heap_give_back(&taken);
}

#else

/* The library's own curl and cJSON wipe what they free. Of other allocators too little is known. */
void plat_wipe_freed(void)
{
}

#endif
