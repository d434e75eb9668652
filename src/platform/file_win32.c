#include "platform/file.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>

#include "platform/path_win32.h"

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

const char *plat_io_text(enum plat_io io)
{
    static const char *const texts[] = {
        [PLAT_IO_OK] = "success",
        [PLAT_IO_ABSENT] = "no such file, folder or registry key",
        [PLAT_IO_DENIED] = "access is denied",
        [PLAT_IO_UNSAFE] = "unsafe rights: it or its folder has another owner or may be written "
                           "by others",
        [PLAT_IO_NOT_FILE] = "not a regular file: a link, a folder or a device",
        [PLAT_IO_TOO_BIG] = "too large",
        [PLAT_IO_TIMED_OUT] = "its lock did not become free in time",
        [PLAT_IO_FULL] = "no space left",
        [PLAT_IO_CHANGED] = "other programs keep changing it",
        [PLAT_IO_HANDLES] = "too many open files",
        [PLAT_IO_FAILED] = "input or output failed",
    };
    return texts[io];
}

/* With FILE_FLAG_OPEN_REPARSE_POINT a link as the last part is not followed: the link itself is
 * opened, and refused by path_state. Backup semantics alone let a folder be opened, and then be
 * told from a file. */
enum plat_io path_open(const char *path, unsigned long access, unsigned long disposition,
                       unsigned long flags, int *handle)
{
    wchar_t wide[PATH_UNITS];
    if (!path_native(path, wide, PATH_UNITS)) {
        return PLAT_IO_FAILED;
    }
    HANDLE opened = CreateFileW(wide, access, SHARE_ALL, NULL, disposition,
                                FILE_ATTRIBUTE_NORMAL | flags, NULL);
    if (opened == INVALID_HANDLE_VALUE) {
        return path_io(GetLastError());
    }
    *handle = (int)(intptr_t)opened;
    return PLAT_IO_OK;
}

enum plat_io path_state(int handle, struct plat_file_state *out)
{
    BY_HANDLE_FILE_INFORMATION info;
    if (GetFileType(path_handle(handle)) != FILE_TYPE_DISK) {
        return PLAT_IO_NOT_FILE;
    }
    if (!GetFileInformationByHandle(path_handle(handle), &info)) {
        return path_io(GetLastError());
    }
    uint64_t written =
        (uint64_t)info.ftLastWriteTime.dwHighDateTime << 32 | info.ftLastWriteTime.dwLowDateTime;
    out->device = info.dwVolumeSerialNumber;
    out->inode = (uint64_t)info.nFileIndexHigh << 32 | info.nFileIndexLow;
    out->size = (uint64_t)info.nFileSizeHigh << 32 | info.nFileSizeLow;
    out->modified_ns = (int64_t)(written * 100);
    return (info.dwFileAttributes & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT)) == 0
               ? PLAT_IO_OK
               : PLAT_IO_NOT_FILE;
}

enum plat_io plat_file_state(const char *path, struct plat_file_state *out)
{
    int handle = -1;
    memset(out, 0, sizeof *out);
    enum plat_io io = path_open(path, FILE_READ_ATTRIBUTES, OPEN_EXISTING, PATH_WHOLE, &handle);
    if (io == PLAT_IO_OK) {
        io = path_state(handle, out);
    }
    plat_file_close(&handle);
    return io;
}

bool path_folder(const char *path, char *folder, size_t cap)
{
    size_t len = strlen(path);
    while (len > 0 && path[len - 1] != '\\' && path[len - 1] != '/') {
        len--;
    }
    if (len == 0 || len >= cap) {
        return false;
    }
    memcpy(folder, path, len);
    folder[len] = '\0';
    return true;
}

bool path_folder_trusted(const char *path)
{
    int handle = -1;
    bool trusted = path_open(path, READ_CONTROL | FILE_READ_ATTRIBUTES, OPEN_EXISTING, PATH_WHOLE,
                             &handle) == PLAT_IO_OK &&
                   path_trusted(path_handle(handle));
    plat_file_close(&handle);
    return trusted;
}

static enum plat_io file_check_trust_win32(const char *path, int handle)
{
    char folder[PATH_UNITS];
    return path_trusted(path_handle(handle)) && path_folder(path, folder, sizeof folder) &&
                   path_folder_trusted(folder)
               ? PLAT_IO_OK
               : PLAT_IO_UNSAFE;
}

enum plat_io plat_file_open(const char *path, enum plat_file_trust trust, int *handle,
                            struct plat_file_state *state)
{
    *handle = -1;
    enum plat_io io =
        path_open(path, GENERIC_READ, OPEN_EXISTING,
                  trust == PLAT_TRUST_ANY_LINKED ? FILE_FLAG_BACKUP_SEMANTICS : PATH_WHOLE, handle);
    if (io == PLAT_IO_OK) {
        io = path_state(*handle, state);
    }
    if (io == PLAT_IO_OK && trust == PLAT_TRUST_REQUIRED) {
        io = file_check_trust_win32(path, *handle);
    }
    if (io != PLAT_IO_OK) {
        plat_file_close(handle);
    }
    return io;
}

void plat_file_explain(const char *path, enum plat_io io, char *out, size_t cap)
{
    (void)path;
    (void)snprintf(out, cap, "%s", plat_io_text(io));
}

enum plat_io plat_file_read(int handle, void *out, size_t cap, size_t *len)
{
    char *at = out, beyond;
    *len = 0;
    for (;;) {
        bool is_full = *len == cap;
        size_t room = is_full ? 1 : cap - *len;
        DWORD got = 0, wanted = room < INT32_MAX ? (DWORD)room : INT32_MAX;
        if (!ReadFile(path_handle(handle), is_full ? &beyond : at + *len, wanted, &got, NULL)) {
            return path_io(GetLastError());
        }
        if (got == 0) {
            return PLAT_IO_OK;
        }
        if (is_full) {
            return PLAT_IO_TOO_BIG;
        }
        *len += got;
    }
}

void plat_file_close(int *handle)
{
    if (*handle != -1) {
        (void)CloseHandle(path_handle(*handle));
        *handle = -1;
    }
}

enum plat_io plat_log_open(const char *path, int *handle, struct plat_file_state *state)
{
    *handle = -1;
    enum plat_io io = path_open(path, FILE_APPEND_DATA | FILE_READ_ATTRIBUTES | SYNCHRONIZE,
                                OPEN_ALWAYS, FILE_FLAG_OPEN_REPARSE_POINT, handle);
    if (io == PLAT_IO_OK) {
        io = path_state(*handle, state);
    }
    if (io != PLAT_IO_OK) {
        plat_file_close(handle);
    }
    return io;
}

void plat_log_explain(const char *path, enum plat_io io, char *out, size_t cap)
{
    plat_file_explain(path, io, out, cap);
}

enum plat_io plat_log_write(int handle, const char *text, size_t len)
{
    DWORD written = 0;
    return WriteFile(path_handle(handle), text, (DWORD)len, &written, NULL) && written == len
               ? PLAT_IO_OK
               : PLAT_IO_FAILED;
}

bool plat_folder_exists(const char *path)
{
    wchar_t wide[PATH_UNITS];
    DWORD attributes =
        path_native(path, wide, PATH_UNITS) ? GetFileAttributesW(wide) : INVALID_FILE_ATTRIBUTES;
    return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
}

/* A service has no standard error, and the event log always exists. */
bool plat_standard_error(const char *line, size_t len)
{
    (void)line;
    (void)len;
    return false;
}
