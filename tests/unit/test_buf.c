/* The growing buffer: its maximum, its terminator, and that nothing of its content stays behind. */
// with: fake_clock.c
// wrap: malloc free
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

static int mallocs_left = -1; /* negative: as many as there are */
static const void *watched;
static size_t watched_len;
static bool watched_was_clean;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    if (mallocs_left == 0) {
        return NULL;
    }
    mallocs_left -= mallocs_left > 0;
    return __real_malloc(size);
}

void __real_free(void *data);
void __wrap_free(void *data);
void __wrap_free(void *data)
{
    if (data != NULL && data == watched) {
        const uint8_t *bytes = data;
        watched_was_clean = true;
        for (size_t i = 0; i < watched_len; i++) {
            watched_was_clean = watched_was_clean && bytes[i] == 0;
        }
        watched = NULL;
    }
    __real_free(data);
}

static void buf_watch(const struct buf *buf)
{
    watched = buf->data;
    watched_len = buf->cap;
    watched_was_clean = false;
}

static int set_up(void **state)
{
    (void)state;
    mallocs_left = -1;
    watched = NULL;
    return 0;
}

static void test_an_empty_one_has_a_text(void **state)
{
    (void)state;
    struct buf buf = BUF_EMPTY(10);
    assert_string_equal(buf_text(&buf), "");
    buf_clear(&buf);
    buf_free(&buf);
    buf_free(&buf);
    assert_null(buf.data);
    assert_int_equal(buf_append(&buf, NULL, 0), EKM_OK);
    assert_string_equal(buf_text(&buf), "");
    buf_free(&buf);
}

static void test_appended_text_is_terminated(void **state)
{
    (void)state;
    struct buf buf = BUF_EMPTY(100000);
    char expected[5001] = "";
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(buf_append(&buf, "ab", 2), EKM_OK);
        assert_int_equal(buf_append_text(&buf, "c"), EKM_OK);
        assert_int_equal(buf_append_format(&buf, "%02d", i % 100), EKM_OK);
        (void)strcat(expected, "abc");
        expected[5 * i + 3] = (char)('0' + i % 100 / 10);
        expected[5 * i + 4] = (char)('0' + i % 10);
        assert_int_equal(buf.data[buf.len], 0);
    }
    assert_int_equal(buf.len, 5000);
    assert_string_equal(buf_text(&buf), expected);
    buf_clear(&buf);
    assert_int_equal(buf.len, 0);
    assert_string_equal(buf_text(&buf), "");
    assert_int_equal(buf_append(&buf, "\0x", 2), EKM_OK);
    assert_memory_equal(buf.data, "\0x", 3);
    buf_free(&buf);
}

static void test_the_maximum_holds(void **state)
{
    (void)state;
    struct buf buf = BUF_EMPTY(5);
    assert_int_equal(buf_append_text(&buf, "12345"), EKM_OK);
    assert_int_equal(buf_append_text(&buf, "6"), EKM_ANSWER_TOO_BIG);
    assert_int_equal(buf_append_format(&buf, "%d", 6), EKM_ANSWER_TOO_BIG);
    assert_int_equal(buf_reserve(&buf, 1), EKM_ANSWER_TOO_BIG);
    assert_int_equal(buf_reserve(&buf, SIZE_MAX), EKM_ANSWER_TOO_BIG);
    assert_string_equal(buf_text(&buf), "12345");
    assert_int_equal(buf_append(&buf, NULL, 0), EKM_OK);
    buf_clear(&buf);
    assert_int_equal(buf_append_text(&buf, "123456"), EKM_ANSWER_TOO_BIG);
    assert_int_equal(buf_append_text(&buf, "abcde"), EKM_OK);
    buf_free(&buf);
    assert_int_equal(buf.max, 5);
    struct buf nothing = BUF_EMPTY(0);
    assert_int_equal(buf_append_text(&nothing, ""), EKM_OK);
    assert_int_equal(buf_append_text(&nothing, "1"), EKM_ANSWER_TOO_BIG);
    buf_free(&nothing);
}

static void test_reserved_room_is_there(void **state)
{
    (void)state;
    struct buf buf = BUF_EMPTY(10000);
    assert_int_equal(buf_append_text(&buf, "x"), EKM_OK);
    assert_int_equal(buf_reserve(&buf, 9999), EKM_OK);
    memset(buf.data + 1, 'y', 9999);
    buf.len += 9999;
    assert_true(buf.cap > buf.len);
    assert_int_equal(buf.data[0], 'x');
    buf_free(&buf);
}

static void test_growth_and_free_wipe(void **state)
{
    (void)state;
    struct buf buf = BUF_EMPTY(100000);
    char secret[600];
    memset(secret, 's', sizeof secret);
    assert_int_equal(buf_append(&buf, secret, 100), EKM_OK);
    buf_watch(&buf);
    assert_int_equal(buf_append(&buf, secret, sizeof secret), EKM_OK);
    assert_true(watched_was_clean);
    buf_clear(&buf);
    for (size_t i = 0; i < buf.cap; i++) {
        assert_int_equal(buf.data[i], 0);
    }
    assert_int_equal(buf_append(&buf, secret, 100), EKM_OK);
    buf_watch(&buf);
    buf_free(&buf);
    assert_true(watched_was_clean);
}

static void test_without_memory_the_content_stays(void **state)
{
    (void)state;
    char more[600] = {0};
    struct buf buf = BUF_EMPTY(100000);
    mallocs_left = 0;
    assert_int_equal(buf_append_text(&buf, "old"), EKM_OUT_OF_MEMORY);
    assert_null(buf.data);
    mallocs_left = -1;
    assert_int_equal(buf_append_text(&buf, "old"), EKM_OK);
    mallocs_left = 0;
    assert_int_equal(buf_append(&buf, more, sizeof more), EKM_OUT_OF_MEMORY);
    assert_int_equal(buf_append_format(&buf, "%600s", "x"), EKM_OUT_OF_MEMORY);
    mallocs_left = -1;
    assert_string_equal(buf_text(&buf), "old");
    buf_free(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_an_empty_one_has_a_text, set_up),
        cmocka_unit_test_setup(test_appended_text_is_terminated, set_up),
        cmocka_unit_test_setup(test_the_maximum_holds, set_up),
        cmocka_unit_test_setup(test_reserved_room_is_there, set_up),
        cmocka_unit_test_setup(test_growth_and_free_wipe, set_up),
        cmocka_unit_test_setup(test_without_memory_the_content_stays, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
