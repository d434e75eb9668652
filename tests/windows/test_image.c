/* The DLL as Windows sees it: version resource, the event log's messages, and coming and going in
 * one process. test_image DLL */
#include <windows.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include <cmocka.h>

#include "akvekm/sqlcrypt.h"
#include "base/err_table.h"

#define CYCLES 200

struct row {
    DWORD code;
    const char *text;
};
#define ROW(name, code, retryable, of_key, text) {code, text},
static const struct row rows[] = {EKM_ERRORS(ROW)};

static wchar_t dll_path[1024];

static HMODULE image_load(void)
{
    HMODULE dll = LoadLibraryW(dll_path);
    assert_non_null(dll);
    return dll;
}

/* FARPROC can hold every function. The copy avoids a cast that the compiler would warn of. */
static void image_find(HMODULE dll, const char *name, void *function)
{
    FARPROC found = GetProcAddress(dll, name);
    assert_non_null(found);
    memcpy(function, (void *)&found, sizeof found);
}

static void test_file_version_is_the_providers(void **state)
{
    static uint8_t block[16384];
    SqlCpError (*get_info)(SqlCpProviderInfo *);
    SqlCpProviderInfo info;
    uint16_t name[256];
    void *found = NULL;
    UINT len = 0;
    (void)state;
    memset(&info, 0, sizeof info);
    image_find(image_load(), "SqlCryptGetProviderInfo", (void *)&get_info);
    info.name.ws = name;
    info.name.cb = sizeof name;
    assert_int_equal(get_info(&info), SQLCP_SUCCESS);
    assert_true(GetFileVersionInfoW(dll_path, 0, sizeof block, block));
    assert_true(VerQueryValueW(block, L"\\", &found, &len));
    const VS_FIXEDFILEINFO *fixed = found;
    assert_true(len >= sizeof *fixed);
    assert_int_equal(HIWORD(fixed->dwFileVersionMS), info.version.major);
    assert_int_equal(LOWORD(fixed->dwFileVersionMS), info.version.minor);
    assert_int_equal(HIWORD(fixed->dwFileVersionLS), info.version.build);
    assert_int_equal(LOWORD(fixed->dwFileVersionLS), info.version.revision);
    assert_int_equal(fixed->dwFileType, VFT_DLL);
    assert_true(VerQueryValueW(block, L"\\StringFileInfo\\040904B0\\ProductVersion", &found, &len));
    assert_int_equal(wcscmp(found, PRODUCT_VERSION), 0);
}

static void test_every_code_has_a_message(void **state)
{
    HMODULE dll = image_load();
    wchar_t text[2048];
    char narrow[2048];
    DWORD_PTR line[] = {(DWORD_PTR)L"the line of the log"};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        DWORD units = FormatMessageW(FORMAT_MESSAGE_FROM_HMODULE | FORMAT_MESSAGE_ARGUMENT_ARRAY,
                                     dll, rows[i].code, 0, text, 2048, (va_list *)line);
        assert_true(units > 0);
        assert_non_null(wcsstr(text, L"the line of the log"));
        assert_true(WideCharToMultiByte(CP_UTF8, 0, text, -1, narrow, sizeof narrow, NULL, NULL) >
                    0);
        assert_non_null(strstr(narrow, rows[i].text));
    }
    assert_int_equal(FormatMessageW(FORMAT_MESSAGE_FROM_HMODULE, dll, 65000, 0, text, 2048, NULL),
                     0);
}

static void make_branch(void)
{
    HKEY key;
    assert_int_equal(RegCreateKeyExW(HKEY_LOCAL_MACHINE,
                                     L"SOFTWARE\\Microsoft\\SQL Server Cryptographic Provider", 0,
                                     NULL, 0, KEY_ALL_ACCESS, NULL, &key, NULL),
                     ERROR_SUCCESS);
    assert_int_equal(RegCloseKey(key), ERROR_SUCCESS);
}

/* Errors here often appear at exit, after the last line: ctest sees the exit code. */
static void test_comes_and_goes(void **state)
{
    SqlCpError (*initialize)(void);
    SqlCpError (*free_provider)(void);
    (void)state;
    make_branch();
    for (int i = 0; i < CYCLES; i++) {
        HMODULE dll = image_load();
        image_find(dll, "SqlCryptInitializeProvider", (void *)&initialize);
        image_find(dll, "SqlCryptFreeProvider", (void *)&free_provider);
        assert_int_equal(initialize(), SQLCP_SUCCESS);
        assert_int_equal(free_provider(), SQLCP_SUCCESS);
        assert_true(FreeLibrary(dll));
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comes_and_goes),
        cmocka_unit_test(test_file_version_is_the_providers),
        cmocka_unit_test(test_every_code_has_a_message),
    };
    if (argc != 2 || MultiByteToWideChar(CP_UTF8, 0, argv[1], -1, dll_path, 1024) == 0) {
        (void)fputs("usage: test_image DLL\n", stderr);
        return 2;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
