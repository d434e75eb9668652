#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/codec.h"

static void test_hex(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x00, 0x1F, 0xA9, 0xFF};
    uint8_t back[4];
    char text[9];
    hex_encode(bytes, sizeof bytes, text);
    assert_string_equal(text, "001FA9FF");
    assert_true(hex_decode("001fA9fF", 4, back));
    assert_memory_equal(back, bytes, sizeof bytes);
    assert_true(hex_decode("001FA9FF and more", 4, back));
    assert_true(hex_decode("", 0, back));
    static const char *const wrong[] = {"",
                                        "0",
                                        "00 1",
                                        "001FA9F",
                                        "001FA9FG",
                                        "0x1FA9FF",
                                        ("001F\xB1"
                                         "9FF")};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        /* Exactly as long as it is: reading past its end would show. */
        char *exact = strdup(wrong[i]);
        assert_non_null(exact);
        assert_false(hex_decode(exact, 4, back));
        free(exact);
    }
    hex_encode(bytes, 0, text);
    assert_string_equal(text, "");
}

/* RFC 4648 section 10, without padding. */
static const char *const known[][2] = {
    {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
    {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xFB\xFF\xBF", "-_-_"}};

static void test_base64url_of_known_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct buf text = BUF_EMPTY(100), bytes = BUF_EMPTY(100);
        size_t len = strlen(known[i][0]);
        assert_int_equal(base64url_encode((const uint8_t *)known[i][0], len, &text), EKM_OK);
        assert_string_equal(buf_text(&text), known[i][1]);
        assert_int_equal(base64_decode(known[i][1], strlen(known[i][1]), &bytes), EKM_OK);
        assert_int_equal(bytes.len, len);
        assert_string_equal(buf_text(&bytes), known[i][0]);
        buf_free(&text);
        buf_free(&bytes);
    }
}

static void test_base64_takes_both_alphabets_and_padding(void **state)
{
    (void)state;
    static const char *const texts[] = {"-_-_-w==", "+/+/+w==", "-_-_-w", "+_-/+w"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct buf bytes = BUF_EMPTY(100);
        assert_int_equal(base64_decode(texts[i], strlen(texts[i]), &bytes), EKM_OK);
        assert_int_equal(bytes.len, 4);
        assert_memory_equal(bytes.data, "\xFB\xFF\xBF\xFB", 4);
        buf_free(&bytes);
    }
}

static void test_base64_refuses_all_else(void **state)
{
    (void)state;
    static const char *const wrong[] = {"A",
                                        "AAAAA",
                                        "AA A",
                                        "AAA\n",
                                        "AAA.",
                                        "=",
                                        "AA=",
                                        "AAA==",
                                        "AA==AA",
                                        "A===",
                                        "AA===",
                                        "AAAA=",
                                        "AAAA==",
                                        "AA=A",
                                        ("\xC3\xA4"
                                         "AA")};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct buf bytes = BUF_EMPTY(100);
        assert_int_equal(buf_append_text(&bytes, "before"), EKM_OK);
        if (base64_decode(wrong[i], strlen(wrong[i]), &bytes) != EKM_INVALID_ARGUMENT) {
            fail_msg("taken: %s", wrong[i]);
        }
        assert_int_equal(bytes.len, 6);
        buf_free(&bytes);
    }
    struct buf zero = BUF_EMPTY(100);
    assert_int_equal(base64_decode("AA\0A", 4, &zero), EKM_INVALID_ARGUMENT);
    buf_free(&zero);
}

static void test_every_length_and_byte_comes_back(void **state)
{
    (void)state;
    uint8_t data[300];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 7 + i / 256);
    }
    for (size_t len = 0; len <= sizeof data; len++) {
        /* as much room as is needed, and no more */
        struct buf text = BUF_EMPTY((len * 8 + 5) / 6), bytes = BUF_EMPTY(len);
        assert_int_equal(base64url_encode(data, len, &text), EKM_OK);
        assert_int_equal(text.len, (len * 8 + 5) / 6);
        assert_int_equal(base64_decode(buf_text(&text), text.len, &bytes), EKM_OK);
        assert_int_equal(bytes.len, len);
        assert_int_equal(len > 0 ? memcmp(bytes.data, data, len) : 0, 0);
        buf_free(&text);
        buf_free(&bytes);
    }
}

static void test_output_is_bounded(void **state)
{
    (void)state;
    struct buf small = BUF_EMPTY(5);
    assert_int_equal(base64url_encode((const uint8_t *)"foobar", 6, &small), EKM_ANSWER_TOO_BIG);
    assert_int_equal(base64_decode("Zm9vYmFy", 8, &small), EKM_ANSWER_TOO_BIG);
    assert_int_equal(small.len, 0);
    assert_int_equal(url_escape("&&", 2, &small), EKM_ANSWER_TOO_BIG);
    /* Exactly full is not too big. */
    buf_clear(&small);
    assert_int_equal(base64_decode("Zm9vYmE", 7, &small), EKM_OK);
    assert_string_equal(buf_text(&small), "fooba");
    buf_free(&small);
}

static void test_url_escape(void **state)
{
    (void)state;
    struct buf out = BUF_EMPTY(2000);
    assert_int_equal(url_escape("aZ09-._~", 8, &out), EKM_OK);
    assert_int_equal(url_escape(" +&=%/\0\xC3\xA4", 9, &out), EKM_OK);
    assert_string_equal(buf_text(&out), "aZ09-._~%20%2B%26%3D%25%2F%00%C3%A4");
    buf_clear(&out);
    for (int c = 0; c < 256; c++) {
        char text = (char)c;
        assert_int_equal(url_escape(&text, 1, &out), EKM_OK);
    }
    assert_int_equal(out.len, 66 + 3 * (256 - 66));
    buf_free(&out);
}

static void test_uuid(void **state)
{
    (void)state;
    char a[37], b[37];
    assert_true(uuid_make(a));
    assert_true(uuid_make(b));
    assert_string_not_equal(a, b);
    assert_int_equal(strlen(a), 36);
    assert_int_equal(strspn(a, "0123456789abcdef-"), 36);
    assert_true(a[8] == '-' && a[13] == '-' && a[18] == '-' && a[23] == '-');
    assert_int_equal(a[14], '4');
    assert_non_null(strchr("89ab", a[19]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hex),
        cmocka_unit_test(test_base64url_of_known_answers),
        cmocka_unit_test(test_base64_takes_both_alphabets_and_padding),
        cmocka_unit_test(test_base64_refuses_all_else),
        cmocka_unit_test(test_every_length_and_byte_comes_back),
        cmocka_unit_test(test_output_is_bounded),
        cmocka_unit_test(test_url_escape),
        cmocka_unit_test(test_uuid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
