#include "platform.h"

#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <windows.h>

#include <aclapi.h>
#include <sddl.h>
#include <shellapi.h>

#include "memory.h"

struct platform_mutex {
    SRWLOCK native;
};

struct platform_thread {
    HANDLE native;
    void (*run)(void *context);
    void *context;
};

struct platform_file {
    HANDLE handle;
};

static wchar_t *platform_wide(const char *text)
{
    int len = MultiByteToWideChar(CP_UTF8, 0, text, -1, NULL, 0);
    wchar_t *out = memory_take((size_t)(len > 0 ? len : 1) * sizeof *out);
    MultiByteToWideChar(CP_UTF8, 0, text, -1, out, len);
    return out;
}

static char *platform_narrow(const wchar_t *text)
{
    int len = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);
    char *out = memory_take((size_t)(len > 0 ? len : 1));
    WideCharToMultiByte(CP_UTF8, 0, text, -1, out, len, NULL, NULL);
    return out;
}

/* Sets errno. Always false, so that a caller can return it. */
static bool platform_fail(DWORD error)
{
    static const struct {
        DWORD error;
        int code;
    } reasons[] = {{ERROR_FILE_NOT_FOUND, ENOENT},  {ERROR_PATH_NOT_FOUND, ENOENT},
                   {ERROR_FILE_EXISTS, EEXIST},     {ERROR_ALREADY_EXISTS, EEXIST},
                   {ERROR_ACCESS_DENIED, EACCES},   {ERROR_SHARING_VIOLATION, EBUSY},
                   {ERROR_DISK_FULL, ENOSPC},       {ERROR_INVALID_NAME, ENOENT},
                   {ERROR_HANDLE_DISK_FULL, ENOSPC}};
    errno = EIO;
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].error == error)
            errno = reasons[i].code;
    return false;
}

static bool platform_check(BOOL good)
{
    return good ? true : platform_fail(GetLastError());
}

void platform_begin(int *argc, char ***argv)
{
    int count = 0;
    wchar_t **own = CommandLineToArgvW(GetCommandLineW(), &count);
    _setmode(_fileno(stdin), _O_BINARY);
    _setmode(_fileno(stdout), _O_BINARY);
    _setmode(_fileno(stderr), _O_BINARY);
    if (!own)
        return;
    char **texts = memory_take((size_t)(count + 1) * sizeof *texts);
    for (int i = 0; i < count; i++)
        texts[i] = platform_narrow(own[i]);
    LocalFree(own);
    *argc = count;
    *argv = texts; /* for the life of the process */
}

char *platform_environment(const char *name)
{
    wchar_t *own = platform_wide(name);
    const wchar_t *value = _wgetenv(own);
    free(own);
    return value ? platform_narrow(value) : NULL;
}

void platform_environment_set(const char *name, const char *value)
{
    wchar_t *own = platform_wide(name);
    wchar_t *text = platform_wide(value ? value : ""); /* an empty one unsets */
    _wputenv_s(own, text);
    free(own);
    free(text);
}

enum { ENDED_BY_ALARM = 142 }; /* as a shell reports it elsewhere */

static DWORD WINAPI end_process(void *seconds)
{
    Sleep((DWORD)(uintptr_t)seconds * 1000);
    TerminateProcess(GetCurrentProcess(), ENDED_BY_ALARM);
    return 0;
}

void platform_end_after(unsigned seconds)
{
    HANDLE thread = CreateThread(NULL, 0, end_process, (void *)(uintptr_t)seconds, 0, NULL);
    if (thread)
        CloseHandle(thread);
}

void platform_sleep_ms(uint64_t ms)
{
    Sleep(ms < INFINITE ? (DWORD)ms : INFINITE);
}

uint64_t platform_clock_ns(void)
{
    LARGE_INTEGER frequency;
    LARGE_INTEGER now;
    QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&now);
    uint64_t second = (uint64_t)frequency.QuadPart;
    uint64_t count = (uint64_t)now.QuadPart;
    return count / second * 1000000000U + count % second * 1000000000U / second;
}

void platform_utc(time_t time, struct tm *parts)
{
    gmtime_s(parts, &time);
}

struct platform_mutex *platform_mutex_new(void)
{
    struct platform_mutex *mutex = memory_take(sizeof *mutex);
    InitializeSRWLock(&mutex->native);
    return mutex;
}

void platform_mutex_free(struct platform_mutex *mutex)
{
    free(mutex);
}

void platform_mutex_lock(struct platform_mutex *mutex)
{
    AcquireSRWLockExclusive(&mutex->native);
}

