/* Load, Initialize, one Decrypt, Free, unload, 200 times in one process: nothing may be left over.
 */
#include "footprint.h"
#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define ROUNDS     200
#define SETTLED    10
#define MEMORY_KIB 256

static void round_trip(struct ready *ready)
{
    ekm_load(&ready->ekm);
    assert_int_equal(ready->ekm.InitializeProvider(), SQLCP_SUCCESS);
    assert_int_equal(ekm_open(&ready->ekm, "contoso-vault", SIM_PASSWORD, &ready->session),
                     SQLCP_SUCCESS);
    assert_int_equal(ready_decrypt(ready), SQLCP_SUCCESS);
    ready_close(ready);
}

static void test_nothing_is_left(void **state)
{
    (void)state;
    struct sim sim;
    struct ready ready;
    struct footprint settled = {0, 0, 0};
    sim_start(&sim, NULL, NULL);
    ready_open(&ready, &sim, "cycled");
    ready_close(&ready);
    for (int i = 1; i <= ROUNDS; i++) {
        round_trip(&ready);
        if (i == SETTLED) {
            settled = footprint_now();
        }
    }
    struct footprint end = footprint_now();
    print_message(
        "resident KiB after round %d: %ld, after %d: %ld; descriptors %d, %d; threads %d, %d\n",
        SETTLED, settled.resident_kib, ROUNDS, end.resident_kib, settled.descriptors,
        end.descriptors, settled.threads, end.threads);
    assert_int_equal(end.descriptors, settled.descriptors);
    assert_int_equal(end.threads, settled.threads);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    /* A sanitizer's own bookkeeping grows with every allocation. */
    assert_true(end.resident_kib - settled.resident_kib <= MEMORY_KIB);
#endif
    sim_stop(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_nothing_is_left)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
