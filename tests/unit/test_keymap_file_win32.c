/* The map as a file on Windows, where keymap_file names one: durable, one for several writers, and
 * nothing in the registry. */
// only: windows
#include <windows.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "keymap/keymap.h"
#include "keymap/keymap_store.h"
#include "keymap/tenants_store.h"
#include "platform/atomic_file.h"
#include "platform/registry.h"
#include "platform/system.h"
#include "platform/thread.h"

#define HOST      "contoso-vault.vault.azure.net"
#define PROVIDERS L"SOFTWARE\\Microsoft\\SQL Server Cryptographic Provider"

static struct config config;
static struct call call;
static char folder[MAX_PATH], map_folder[MAX_PATH + 16];

static int set_up(void **state)
{
    static unsigned made;
    char temp[MAX_PATH];
    (void)state;
    (void)RegDeleteTreeW(HKEY_LOCAL_MACHINE, PROVIDERS);
    assert_true(GetTempPathA(sizeof temp, temp) > 0);
    assert_true(text_format(folder, sizeof folder, "%sakvekm-map-%lu-%u", temp,
                            GetCurrentProcessId(), made++));
    assert_true(CreateDirectoryA(folder, NULL));
    assert_true(text_format(map_folder, sizeof map_folder, "%s\\akv-ekm", folder));
    config_defaults(&config);
    assert_string_equal(config.keymap_file, "");
    assert_true(
        text_format(config.keymap_file, sizeof config.keymap_file, "%s\\keymap", map_folder));
    call_begin(&call, "test", &config);
    keymap_start(&config);
    return 0;
}

static int tear_down(void **state)
{
    static const char *const endings[] = {"", ".lock", ".tmp", ".tenants"};
    char name[MAX_PATH + 40];
    (void)state;
    keymap_stop();
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        assert_true(text_format(name, sizeof name, "%s%s", config.keymap_file, endings[i]));
        (void)DeleteFileA(name);
    }
    (void)RemoveDirectoryA(map_folder);
    return RemoveDirectoryA(folder) ? 0 : -1;
}

static void entry_of(uint8_t number, struct thumbprint *print, struct key_id *key)
{
    *print = (struct thumbprint){.len = 20};
    print->bytes[0] = number;
    memset(key, 0, sizeof *key);
    (void)text_format(key->name, sizeof key->name, "Key-%u", (unsigned)number);
    (void)text_copy(key->version, sizeof key->version, "0123456789abcdef0123456789abcdef");
}

static enum ekm_rc test_keymap_file_put(uint8_t number)
{
    struct thumbprint print;
    struct key_id key;
    entry_of(number, &print, &key);
    call_begin(&call, "test", &config);
    return keymap_put(&call, plat_now_ms() + 3000, HOST, &print, &key, NULL);
}

static bool keymap_file_has(uint8_t number)
{
    struct thumbprint print;
    struct key_id key, found;
    entry_of(number, &print, &key);
    return keymap_find(&call, HOST, &print, &found) == EKM_OK && key_id_equal(&key, &found);
}

static void test_entries_outlive_the_process(void **state)
{
    (void)state;
    assert_int_equal(keymap_probe(&call, plat_now_ms() + 3000, HOST), EKM_OK);
    for (uint8_t i = 1; i <= 20; i++) {
        assert_int_equal(test_keymap_file_put(i), EKM_OK);
    }
    keymap_stop();
    keymap_start(&config);
    assert_int_equal(keymap_count(), 20);
    for (uint8_t i = 1; i <= 20; i++) {
        assert_true(keymap_file_has(i));
    }
    assert_false(keymap_file_has(21));
    assert_string_equal(keymap_store_name(), config.keymap_file);
    assert_int_equal(tenants_store_put(HOST, "contoso.example"), PLAT_IO_OK);
    assert_int_equal(tenants_store_put(HOST, "fabrikam.example"), PLAT_IO_OK);
    struct plat_registry_key key = {NULL};
    assert_int_equal(plat_registry_open(NULL,
                                        "SOFTWARE\\Microsoft\\SQL Server Cryptographic Provider",
                                        PLAT_REGISTRY_READ, &key),
                     PLAT_IO_ABSENT);
}

static size_t tenants_seen;

static void see_tenant(const char *host, const char *tenant)
{
    assert_string_equal(host, HOST);
    assert_string_equal(tenant, "fabrikam.example");
    tenants_seen++;
}

static void test_tenants_are_stored_beside_the_map(void **state)
{
    (void)state;
    assert_int_equal(tenants_store_put(HOST, "contoso.example"), PLAT_IO_OK);
    assert_int_equal(tenants_store_put(HOST, "fabrikam.example"), PLAT_IO_OK);
    tenants_seen = 0;
    tenants_store_visit(see_tenant);
    assert_int_equal(tenants_seen, 1);
}