void platform_mutex_unlock(struct platform_mutex *mutex)
{
    ReleaseSRWLockExclusive(&mutex->native);
}

static DWORD WINAPI run_thread(void *own)
{
    struct platform_thread *thread = own;
    thread->run(thread->context);
    return 0;
}

struct platform_thread *platform_thread_start(void (*run)(void *context), void *context)
{
    struct platform_thread *thread = memory_take(sizeof *thread);
    thread->run = run;
    thread->context = context;
    thread->native = CreateThread(NULL, 0, run_thread, thread, 0, NULL);
    if (!thread->native) {
        free(thread);
        return NULL;
    }
    return thread;
}

void platform_thread_join(struct platform_thread *thread)
{
    WaitForSingleObject(thread->native, INFINITE);
    CloseHandle(thread->native);
    free(thread);
}

bool platform_guarded(void (*call)(void *context), void *context)
{
    call(context);
    return true;
}

void *platform_library_open(const char *path, char *why, size_t cap)
{
    wchar_t *own = platform_wide(path);
    HMODULE library = LoadLibraryW(own);
    if (!library)
        snprintf(why, cap, "%s: system error %lu", path, GetLastError());
    free(own);
    return library;
}

void *platform_library_symbol(void *library, const char *name)
{
    FARPROC address = GetProcAddress(library, name);
    void *symbol = NULL;
    memcpy(&symbol, &address, sizeof symbol);
    return symbol;
}

void platform_library_close(void *library)
{
    FreeLibrary(library);
}

/* A security descriptor that admits only the account of the process and the system; free it by
 * LocalFree. NULL: use the default. */
static PSECURITY_DESCRIPTOR private_descriptor(void)
{
    PSECURITY_DESCRIPTOR descriptor = NULL;
    union {
        TOKEN_USER user;
        char room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    } info;
    DWORD len = 0;
    wchar_t *sid = NULL;
    if (GetTokenInformation(GetCurrentProcessToken(), TokenUser, &info, sizeof info, &len) &&
        ConvertSidToStringSidW(info.user.User.Sid, &sid)) {
        wchar_t text[256];
        _snwprintf(text, 256, L"O:%lsD:P(A;OICI;FA;;;%ls)(A;OICI;FA;;;SY)", sid, sid);
        ConvertStringSecurityDescriptorToSecurityDescriptorW(text, SDDL_REVISION_1, &descriptor,
                                                             NULL);
        LocalFree(sid);
    }
    return descriptor;
}

struct platform_file *platform_file_open(const char *path, enum platform_open how)
{
    static const DWORD dispositions[] = {[PLATFORM_READ] = OPEN_EXISTING,
                                         [PLATFORM_UPDATE] = OPEN_EXISTING,
                                         [PLATFORM_CREATE_NEW] = CREATE_NEW,
                                         [PLATFORM_REPLACE] = CREATE_ALWAYS};
    SECURITY_ATTRIBUTES security = {.nLength = sizeof security};
    bool makes = how == PLATFORM_CREATE_NEW || how == PLATFORM_REPLACE;
    security.lpSecurityDescriptor = makes ? private_descriptor() : NULL;
    wchar_t *own = platform_wide(path);
    DWORD access = how == PLATFORM_READ ? GENERIC_READ : GENERIC_READ | GENERIC_WRITE;
    HANDLE handle =
        CreateFileW(own, access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                    makes ? &security : NULL, dispositions[how], FILE_ATTRIBUTE_NORMAL, NULL);
    DWORD error = GetLastError();
    free(own);
    LocalFree(security.lpSecurityDescriptor);
    if (handle == INVALID_HANDLE_VALUE) {
        platform_fail(error);
        return NULL;
    }
    struct platform_file *file = memory_take(sizeof *file);
    file->handle = handle;
    return file;
}

static OVERLAPPED platform_place(uint64_t at)
{
    OVERLAPPED place = {.Offset = (DWORD)(at & 0xFFFFFFFFU), .OffsetHigh = (DWORD)(at >> 32)};
    return place;
}

bool platform_file_read(struct platform_file *file, void *data, size_t len, uint64_t at)
{
    OVERLAPPED where = platform_place(at);
    DWORD done = 0;
    if (!file)
        return false;
    bool good = ReadFile(file->handle, data, (DWORD)len, &done, &where);
    return (good || len == 0 ||
            (GetLastError() == ERROR_HANDLE_EOF ? false : platform_check(FALSE))) &&
           done == len;
}

bool platform_file_write(struct platform_file *file, const void *data, size_t len, uint64_t at)
{
    OVERLAPPED where = platform_place(at);
    DWORD done = 0;
    return file && platform_check(WriteFile(file->handle, data, (DWORD)len, &done, &where)) &&
           done == len;
}

