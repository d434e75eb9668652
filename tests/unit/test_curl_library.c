/* Libraries of the library's own give back their memory through the allocator that wipes. */
// wrap: wiping_free
#include "net/curl_library.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <curl/curl.h>
#include <openssl/crypto.h>

#include "platform/wiping_alloc.h"

void __real_wiping_free(void *block);
void __wrap_wiping_free(void *block);

static const void *awaited;
static int freed;

void __wrap_wiping_free(void *block)
{
    freed += block != NULL && block == awaited ? 1 : 0;
    __real_wiping_free(block);
}

#ifdef AKVEKM_PRIVATE_LIBRARIES
#define TIMES_WIPED 1
#else
#define TIMES_WIPED 0
#endif

static void test_what_openssl_frees(void **state)
{
    (void)state;
    assert_true(curl_library_start());
    void *block = OPENSSL_malloc(100);
    assert_non_null(block);
    memset(block, 's', 100);
    awaited = block;
    freed = 0;
    OPENSSL_free(block);
    assert_int_equal(freed, TIMES_WIPED);
    curl_global_cleanup();
}

/* The second Initialize of a process finds them in place. */
static void test_what_curl_frees(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_true(curl_library_start());
        char *text = curl_easy_escape(NULL, "a b", 3);
        assert_string_equal(text, "a%20b");
        awaited = text;
        freed = 0;
        curl_free(text);
        assert_int_equal(freed, TIMES_WIPED);
        curl_global_cleanup();
    }
}

static void test_versions(void **state)
{
    (void)state;
    char reason[128] = "", versions[128];
    assert_int_equal(curl_library_check(reason, sizeof reason), EKM_OK);
    assert_string_equal(reason, "");
    curl_library_versions(versions, sizeof versions);
    assert_non_null(strstr(versions, "OpenSSL/3"));
#ifdef AKVEKM_PRIVATE_LIBRARIES
    assert_int_equal(strncmp(curl_library_inside(), "openssl ", 8), 0);
#else
    assert_string_equal(curl_library_inside(), "");
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_openssl_frees),
        cmocka_unit_test(test_what_curl_frees),
        cmocka_unit_test(test_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
