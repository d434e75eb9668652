/* As on Linux, a new file is written beside the old one, flushed, and renamed. Windows does not
 * flush every folder, so the rename itself is requested to be on disk when it returns. */
#include "platform/atomic_file.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>

#include <sddl.h>

#include "platform/path_win32.h"
#include "platform/system.h"

#define SLICE_MS    5
#define REPLACE_MS  1000 /* how long a reader of the file may delay a rename */
#define PIECE_BYTES (1u << 30)
/* Only SYSTEM, the administrators and the owner get rights, also to everything in the folder. */
#define FOLDER_RIGHTS L"D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;OW)"

bool plat_file_state_equal(const struct plat_file_state *a, const struct plat_file_state *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified_ns == b->modified_ns;
}

enum plat_io plat_file_read_on(int handle, void *out, size_t cap, size_t *len)
{
    char *at = out;
    for (*len = 0; *len < cap;) {
        size_t room = cap - *len;
        DWORD got = 0, wanted = room < PIECE_BYTES ? (DWORD)room : PIECE_BYTES;
        if (!ReadFile(path_handle(handle), at + *len, wanted, &got, NULL)) {
            return path_io(GetLastError());
        }
        if (got == 0) {
            break;
        }
        *len += got;
    }
    return PLAT_IO_OK;
}

static enum plat_io atomic_write(int handle, const char *data, size_t len)
{
    while (len > 0) {
        DWORD written = 0, piece = len < PIECE_BYTES ? (DWORD)len : PIECE_BYTES;
        if (!WriteFile(path_handle(handle), data, piece, &written, NULL)) {
            return path_io(GetLastError());
        }
        data += written;
        len -= written;
    }
    return FlushFileBuffers(path_handle(handle)) ? PLAT_IO_OK : path_io(GetLastError());
}

/* A failure does not matter: some file systems flush no folder, some accounts may not request it,
 * and the rename was requested to be durable by itself. */
static void atomic_flush_folder(const char *path)
{
    char folder[PATH_UNITS];
    int handle = -1;
    if (path_folder(path, folder, sizeof folder) &&
        path_open(folder, GENERIC_WRITE, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, &handle) ==
            PLAT_IO_OK) {
        (void)FlushFileBuffers(path_handle(handle));
    }
    plat_file_close(&handle);
}

enum plat_io plat_file_flush(const char *path)
{
    int handle = -1;
    enum plat_io io =
        path_open(path, GENERIC_WRITE, OPEN_EXISTING, FILE_FLAG_OPEN_REPARSE_POINT, &handle);
    if (io == PLAT_IO_OK && !FlushFileBuffers(path_handle(handle))) {
        io = path_io(GetLastError());
    }
    plat_file_close(&handle);
    if (io == PLAT_IO_OK) {
        atomic_flush_folder(path);
    }
    return io;
}

/* The parent of a folder: the path without its last part and the separator before that. */
static bool atomic_parent(const char *path, char *out, size_t cap)
{
    bool found = path_folder(path, out, cap);
    if (found) {
        out[strlen(out) - 1] = '\0';
    }
    return found && out[0] != '\0' && strpbrk(out, "\\/") != NULL;
}

enum plat_io plat_folder_flush(const char *path)
{
    char folder[PATH_UNITS];
    if (atomic_parent(path, folder, sizeof folder)) {
        atomic_flush_folder(folder);
    }
    return PLAT_IO_OK;
}

enum plat_io plat_folder_for(const char *path)
{
    char folder[PATH_UNITS];
    wchar_t wide[PATH_UNITS];
    SECURITY_ATTRIBUTES rights = {sizeof rights, NULL, FALSE};
    if (!atomic_parent(path, folder, sizeof folder) || plat_folder_exists(folder)) {
        return PLAT_IO_OK; /* a root always exists */
    }
    if (!path_native(folder, wide, PATH_UNITS)) {
        return PLAT_IO_FAILED;
    }
    /* A system without such rights, such as an imitation of Windows, uses its own. */
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(FOLDER_RIGHTS, SDDL_REVISION_1,
                                                              &rights.lpSecurityDescriptor, NULL)) {
        rights.lpSecurityDescriptor = NULL;
    }
    DWORD error = CreateDirectoryW(wide, &rights) ? ERROR_SUCCESS : GetLastError();
    LocalFree(rights.lpSecurityDescriptor);
    /* If the name is not a folder's, making a file in it fails later. */
    return error == ERROR_ALREADY_EXISTS ? PLAT_IO_OK : path_io(error);
}

/* Whether the file at `path` is still the one of this state. */
static enum plat_io atomic_check_state(const char *path, const struct plat_file_state *expected)
{
    struct plat_file_state now;
    enum plat_io io = plat_file_state(path, &now);
    if (io != PLAT_IO_OK && io != PLAT_IO_ABSENT) {
        return io;
    }
    return plat_file_state_equal(&now, expected) ? PLAT_IO_OK : PLAT_IO_CHANGED;
}

/* Sets *there if the file at `path` is the file `mine`. */
static enum plat_io atomic_check_same(const char *path, const struct plat_file_state *mine,
                                      struct plat_file_state *there)
{
    enum plat_io io = plat_file_state(path, there);
    bool same = io == PLAT_IO_OK && there->inode == mine->inode && there->device == mine->device;
    return same ? PLAT_IO_OK : io == PLAT_IO_OK || io == PLAT_IO_ABSENT ? PLAT_IO_CHANGED : io;
}

