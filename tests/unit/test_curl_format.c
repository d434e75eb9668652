/* Curl's asprintf: where curl is inside, part of it is ours, and writes the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <curl/curl.h>
#include <curl/mprintf.h>

/* Newer curl declares the format's arguments as checked. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void curl_format_expect(const char *expected, const char *format, ...)
{
    const char *first, *second;
    va_list arguments;
    va_start(arguments, format);
    first = va_arg(arguments, const char *);
    second = va_arg(arguments, const char *);
    va_end(arguments);
    char *text = curl_maprintf(format, first, second);
    assert_string_equal(text, expected);
    curl_free(text);
}
#pragma GCC diagnostic pop

static void test_text_and_strings(void **state)
{
    static char big[70000];
    (void)state;
    curl_format_expect("plain", "plain", "", "");
    curl_format_expect("", "%s", "", "");
    curl_format_expect("a", "%s%s", "a", "");
    curl_format_expect("Host: a:b\r\n", "Host: %s:%s\r\n", "a", "b");
    curl_format_expect("100%", "100%%", "", "");
    curl_format_expect("%s", "%%s", "", "");
    memset(big, 'x', sizeof big - 1);
    curl_format_expect(big, "%s%s", big, "");
    curl_format_expect("(nil)b", "%s%s", NULL, "b");
}

static void test_everything_else_is_curls(void **state)
{
    (void)state;
    char *text = curl_maprintf("%d %5s|%-3s|%.2s %s %lu %c", -7, "ab", "c", "defg", "h", 8UL, 'i');
    assert_string_equal(text, "-7    ab|c  |de h 8 i");
    curl_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_and_strings),
        cmocka_unit_test(test_everything_else_is_curls),
    };
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
