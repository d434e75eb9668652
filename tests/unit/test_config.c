/* The configuration file: what is read, what is refused and why, whom it trusts. */
// only: posix
// with: scratch.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/config.h"
#include "base/text.h"
#include "scratch.h"

static struct config config;
static char reason[1536], warned[1024];

static int set_up(void **state)
{
    memset(&config, 0xA5, sizeof config);
    warned[0] = '\0';
    if (make_folder(state) != 0) {
        return -1;
    }
    return setenv("AKVEKM_CONFIG", path, 1);
}

static void config_warn(void *context, const char *text)
{
    assert_ptr_equal(context, warned);
    size_t len = strlen(warned);
    (void)text_format(warned + len, sizeof warned - len, "%s\n", text);
}

static enum ekm_rc test_config_load(void)
{
    return config_load(&config, reason, sizeof reason, config_warn, warned);
}

static void config_accept(const char *text)
{
    put(path, text, 0600);
    if (test_config_load() != EKM_OK) {
        fail_msg("'%s' is refused: %s", text, reason);
    }
    assert_string_equal(reason, "");
}

/* Refused with "<file>:<line>: ... <cause>". */
static void test_config_refuse(const char *text, unsigned line, const char *cause)
{
    char start[160];
    put(path, text, 0600);
    if (test_config_load() != EKM_CONFIGURATION) {
        fail_msg("'%s' is taken", text);
    }
    (void)snprintf(start, sizeof start, "%s:%u: ", path, line);
    if (strncmp(reason, start, strlen(start)) != 0 || strstr(reason, cause) == NULL) {
        fail_msg("'%s' is refused with: %s", text, reason);
    }
    assert_null(strchr(reason, '\n'));
    assert_null(config.vault_suffixes.items);
    assert_null(config.authority_hosts.items);
    assert_null(config.connect_to.items);
}

static void ignore_setting(void *context, const char *key, const char *value, bool widens)
{
    (void)value;
    (void)widens;
    (*(unsigned *)context)++;
    assert_non_null(key);
}

static void test_an_empty_file_gives_the_defaults(void **state)
{
    (void)state;
    static const SqlCpGuid own = {
        0x8F3C6A1E, 0x5D2B, 0x4E79, {0x9C, 0x41, 0x7A, 0x0E, 0x2B, 0x6D, 0x5F, 0x13}};
    unsigned changed = 0;
    config_accept("");
    assert_string_equal(config.path, path);
    assert_memory_equal(&config.provider_guid, &own, sizeof own);
    assert_false(config.foreign_guid);
    assert_int_equal(config.provider_version.major, 1);
    assert_string_equal(config.provider_name, "Azure Key Vault EKM Provider (akv-ekm)");
    assert_int_equal(config.max_key_name_length, 26);
    assert_true(config.wrap_auto);
    assert_int_equal(config.unwrap_count, 3);
    assert_int_equal(config.unwrap_algorithms[0], RSA_OAEP_256);
    assert_int_equal(config.unwrap_algorithms[2], RSA1_5);
    assert_false(config.verify_wrap || config.wrap_locally || config.allow_create ||
                 config.allow_drop || config.report_3072_as_2048);
    assert_string_equal(config.keymap_file, "/var/opt/mssql/akv-ekm/keymap");
    assert_int_equal(config.connect_timeout_ms, 10000);
    assert_int_equal(config.try_timeout_ms, 10000);
    assert_int_equal(config.call_timeout_ms, 30000);
    assert_int_equal(config.max_connections, 64);
    assert_false(config.has_proxy || config.has_no_proxy);
    assert_int_equal(config.log_level, LEVEL_INFO);
    assert_string_equal(config.api_version, "7.4");
    config_visit_changed(&config, ignore_setting, &changed);
    assert_int_equal(changed, 0);
    assert_string_equal(warned, "");
    config_free(&config);
}

