/* Behaviour specific to Windows: trust by owner and list, links, paths, places, errors, proxies. */
// only: windows
#include <winsock2.h>

#include <windows.h>

#include <aclapi.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/config.h"
#include "net/system_proxy.h"
#include "platform/default_paths.h"
#include "platform/file.h"
#include "platform/registry.h"
#include "platform/system.h"
#include "platform/thread.h"

#define SOURCE_KEY "SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\akv-ekm"
#define LEVEL_KEY  "SOFTWARE\\Microsoft\\SQL Server Cryptographic Provider\\Azure Key Vault\\Log"

#define PROXY_KEY L"Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings\\Connections"

static wchar_t wide_folder[MAX_PATH + 64], wide_path[MAX_PATH + 128];
static char path[MAX_PATH * 3];

/* A folder that is ours alone, its name outside every code page. */
static int make_folder(void **state)
{
    (void)state;
    wchar_t temp[MAX_PATH];
    if (GetTempPathW(MAX_PATH, temp) == 0) {
        return -1;
    }
    swprintf(wide_folder, MAX_PATH + 64, L"%lsakvekm-\x43A\x43B\x44E\x447-%lu-%lu", temp,
             GetCurrentProcessId(), GetTickCount());
    swprintf(wide_path, MAX_PATH + 128, L"%ls\\file", wide_folder);
    (void)WideCharToMultiByte(CP_UTF8, 0, wide_path, -1, path, sizeof path, NULL, NULL);
    return CreateDirectoryW(wide_folder, NULL) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)RemoveDirectoryW(wide_path);
    (void)DeleteFileW(wide_path);
    return RemoveDirectoryW(wide_folder) ? 0 : -1;
}

