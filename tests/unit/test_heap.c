// only: posix
/* Memory that was freed unwiped is wiped, whatever happened to the block since. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/heap.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define OTHER_ALLOCATOR
#endif

#define BLOCKS 400

/* Never whole in memory but in the blocks: turned, and put together byte by byte. */
static const uint8_t turned[] = {0x12, 0x7a, 0x05, 0x66, 0x3c, 0x91, 0x4e, 0x28,
                                 0xd3, 0x77, 0x0b, 0x5a, 0xe1, 0x36, 0x49, 0x9d};

static void write_mark(volatile uint8_t *at)
{
    for (size_t i = 0; i < sizeof turned; i++) {
        at[i] = turned[i] ^ 0x55;
    }
}

#ifndef OTHER_ALLOCATOR
static unsigned marks_between(const volatile uint8_t *at, const volatile uint8_t *end)
{
    unsigned found = 0;
    for (; at + sizeof turned <= end; at++) {
        size_t same = 0;
        while (same < sizeof turned && at[same] == (turned[same] ^ 0x55)) {
            same++;
        }
        found += same == sizeof turned;
    }
    return found;
}

static unsigned marks_in_heap(void)
{
    char line[512];
    unsigned found = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long start = 0, end = 0;
        if (strstr(line, "[heap]") != NULL && sscanf(line, "%lx-%lx", &start, &end) == 2) {
            found += marks_between((const volatile uint8_t *)start, /* NOLINT: an address */
                                   (const volatile uint8_t *)end);  /* NOLINT: an address */
        }
    }
    (void)fclose(maps);
    return found;
}
#endif

static void freed_blocks_are_wiped(void **state)
{
    static void *blocks[BLOCKS];
    (void)state;
    for (size_t i = 0; i < BLOCKS; i++) {
        size_t size = 64 + i * 97 % 5000;
        uint8_t *block = blocks[i] = malloc(size);
        assert_non_null(block);
        for (size_t at = 32; at + sizeof turned <= size; at += 61) {
            write_mark(block + at);
        }
    }
    /* One in three stays, so that the others lie in holes of every size. */
    for (size_t i = 0; i < BLOCKS; i++) {
        if (i % 3 != 0) {
            free(blocks[i]);
        }
    }
    for (size_t i = 0; i < BLOCKS; i += 3) {
        memset(blocks[i], 0, 64 + i * 97 % 5000);
    }
#ifndef OTHER_ALLOCATOR
    assert_true(marks_in_heap() > BLOCKS);
#endif
    plat_wipe_freed();
#ifndef OTHER_ALLOCATOR
    assert_int_equal(marks_in_heap(), 0);
#endif
    for (size_t i = 0; i < BLOCKS; i += 3) {
        free(blocks[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(freed_blocks_are_wiped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