static void test_every_kind_is_read(void **state)
{
    (void)state;
    config_accept("# comment\r\n"
                  "\r\n"
                  "  provider_guid\t=  9a1b2c3d-0001-0002-A0b1-c2d3e4f50607  \r\n"
                  "provider_version = 01.00.0005.00\n"
                  "provider_name = Azure Key Vault = EKM # not a comment\n"
                  "log_level=debug\n"
                  "max_key_name_length = 127\n"
                  "wrap_algorithm = RSA-OAEP\n"
                  "unwrap_algorithms =RSA1_5 ,  RSA-OAEP\n"
                  "allow_create = yes\n"
                  "vault_suffixes = .vault.contoso.local, hsm.contoso.local\n"
                  "authority_hosts = login.contoso.local\n"
                  "connect_to = ::127.0.0.1:8443, a.example:443:[::1]:444\n"
                  "proxy = \n"
                  "no_proxy = localhost,.local\n"
                  "log_file =\n"
                  "instance_tag = prod_1.A-b\n"
                  "api_version = 2025-07-01"); /* no line break at the end */
    assert_int_equal(config.provider_guid.Data1, 0x9A1B2C3D);
    assert_int_equal(config.provider_guid.Data2, 1);
    assert_int_equal(config.provider_guid.Data3, 2);
    assert_memory_equal(config.provider_guid.Data4, "\xA0\xB1\xC2\xD3\xE4\xF5\x06\x07", 8);
    assert_true(config.foreign_guid);
    assert_int_equal(config.provider_version.major, 1);
    assert_int_equal(config.provider_version.build, 5);
    assert_string_equal(config.provider_name, "Azure Key Vault = EKM # not a comment");
    assert_int_equal(config.log_level, LEVEL_DEBUG);
    assert_int_equal(config.max_key_name_length, 127);
    assert_false(config.wrap_auto);
    assert_int_equal(config.wrap_algorithm, RSA_OAEP);
    assert_int_equal(config.unwrap_count, 2);
    assert_int_equal(config.unwrap_algorithms[0], RSA1_5);
    assert_int_equal(config.unwrap_algorithms[1], RSA_OAEP);
    assert_true(config.allow_create);
    assert_int_equal(config.vault_suffixes.count, 2);
    assert_string_equal(config.vault_suffixes.items[0], ".vault.contoso.local");
    assert_string_equal(config.vault_suffixes.items[1], ".hsm.contoso.local");
    assert_int_equal(config.authority_hosts.count, 1);
    assert_string_equal(config.authority_hosts.items[0], "login.contoso.local");
    assert_int_equal(config.connect_to.count, 2);
    assert_string_equal(config.connect_to.items[1], "a.example:443:[::1]:444");
    assert_true(config.has_proxy);
    assert_string_equal(config.proxy, "");
    assert_true(config.has_no_proxy);
    assert_string_equal(config.no_proxy, "localhost,.local");
    assert_string_equal(config.log_file, "");
    assert_string_equal(config.instance_tag, "prod_1.A-b");
    assert_string_equal(config.api_version, "2025-07-01");
    config_free(&config);
    config_free(&config);
}

static void test_own_guid_is_not_foreign(void **state)
{
    (void)state;
    config_accept("provider_guid = {8f3c6a1e-5d2b-4e79-9c41-7a0e2b6d5f13}\n");
    assert_false(config.foreign_guid);
    config_free(&config);
}

static const char *const bad_values[] = {
    "allow_drop = true",
    "allow_drop = Yes",
    "allow_drop =",
    "max_key_name_length = 0",
    "max_key_name_length = 26x",
    "max_key_name_length = -1",
    "call_timeout_ms = 999",
    "call_timeout_ms = 4294968296",
    "log_level = verbose",
    "log_file = akv-ekm.log",
    "keymap_file =",
    "ca_file = ./ca.pem",
    "wrap_algorithm = RSA-OAEP-512",
    "wrap_algorithm =",
    "unwrap_algorithms =",
    "unwrap_algorithms = RSA1_5, RSA1_5",
    "unwrap_algorithms = RSA1_5,",
    "unwrap_algorithms = auto",
    "vault_suffixes = a..b",
    "vault_suffixes = .",
    "vault_suffixes = a,,b",
    "vault_suffixes = a.b,",
    "authority_hosts = a.b, ",
    "vault_suffixes = https://vault.contoso.local",
    "vault_suffixes = *.contoso.local",
    "authority_hosts = .contoso.local",
    "authority_hosts = login.contoso.local:443",
    "authority_hosts = login.contoso.local/tenant",
    "authority_hosts = user@login.contoso.local",
    "connect_to = 127.0.0.1:443",
    "connect_to = a:443:b:",
    "connect_to = a:b:c:d:e",
    "provider_guid = {9a1b2c3d-0001-0002-a0b1-c2d3e4f50607",
    "provider_guid = 9a1b2c3d00010002a0b1c2d3e4f50607",
    "provider_guid = 9a1b2c3d-0001-0002-a0b1-c2d3e4f5060g",
    "provider_guid = 9a1b2c3d-0001-0002-a0b1c-2d3e4f50607",
    "provider_version = 1.0.0",
    "provider_version = 1.0.0.0.0",
    "provider_version = 256.0.0.0",
    "provider_version = 1.0.65536.0",
    "provider_version = 1..0.0",
    "provider_version = 1.0.0.",
    "provider_name =",
    "instance_tag = a b",
    "instance_tag = aaaaaaaaaaaaaaaaaaaaaaaaa",
    "api_version = 8.0",
    "api_version = 7.",
    "api_version = 7",
    "api_version = 2025-7-01",
    "api_version = 2025-07-01-beta",
    "api_version = 7.6-preview.",
    "api_version = 7.4&x=1",
};