static void write_file(const char *text)
{
    DWORD written = 0;
    HANDLE file = CreateFileW(wide_path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    assert_true(file != INVALID_HANDLE_VALUE);
    assert_true(WriteFile(file, text, (DWORD)strlen(text), &written, NULL));
    assert_true(CloseHandle(file));
}

static enum plat_io open_it(enum plat_file_trust trust)
{
    struct plat_file_state state;
    int handle = -1;
    enum plat_io io = plat_file_open(path, trust, &handle, &state);
    assert_true((io == PLAT_IO_OK) == (handle != -1));
    plat_file_close(&handle);
    assert_int_equal(handle, -1);
    return io;
}

/* Gives Everyone these rights on top of ours. */
static void allow_everyone(wchar_t *name, DWORD mask)
{
    BYTE everyone[SECURITY_MAX_SID_SIZE];
    DWORD size = sizeof everyone;
    ACL *list = NULL;
    assert_true(CreateWellKnownSid(WinWorldSid, NULL, everyone, &size));
    EXPLICIT_ACCESSW entries[2];
    memset(entries, 0, sizeof entries);
    for (int i = 0; i < 2; i++) {
        entries[i].grfAccessMode = GRANT_ACCESS;
        entries[i].grfAccessPermissions = i == 0 ? mask : FILE_ALL_ACCESS;
    }
    entries[0].Trustee.TrusteeForm = TRUSTEE_IS_SID;
    entries[0].Trustee.ptstrName = (LPWSTR)(void *)everyone;
    wchar_t me[] = L"CURRENT_USER";
    entries[1].Trustee.TrusteeForm = TRUSTEE_IS_NAME;
    entries[1].Trustee.ptstrName = me;
    assert_int_equal(SetEntriesInAclW(2, entries, NULL, &list), ERROR_SUCCESS);
    assert_int_equal(SetNamedSecurityInfoW(name, SE_FILE_OBJECT, DACL_SECURITY_INFORMATION, NULL,
                                           NULL, list, NULL),
                     ERROR_SUCCESS);
    (void)LocalFree(list);
}

static void test_whole_read(void **state)
{
    (void)state;
    char text[16];
    size_t len = 0;
    int handle = -1;
    struct plat_file_state before, opened;
    assert_int_equal(plat_file_state(path, &before), PLAT_IO_ABSENT);
    write_file("0123456789");
    assert_int_equal(plat_file_state(path, &before), PLAT_IO_OK);
    assert_int_equal(plat_file_open(path, PLAT_TRUST_REQUIRED, &handle, &opened), PLAT_IO_OK);
    assert_memory_equal(&before, &opened, sizeof before);
    assert_int_equal(opened.size, 10);
    assert_int_equal(plat_file_read(handle, text, 10, &len), PLAT_IO_OK);
    assert_int_equal(len, 10);
    assert_memory_equal(text, "0123456789", 10);
    plat_file_close(&handle);
    assert_int_equal(plat_file_open(path, PLAT_TRUST_ANY, &handle, &opened), PLAT_IO_OK);
    assert_int_equal(plat_file_read(handle, text, 9, &len), PLAT_IO_TOO_BIG);
    plat_file_close(&handle);
}

static void test_others_may_not_write(void **state)
{
    (void)state;
    write_file("x");
    assert_int_equal(open_it(PLAT_TRUST_REQUIRED), PLAT_IO_OK);
    allow_everyone(wide_path, FILE_GENERIC_READ);
    assert_int_equal(open_it(PLAT_TRUST_REQUIRED), PLAT_IO_OK);
    allow_everyone(wide_path, FILE_GENERIC_READ | FILE_GENERIC_WRITE);
    assert_int_equal(open_it(PLAT_TRUST_REQUIRED), PLAT_IO_UNSAFE);
    assert_int_equal(open_it(PLAT_TRUST_ANY), PLAT_IO_OK);
}

static void test_others_may_not_write_the_folder(void **state)
{
    (void)state;
    write_file("x");
    allow_everyone(wide_folder, FILE_GENERIC_READ | FILE_GENERIC_EXECUTE);
    assert_int_equal(open_it(PLAT_TRUST_REQUIRED), PLAT_IO_OK);
    allow_everyone(wide_folder, FILE_ALL_ACCESS);
    assert_int_equal(open_it(PLAT_TRUST_REQUIRED), PLAT_IO_UNSAFE);
    allow_everyone(wide_folder, FILE_GENERIC_READ);
    assert_int_equal(open_it(PLAT_TRUST_REQUIRED), PLAT_IO_OK);
}

static void test_a_folder_is_no_file(void **state)
{
    (void)state;
    int handle = -1;
    struct plat_file_state seen;
    assert_true(CreateDirectoryW(wide_path, NULL));
    assert_int_equal(open_it(PLAT_TRUST_ANY), PLAT_IO_NOT_FILE);
    assert_int_equal(plat_file_state(path, &seen), PLAT_IO_NOT_FILE);
    assert_int_not_equal(plat_log_open(path, &handle, &seen), PLAT_IO_OK);
    assert_int_equal(handle, -1);
    assert_true(plat_folder_exists(path));
}

static void test_a_device_is_no_file(void **state)
{
    (void)state;
    int handle = -1;
    struct plat_file_state seen;
    assert_int_not_equal(plat_file_open("\\\\.\\NUL", PLAT_TRUST_ANY, &handle, &seen), PLAT_IO_OK);
    assert_int_equal(handle, -1);
}

static void test_log_is_appended_and_may_be_rotated(void **state)
{
    (void)state;
    char text[16];
    size_t len = 0;
    int first = -1, second = -1;
    struct plat_file_state a, b;
    assert_int_equal(plat_log_open(path, &first, &a), PLAT_IO_OK);
    assert_int_equal(plat_log_open(path, &second, &b), PLAT_IO_OK);
    assert_int_equal(a.inode, b.inode);
    assert_int_equal(plat_log_write(first, "one\n", 4), PLAT_IO_OK);
    assert_int_equal(plat_log_write(second, "two\n", 4), PLAT_IO_OK);
    plat_file_close(&second);
    /* An administrator moves it away while it is open. */
    wchar_t moved[MAX_PATH + 160];
    swprintf(moved, MAX_PATH + 160, L"%ls.1", wide_path);
    assert_true(MoveFileW(wide_path, moved));
    assert_int_equal(plat_log_open(path, &second, &b), PLAT_IO_OK);
    assert_true(a.inode != b.inode);
    plat_file_close(&first);
    plat_file_close(&second);
    assert_true(DeleteFileW(wide_path));
    assert_true(MoveFileW(moved, wide_path));
    assert_int_equal(plat_file_open(path, PLAT_TRUST_ANY, &first, &a), PLAT_IO_OK);
    assert_int_equal(plat_file_read(first, text, sizeof text, &len), PLAT_IO_OK);
    plat_file_close(&first);
    assert_int_equal(len, 8);
    assert_memory_equal(text, "one\ntwo\n", 8);
}

static void test_handles_are_not_inherited(void **state)
{
    (void)state;
    int handle = -1;
    struct plat_file_state seen;
    DWORD flags = HANDLE_FLAG_INHERIT;
    assert_int_equal(plat_log_open(path, &handle, &seen), PLAT_IO_OK);
    assert_true(GetHandleInformation((HANDLE)(intptr_t)handle, &flags));
    assert_int_equal(flags & HANDLE_FLAG_INHERIT, 0);
    plat_file_close(&handle);
    WSADATA data;
    assert_int_equal(WSAStartup(MAKEWORD(2, 2), &data), 0);
    intptr_t opened = plat_socket(AF_INET, SOCK_STREAM, 0);
    assert_true(opened > 0);
    flags = HANDLE_FLAG_INHERIT;
    assert_true(GetHandleInformation((HANDLE)opened, &flags));
    assert_int_equal(flags & HANDLE_FLAG_INHERIT, 0);
    assert_int_equal(closesocket((SOCKET)opened), 0);
    assert_true(plat_socket(-1, SOCK_STREAM, 0) < 0);
    (void)WSACleanup();
}

static void test_absolute_paths(void **state)
{
    (void)state;
    static const char *const right[] = {"C:\\a", "c:/a/b", "\\\\server\\share\\a", "//server/a",
                                        "/var/opt/mssql"};
    static const char *const wrong[] = {
        "",     "a",        "\\a",          "/",       "C:",   "C:a", "1:\\a",
        "\\\\", "\\\\.\\a", "\\\\?\\C:\\a", "\\\\\\a", "..\\a"};
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        assert_true(default_paths_is_absolute(right[i]));
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(default_paths_is_absolute(wrong[i]));
    }
}

