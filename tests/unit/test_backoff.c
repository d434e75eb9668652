/* The arithmetic of trying again (specification.md section 7). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/backoff.h"

#define NOW_MS ((int64_t)784111777000) /* Sun, 06 Nov 1994 08:49:37 GMT */

static void statuses_that_are_repeated(void **state)
{
    static const long again[] = {408, 429, 500, 502, 503, 504};
    static const long final[] = {0,   100, 200, 204, 301, 302, 400, 401, 403,
                                 404, 409, 410, 413, 428, 451, 501, 505, 511};
    (void)state;
    for (size_t i = 0; i < sizeof again / sizeof again[0]; i++) {
        assert_true(backoff_retries_status(again[i]));
    }
    for (size_t i = 0; i < sizeof final / sizeof final[0]; i++) {
        assert_false(backoff_retries_status(final[i]));
    }
}

static void delays_grow_and_stay_bounded(void **state)
{
    static const uint32_t randoms[] = {0, 1, 399, 400, 401, 0x7fffffff, 0xfffffffe, 0xffffffff};
    (void)state;
    for (unsigned tries = 1; tries < 200; tries++) {
        uint64_t most = BACKOFF_BASE_MS;
        for (unsigned i = 1; i < tries && most < BACKOFF_CAP_MS; i++) {
            most *= 2;
        }
        most = most < BACKOFF_CAP_MS ? most : BACKOFF_CAP_MS;
        for (size_t i = 0; i < sizeof randoms / sizeof randoms[0]; i++) {
            uint32_t delay = backoff_delay_ms(tries, randoms[i]);
            assert_int_in_range(delay, 1, most);
        }
    }
}

static void jitter_is_full(void **state)
{
    uint32_t least = UINT32_MAX, most = 0;
    (void)state;
    for (uint32_t random = 0; random < 2 * BACKOFF_BASE_MS; random++) {
        uint32_t delay = backoff_delay_ms(1, random);
        least = delay < least ? delay : least;
        most = delay > most ? delay : most;
    }
    assert_int_in_range(least, 0, BACKOFF_BASE_MS / 20);
    assert_int_in_range(most, BACKOFF_BASE_MS - BACKOFF_BASE_MS / 20, BACKOFF_BASE_MS);
}

static void retry_after_in_seconds(void **state)
{
    (void)state;
    assert_int_equal(backoff_retry_after_ms("0", NOW_MS), 0);
    assert_int_equal(backoff_retry_after_ms("2", NOW_MS), 2000);
    assert_int_equal(backoff_retry_after_ms("3600", NOW_MS), 3600000);
    assert_int_equal(backoff_retry_after_ms("4294967295", NOW_MS), 4294967295000);
    /* More than can be held still means: not within this call. */
    assert_true(backoff_retry_after_ms("99999999999999999999999", NOW_MS) >= 600000);
}

static void retry_after_as_date(void **state)
{
    (void)state;
    assert_int_equal(backoff_retry_after_ms("Sun, 06 Nov 1994 08:49:37 GMT", NOW_MS - 5000), 5000);
    assert_int_equal(backoff_retry_after_ms("Sun, 06 Nov 1994 08:49:37 GMT", NOW_MS), 0);
    assert_int_equal(backoff_retry_after_ms("Sun, 06 Nov 1994 08:49:37 GMT", NOW_MS + 1), 0);
    assert_int_equal(backoff_retry_after_ms("Thu, 01 Jan 1970 00:00:10 GMT", 0), 10000);
    assert_int_equal(backoff_retry_after_ms("Thu, 29 Feb 2024 00:00:00 GMT", 1709164799000), 1000);
    assert_int_equal(backoff_retry_after_ms("Fri, 01 Mar 2024 00:00:00 GMT", 1709251199000), 1000);
    assert_int_equal(backoff_retry_after_ms("Sat, 01 Jan 2000 00:00:00 GMT", 946684799500), 500);
}

static void malformed_retry_after_asks_for_nothing(void **state)
{
    static const char *const odd[] = {"",
                                      "-1",
                                      "+5",
                                      "1.5",
                                      "5s",
                                      "soon",
                                      "0x10",
                                      "Sun, 06 Nov 1994 08:49:37",
                                      "Sun, 06 Nov 1994 08:49:37 CET",
                                      "Sun, 06 Nov 2094 08:49:37 GMT x",
                                      "Sun, 06 ovD 2094 08:49:37 GMT",
                                      "Sun, 06 Nov 2094 24:49:37 GMT",
                                      "Sun, 06 Nov 2094 08:60:37 GMT",
                                      "Sun, 32 Nov 2094 08:49:37 GMT",
                                      "Sun, 00 Nov 2094 08:49:37 GMT",
                                      ", , , , "};
    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        assert_int_equal(backoff_retry_after_ms(odd[i], NOW_MS), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses_that_are_repeated),
        cmocka_unit_test(delays_grow_and_stay_bounded),
        cmocka_unit_test(jitter_is_full),
        cmocka_unit_test(retry_after_in_seconds),
        cmocka_unit_test(retry_after_as_date),
        cmocka_unit_test(malformed_retry_after_asks_for_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
