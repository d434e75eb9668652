/* The search of the logs is not blind to any form. */
#include "canary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_forms(void **state)
{
    (void)state;
    static const char *const found[] = {
        "note=\"hidden~canary\"",
        "68696464656e7e63616e617279",
        "68696464656E7E63616E617279",
        "%68%69%64%64%65%6e%7e%63%61%6e%61%72%79",
        "h\\x00i\\x00d\\x00d\\x00e\\x00n\\x00~\\x00c\\x00a\\x00n\\x00a\\x00r\\x00y\\x00",
        "aGlkZGVufmNhbmFyeQ==", /* hidden~canary */
        "eGhpZGRlbn5jYW5hcnk=", /* xhidden~canary */
        "eHhoaWRkZW5-Y2FuYXJ5", /* xxhidden~canary, base64url */
        "eHhoaWRkZW5+Y2FuYXJ5", /* the same, base64 */
    };
    static const char *const not_found[] = {"", "hidden canary", "aGlkZGVu", "68696464656e7e"};
    for (size_t i = 0; i < sizeof found / sizeof found[0]; i++) {
        if (canary_find(found[i], "hidden~canary") == NULL) {
            fail_msg("not found: %s", found[i]);
        }
    }
    for (size_t i = 0; i < sizeof not_found / sizeof not_found[0]; i++) {
        assert_null(canary_find(not_found[i], "hidden~canary"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_forms)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
