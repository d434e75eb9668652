/* The Application event log, source `akv-ekm` (specification.md section 9). */
#include "platform/system.h"

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <windows.h>

#include "platform/path_win32.h"
#include "platform/registry.h"

#define LEVEL_KEY     "SOFTWARE\\Microsoft\\SQL Server Cryptographic Provider\\Azure Key Vault\\Log"
#define SOURCE_KEY    "SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\akv-ekm"
#define LEVEL_LIFE_MS 1000
#define FAILURE       1
#define MESSAGE_UNITS 3200 /* a line of the log; one message may hold ten times as much */

enum connector_level { LEVEL_ALL = 0, LEVEL_ERRORS = 1 }; /* 2 and more: none */

static _Atomic(HANDLE) source;
static atomic_uint level = LEVEL_ERRORS;
static _Atomic uint64_t level_until_ms;

/* The connector's value. It is read again after a second, so a change needs no restart. */
static unsigned wanted_level(void)
{
    uint64_t now_ms = plat_now_ms();
    if (now_ms < atomic_load(&level_until_ms)) {
        return atomic_load(&level);
    }
    struct plat_registry_key key = {NULL};
    uint32_t number = LEVEL_ERRORS;
    if (plat_registry_open(NULL, LEVEL_KEY, PLAT_REGISTRY_READ, &key) == PLAT_IO_OK &&
        !plat_registry_number(&key, "Level", &number)) {
        number = LEVEL_ERRORS;
    }
    plat_registry_close(&key);
    atomic_store(&level, number);
    atomic_store(&level_until_ms, now_ms + LEVEL_LIFE_MS);
    return number;
}

bool plat_system_log_wanted(enum plat_severity severity)
{
    unsigned number = wanted_level();
    return number == LEVEL_ALL || (number == LEVEL_ERRORS && severity == PLAT_SEVERITY_ERROR);
}

static bool own_path(char *out, size_t cap)
{
    wchar_t wide[PATH_UNITS];
    HMODULE self = NULL;
    if (!GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                                GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                            (LPCWSTR)(uintptr_t)&plat_system_log_close, &self)) {
        return false;
    }
    DWORD units = GetModuleFileNameW(self, wide, PATH_UNITS);
    return units > 0 && units < PATH_UNITS && path_narrow(wide, out, cap);
}

/* Without this entry the event viewer shows a complaint before each text. The entry names the file
 * with the messages. An existing entry stays, because it may belong to another version. */
static void describe_source(void)
{
    char path[PLAT_REGISTRY_TEXT_MAX + 1];
    wchar_t wide[PATH_UNITS];
    struct plat_registry_key key = {NULL};
    bool described =
        plat_registry_open(NULL, SOURCE_KEY, PLAT_REGISTRY_READ, &key) == PLAT_IO_OK &&
        plat_registry_text(&key, NULL, "EventMessageFile", path, sizeof path) == PLAT_IO_OK &&
        path_native(path, wide, PATH_UNITS) && GetFileAttributesW(wide) != INVALID_FILE_ATTRIBUTES;
    plat_registry_close(&key);
    if (!described && own_path(path, sizeof path) &&
        plat_registry_create(NULL, SOURCE_KEY, &key) == PLAT_IO_OK) {
        (void)plat_registry_set_text(&key, "EventMessageFile", path);
        (void)plat_registry_set_number(&key, "TypesSupported",
                                       EVENTLOG_ERROR_TYPE | EVENTLOG_WARNING_TYPE |
                                           EVENTLOG_INFORMATION_TYPE);
    }
    plat_registry_close(&key);
}

static HANDLE open_source(void)
{
    HANDLE none = NULL, opened = atomic_load(&source);
    if (opened != NULL) {
        return opened;
    }
    describe_source();
    opened = RegisterEventSourceW(NULL, L"akv-ekm");
    if (opened != NULL && !atomic_compare_exchange_strong(&source, &none, opened)) {
        (void)DeregisterEventSource(opened);
        return none;
    }
    return opened;
}

bool plat_system_log(enum plat_severity severity, uint32_t code, const char *text)
{
    static const WORD types[] = {EVENTLOG_ERROR_TYPE, EVENTLOG_WARNING_TYPE,
                                 EVENTLOG_INFORMATION_TYPE};
    wchar_t wide[MESSAGE_UNITS];
    const wchar_t *strings[] = {wide};
    if (!plat_system_log_wanted(severity) || !path_widen(text, wide, MESSAGE_UNITS)) {
        return false;
    }
    HANDLE log = open_source();
    /* Windows' message for error 0 would say that all is well. */
    DWORD id = code == 0 && severity == PLAT_SEVERITY_ERROR ? FAILURE : code;
    return log != NULL && ReportEventW(log, types[severity], 0, id, NULL, 1, 0, strings, NULL);
}

void plat_system_log_close(void)
{
    HANDLE log = atomic_exchange(&source, (HANDLE)NULL);
    if (log != NULL) {
        (void)DeregisterEventSource(log);
    }
}
