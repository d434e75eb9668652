/* Counts malloc and the like of the whole program: the loaded library, curl and OpenSSL call these
 * functions. */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "measure.h"

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

#define EXPORTED __attribute__((visibility("default")))

static atomic_ulong counted;

static void allocations_count(void)
{
    atomic_fetch_add_explicit(&counted, 1, memory_order_relaxed);
}

uint64_t allocation_count(void)
{
    return atomic_load(&counted);
}

EXPORTED void *malloc(size_t size)
{
    allocations_count();
    return __libc_malloc(size);
}

EXPORTED void *calloc(size_t number, size_t size)
{
    allocations_count();
    return __libc_calloc(number, size);
}

EXPORTED void *realloc(void *memory, size_t size)
{
    allocations_count();
    return __libc_realloc(memory, size);
}

EXPORTED void *aligned_alloc(size_t alignment, size_t size)
{
    allocations_count();
    return __libc_memalign(alignment, size);
}

EXPORTED int posix_memalign(void **memory, size_t alignment, size_t size)
{
    allocations_count();
    *memory = __libc_memalign(alignment, size);
    return *memory != NULL ? 0 : ENOMEM;
}