static void test_places(void **state)
{
    (void)state;
    char place[1024], second[1024];
    assert_true(default_paths_config(0, place, sizeof place));
    assert_true(default_paths_is_absolute(place));
    assert_non_null(strstr(place, "\\ProgramData\\akv-ekm\\akv-ekm.conf"));
    /* The place of Linux counts only where nobody else may write. */
    CreateDirectoryW(L"C:\\var", NULL);
    CreateDirectoryW(L"C:\\var\\opt", NULL);
    CreateDirectoryW(L"C:\\var\\opt\\mssql", NULL);
    assert_false(default_paths_config(1, second, sizeof second));
    assert_true(CreateDirectoryW(L"C:\\var\\opt\\mssql\\akv-ekm", NULL));
    assert_true(default_paths_config(1, second, sizeof second));
    assert_string_equal(second, "C:\\var\\opt\\mssql\\akv-ekm\\akv-ekm.conf");
    assert_false(default_paths_config(2, place, sizeof place));
    wchar_t shared[] = L"C:\\var\\opt\\mssql\\akv-ekm";
    allow_everyone(shared, FILE_ALL_ACCESS);
    assert_false(default_paths_config(1, second, sizeof second));
    assert_true(RemoveDirectoryW(L"C:\\var\\opt\\mssql\\akv-ekm"));
    default_paths_keymap(place, sizeof place);
    assert_string_equal(place, "");
}

static void test_long_paths(void **state)
{
    (void)state;
    char name[900];
    struct plat_file_state seen;
    size_t folder_len = strlen(path) - strlen("file");
    memcpy(name, path, folder_len);
    for (size_t i = folder_len; i < 700; i++) {
        name[i] = i % 50 == 0 ? '/' : 'x';
    }
    name[700] = '\0';
    assert_int_equal(plat_file_state(name, &seen), PLAT_IO_ABSENT);
    assert_false(plat_folder_exists(name));
}

static void test_errors_of_the_host_come_back(void **state)
{
    (void)state;
    struct plat_errors errors;
    errno = ENOENT;
    SetLastError(4711);
    plat_errors_save(&errors);
    errno = 0;
    SetLastError(0);
    plat_errors_restore(&errors);
    assert_int_equal(GetLastError(), 4711);
    assert_int_equal(errno, ENOENT);
}