static void hold_lock(int *handle)
{
    char lock[MAX_PATH + 40];
    assert_true(text_format(lock, sizeof lock, "%s.lock", config.keymap_file));
    assert_int_equal(plat_folder_for(config.keymap_file), PLAT_IO_OK);
    assert_int_equal(plat_lock_take(lock, plat_now_ms() + 1000, NULL, NULL, handle), PLAT_IO_OK);
    int second = -1;
    assert_int_equal(plat_lock_take(lock, plat_now_ms() + 50, NULL, NULL, &second),
                     PLAT_IO_TIMED_OUT);
    assert_int_equal(second, -1);
    assert_false(DeleteFileA(lock)); /* while it is held */
}

static void test_one_writer_at_a_time(void **state)
{
    (void)state;
    int handle = -1;
    struct thumbprint print;
    struct key_id key;
    hold_lock(&handle);
    entry_of(1, &print, &key);
    uint64_t start_ms = plat_now_ms();
    assert_int_equal(keymap_put(&call, start_ms + 300, HOST, &print, &key, NULL), EKM_MAP_FAILED);
    assert_in_range(plat_now_ms() - start_ms, 250, 5000);
    plat_lock_release(&handle);
    assert_int_equal(test_keymap_file_put(1), EKM_OK);
}

static DWORD WINAPI close_later(void *file)
{
    Sleep(300);
    CloseHandle(file);
    return 0;
}

/* One that reads it holds the writer up, but does not make it fail; a sharing of its own choice. */
static void test_a_reader_does_not_fail_the_writer(void **state)
{
    (void)state;
    assert_int_equal(test_keymap_file_put(1), EKM_OK);
    HANDLE file = CreateFileA(config.keymap_file, GENERIC_READ, FILE_SHARE_READ, NULL,
                              OPEN_EXISTING, 0, NULL);
    assert_true(file != INVALID_HANDLE_VALUE);
    HANDLE thread = CreateThread(NULL, 0, close_later, file, 0, NULL);
    assert_non_null(thread);
    assert_int_equal(test_keymap_file_put(2), EKM_OK);
    assert_int_equal(WaitForSingleObject(thread, 5000), WAIT_OBJECT_0);
    CloseHandle(thread);
    assert_true(keymap_file_has(1) && keymap_file_has(2));
}

/* Lines of another process or of an editor stay, also those that are no entries. */
static void test_other_lines_stay(void **state)
{
    (void)state;
    assert_int_equal(test_keymap_file_put(1), EKM_OK);
    FILE *file = fopen(config.keymap_file, "ab");
    assert_non_null(file);
    assert_true(fputs("nonsense\r\nother.vault.azure.net\t22\thttps://other.vault.azure.net/keys/"
                      "a/0123456789abcdef0123456789abcdef\r\n",
                      file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(test_keymap_file_put(2), EKM_OK);
    assert_int_equal(keymap_count(), 3);
    char text[2048];
    file = fopen(config.keymap_file, "rb");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text - 1, file);
    text[len] = '\0';
    assert_int_equal(fclose(file), 0);
    assert_non_null(strstr(text, "nonsense\r\nother.vault.azure.net\t22\t"));
}

/* The temporary file of a killed writer is overwritten. A folder in its place, or in the place of
 * the map, is named. */
static void test_what_is_in_the_way(void **state)
{
    (void)state;
    char aside[MAX_PATH + 40];
    assert_int_equal(test_keymap_file_put(1), EKM_OK);
    assert_true(text_format(aside, sizeof aside, "%s.tmp", config.keymap_file));
    FILE *file = fopen(aside, "wb");
    assert_non_null(file);
    assert_true(fputs("half a li", file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(test_keymap_file_put(2), EKM_OK);
    struct plat_file_state seen;
    assert_int_equal(plat_file_state(aside, &seen), PLAT_IO_ABSENT);
    assert_true(CreateDirectoryA(aside, NULL));
    assert_int_equal(test_keymap_file_put(3), EKM_MAP_FAILED);
    assert_true(RemoveDirectoryA(aside));
    assert_int_equal(test_keymap_file_put(3), EKM_OK);
    assert_true(DeleteFileA(config.keymap_file));
    assert_true(CreateDirectoryA(config.keymap_file, NULL));
    assert_int_equal(test_keymap_file_put(4), EKM_MAP_FAILED);
    assert_true(RemoveDirectoryA(config.keymap_file));
    assert_int_equal(test_keymap_file_put(4), EKM_OK);
}

/* Its parent must be there, as on Linux. */
static void test_folder_is_made_one_deep(void **state)
{
    (void)state;
    assert_false(plat_folder_exists(map_folder));
    assert_int_equal(test_keymap_file_put(1), EKM_OK);
    assert_true(plat_folder_exists(map_folder));
    keymap_stop();
    char kept[sizeof config.keymap_file];
    (void)text_copy(kept, sizeof kept, config.keymap_file);
    assert_true(
        text_format(config.keymap_file, sizeof config.keymap_file, "%s\\no\\such\\keymap", folder));
    keymap_start(&config);
    assert_int_equal(test_keymap_file_put(1), EKM_MAP_FAILED);
    (void)text_copy(config.keymap_file, sizeof config.keymap_file, kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_entries_outlive_the_process, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tenants_are_stored_beside_the_map, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_writer_at_a_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_reader_does_not_fail_the_writer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_lines_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_in_the_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_folder_is_made_one_deep, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