static void test_bad_values_are_refused_with_line_and_cause(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_values / sizeof bad_values[0]; i++) {
        char text[256], key[64];
        (void)snprintf(text, sizeof text, "# first\n\n%s\n", bad_values[i]);
        (void)text_copy_n(key, sizeof key, bad_values[i], strcspn(bad_values[i], " "));
        test_config_refuse(text, 3, key);
    }
}

static void test_right_api_versions(void **state)
{
    (void)state;
    static const char *const versions[] = {"7.0", "7.6-preview.2", "7.10", "2026-01-01-preview",
                                           "2025-06-01-preview.1"};
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        char text[64];
        (void)snprintf(text, sizeof text, "api_version = %s\n", versions[i]);
        config_accept(text);
        assert_string_equal(config.api_version, versions[i]);
        config_free(&config);
    }
}

/* Windows' own editors and shells write one. */
static void test_a_byte_order_mark_is_skipped(void **state)
{
    (void)state;
    config_accept("\xEF\xBB\xBFlog_level = error\n");
    assert_int_equal(config.log_level, LEVEL_ERROR);
    assert_string_equal(warned, "");
    config_free(&config);
    config_accept("\xEF\xBB\xBF# comment\nlog_level = debug\n");
    assert_int_equal(config.log_level, LEVEL_DEBUG);
    config_free(&config);
    config_accept("\xEF\xBB\xBF");
    config_free(&config);
    test_config_refuse("\n\xEF\xBB\xBF# comment\n", 2, "key = value");
}

static void test_form_is_checked(void **state)
{
    (void)state;
    test_config_refuse("log_level = debug\xC2\xA0\n", 1, "it ends with a no-break space (U+00A0)");
    test_config_refuse("\nallow_drop = \xE2\x80\x8Byes\n", 2,
                       "it begins with a zero-width space (U+200B)");
    test_config_refuse("log_level = info\n\nlog_level = info\n", 3, "twice");
    test_config_refuse("log_level info\n", 1, "key = value");
    test_config_refuse("vault_suffixes = a.b\nca_file = x\n", 2, "ca_file");
}

static void test_zero_bytes_and_size_are_limited(void **state)
{
    (void)state;
    static char text[65536 + 2];
    memset(text, '#', sizeof text - 1);
    put(path, text, 0600);
    assert_int_equal(test_config_load(), EKM_CONFIGURATION);
    assert_int_equal(strncmp(reason + strlen(path), ": too large", 11), 0);
    text[65536] = '\0';
    config_accept(text);
    config_free(&config);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite("log_level = info\n\0\n", 1, 19, file), 19);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(test_config_load(), EKM_CONFIGURATION);
    assert_non_null(strstr(reason, "zero byte"));
}

static void test_unknown_keys_are_reported_and_ignored(void **state)
{
    (void)state;
    char expected[256];
    config_accept("future_key = 1\nLog_Level = debug\nlog_level = error\nfuture_key = 2\n");
    assert_int_equal(config.log_level, LEVEL_ERROR);
    (void)snprintf(expected, sizeof expected, "%s:1: unknown key future_key is ignored\n", path);
    assert_int_equal(strncmp(warned, expected, strlen(expected)), 0);
    assert_non_null(strstr(warned, ":2: unknown key Log_Level"));
    assert_non_null(strstr(warned, ":4: unknown key future_key"));
    config_free(&config);
    put(path, "x = 1\n", 0600);
    assert_int_equal(config_load(&config, reason, sizeof reason, NULL, NULL), EKM_OK);
    config_free(&config);
}

