#include "temporary.h"

#include <windows.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "platform/registry.h"

#define PROVIDERS      "SOFTWARE\\Microsoft\\SQL Server Cryptographic Provider"
#define MAP            PROVIDERS "\\Azure Key Vault"
#define PROVIDERS_WIDE L"SOFTWARE\\Microsoft\\SQL Server Cryptographic Provider"

bool temporary_make(char *folder, size_t cap)
{
    static unsigned made;
    char temp[MAX_PATH];
    DWORD temp_len = GetTempPathA(sizeof temp, temp);
    int len = snprintf(folder, cap, "%sakvekm-%lu-%u", temp, GetCurrentProcessId(), made++);
    return temp_len > 0 && len > 0 && (size_t)len < cap && CreateDirectoryA(folder, NULL);
}

bool temporary_remove(const char *folder)
{
    char pattern[MAX_PATH], name[2 * MAX_PATH];
    WIN32_FIND_DATAA found;
    (void)snprintf(pattern, sizeof pattern, "%s\\*", folder);
    HANDLE search = FindFirstFileA(pattern, &found);
    bool more = search != INVALID_HANDLE_VALUE;
    while (more) {
        (void)snprintf(name, sizeof name, "%s\\%s", folder, found.cFileName);
        if ((found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) == 0) {
            (void)DeleteFileA(name);
        }
        more = FindNextFileA(search, &found);
    }
    (void)FindClose(search);
    return RemoveDirectoryA(folder);
}

bool temporary_setenv(const char *name, const char *value)
{
    return SetEnvironmentVariableA(name, value);
}

void registry_map_forbid(bool forbidden)
{
    struct plat_registry_key key = {NULL};
    (void)RegDeleteTreeW(HKEY_LOCAL_MACHINE, PROVIDERS_WIDE);
    if (!forbidden) {
        assert_int_equal(plat_registry_create(NULL, PROVIDERS, &key), PLAT_IO_OK);
        plat_registry_close(&key);
    }
}

void registry_map_write(const char *text)
{
    char host[256], thumbprint[80], uri[512], path[1024];
    int used = 0;
    registry_map_forbid(false);
    while (sscanf(text, "%255s %79s %511s%n", host, thumbprint, uri, &used) == 3) {
        struct plat_registry_key key = {NULL};
        (void)snprintf(path, sizeof path, "%s\\https://%s\\%s", MAP, host, thumbprint);
        assert_int_equal(plat_registry_create(NULL, path, &key), PLAT_IO_OK);
        assert_int_equal(plat_registry_set_text(&key, "KeyUri", uri), PLAT_IO_OK);
        plat_registry_close(&key);
        text += used;
    }
}

static void read_branch(const struct plat_registry_key *map, const char *branch, char *text,
                        size_t cap)
{
    char leaf[PLAT_REGISTRY_NAME_CAP], uri[512];
    uint64_t written;
    struct plat_registry_key key = {NULL};
    assert_int_equal(plat_registry_open(map, branch, PLAT_REGISTRY_READ, &key), PLAT_IO_OK);
    for (uint32_t i = 0; plat_registry_next(&key, i, leaf, sizeof leaf, &written) == PLAT_IO_OK;
         i++) {
        size_t len = strlen(text);
        assert_int_equal(plat_registry_text(&key, leaf, "KeyUri", uri, sizeof uri), PLAT_IO_OK);
        assert_memory_equal(branch, "https://", 8);
        (void)snprintf(text + len, cap - len, "%s\t%s\t%s\n", branch + 8, leaf, uri);
    }
    plat_registry_close(&key);
}

void registry_map_read(char *text, size_t cap)
{
    char branch[PLAT_REGISTRY_NAME_CAP];
    uint64_t written;
    struct plat_registry_key map = {NULL};
    text[0] = '\0';
    if (plat_registry_open(NULL, MAP, PLAT_REGISTRY_READ, &map) != PLAT_IO_OK) {
        return;
    }
    for (uint32_t i = 0; plat_registry_next(&map, i, branch, sizeof branch, &written) == PLAT_IO_OK;
         i++) {
        read_branch(&map, branch, text, cap);
    }
    plat_registry_close(&map);
}
