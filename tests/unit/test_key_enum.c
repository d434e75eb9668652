/* The enumeration: name order, what is left out, ids that stay. */
#include "provider_fixture.h"

// wrap: vault_authenticate vault_get_key vault_wrap vault_unwrap vault_list_keys
// wrap: vault_list_versions vault_create_key vault_delete_key http_start http_stop
// wrap: vault_list_keys_page vault_request_try_all
// with: fake_vault.c provider_fixture.c

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect_name(SqlCpKeyId id, const char *name, const struct fake_key *key)
{
    uint16_t units[64];
    uint8_t bytes[32];
    struct thumbprint print;
    SqlCpKeyInfo info = {{sizeof units, units}, {sizeof bytes, bytes}, 0, 0};
    assert_int_equal(SqlCryptGetKeyInfoByKeyId(&fixture.session, id, &info), SQLCP_SUCCESS);
    assert_int_equal(info.name.cb, 2 * strlen(name));
    for (size_t i = 0; name[i] != '\0'; i++) {
        assert_int_equal(units[i], name[i]);
    }
    fake_thumbprint(key, &print);
    assert_int_equal(info.thumb.cb, 20);
    assert_memory_equal(bytes, print.bytes, 20);
    assert_int_equal(info.algId, key->bits == 3072 ? 2 : 1);
}

static void test_order_and_omissions(void **state)
{
    (void)state;
    const struct fake_key *last = fake_add("zebra", "v1", 1);
    fake_add("off", "v1", 2)->disabled = true;
    fake_add("curve", "v1", 3)->not_rsa = true;
    fake_add("small", "v1", 4)->bits = 1024;
    fake_add("a-name-of-27-characters-123", "v1", 5);
    fake_add("Middle", "v1", 6);
    struct fake_key *middle = fake_add("Middle", "v2", 7);
    middle->bits = 3072;
    const struct fake_key *first = fake_add("Alpha", "v1", 8);
    fake_add("elsewhere", "v1", 9)->host = FAKE_OTHER;
    fixture_start();
    SqlCpKeyId id = SQLCP_INVALID_ID;
    for (SqlCpKeyId expected = 1; expected <= 3; expected++) {
        assert_int_equal(SqlCryptGetNextKeyId(&fixture.session, &id), SQLCP_SUCCESS);
        assert_int_equal(id, expected);
    }
    assert_int_equal(SqlCryptGetNextKeyId(&fixture.session, &id), SQLCP_NOT_FOUND);
    assert_int_equal(id, 3);
    expect_name(1, "Alpha", first);
    expect_name(2, "Middle", middle);
    expect_name(3, "zebra", last);
    assert_int_equal(fake_counts.list, 1);
    /* The five that the list does not rule out, once each. */
    assert_int_equal(fake_counts.get, 5);
    SqlCpKeyInfo info = {{0, NULL}, {0, NULL}, 0, 0};
    assert_int_equal(SqlCryptGetKeyInfoByKeyId(&fixture.session, 1, &info), 2);
    assert_int_equal(info.name.cb, 10);
    assert_int_equal(SqlCryptGetKeyInfoByKeyId(&fixture.session, 4, &info), SQLCP_NOT_FOUND);
    assert_int_equal(SqlCryptGetKeyInfoByKeyId(&fixture.session, 0, &info), 6);
    assert_string_equal(fixture_read(fixture.map), "");
    fixture_stop();
}

static void test_ids_stay(void **state)
{
    (void)state;
    const struct fake_key *key = fake_add("middle", "v1", 1);
    fixture_start();
    SqlCpKeyId id = SQLCP_INVALID_ID;
    assert_int_equal(SqlCryptGetNextKeyId(&fixture.session, &id), SQLCP_SUCCESS);
    const struct fake_key *newer = fake_add("alpha", "v1", 2);
    id = SQLCP_INVALID_ID;
    assert_int_equal(SqlCryptGetNextKeyId(&fixture.session, &id), SQLCP_SUCCESS);
    expect_name(1, "middle", key);
    fixture_restart();
    expect_name(1, "alpha", newer);
    expect_name(2, "middle", key);
    fixture_stop();
}

static void test_failures_can_be_repeated(void **state)
{
    SqlCpKeyId id = SQLCP_INVALID_ID;
    (void)state;
    fake_add("one", "v1", 1);
    fake_add("two", "v1", 2);
    fixture_start();
    atomic_store(&fake_list_fails, EKM_FORBIDDEN);
    assert_int_equal(SqlCryptGetNextKeyId(&fixture.session, &id), 3113);
    atomic_store(&fake_list_fails, EKM_OK);
    atomic_store(&fake_get_fails, EKM_SERVER_ERROR);
    assert_int_equal(SqlCryptGetNextKeyId(&fixture.session, &id), 3111);
    assert_int_equal(id, SQLCP_INVALID_ID);
    atomic_store(&fake_get_fails, EKM_OK);
    assert_int_equal(SqlCryptGetNextKeyId(&fixture.session, &id), SQLCP_SUCCESS);
    fake_keys[1].gone = true;
    assert_int_equal(SqlCryptGetNextKeyId(&fixture.session, &id), SQLCP_NOT_FOUND);
    assert_int_equal(SqlCryptGetNextKeyId(&fixture.session, &(SqlCpKeyId){UINT32_MAX}), 6);
    assert_int_equal(SqlCryptGetNextKeyId(&fixture.session, &(SqlCpKeyId){4711}), SQLCP_NOT_FOUND);
    fixture_stop();
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_order_and_omissions),
        CASE(test_ids_stay),
        CASE(test_failures_can_be_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
