#include "platform/wiping_alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "platform/system.h"

/* The length is stored in front of the block, which stays aligned for any type. */
#define HEAD_BYTES ((size_t)16)

static size_t length_of(const void *block)
{
    size_t len;
    memcpy(&len, (const char *)block - HEAD_BYTES, sizeof len);
    return len;
}

static void *keep_length(char *head, size_t len)
{
    if (head == NULL) {
        return NULL;
    }
    memcpy(head, &len, sizeof len);
    return head + HEAD_BYTES;
}

void *wiping_malloc(size_t len)
{
    return keep_length(len <= SIZE_MAX - HEAD_BYTES ? malloc(HEAD_BYTES + len) : NULL, len);
}

/* calloc does not touch memory that comes fresh from the system. */
void *wiping_calloc(size_t count, size_t len)
{
    if (len != 0 && count > (SIZE_MAX - HEAD_BYTES) / len) {
        return NULL;
    }
    return keep_length(calloc(1, HEAD_BYTES + count * len), count * len);
}

void *wiping_realloc(void *block, size_t len)
{
    void *next = wiping_malloc(len);
    if (next != NULL && block != NULL) {
        size_t former = length_of(block);
        memcpy(next, block, former < len ? former : len);
        wiping_free(block);
    }
    return next;
}

char *wiping_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = wiping_malloc(size);
    if (copy != NULL) {
        memcpy(copy, text, size);
    }
    return copy;
}

void wiping_free(void *block)
{
    if (block != NULL) {
        plat_wipe(block, length_of(block));
        free((char *)block - HEAD_BYTES);
    }
}
