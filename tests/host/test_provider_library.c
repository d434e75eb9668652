/* The order in which the host calls a provider, and that it notices each rule that a provider can
 * break. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform.h"
#include "provider_calls.h"
#include "provider_conformance.h"
#include "provider_library.h"

static const uint8_t plain[] = "sixteen bytes...";

static struct provider_library *test_provider_library_load(const char *rule)
{
    struct provider_fault fault;
    platform_environment_set("ROGUE", rule);
    struct provider_library *library = provider_library_load(HOST_ROGUE, false, &fault);
    assert_non_null(library);
    return library;
}

/* Every function once; the codes do not matter here. */
static void use_all(struct provider_library *library)
{
    struct provider_session *session = NULL;
    struct provider_key_info key = {.thumbprint_len = 0};
    uint8_t *bytes = NULL;
    size_t len = 0;
    assert_int_equal(provider_session_open(library, "me", "secret", 51, &session), SQLCP_SUCCESS);
    assert_int_equal(provider_key_by_name(session, "K", &key), SQLCP_SUCCESS);
    const size_t thumb_len = key.thumbprint_len;
    uint8_t thumb[SQLCP_MAX_THUMBPRINT_BYTES];
    memcpy(thumb, key.thumbprint, sizeof thumb);
    provider_key_by_thumbprint(session, thumb, thumb_len, &key);
    provider_key_export(session, thumb, thumb_len, &bytes, &len);
    free(bytes);
    provider_encrypt(session, thumb, thumb_len, plain, sizeof plain, &bytes, &len);
    free(bytes);
    provider_key_create(session, "K2", 1, SQLCP_KEY_FLAG_SUPPORTED, &key);
    provider_key_drop(session, thumb, thumb_len);
    provider_session_close(session, false);
}

static void a_provider_in_order_is_not_reported(void **state)
{
    (void)state;
    const long before = provider_conformance_count();
    struct provider_library *library = test_provider_library_load(NULL);
    use_all(library);
    provider_library_unload(library);
    assert_int_equal(provider_conformance_count(), before);
}

static void each_broken_rule_is_reported(void **state)
{
    static const char *const rules[] = {
        "thumbprint length", "padding",        "enumeration",  "algorithm tag",
        "thumbprint room",   "reserved code",  "own pointer",  "success without buffer",
        "past the end",      "eager key info", "never enough", "grown size"};
    (void)state;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        const long before = provider_conformance_count();
        struct provider_library *library = test_provider_library_load(rules[i]);
        use_all(library);
        provider_library_unload(library);
        if (provider_conformance_count() == before)
            fail_msg("not reported: %s", rules[i]);
    }
}

static void info_and_algorithms_are_read_at_load(void **state)
{
    (void)state;
    struct provider_library *library = test_provider_library_load(NULL);
    const struct provider_info *info = provider_library_info(library);
    assert_string_equal(info->name, "Rogue");
    assert_string_equal(info->guid, "00000001-0000-0000-0000-000000000000");
    assert_int_equal(info->version.major, 1);
    assert_int_equal(info->api_version.minor, 1);
    assert_int_equal(info->thumbprint_len, 20);
    assert_int_equal(info->algorithm_count, 1);
    assert_string_equal(info->algorithms[0].tag, "RSA_2048");
    assert_int_equal(info->algorithms[0].bit_len, 2048);
    provider_library_unload(library);
}

