#include "platform/path_win32.h"

#include <string.h>
#include <windows.h>

enum plat_io path_io(unsigned long error)
{
    switch (error) {
    case ERROR_SUCCESS:
        return PLAT_IO_OK;
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
    case ERROR_BAD_NETPATH:
    case ERROR_BAD_NET_NAME:
    case ERROR_NO_MORE_ITEMS:
        return PLAT_IO_ABSENT;
    case ERROR_ACCESS_DENIED:
    case ERROR_WRITE_PROTECT:
    case ERROR_SHARING_VIOLATION:
    case ERROR_PRIVILEGE_NOT_HELD:
        return PLAT_IO_DENIED;
    case ERROR_KEY_DELETED:
        return PLAT_IO_CHANGED;
    case ERROR_MORE_DATA:
        return PLAT_IO_TOO_BIG;
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL:
    case 1295: /* ERROR_DISK_QUOTA_EXCEEDED, which older headers lack */
        return PLAT_IO_FULL;
    default:
        return PLAT_IO_FAILED;
    }
}

bool path_widen(const char *text, wchar_t *out, size_t cap)
{
    int units = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, out, (int)cap);
    if (units <= 0) {
        out[0] = L'\0';
    }
    return units > 0;
}

bool path_narrow(const wchar_t *text, char *out, size_t cap)
{
    int bytes = WideCharToMultiByte(CP_UTF8, 0, text, -1, out, (int)cap, NULL, NULL);
    if (bytes <= 0) {
        out[0] = '\0';
    }
    return bytes > 0;
}

/* Short paths stay unchanged, because with the prefix Windows would take `..` and `/` literally. */
bool path_native(const char *path, wchar_t *out, size_t cap)
{
    static const wchar_t local[] = L"\\\\?\\", remote[] = L"\\\\?\\UNC";
    wchar_t plain[PATH_UNITS];
    if (!path_widen(path, plain, PATH_UNITS)) {
        return false;
    }
    for (wchar_t *at = plain; *at != L'\0'; at++) {
        *at = *at == L'/' ? L'\\' : *at;
    }
    size_t len = wcslen(plain);
    bool is_remote = plain[0] == L'\\' && plain[1] == L'\\';
    bool is_long = len >= MAX_PATH - 12 && (is_remote || plain[0] != L'\\');
    const wchar_t *prefix = !is_long ? L"" : is_remote ? remote : local;
    const wchar_t *rest = is_long && is_remote ? plain + 1 : plain;
    size_t head = wcslen(prefix), tail = wcslen(rest) + 1;
    if (head + tail > cap) {
        return false;
    }
    memcpy(out, prefix, head * sizeof *out);
    memcpy(out + head, rest, tail * sizeof *out);
    return true;
}
