#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static void test_copies_are_cut_and_terminated(void **state)
{
    (void)state;
    char out[4];
    assert_true(text_copy(out, sizeof out, "abc"));
    assert_string_equal(out, "abc");
    assert_false(text_copy(out, sizeof out, "abcd"));
    assert_string_equal(out, "abc");
    assert_true(text_copy_n(out, sizeof out, "xyz", 2));
    assert_string_equal(out, "xy");
    assert_true(text_copy_n(out, sizeof out, NULL, 0));
    assert_string_equal(out, "");
    assert_false(text_copy(out, 1, "a"));
    assert_string_equal(out, "");
    out[0] = '!';
    assert_false(text_copy(out, 0, "a"));
    assert_int_equal(out[0], '!');
    assert_true(text_format(out, sizeof out, "%d", 123));
    assert_false(text_format(out, sizeof out, "%d", 1234));
    assert_string_equal(out, "123");
}

static void test_case_is_that_of_ascii(void **state)
{
    (void)state;
    assert_true(text_equal_nocase("Vault.Azure.NET", "vault.azure.net"));
    assert_false(text_equal_nocase("vault", "vault."));
    assert_false(text_equal_nocase("vault.", "vault"));
    assert_true(text_equal_nocase("", ""));
    assert_false(text_equal_nocase("\xC4", "\xE4"));
    assert_false(text_equal_nocase("[", "{")); /* only bit 5 differs, yet no letters */
    assert_true(text_equal_nocase_n("abX", "ABy", 2));
    assert_false(text_equal_nocase_n("abX", "ABy", 3));
    assert_true(text_equal_nocase_n("ab", "AB", 9));
    assert_true(text_ends_nocase("contoso.VAULT.azure.net", ".vault.azure.NET"));
    assert_false(text_ends_nocase("vault.azure.net", ".vault.azure.net"));
    assert_true(text_ends_nocase("x", ""));
    char text[] = "AbC-Z[\xC4";
    text_lower(text);
    assert_string_equal(text, "abc-z[\xC4");
}

static void test_names(void **state)
{
    (void)state;
    for (int c = 1; c < 256; c++) {
        char text[2] = {(char)c, '\0'};
        bool digit = c >= '0' && c <= '9';
        bool alnum = digit || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        assert_int_equal(text_is_digit((char)c), digit);
        assert_int_equal(text_is_alnum((char)c), alnum);
        assert_int_equal(text_is_name(text, "-", 1), alnum || c == '-');
    }
    assert_false(text_is_name("", "-", 5));
    assert_true(text_is_name("abc-1", "-", 5));
    assert_false(text_is_name("abc-12", "-", 5));
    assert_false(text_is_name("abc-1", "", 5));
}

static void test_numbers(void **state)
{
    (void)state;
    uint64_t value = 99;
    static const char *const wrong[] = {
        "", "-1", "+1", " 1", "1 ", "0x1", "1e", "1001", "11111111111111111111111"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(text_to_u64(wrong[i], 1000, &value));
        assert_int_equal(value, 99);
    }
    assert_true(text_to_u64("1000", 1000, &value));
    assert_int_equal(value, 1000);
    assert_true(text_to_u64("0000000000000000000000007", 1000, &value));
    assert_int_equal(value, 7);
    assert_true(text_to_u64("0", 0, &value));
    assert_int_equal(value, 0);
    assert_false(text_to_u64("1", 0, &value));
    assert_true(text_to_u64("18446744073709551615", UINT64_MAX, &value));
    assert_true(value == UINT64_MAX);
    assert_false(text_to_u64("18446744073709551616", UINT64_MAX, &value));
    assert_false(text_to_u64("99999999999999999999", UINT64_MAX, &value));
}

/* One at each border of the four lengths. */
static const uint16_t wide[] = {'a',    0x7F,   0x80,   0x7FF,  0x800,  0xFFFF,
                                0xD7FF, 0xE000, 0xD800, 0xDC00, 0xDBFF, 0xDFFF};
static const char narrow[] = "a\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xED\x9F\xBF\xEE\x80\x80"
                             "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF";
#define WIDE_LEN (sizeof wide / sizeof wide[0])

static void test_utf16_both_ways(void **state)
{
    (void)state;
    uint16_t back[WIDE_LEN] = {0};
    struct buf out = BUF_EMPTY(100);
    assert_int_equal(text_from_utf16(wide, WIDE_LEN, &out), EKM_OK);
    assert_string_equal(buf_text(&out), narrow);
    assert_int_equal(text_to_utf16(narrow, NULL, 0), WIDE_LEN);
    assert_int_equal(text_to_utf16(narrow, back, WIDE_LEN - 1), WIDE_LEN);
    assert_int_equal(back[0], 0); /* no room for all: nothing written */
    assert_int_equal(text_to_utf16(narrow, back, WIDE_LEN), WIDE_LEN);
    assert_memory_equal(back, wide, sizeof wide);
    assert_int_equal(text_to_utf16("", back, WIDE_LEN), 0);
    buf_free(&out);
    assert_int_equal(text_from_utf16(NULL, 0, &out), EKM_OK);
    assert_int_equal(out.len, 0);
    buf_free(&out);
}

static void test_broken_utf16_is_refused(void **state)
{
    (void)state;
    static const struct {
        uint16_t units[3];
        size_t count;
    } wrong[] = {{{'a', 0xD800, 'b'}, 3}, {{0xD800}, 1},         {{0xDC00, 'a'}, 2},
                 {{0xDC00, 0xD800}, 2},   {{0xD800, 0xD800}, 2}, {{'a', 0, 'b'}, 3},
                 {{0xDBFF, 0xE000}, 2}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct buf out = BUF_EMPTY(100);
        assert_int_equal(text_from_utf16(wrong[i].units, wrong[i].count, &out),
                         EKM_INVALID_ARGUMENT);
        buf_free(&out);
    }
    struct buf small = BUF_EMPTY(2);
    assert_int_equal(text_from_utf16(wide, 3, &small), EKM_ANSWER_TOO_BIG);
    buf_free(&small);
}

static void test_join(void **state)
{
    (void)state;
    char out[8];
    assert_true(text_join(out, sizeof out, (const char *const[]){"ab", "", "cde", NULL}));
    assert_string_equal(out, "abcde");
    assert_true(text_join(out, sizeof out, (const char *const[]){"abc", "defg", NULL}));
    assert_string_equal(out, "abcdefg");
    assert_false(text_join(out, sizeof out, (const char *const[]){"abc", "defgh", "i", NULL}));
    assert_string_equal(out, "abcdefg");
    assert_true(text_join(out, sizeof out, (const char *const[]){NULL}));
    assert_string_equal(out, "");
}

static void test_number(void **state)
{
    (void)state;
    char out[TEXT_U64_MAX + 1];
    assert_int_equal(text_from_u64(0, 1, out), 1);
    assert_string_equal(out, "0");
    assert_int_equal(text_from_u64(7, 3, out), 3);
    assert_string_equal(out, "007");
    assert_int_equal(text_from_u64(2026, 3, out), 4);
    assert_string_equal(out, "2026");
    assert_int_equal(text_from_u64(UINT64_MAX, 1, out), TEXT_U64_MAX);
    assert_string_equal(out, "18446744073709551615");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_join),
        cmocka_unit_test(test_number),
        cmocka_unit_test(test_copies_are_cut_and_terminated),
        cmocka_unit_test(test_case_is_that_of_ascii),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_utf16_both_ways),
        cmocka_unit_test(test_broken_utf16_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
