/* The allocator of privately linked libraries keeps what malloc promises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "platform/wiping_alloc.h"

static void test_blocks(void **state)
{
    (void)state;
    unsigned char *block = wiping_malloc(100);
    assert_non_null(block);
    assert_int_equal((uintptr_t)block % 16, 0);
    memset(block, 0x5A, 100);
    block = wiping_realloc(block, 5000);
    assert_non_null(block);
    for (size_t i = 0; i < 100; i++) {
        assert_int_equal(block[i], 0x5A);
    }
    block = wiping_realloc(block, 3);
    assert_non_null(block);
    assert_memory_equal(block, "ZZZ", 3);
    wiping_free(block);
    wiping_free(NULL);
    char *text = wiping_strdup("text");
    assert_string_equal(text, "text");
    wiping_free(text);
    block = wiping_realloc(NULL, 8);
    assert_non_null(block);
    wiping_free(block);
}

static void test_zeroed_and_bounded(void **state)
{
    (void)state;
    unsigned char *block = wiping_calloc(7, 9);
    for (size_t i = 0; i < 63; i++) {
        assert_int_equal(block[i], 0);
    }
    wiping_free(block);
    /* Read at run time, or the compiler objects to the sizes. */
    volatile size_t huge = SIZE_MAX;
    assert_null(wiping_malloc(huge));
    assert_null(wiping_calloc(huge / 2, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_zeroed_and_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
