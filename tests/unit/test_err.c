#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "akvekm/sqlcrypt.h"
#include "base/err.h"

static void test_codes_are_the_documented_ones(void **state)
{
    (void)state;
    /* One of each family, as the connector's published list and the interface have them. */
    assert_int_equal(ekm_code(EKM_OK), SQLCP_SUCCESS);
    assert_int_equal(ekm_code(EKM_FAILURE), SQLCP_FAILURE);
    assert_int_equal(ekm_code(EKM_INSUFFICIENT_BUFFER), SQLCP_INSUFFICIENT_BUFFER);
    assert_int_equal(ekm_code(EKM_NOT_SUPPORTED), SQLCP_NOT_SUPPORTED);
    assert_int_equal(ekm_code(EKM_NOT_FOUND), SQLCP_NOT_FOUND);
    assert_int_equal(ekm_code(EKM_INVALID_ARGUMENT), SQLCP_INVALID_ARGUMENT);
    assert_int_equal(ekm_code(EKM_MAP_FAILED), 2058);
    assert_int_equal(ekm_code(EKM_BAD_CREDENTIALS), 3303);
    assert_int_equal(ekm_code(EKM_PROXY), 5013);
    assert_int_equal(ekm_code(EKM_PROXY_UNREACHABLE), 5013);
}

static void test_every_row_is_usable(void **state)
{
    (void)state;
    for (int i = 0; i < EKM_RC_COUNT; i++) {
        enum ekm_rc rc = (enum ekm_rc)i;
        int32_t code = ekm_code(rc);
        /* The host knows 0 to 7; vendor codes lie above 2048. */
        assert_true((code >= 0 && code <= SQLCP_PROVIDER_ERROR) || code > 2048);
        assert_true(code != SQLCP_SUCCESS || rc == EKM_OK);
        assert_int_equal(strncmp(ekm_name(rc), "EKM_", 4), 0);
        size_t len = strlen(ekm_text(rc));
        assert_true(len > 5 && ekm_text(rc)[len - 1] != '.');
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(ekm_name(rc), ekm_name((enum ekm_rc)j));
            assert_string_not_equal(ekm_text(rc), ekm_text((enum ekm_rc)j));
        }
    }
}

static void test_only_passing_faults_are_tried_again(void **state)
{
    (void)state;
    static const enum ekm_rc again[] = {
        EKM_HOST_NOT_RESOLVED, EKM_CONNECT_FAILED,     EKM_TLS_FAILED,
        EKM_NO_ANSWER,         EKM_CONNECTION_BROKEN,  EKM_THROTTLED,
        EKM_SERVER_ERROR,      EKM_TOKEN_UNAVAILABLE,  EKM_PROXY_UNREACHABLE,
        EKM_REQUEST_LATE,      EKM_KEY_BUSY,           EKM_CERTIFICATE_EARLY,
        EKM_NOT_VAULT_PASSING, EKM_IDENTITY_NO_SOURCE, EKM_IDENTITY_UNAVAILABLE};
    size_t retryable = 0;
    for (int i = 0; i < EKM_RC_COUNT; i++) {
        retryable += ekm_retryable((enum ekm_rc)i);
    }
    assert_int_equal(retryable, sizeof again / sizeof again[0]);
    for (size_t i = 0; i < sizeof again / sizeof again[0]; i++) {
        assert_true(ekm_retryable(again[i]));
    }
}

static void test_a_number_outside_the_table_is_an_internal_fault(void **state)
{
    (void)state;
    assert_int_equal(ekm_code(EKM_RC_COUNT), ekm_code(EKM_INTERNAL));
    assert_string_equal(ekm_text(EKM_RC_COUNT), ekm_text(EKM_INTERNAL));
    assert_string_equal(ekm_name(EKM_RC_COUNT), ekm_name(EKM_INTERNAL));
    assert_false(ekm_retryable(EKM_RC_COUNT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes_are_the_documented_ones),
        cmocka_unit_test(test_every_row_is_usable),
        cmocka_unit_test(test_only_passing_faults_are_tried_again),
        cmocka_unit_test(test_a_number_outside_the_table_is_an_internal_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