bool platform_file_size(struct platform_file *file, uint64_t *size)
{
    LARGE_INTEGER own;
    if (!file || !platform_check(GetFileSizeEx(file->handle, &own)))
        return false;
    *size = (uint64_t)own.QuadPart;
    return true;
}

bool platform_file_flush(struct platform_file *file)
{
    return file && platform_check(FlushFileBuffers(file->handle));
}

bool platform_file_close(struct platform_file *file)
{
    if (!file)
        return false;
    bool good = platform_check(CloseHandle(file->handle));
    free(file);
    return good;
}

FILE *platform_stream_open(const char *path, const char *mode)
{
    wchar_t *own = platform_wide(path);
    wchar_t binary[8];
    _snwprintf(binary, 8, L"%hsb", mode);
    FILE *stream = _wfopen(own, binary);
    free(own);
    return stream;
}

bool platform_path_exists(const char *path)
{
    wchar_t *own = platform_wide(path);
    bool good = platform_check(GetFileAttributesW(own) != INVALID_FILE_ATTRIBUTES);
    free(own);
    return good;
}

bool platform_path_remove(const char *path)
{
    wchar_t *own = platform_wide(path);
    bool good = platform_check(DeleteFileW(own));
    free(own);
    return good;
}

bool platform_path_replace(const char *from, const char *to)
{
    wchar_t *source = platform_wide(from);
    wchar_t *target = platform_wide(to);
    bool good = platform_check(
        MoveFileExW(source, target, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH));
    free(source);
    free(target);
    return good;
}

bool platform_path_is_private(const char *path)
{
    wchar_t *own = platform_wide(path);
    PACL list = NULL;
    PSECURITY_DESCRIPTOR descriptor = NULL;
    bool good = GetNamedSecurityInfoW(own, SE_FILE_OBJECT, DACL_SECURITY_INFORMATION, NULL, NULL,
                                      &list, NULL, &descriptor) == ERROR_SUCCESS &&
                list;
    for (DWORD i = 0; good && i < list->AceCount; i++) {
        void *entry = NULL;
        good = GetAce(list, i, &entry);
        PSID sid = good ? &((ACCESS_ALLOWED_ACE *)entry)->SidStart : NULL;
        good =
            good && !IsWellKnownSid(sid, WinWorldSid) && !IsWellKnownSid(sid, WinBuiltinUsersSid);
    }
    LocalFree(descriptor);
    free(own);
    return good;
}

char *platform_path_absolute(const char *path)
{
    wchar_t *own = platform_wide(path);
    wchar_t *full = _wfullpath(NULL, own, 0);
    char *text =
        full && GetFileAttributesW(full) != INVALID_FILE_ATTRIBUTES ? platform_narrow(full) : NULL;
    free(own);
    free(full);
    return text;
}

bool platform_folder_make(const char *path)
{
    SECURITY_ATTRIBUTES security = {.nLength = sizeof security};
    security.lpSecurityDescriptor = private_descriptor();
    wchar_t *own = platform_wide(path);
    bool good = platform_check(CreateDirectoryW(own, &security));
    free(own);
    LocalFree(security.lpSecurityDescriptor);
    return good;
}

bool platform_folder_remove(const char *path)
{
    wchar_t *own = platform_wide(path);
    bool good = platform_check(RemoveDirectoryW(own));
    free(own);
    return good;
}

bool platform_folder_make_temporary(char *path, size_t cap)
{
    wchar_t parent[MAX_PATH + 1] = L"";
    GetTempPathW(MAX_PATH + 1, parent);
    char *text = platform_narrow(parent);
    snprintf(path, cap, "%sekmhost-%lu-%llu", text, GetCurrentProcessId(),
             (unsigned long long)platform_clock_ns());
    free(text);
    return platform_folder_make(path);
}

char **platform_folder_list(const char *path)
{
    char *pattern = memory_format("%s/*", path);
    wchar_t *own = platform_wide(pattern);
    WIN32_FIND_DATAW found;
    HANDLE search = FindFirstFileW(own, &found);
    size_t count = 0;
    char **names = NULL;
    free(pattern);
    free(own);
    if (search == INVALID_HANDLE_VALUE)
        return NULL;
    do {
        names = memory_grow(names, (count + 2) * sizeof *names);
        names[count++] = platform_narrow(found.cFileName);
        names[count] = NULL;
    } while (FindNextFileW(search, &found));
    FindClose(search);
    return names;
}

void platform_folder_list_free(char **names)
{
    for (char **name = names; name && *name; name++)
        free(*name);
    free(names);
}
