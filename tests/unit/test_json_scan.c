/* What is JSON and what is not, before cJSON sees it; and that cJSON never gives up halfway what the
 * scan let through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "vault/json_scan.h"

#define MUTANTS 200000

static const char *const good[] = {
    "{}",
    " \r\n\t{ } \n",
    "{\"a\":1}",
    "{\"a\":{}}",
    "{\"a\":[]}",
    "{\"a\":[1,2,[3],{\"b\":[]}],\"c\":null}",
    "{ \"a\" : [ true , false , null ] , \"b\" : \"\" }",
    "{\"a\":-0.5e+10,\"b\":0,\"c\":12E3,\"d\":0.0}",
    "{\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\":\"\xc3\xa9 \xff\"}",
    "{\"a\":\"line\nbreak\"}",
};

static const char *const bad[] = {
    "",
    " ",
    "[]",
    "null",
    "\"a\"",
    "1",
    "{",
    "}",
    "{}}",
    "{}x",
    "{}{}",
    "{,}",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{\"a\":1 \"b\":2}",
    "{\"a\":[1,]}",
    "{\"a\":[,1]}",
    "{\"a\":[1}",
    "{\"a\":[}]",
    "{\"a\":{]}",
    "{a:1}",
    "{'a':1}",
    "{\"a\":01}",
    "{\"a\":+1}",
    "{\"a\":.5}",
    "{\"a\":1.}",
    "{\"a\":1e}",
    "{\"a\":-}",
    "{\"a\":NaN}",
    "{\"a\":nul}",
    "{\"a\":truex}",
    "{\"a\":\"b",
    "{\"a\":\"\\x\"}",
    "{\"a\":\"\\u12\"}",
    "{\"a\":\"\\u12g4\"}",
    "{\"a\":\"\\u0000\"}",
    "{\"\\u0000\":1}",
    "{\"a\":\"\\ud800\"}",
    "{\"a\":\"\\ud800\\u0041\"}",
    "{\"a\":\"\\udc00\"}",
    "{\"a\":\"\\",
    "\xef\xbb\xbf{}",
    "<html>",
    "{\"a\":1111111111111111111111111111111111111111111111111111111111111111111111}",
};

static void test_good_and_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        size_t len = strlen(good[i]);
        assert_true(json_scan(good[i], len));
        for (size_t cut = 0; strchr("}", good[i][len - 1]) != NULL && cut < len; cut++) {
            assert_false(json_scan(good[i], cut));
        }
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (json_scan(bad[i], strlen(bad[i]))) {
            fail_msg("taken for JSON: %s", bad[i]);
        }
    }
    assert_false(json_scan("{\"a\":\"b\0c\"}", 11));
    assert_false(json_scan("{}\0", 3));
    assert_false(json_scan("\0{}", 3));
}

static void test_depth(void **state)
{
    (void)state;
    char text[512];
    for (int depth = 1; depth <= 100; depth++) {
        size_t len = 0;
        for (int i = 0; i < depth; i++) {
            len += (size_t)sprintf(text + len, "%s", i % 2 == 0 ? "{\"a\":" : "[");
        }
        text[len++] = '1';
        for (int i = depth; i-- > 0;) {
            text[len++] = i % 2 == 0 ? '}' : ']';
        }
        assert_int_equal(json_scan(text, len), depth <= 60);
    }
}

/* cJSON must finish whatever passes; a mutant that passes is not rare. */
static void test_cjson_agrees(void **state)
{
    (void)state;
    static const char marks[] = "{}[]:,\"\\u0d8ceEtfn+-. \n\xff";
    char text[128];
    int passed = 0;
    srand(7);
    for (int i = 0; i < MUTANTS; i++) {
        size_t len = (size_t)snprintf(text, sizeof text, "%s",
                                      good[(size_t)rand() % (sizeof good / sizeof good[0])]);
        for (int changes = rand() % 3 + 1; changes > 0; changes--) {
            text[(size_t)rand() % len] = marks[(size_t)rand() % (sizeof marks - 1)];
        }
        if (json_scan(text, len)) {
            cJSON *json = cJSON_ParseWithLength(text, len);
            if (!cJSON_IsObject(json)) {
                fail_msg("cJSON refuses: %s", text);
            }
            cJSON_Delete(json);
            passed++;
        }
    }
    assert_true(passed > MUTANTS / 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_and_bad),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_cjson_agrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