static void test_environment_is_utf8(void **state)
{
    (void)state;
    char value[16];
    assert_true(SetEnvironmentVariableW(L"AKVEKM_UNIT", L"\x43A\x43B"));
    assert_int_equal(plat_environment("AKVEKM_UNIT", value, sizeof value), 4);
    assert_string_equal(value, "\xD0\xBA\xD0\xBB");
    assert_true(plat_environment("AKVEKM_UNIT", value, 4) >= 4);
    assert_string_equal(value, "");
    assert_true(SetEnvironmentVariableW(L"AKVEKM_UNIT", NULL));
    assert_int_equal(plat_environment("AKVEKM_UNIT", value, sizeof value), 0);
}

static void test_identity(void **state)
{
    (void)state;
    char name[128];
    plat_os_name(name, sizeof name);
    assert_int_equal(strncmp(name, "Windows ", 8), 0);
    assert_non_null(strchr(name, '.'));
    assert_int_equal(plat_process_id(), GetCurrentProcessId());
    assert_int_equal(plat_thread_id(), GetCurrentThreadId());
    uint8_t a[32] = {0}, b[32] = {0};
    assert_true(plat_random(a, sizeof a) && plat_random(b, sizeof b));
    assert_memory_not_equal(a, b, sizeof a);
    plat_wipe(a, sizeof a);
    memset(b, 0, sizeof b);
    assert_memory_equal(a, b, sizeof a);
}

static void test_clock(void **state)
{
    (void)state;
    struct plat_time time;
    uint64_t start_ms = plat_now_ms();
    Sleep(30);
    assert_int_in_range(plat_now_ms() - start_ms, 20, 30000);
    assert_true(plat_unix_time_ms() > 1700000000000);
    plat_calendar(951782399999, &time);
    const struct plat_time known = {2000, 2, 28, 23, 59, 59, 999};
    assert_memory_equal(&time, &known, sizeof known);
}

static struct plat_mutex mutex = PLAT_MUTEX_INIT;
static struct plat_cond cond = PLAT_COND_INIT;
static unsigned counted;

static DWORD WINAPI platform_count(LPVOID unused)
{
    (void)unused;
    for (int i = 0; i < 2000; i++) {
        plat_mutex_lock(&mutex);
        counted++;
        plat_mutex_unlock(&mutex);
    }
    plat_mutex_lock(&mutex);
    plat_cond_broadcast(&cond);
    plat_mutex_unlock(&mutex);
    return 0;
}

static void test_threads(void **state)
{
    (void)state;
    HANDLE threads[8];
    uint64_t until_ms = plat_now_ms() + 60000;
    for (int i = 0; i < 8; i++) {
        threads[i] = CreateThread(NULL, 0, platform_count, NULL, 0, NULL);
        assert_non_null(threads[i]);
    }
    plat_mutex_lock(&mutex);
    while (counted < 8 * 2000 && plat_now_ms() < until_ms) {
        plat_cond_wait_until(&cond, &mutex, until_ms);
    }
    assert_int_equal(counted, 8 * 2000);
    plat_cond_wait_until(&cond, &mutex, 0); /* long past: at once */
    plat_mutex_unlock(&mutex);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(WaitForSingleObject(threads[i], 60000), WAIT_OBJECT_0);
        (void)CloseHandle(threads[i]);
    }
}

static void set_level(uint32_t level)
{
    struct plat_registry_key key = {NULL};
    assert_int_equal(plat_registry_create(NULL, LEVEL_KEY, &key), PLAT_IO_OK);
    assert_int_equal(plat_registry_set_number(&key, "Level", level), PLAT_IO_OK);
    plat_registry_close(&key);
    Sleep(1100); /* as long as the level before may be remembered */
}

static void test_event_log_obeys_the_connectors_level(void **state)
{
    (void)state;
    static const struct {
        uint32_t level;
        bool error, info;
    } rows[] = {{0, true, true}, {1, true, false}, {2, false, false}};
    for (size_t i = 0; i < 3; i++) {
        set_level(rows[i].level);
        assert_int_equal(plat_system_log_wanted(PLAT_SEVERITY_ERROR), rows[i].error);
        assert_int_equal(plat_system_log_wanted(PLAT_SEVERITY_INFO), rows[i].info);
    }
    (void)RegDeleteTreeW(HKEY_LOCAL_MACHINE,
                         L"SOFTWARE\\Microsoft\\SQL Server Cryptographic Provider");
    Sleep(1100);
    assert_true(plat_system_log_wanted(PLAT_SEVERITY_ERROR));
    assert_false(plat_system_log_wanted(PLAT_SEVERITY_INFO));
}

