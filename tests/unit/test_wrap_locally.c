/* Wrapping without the vault: what changes about a key there counts after five minutes at most. */
#include "provider_fixture.h"

// wrap: vault_authenticate vault_get_key vault_wrap vault_unwrap vault_list_keys
// wrap: vault_list_versions vault_create_key vault_delete_key http_start http_stop
// wrap: vault_list_keys_page vault_request_try_all
// wrap: plat_now_ms plat_unix_time_ms plat_cond_wait_until
// with: fake_vault.c provider_fixture.c fake_clock.c

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fake_clock.h"

#define MINUTES_MS(n) ((uint64_t)(n)*60 * 1000)

static struct thumbprint print;

static SqlCpError wrap_locally_encrypt(void)
{
    static uint8_t text[32], cipher[RSA_MAX_BYTES];
    SqlCpData out = {sizeof cipher, cipher};
    return fixture_encrypt(&print, text, sizeof text, &out);
}

static struct fake_key *wrap_locally_start(void)
{
    fake_clock_reset();
    struct fake_key *key = fake_add("TdeKey0", "v1", 1);
    fixture_configure("wrap_locally = yes");
    fixture_start();
    assert_int_equal(fixture_find("TdeKey0", &print), SQLCP_SUCCESS);
    fake_reset_counts();
    return key;
}

static void test_looks_again_after_five_minutes(void **state)
{
    (void)state;
    struct fake_key *key = wrap_locally_start();
    fake_clock_advance(MINUTES_MS(5));
    assert_int_equal(wrap_locally_encrypt(), SQLCP_SUCCESS);
    assert_int_equal(fake_requests(), 0);
    key->disabled = true;
    assert_int_equal(wrap_locally_encrypt(), SQLCP_SUCCESS);
    fake_clock_advance(1);
    assert_int_equal(wrap_locally_encrypt(), 5004);
    assert_int_equal(fake_counts.get, 1);
    /* Remembered as well for five minutes. */
    key->disabled = false;
    assert_int_equal(wrap_locally_encrypt(), 5004);
    fake_clock_advance(MINUTES_MS(5) + 1);
    assert_int_equal(wrap_locally_encrypt(), SQLCP_SUCCESS);
    assert_int_equal(fake_counts.get, 2);
    fixture_stop();
}

/* A look that fails is no permission: what was known no longer counts, and the next call looks
 * anew.
 */
static void test_failed_look_wraps_nothing(void **state)
{
    (void)state;
    (void)wrap_locally_start();
    fake_clock_advance(MINUTES_MS(5) + 1);
    atomic_store(&fake_get_fails, EKM_SERVER_ERROR);
    assert_int_equal(wrap_locally_encrypt(), 3111);
    assert_int_equal(wrap_locally_encrypt(), 3111);
    atomic_store(&fake_get_fails, EKM_FORBIDDEN);
    assert_int_equal(wrap_locally_encrypt(), 3113);
    atomic_store(&fake_get_fails, 0);
    assert_int_equal(wrap_locally_encrypt(), SQLCP_SUCCESS);
    assert_int_equal(fake_counts.wrap, 0);
    fixture_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_looks_again_after_five_minutes, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(test_failed_look_wraps_nothing, fixture_set_up,
                                        fixture_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