static void a_round_trip_gives_the_plain_text_back(void **state)
{
    (void)state;
    struct provider_library *library = test_provider_library_load(NULL);
    struct provider_session *session = NULL;
    struct provider_key_info key;
    uint8_t *cipher = NULL, *again = NULL;
    size_t cipher_len = 0, again_len = 0;
    assert_int_equal(provider_session_open(library, "me", "s", 51, &session), SQLCP_SUCCESS);
    assert_int_equal(provider_key_by_id(session, 1, &key), SQLCP_SUCCESS);
    assert_string_equal(key.name, "K");
    assert_int_equal(provider_encrypt(session, key.thumbprint, key.thumbprint_len, plain,
                                      sizeof plain, &cipher, &cipher_len),
                     SQLCP_SUCCESS);
    assert_memory_not_equal(cipher, plain, sizeof plain);
    assert_int_equal(provider_decrypt(session, key.thumbprint, key.thumbprint_len, cipher,
                                      cipher_len, &again, &again_len),
                     SQLCP_SUCCESS);
    assert_int_equal(again_len, sizeof plain);
    assert_memory_equal(again, plain, sizeof plain);
    free(cipher);
    free(again);
    assert_int_equal(provider_key_by_name(session, "other", &key), SQLCP_NOT_FOUND);
    provider_library_unload(library); /* closes the session */
}

static void count_sessions(void *context, const struct provider_session_entry *entry)
{
    assert_string_equal(entry->identity, "me");
    assert_int_equal(entry->spid, 53);
    ++*(int *)context;
}

static void open_sessions_stand_in_the_book(void **state)
{
    (void)state;
    struct provider_library *library = test_provider_library_load(NULL);
    struct provider_session *first = NULL, *second = NULL;
    int count = 0;
    provider_session_open(library, "me", "s", 53, &first);
    provider_session_open(library, "me", "s", 53, &second);
    provider_library_sessions(library, count_sessions, &count);
    assert_int_equal(count, 2);
    provider_session_close(first, true);
    count = 0;
    provider_library_sessions(library, count_sessions, &count);
    assert_int_equal(count, 1);
    provider_library_unload(library);
}

static void load_faults_name_their_step(void **state)
{
    struct provider_fault fault;
    (void)state;
    assert_null(provider_library_load("/nonexistent/provider.so", false, &fault));
    assert_int_equal(fault.step, PROVIDER_STEP_LOAD);
    assert_null(provider_library_load(HOST_INCOMPLETE, false, &fault));
    assert_int_equal(fault.step, PROVIDER_STEP_EXPORT);
    assert_int_equal(fault.state, 15);
    assert_string_equal(fault.text, "SqlCryptImportKey");
    platform_environment_set("DUMMY_FAIL", "SqlCryptInitializeProvider=5003");
    assert_null(provider_library_load(HOST_DUMMY, false, &fault));
    assert_int_equal(fault.step, PROVIDER_STEP_INITIALIZE);
    assert_int_equal(fault.code, 5003);
    platform_environment_set("DUMMY_FAIL", "SqlCryptGetNextAlgorithmId=3");
    assert_null(provider_library_load(HOST_DUMMY, false, &fault));
    assert_int_equal(fault.step, PROVIDER_STEP_ALGORITHMS);
    assert_int_equal(fault.code, SQLCP_NOT_SUPPORTED);
    platform_environment_set("DUMMY_FAIL", NULL);
}

static void an_overwritten_name_is_seen(void **state)
{
    struct provider_fault fault;
    (void)state;
    platform_environment_set("DUMMY_OVERWRITE", "1");
    const long before = provider_conformance_count();
    struct provider_library *library = provider_library_load(HOST_DUMMY, false, &fault);
    platform_environment_set("DUMMY_OVERWRITE", NULL);
    assert_non_null(library);
    assert_true(provider_library_info(library)->overwrote_name);
    assert_true(provider_conformance_count() > before);
    provider_library_unload(library);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_provider_in_order_is_not_reported),
        cmocka_unit_test(each_broken_rule_is_reported),
        cmocka_unit_test(info_and_algorithms_are_read_at_load),
        cmocka_unit_test(a_round_trip_gives_the_plain_text_back),
        cmocka_unit_test(open_sessions_stand_in_the_book),
        cmocka_unit_test(load_faults_name_their_step),
        cmocka_unit_test(an_overwritten_name_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