static void test_event_source_describes_itself(void **state)
{
    (void)state;
    char file[PLAT_REGISTRY_TEXT_MAX + 1];
    uint32_t types = 0;
    struct plat_registry_key key = {NULL};
    (void)RegDeleteTreeW(HKEY_LOCAL_MACHINE,
                         L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\akv-ekm");
    plat_system_log(PLAT_SEVERITY_ERROR, 3303, "akv-ekm unit test");
    plat_system_log_close();
    plat_system_log_close();
    assert_int_equal(plat_registry_open(NULL, SOURCE_KEY, PLAT_REGISTRY_READ, &key), PLAT_IO_OK);
    assert_int_equal(plat_registry_text(&key, NULL, "EventMessageFile", file, sizeof file),
                     PLAT_IO_OK);
    assert_non_null(strstr(file, "test_platform_win32"));
    assert_true(plat_registry_number(&key, "TypesSupported", &types));
    assert_int_equal(types, 7);
    plat_registry_close(&key);
}

/* The account's settings as the control panel stores them: a head, then texts with their lengths.
 */
static void set_proxy(const char *server, const char *around)
{
    uint8_t blob[256] = {0x46, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0};
    size_t at = 12;
    for (int i = 0; i < 2; i++) {
        const char *text = i == 0 ? server : around;
        blob[at] = (uint8_t)strlen(text);
        memcpy(blob + at + 4, text, strlen(text));
        at += 4 + strlen(text);
    }
    assert_int_equal(RegSetKeyValueW(HKEY_CURRENT_USER, PROXY_KEY, L"DefaultConnectionSettings",
                                     REG_BINARY, blob, (DWORD)at + 4),
                     ERROR_SUCCESS);
}

static void test_proxy_settings(void **state)
{
    (void)state;
    char proxy[64];
    BYTE former[4096];
    DWORD former_size = sizeof former;
    bool had = RegGetValueW(HKEY_CURRENT_USER, PROXY_KEY, L"DefaultConnectionSettings",
                            RRF_RT_REG_BINARY, NULL, former, &former_size) == ERROR_SUCCESS;
    set_proxy("http=a:80;https=proxy.test:3128", "*.around.test;<local>");
    system_proxy_forget();
    bool found = system_proxy_find("contoso.vault.azure.net", proxy, sizeof proxy);
    bool around_found = system_proxy_find("x.around.test", proxy, sizeof proxy);
    if (had) {
        (void)RegSetKeyValueW(HKEY_CURRENT_USER, PROXY_KEY, L"DefaultConnectionSettings",
                              REG_BINARY, former, former_size);
    } else {
        (void)RegDeleteKeyValueW(HKEY_CURRENT_USER, PROXY_KEY, L"DefaultConnectionSettings");
    }
    assert_true(found);
    assert_false(around_found);
    /* Remembered for the process, as the connector does. */
    assert_true(system_proxy_find("contoso.vault.azure.net", proxy, sizeof proxy));
    assert_string_equal(proxy, "http://proxy.test:3128");
    system_proxy_forget();
    assert_false(system_proxy_find("contoso.vault.azure.net", proxy, sizeof proxy));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_whole_read, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_others_may_not_write, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_others_may_not_write_the_folder, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(test_a_folder_is_no_file, make_folder, remove_folder),
        cmocka_unit_test(test_a_device_is_no_file),
        cmocka_unit_test_setup_teardown(test_log_is_appended_and_may_be_rotated, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(test_handles_are_not_inherited, make_folder, remove_folder),
        cmocka_unit_test(test_absolute_paths),
        cmocka_unit_test(test_places),
        cmocka_unit_test_setup_teardown(test_long_paths, make_folder, remove_folder),
        cmocka_unit_test(test_errors_of_the_host_come_back),
        cmocka_unit_test(test_environment_is_utf8),
        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_event_log_obeys_the_connectors_level),
        cmocka_unit_test(test_event_source_describes_itself),
        cmocka_unit_test(test_proxy_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