static void refused_as(const char *cause)
{
    assert_int_equal(test_config_load(), EKM_CONFIGURATION);
    if (strstr(reason, cause) == NULL || strstr(reason, path) == NULL) {
        fail_msg("refused with: %s", reason);
    }
}

static void test_unsafe_rights_are_refused(void **state)
{
    (void)state;
    put(path, "", 0602);
    refused_as("unsafe rights");
    put(path, "", 0600);
    assert_int_equal(chmod(folder, 0777), 0);
    refused_as("unsafe rights");
    assert_int_equal(chmod(folder, 0700), 0);
    assert_int_equal(test_config_load(), EKM_OK);
    config_free(&config);
    assert_int_equal(rename(path, aside), 0);
    assert_int_equal(symlink(aside, path), 0);
    assert_int_equal(test_config_load(), EKM_OK); /* a link is judged by where it leads */
    config_free(&config);
    assert_int_equal(unlink(aside), 0);
    refused_as("symbolic link");
}

static void test_a_named_file_must_be_there(void **state)
{
    (void)state;
    refused_as("no such file");
    assert_int_equal(setenv("AKVEKM_CONFIG", "relative.conf", 1), 0);
    assert_int_equal(test_config_load(), EKM_CONFIGURATION);
    assert_non_null(strstr(reason, "AKVEKM_CONFIG"));
    assert_non_null(strstr(reason, "absolute"));
}

static void test_without_any_file_the_defaults_hold(void **state)
{
    (void)state;
    assert_int_equal(unsetenv("AKVEKM_CONFIG"), 0);
    if (access("/etc/akv-ekm.conf", F_OK) == 0 ||
        access("/var/opt/mssql/akv-ekm/akv-ekm.conf", F_OK) == 0) {
        skip();
    }
    assert_int_equal(test_config_load(), EKM_OK);
    assert_string_equal(config.path, "");
    config_free(&config);
}

static char changes[2048];

static void note_change(void *context, const char *key, const char *value, bool widens)
{
    (void)context;
    size_t len = strlen(changes);
    (void)text_format(changes + len, sizeof changes - len, "%s=%s%s;", key, value,
                      widens ? "!" : "");
}

static void test_changed_settings_are_shown(void **state)
{
    (void)state;
    config_accept("allow_drop = yes\nca_file = /etc/ca.pem\nmax_connections = 64\n"
                  "unwrap_algorithms = RSA1_5, RSA-OAEP\nproxy =\nvault_suffixes = a.b, c.d\n"
                  "provider_guid = 9a1b2c3d-0001-0002-a0b1-c2d3e4f50607\nlog_level = none\n");
    changes[0] = '\0';
    config_visit_changed(&config, note_change, NULL);
    assert_string_equal(changes, "allow_drop=yes!;ca_file=/etc/ca.pem!;log_level=none;"
                                 "provider_guid={9A1B2C3D-0001-0002-A0B1-C2D3E4F50607}!;proxy=;"
                                 "unwrap_algorithms=RSA1_5, RSA-OAEP;vault_suffixes=.a.b, .c.d!;");
    config_free(&config);
}

static void test_a_proxys_password_is_not_shown_nor_left_behind(void **state)
{
    (void)state;
    config_accept("proxy = http://user:p@ss@proxy.local:3128\n");
    assert_string_equal(config.proxy, "http://user:p@ss@proxy.local:3128");
    changes[0] = '\0';
    config_visit_changed(&config, note_change, NULL);
    assert_string_equal(changes, "proxy=http://***@proxy.local:3128;");
    config_free(&config);
    for (size_t i = 0; i < sizeof config.proxy; i++) {
        assert_int_equal(config.proxy[i], 0);
    }
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_an_empty_file_gives_the_defaults),
        EACH(test_every_kind_is_read),
        EACH(test_own_guid_is_not_foreign),
        EACH(test_bad_values_are_refused_with_line_and_cause),
        EACH(test_right_api_versions),
        EACH(test_a_byte_order_mark_is_skipped),
        EACH(test_form_is_checked),
        EACH(test_zero_bytes_and_size_are_limited),
        EACH(test_unknown_keys_are_reported_and_ignored),
        EACH(test_unsafe_rights_are_refused),
        EACH(test_a_named_file_must_be_there),
        EACH(test_without_any_file_the_defaults_hold),
        EACH(test_changed_settings_are_shown),
        EACH(test_a_proxys_password_is_not_shown_nor_left_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
