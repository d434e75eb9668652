#include <winsock2.h>

#include "platform/system.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>

#include <bcrypt.h>

#include "platform/path_win32.h"

#define EPOCH_100NS    116444736000000000 /* 1601 to 1970 */
#define VARIABLE_UNITS 2048

/* In parts of a second; large enough for a year. */
static uint64_t ticks_now(uint64_t parts)
{
    LARGE_INTEGER frequency, ticks;
    /* Neither fails on Windows XP and later. */
    (void)QueryPerformanceFrequency(&frequency);
    (void)QueryPerformanceCounter(&ticks);
    uint64_t count = (uint64_t)ticks.QuadPart, second = (uint64_t)frequency.QuadPart;
    return count / second * parts + count % second * parts / second;
}

uint64_t plat_now_ms(void)
{
    return ticks_now(1000);
}

uint64_t plat_now_us(void)
{
    return ticks_now(1000000);
}

int64_t plat_unix_time_ms(void)
{
    FILETIME now;
    GetSystemTimePreciseAsFileTime(&now);
    int64_t ticks = (int64_t)((uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime);
    return (ticks - EPOCH_100NS) / 10000;
}

void plat_calendar(int64_t unix_time_ms, struct plat_time *out)
{
    uint64_t ticks = (uint64_t)(unix_time_ms * 10000 + EPOCH_100NS);
    FILETIME time = {(DWORD)ticks, (DWORD)(ticks >> 32)};
    SYSTEMTIME at;
    memset(&at, 0, sizeof at);
    (void)FileTimeToSystemTime(&time, &at);
    *out = (struct plat_time){at.wYear,   at.wMonth,  at.wDay,         at.wHour,
                              at.wMinute, at.wSecond, at.wMilliseconds};
}

bool plat_random(void *out, size_t len)
{
    return len <= UINT32_MAX &&
           BCRYPT_SUCCESS(BCryptGenRandom(NULL, out, (ULONG)len, BCRYPT_USE_SYSTEM_PREFERRED_RNG));
}

void plat_wipe(void *data, size_t len)
{
    if (data != NULL) {
        (void)SecureZeroMemory(data, len);
    }
}

uint32_t plat_process_id(void)
{
    return GetCurrentProcessId();
}

uint64_t plat_thread_id(void)
{
    return GetCurrentThreadId();
}

/* GetVersionEx reports only the version that the program's manifest names; this function reports
 * the real one. */
void plat_os_name(char *out, size_t cap)
{
    typedef LONG(WINAPI * get_version)(OSVERSIONINFOW *);
    OSVERSIONINFOW version = {.dwOSVersionInfoSize = sizeof version};
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
    get_version get = NULL;
    if (ntdll != NULL) {
        get = (get_version)(void (*)(void))GetProcAddress(ntdll, "RtlGetVersion");
    }
    if (get == NULL || get(&version) != 0) {
        (void)snprintf(out, cap, "Windows");
        return;
    }
    (void)snprintf(out, cap, "Windows %lu.%lu.%lu x86_64", version.dwMajorVersion,
                   version.dwMinorVersion, version.dwBuildNumber);
}

size_t plat_environment(const char *name, char *out, size_t cap)
{
    wchar_t wide_name[64], value[VARIABLE_UNITS];
    out[0] = '\0';
    if (!path_widen(name, wide_name, sizeof wide_name / sizeof wide_name[0])) {
        return 0;
    }
    DWORD units = GetEnvironmentVariableW(wide_name, value, VARIABLE_UNITS);
    if (units == 0) {
        return 0;
    }
    /* The value exists even if it does not fit; it is then at least as long as the buffer. */
    return units < VARIABLE_UNITS && path_narrow(value, out, cap) ? strlen(out) : cap;
}

void plat_stay_loaded(void)
{
    HMODULE self = NULL;
    (void)GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                             (LPCWSTR)(uintptr_t)&plat_stay_loaded, &self);
}

void plat_errors_save(struct plat_errors *errors)
{
    errors->last_error = GetLastError();
    errors->errno_value = errno;
}

void plat_errors_restore(const struct plat_errors *errors)
{
    errno = errors->errno_value;
    SetLastError(errors->last_error);
}

intptr_t plat_socket(int family, int type, int protocol)
{
    return (intptr_t)WSASocketW(family, type, protocol, NULL, 0,
                                WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
}
