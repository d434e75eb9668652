/* How long something usually takes: the slowest tenth does not count, and old times are forgotten.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/usual_time.h"

static struct usual_time usual;

static int set_up(void **state)
{
    static const struct usual_time none;
    (void)state;
    usual = none;
    return 0;
}

static void test_usual_time_note(unsigned times, uint64_t ms)
{
    for (unsigned i = 0; i < times; i++) {
        usual_time_note(&usual, ms);
    }
}

static void a_few_times_tell_only_the_slowest(void **state)
{
    (void)state;
    test_usual_time_note(3, 20);
    test_usual_time_note(1, 90);
    test_usual_time_note(USUAL_TIME_KNOWN - 5, 20);
    assert_int_equal(usual.usual_ms, 0);
    assert_int_equal(usual.slowest_ms, 90);
    test_usual_time_note(1, 20);
    assert_int_not_equal(usual.usual_ms, 0);
}

/* Nothing is shorter than it was, and at most a quarter longer. */
static void every_time_has_its_bucket(void **state)
{
    (void)state;
    for (uint64_t ms = 0; ms < 60000; ms = ms + 1 + ms / 7) {
        (void)set_up(NULL);
        test_usual_time_note(USUAL_TIME_KNOWN, ms);
        assert_in_range(usual.usual_ms, ms > 0 ? ms : 1, ms > 0 ? ms + ms / 4 : 1);
    }
    (void)set_up(NULL);
    test_usual_time_note(USUAL_TIME_KNOWN, UINT64_MAX);
    assert_in_range(usual.usual_ms, 60000, 1000000);
}

static void a_late_one_now_and_then_is_not_the_rule(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        test_usual_time_note(19, 20);
        test_usual_time_note(1, 3000);
        assert_in_range(usual.usual_ms, 0, 25);
    }
    assert_in_range(usual.usual_ms, 20, 25);
}

static void what_becomes_slow_is_soon_known(void **state)
{
    (void)state;
    test_usual_time_note(1000, 20);
    test_usual_time_note(24, 700);
    assert_in_range(usual.usual_ms, 700, 900);
}

static void what_becomes_fast_again_is_known_after_a_while(void **state)
{
    (void)state;
    test_usual_time_note(100, 700);
    test_usual_time_note(400, 20);
    assert_in_range(usual.usual_ms, 20, 25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_few_times_tell_only_the_slowest, set_up),
        cmocka_unit_test_setup(every_time_has_its_bucket, set_up),
        cmocka_unit_test_setup(a_late_one_now_and_then_is_not_the_rule, set_up),
        cmocka_unit_test_setup(what_becomes_slow_is_soon_known, set_up),
        cmocka_unit_test_setup(what_becomes_fast_again_is_known_after_a_while, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