/* Retries, because a file cannot be replaced while another program reads it. */
static enum plat_io atomic_rename(const char *from, const char *to)
{
    wchar_t wide_from[PATH_UNITS], wide_to[PATH_UNITS];
    uint64_t until_ms = plat_now_ms() + REPLACE_MS;
    if (!path_native(from, wide_from, PATH_UNITS) || !path_native(to, wide_to, PATH_UNITS)) {
        return PLAT_IO_FAILED;
    }
    while (!MoveFileExW(wide_from, wide_to, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH)) {
        DWORD error = GetLastError();
        bool held = error == ERROR_ACCESS_DENIED || error == ERROR_SHARING_VIOLATION;
        if (!held || plat_now_ms() >= until_ms) {
            return path_io(error);
        }
        Sleep(SLICE_MS);
    }
    return PLAT_IO_OK;
}

static void atomic_remove(const char *path)
{
    wchar_t wide[PATH_UNITS];
    if (path_native(path, wide, PATH_UNITS)) {
        (void)DeleteFileW(wide);
    }
}

enum plat_io plat_file_replace(const char *path, const struct plat_file_state *former,
                               const void *data, size_t len, struct plat_file_state *state)
{
    char aside[PATH_UNITS];
    struct plat_file_state mine;
    int handle = -1;
    int aside_len = snprintf(aside, sizeof aside, "%s.tmp", path);
    if (aside_len < 0 || (size_t)aside_len >= sizeof aside) {
        return PLAT_IO_FAILED;
    }
    enum plat_io io = atomic_check_state(path, former);
    if (io != PLAT_IO_OK) {
        return io;
    }
    /* Removes what a crash left behind. The lock guarantees that nobody is writing it. */
    atomic_remove(aside);
    io = path_open(aside, GENERIC_WRITE, CREATE_NEW, FILE_FLAG_OPEN_REPARSE_POINT, &handle);
    if (io != PLAT_IO_OK) {
        return io;
    }
    io = atomic_write(handle, data, len);
    if (io == PLAT_IO_OK) {
        io = path_state(handle, &mine);
    }
    if (io == PLAT_IO_OK) {
        /* Some programs do not take the lock. While our file is open, no other file has its number.
         */
        io = atomic_check_same(aside, &mine, state);
        if (io != PLAT_IO_OK) {
            plat_file_close(&handle);
            return io; /* its owner is unknown */
        }
        io = atomic_check_state(path, former);
    }
    if (io == PLAT_IO_OK) {
        io = atomic_rename(aside, path);
    }
    plat_file_close(&handle);
    if (io != PLAT_IO_OK) {
        atomic_remove(aside);
        return io;
    }
    if (atomic_check_same(path, &mine, state) != PLAT_IO_OK) {
        *state = mine;
    }
    atomic_flush_folder(path);
    return PLAT_IO_OK;
}

/* Opens the lock file without sharing deletion, so that no program can delete or replace it while a
 * process holds the lock or waits for it. */
static enum plat_io atomic_open_lock(const char *path, int *handle)
{
    wchar_t wide[PATH_UNITS];
    struct plat_file_state state;
    if (!path_native(path, wide, PATH_UNITS)) {
        return PLAT_IO_FAILED;
    }
    HANDLE opened =
        CreateFileW(wide, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                    OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    if (opened == INVALID_HANDLE_VALUE) {
        DWORD error = GetLastError();
        return error == ERROR_SHARING_VIOLATION ? PLAT_IO_TIMED_OUT : path_io(error);
    }
    *handle = (int)(intptr_t)opened;
    return path_state(*handle, &state);
}

static enum plat_io atomic_lock_now(const char *path, int *handle)
{
    OVERLAPPED start;
    enum plat_io io = *handle != -1 ? PLAT_IO_OK : atomic_open_lock(path, handle);
    if (io != PLAT_IO_OK) {
        return io;
    }
    memset(&start, 0, sizeof start);
    if (LockFileEx(path_handle(*handle), LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1,
                   0, &start)) {
        return PLAT_IO_OK;
    }
    DWORD error = GetLastError();
    return error == ERROR_LOCK_VIOLATION || error == ERROR_IO_PENDING ? PLAT_IO_TIMED_OUT
                                                                      : path_io(error);
}

enum plat_io plat_lock_take(const char *path, uint64_t until_ms, bool (*stopped)(void *),
                            void *context, int *handle)
{
    *handle = -1;
    enum plat_io io = atomic_lock_now(path, handle);
    while (io == PLAT_IO_TIMED_OUT && plat_now_ms() < until_ms &&
           (stopped == NULL || !stopped(context))) {
        Sleep(SLICE_MS);
        io = atomic_lock_now(path, handle);
    }
    if (io != PLAT_IO_OK) {
        plat_file_close(handle);
    }
    return io;
}

void plat_lock_release(int *handle)
{
    OVERLAPPED start;
    memset(&start, 0, sizeof start);
    if (*handle != -1) {
        (void)UnlockFileEx(path_handle(*handle), 0, 1, 0, &start);
    }
    plat_file_close(handle);
}
