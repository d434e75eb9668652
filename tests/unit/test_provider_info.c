/* The identity of the provider, in any state. */
#include "provider/provider_info.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_default_identity(void **state)
{
    static const SqlCpGuid guid = {
        0x8F3C6A1E, 0x5D2B, 0x4E79, {0x9C, 0x41, 0x7A, 0x0E, 0x2B, 0x6D, 0x5F, 0x13}};
    static const char name[] = "Azure Key Vault EKM Provider (akv-ekm)";
    uint16_t units[64];
    uint8_t before[sizeof(SqlCpProviderInfo)];
    SqlCpProviderInfo info;
    (void)state;
    memset(&info, 0xA5, sizeof info);
    info.name.ws = NULL;
    info.name.cb = 0;
    memcpy(before, &info, sizeof info);
    assert_int_equal(provider_info_read(&info), EKM_INSUFFICIENT_BUFFER);
    assert_int_equal(info.name.cb, 2 * (sizeof name - 1));
    assert_memory_equal((uint8_t *)&info + 8, before + 8, sizeof info - 8);
    info.name.ws = units;
    info.name.cb = sizeof units;
    assert_int_equal(provider_info_read(&info), EKM_OK);
    assert_ptr_equal(info.name.ws, units);
    assert_int_equal(info.name.cb, 2 * (sizeof name - 1));
    for (size_t i = 0; i < sizeof name - 1; i++) {
        assert_int_equal(units[i], name[i]);
    }
    assert_memory_equal(&info.guid, &guid, sizeof guid);
    assert_int_equal(info.version.major, 1);
    assert_int_equal(info.version.minor + info.version.build + info.version.revision, 0);
    assert_int_equal(info.scpVersion.major, 1);
    assert_int_equal(info.scpVersion.minor, 1);
    assert_int_equal(info.scpVersion.build + info.scpVersion.revision, 0);
    assert_int_equal(info.authType, SQLCP_AUTH_BASIC);
    assert_int_equal(info.symmKeySupport, 0);
    assert_int_equal(info.asymmKeySupport, SQLCP_KEY_FLAG_SUPPORTED);
    assert_int_equal(info.cbKeyThumbLen, 20);
    assert_int_equal(info.fAcceptsKeyName, 1);
}

static void test_padding_is_zero(void **state)
{
    static const size_t padding[] = {4, 5, 6, 7, 37, 43, 61, 62, 63};
    uint16_t units[64];
    SqlCpProviderInfo info;
    SqlCpAlgorithmInfo algorithm;
    (void)state;
    memset(&info, 0xFF, sizeof info);
    info.name = (SqlCpStr){sizeof units, units};
    memset((uint8_t *)&info + 4, 0xFF, 4);
    assert_int_equal(provider_info_read(&info), EKM_OK);
    for (size_t i = 0; i < sizeof padding / sizeof padding[0]; i++) {
        assert_int_equal(((uint8_t *)&info)[padding[i]], 0);
    }
    memset(&algorithm, 0xFF, sizeof algorithm);
    algorithm.algTag.cb = sizeof units;
    algorithm.algTag.ws = units;
    assert_int_equal(provider_info_algorithm(1, &algorithm), EKM_OK);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(((uint8_t *)&algorithm)[4 + i], 0);
        assert_int_equal(((uint8_t *)&algorithm)[12 + i], 0);
        assert_int_equal(((uint8_t *)&algorithm)[36 + i], 0);
    }
}

static void test_algorithms(void **state)
{
    static const struct {
        const char *tag;
        uint32_t bits;
    } expected[] = {{"RSA_2048", 2048}, {"RSA_3072", 3072}, {"RSA_4096", 4096}};
    SqlCpAlgId id = SQLCP_INVALID_ID;
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        uint16_t units[8];
        SqlCpAlgorithmInfo info;
        memset(&info, 0, sizeof info);
        assert_int_equal(provider_info_next_algorithm(&id), EKM_OK);
        assert_int_equal(id, i + 1);
        assert_int_equal(provider_info_algorithm(id, &info), EKM_INSUFFICIENT_BUFFER);
        assert_int_equal(info.algTag.cb, 16);
        info.algTag.ws = units;
        assert_int_equal(provider_info_algorithm(id, &info), EKM_OK);
        for (size_t c = 0; c < 8; c++) {
            assert_int_equal(units[c], expected[i].tag[c]);
        }
        assert_int_equal(info.algId, id);
        assert_int_equal(info.type, SQLCP_KEY_ASYMMETRIC);
        assert_int_equal(info.bitLen, expected[i].bits);
        assert_int_equal(info.ivLen, 0);
    }
    assert_int_equal(provider_info_next_algorithm(&id), EKM_NOT_FOUND);
    assert_int_equal(id, 3);
}

static void test_bad_arguments(void **state)
{
    SqlCpAlgId id = 4;
    SqlCpAlgorithmInfo info;
    (void)state;
    memset(&info, 0, sizeof info);
    assert_int_equal(provider_info_read(NULL), EKM_INVALID_ARGUMENT);
    assert_int_equal(provider_info_next_algorithm(NULL), EKM_INVALID_ARGUMENT);
    assert_int_equal(provider_info_next_algorithm(&id), EKM_INVALID_ARGUMENT);
    assert_int_equal(provider_info_algorithm(1, NULL), EKM_INVALID_ARGUMENT);
    assert_int_equal(provider_info_algorithm(0, &info), EKM_NOT_FOUND);
    assert_int_equal(provider_info_algorithm(4, &info), EKM_NOT_FOUND);
}

static void test_3072_as_2048(void **state)
{
    struct config config;
    (void)state;
    config_defaults(&config);
    assert_int_equal(provider_info_algorithm_of(&config, 3072), 2);
    config.report_3072_as_2048 = true;
    assert_int_equal(provider_info_algorithm_of(&config, 2048), 1);
    assert_int_equal(provider_info_algorithm_of(&config, 3072), 1);
    assert_int_equal(provider_info_algorithm_of(&config, 4096), 3);
    assert_int_equal(provider_info_algorithm_of(&config, 1024), 0);
}

static void test_configured_identity(void **state)
{
    struct config config;
    uint16_t units[64];
    SqlCpProviderInfo info;
    (void)state;
    config_defaults(&config);
    config.provider_guid.Data1 = 0x12345678;
    config.provider_version = (SqlCpVersion){2, 3, 4, 5};
    strcpy(config.provider_name, "Another");
    provider_info_set(&config);
    memset(&info, 0, sizeof info);
    info.name = (SqlCpStr){sizeof units, units};
    assert_int_equal(provider_info_read(&info), EKM_OK);
    assert_int_equal(info.guid.Data1, 0x12345678);
    assert_int_equal(info.version.build, 4);
    assert_int_equal(info.version.revision, 5);
    assert_int_equal(info.name.cb, 14);
    assert_int_equal(units[6], 'r');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default_identity), cmocka_unit_test(test_padding_is_zero),
        cmocka_unit_test(test_algorithms),       cmocka_unit_test(test_bad_arguments),
        cmocka_unit_test(test_3072_as_2048),     cmocka_unit_test(test_configured_identity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
