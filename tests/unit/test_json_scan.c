/* Which texts are JSON, before cJSON sees them; and that cJSON never gives up in the middle of a
 * text that the scan accepted. */
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

static const char *const names[] = {"kid", "value"};

/* The result of cJSON for the same text. */
static void check_span(const cJSON *json, const char *name, const struct json_span *span)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
    assert_true((text == NULL) == (span->at == NULL));
    if (text != NULL) {
        assert_int_equal(strlen(text), span->len);
        assert_memory_equal(text, span->at, span->len);
    }
}

static bool check_flat(const char *text, size_t len)
{
    struct json_span found[2];
    if (!json_scan_flat(text, len, names, 2, found)) {
        return false;
    }
    cJSON *json = cJSON_ParseWithLength(text, len);
    if (!json_scan(text, len) || !cJSON_IsObject(json)) {
        fail_msg("no JSON: %s", text);
    }
    check_span(json, names[0], &found[0]);
    check_span(json, names[1], &found[1]);
    cJSON_Delete(json);
    return true;
}

/* The plain answers, and none of those that need more. */
static void test_plain_objects_are_read_without_cjson(void **state)
{
    static const struct {
        const char *text;
        bool flat;
    } rows[] = {
        {"{\"kid\":\"https://a/keys/b/c\",\"value\":\"AA-_\"}", true},
        {" {\r\n\t\"value\" : \"AA\" ,\n \"kid\" : \"b\" }\n", true},
        {"{\"alg\":\"RSA\",\"kid\":\"\",\"kid\":\"second\",\"Value\":\"no\",\"valu\":\"no\"}",
         true},
        {"{\"value\":\"\xc3\xa9\xff\n\"}", true},
        {"{\"kid\":\"a\",\"value\":7}", false},
        {"{\"kid\":\"a\",\"value\":null}", false},
        {"{\"kid\":\"a\",\"value\":\"a\\u0041\"}", false},
        {"{\"kid\":\"a\",\"value\":\"a\\\"\"}", false},
        {"{\"kid\":\"a\",\"v\\u0061lue\":\"a\"}", false},
        {"{\"a\":{\"kid\":\"a\"},\"value\":\"b\"}", false},
        {"{\"kid\":\"a\",\"value\":\"b\",}", false},
        {"{\"kid\":\"a\" \"value\":\"b\"}", false},
        {"{\"kid\":\"a\",\"value\":\"b\"}}", false},
        {"{\"kid\":\"a\",\"value\":\"b\"", false},
        {"{\"kid\":\"a\",\"value\":\"b", false},
        {"{\"kid\"}", false},
        {"[\"kid\",\"value\"]", false},
        {"{}", false},
        {"", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (check_flat(rows[i].text, strlen(rows[i].text)) != rows[i].flat) {
            fail_msg("row %zu: %s", i, rows[i].text);
        }
    }
    assert_false(check_flat("{\"kid\":\"a\0b\"}", 13));
    assert_false(check_flat("{\"kid\":\"a\"}\0", 12));
}

static void test_flat_mutants(void **state)
{
    static const char marks[] = "{}[]:,\"\\kidvalue7 \n";
    static const char seed[] = "{\"kid\":\"abc\",\"value\" : \"de\",\"kid\":\"f\"}";
    int passed = 0;
    (void)state;
    srand(8);
    for (int i = 0; i < MUTANTS; i++) {
        char text[sizeof seed];
        memcpy(text, seed, sizeof seed);
        for (int changes = rand() % 3 + 1; changes > 0; changes--) {
            text[(size_t)rand() % (sizeof seed - 1)] = marks[(size_t)rand() % (sizeof marks - 1)];
        }
        passed += check_flat(text, sizeof seed - 1);
    }
    assert_true(passed > MUTANTS / 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_and_bad),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_cjson_agrees),
        cmocka_unit_test(test_plain_objects_are_read_without_cjson),
        cmocka_unit_test(test_flat_mutants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
