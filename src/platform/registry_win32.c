#include "platform/registry.h"

#include <windows.h>

#include "platform/path_win32.h"

#define NAME_UNITS 256
#define PATH_NAMES 3 /* names that a path may hold at their longest */

static HKEY registry_native_key(const struct plat_registry_key *key)
{
    return key != NULL ? (HKEY)key->native : HKEY_LOCAL_MACHINE;
}

static REGSAM registry_native_rights(enum plat_registry_access access)
{
    return access == PLAT_REGISTRY_WRITE ? KEY_READ | KEY_SET_VALUE | KEY_CREATE_SUB_KEY : KEY_READ;
}

enum plat_io plat_registry_open(const struct plat_registry_key *parent, const char *path,
                                enum plat_registry_access access, struct plat_registry_key *out)
{
    wchar_t wide[PATH_NAMES * NAME_UNITS];
    HKEY opened = NULL;
    out->native = NULL;
    if (!path_widen(path, wide, sizeof wide / sizeof wide[0])) {
        return PLAT_IO_FAILED;
    }
    LSTATUS status = RegOpenKeyExW(registry_native_key(parent), wide, 0,
                                   registry_native_rights(access) | KEY_WOW64_64KEY, &opened);
    out->native = status == ERROR_SUCCESS ? opened : NULL;
    return path_io((unsigned long)status);
}

enum plat_io plat_registry_create(const struct plat_registry_key *parent, const char *path,
                                  struct plat_registry_key *out)
{
    wchar_t wide[PATH_NAMES * NAME_UNITS];
    HKEY opened = NULL;
    out->native = NULL;
    if (!path_widen(path, wide, sizeof wide / sizeof wide[0])) {
        return PLAT_IO_FAILED;
    }
    LSTATUS status = RegCreateKeyExW(
        registry_native_key(parent), wide, 0, NULL, REG_OPTION_NON_VOLATILE,
        registry_native_rights(PLAT_REGISTRY_WRITE) | KEY_WOW64_64KEY, NULL, &opened, NULL);
    out->native = status == ERROR_SUCCESS ? opened : NULL;
    return path_io((unsigned long)status);
}

void plat_registry_close(struct plat_registry_key *key)
{
    if (key->native != NULL) {
        (void)RegCloseKey((HKEY)key->native);
        key->native = NULL;
    }
}

enum plat_io plat_registry_count(const struct plat_registry_key *key, uint32_t *count)
{
    DWORD keys = 0;
    LSTATUS status = RegQueryInfoKeyW(registry_native_key(key), NULL, NULL, NULL, &keys, NULL, NULL,
                                      NULL, NULL, NULL, NULL, NULL);
    *count = keys;
    return path_io((unsigned long)status);
}

enum plat_io plat_registry_next(const struct plat_registry_key *key, uint32_t index, char *name,
                                size_t cap, uint64_t *written)
{
    wchar_t wide[NAME_UNITS];
    DWORD units = NAME_UNITS;
    FILETIME time = {0, 0};
    LSTATUS status =
        RegEnumKeyExW(registry_native_key(key), index, wide, &units, NULL, NULL, NULL, &time);
    *written = (uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime;
    if (status != ERROR_SUCCESS) {
        return path_io((unsigned long)status);
    }
    return path_narrow(wide, name, cap) ? PLAT_IO_OK : PLAT_IO_FAILED;
}

enum plat_io plat_registry_text(const struct plat_registry_key *key, const char *path,
                                const char *value, char *out, size_t cap)
{
    wchar_t wide_path[PATH_NAMES * NAME_UNITS], wide_value[NAME_UNITS],
        text[PLAT_REGISTRY_TEXT_MAX + 1];
    DWORD bytes = sizeof text;
    if (!path_widen(path != NULL ? path : "", wide_path, PATH_NAMES * NAME_UNITS) ||
        !path_widen(value, wide_value, NAME_UNITS)) {
        return PLAT_IO_FAILED;
    }
    LSTATUS status =
        RegGetValueW(registry_native_key(key), path != NULL ? wide_path : NULL, wide_value,
                     RRF_RT_REG_SZ | RRF_RT_REG_EXPAND_SZ | RRF_NOEXPAND, NULL, text, &bytes);
    if (status == ERROR_UNSUPPORTED_TYPE || status == ERROR_INVALID_DATA) {
        return PLAT_IO_ABSENT;
    }
    if (status != ERROR_SUCCESS) {
        return path_io((unsigned long)status);
    }
    return path_narrow(text, out, cap) ? PLAT_IO_OK : PLAT_IO_TOO_BIG;
}

bool plat_registry_number(const struct plat_registry_key *key, const char *value, uint32_t *out)
{
    wchar_t wide[NAME_UNITS];
    DWORD number = 0, bytes = sizeof number;
    bool found = path_widen(value, wide, NAME_UNITS) &&
                 RegGetValueW(registry_native_key(key), NULL, wide, RRF_RT_REG_DWORD, NULL, &number,
                              &bytes) == ERROR_SUCCESS;
    *out = found ? number : 0;
    return found;
}

enum plat_io plat_registry_set_text(const struct plat_registry_key *key, const char *value,
                                    const char *text)
{
    wchar_t wide_value[NAME_UNITS], wide_text[PLAT_REGISTRY_TEXT_MAX + 1];
    if (!path_widen(value, wide_value, NAME_UNITS) ||
        !path_widen(text, wide_text, PLAT_REGISTRY_TEXT_MAX + 1)) {
        return PLAT_IO_TOO_BIG;
    }
    DWORD bytes = (DWORD)((wcslen(wide_text) + 1) * sizeof wide_text[0]);
    return path_io((unsigned long)RegSetValueExW(registry_native_key(key), wide_value, 0, REG_SZ,
                                                 (const BYTE *)wide_text, bytes));
}

enum plat_io plat_registry_set_number(const struct plat_registry_key *key, const char *value,
                                      uint32_t number)
{
    wchar_t wide[NAME_UNITS];
    if (!path_widen(value, wide, NAME_UNITS)) {
        return PLAT_IO_TOO_BIG;
    }
    return path_io((unsigned long)RegSetValueExW(registry_native_key(key), wide, 0, REG_DWORD,
                                                 (const BYTE *)&number, sizeof number));
}

enum plat_io plat_registry_flush(const struct plat_registry_key *key)
{
    return path_io((unsigned long)RegFlushKey(registry_native_key(key)));
}
