#include "tool/setup.h"

#include <windows.h>

#include <aclapi.h>
#include <sddl.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "keymap/keymap_registry.h"
#include "platform/atomic_file.h"
#include "platform/default_paths.h"
#include "platform/file.h"
#include "platform/path_win32.h"
#include "tool/account.h"

#define MAP_PATH    L"SOFTWARE\\Microsoft\\SQL Server Cryptographic Provider"
#define SOURCE_KEY  "SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\akv-ekm"
#define SID_BYTES   68
#define EVENT_TYPES 7 /* errors, warnings, information */

void setup_default_library(char *out, size_t cap)
{
    wchar_t wide[PATH_UNITS];
    char own[1100] = "";
    DWORD units = GetModuleFileNameW(NULL, wide, PATH_UNITS);
    if (units == 0 || units >= PATH_UNITS || !path_narrow(wide, own, sizeof own)) {
        own[0] = '\0';
    }
    /* Beside this program. */
    char *end = strrchr(own, '\\');
    (void)text_format(out, cap, "%.*s\\akvekm.dll", end != NULL ? (int)(end - own) : 0, own);
}

bool setup_may(const struct setup *setup, char *why, size_t cap)
{
    (void)setup;
    (void)text_copy(why, cap, "setup needs an administrator's elevated prompt");
    return account_is_administrator();
}

/* The account of the service, with its SID. */
struct setup_account {
    char name[300];
    uint8_t sid[SID_BYTES];
};

static bool setup_find_account(struct setup *setup, struct setup_account *out)
{
    wchar_t wide[300], domain[300];
    DWORD sid_bytes = SID_BYTES, domain_units = 300;
    SID_NAME_USE use;
    const char *instance = setup->options->instance;
    if (setup->options->user != NULL) {
        (void)text_copy(out->name, sizeof out->name, setup->options->user);
    } else if (instance == NULL || text_equal_nocase(instance, "MSSQLSERVER")) {
        (void)text_copy(out->name, sizeof out->name, "NT SERVICE\\MSSQLSERVER");
    } else {
        (void)text_format(out->name, sizeof out->name, "NT SERVICE\\MSSQL$%.200s", instance);
    }
    if (!path_widen(out->name, wide, 300) ||
        !LookupAccountNameW(NULL, wide, out->sid, &sid_bytes, domain, &domain_units, &use)) {
        setup_report(setup, SETUP_FAILED,
                     "no account %s: install SQL Server first, or name it by --instance or --user",
                     out->name);
        return false;
    }
    return true;
}

/* Whether the list lets this account do all of `rights`, by an entry of its own. */
static bool setup_has_rights(PACL list, PSID sid, DWORD rights)
{
    ACL_SIZE_INFORMATION size = {0, 0, 0};
    if (list == NULL || !GetAclInformation(list, &size, sizeof size, AclSizeInformation)) {
        return false;
    }
    for (DWORD i = 0; i < size.AceCount; i++) {
        void *entry = NULL;
        if (!GetAce(list, i, &entry)) {
            continue;
        }
        const ACCESS_ALLOWED_ACE *allowed = entry;
        if (allowed->Header.AceType == ACCESS_ALLOWED_ACE_TYPE &&
            (allowed->Header.AceFlags & INHERIT_ONLY_ACE) == 0 &&
            EqualSid((PSID)(uintptr_t)&allowed->SidStart, sid) &&
            (allowed->Mask & rights) == rights) {
            return true;
        }
    }
    return false;
}

/* Adds the account's rights to the list, and gives the object that list. */
static DWORD setup_add_rights(HANDLE object, SE_OBJECT_TYPE type, PACL former, PSID sid,
                              DWORD rights)
{
    EXPLICIT_ACCESSW access;
    PACL next = NULL;
    memset(&access, 0, sizeof access);
    access.grfAccessPermissions = rights;
    access.grfAccessMode = GRANT_ACCESS;
    access.grfInheritance = SUB_CONTAINERS_AND_OBJECTS_INHERIT;
    access.Trustee.TrusteeForm = TRUSTEE_IS_SID;
    access.Trustee.ptstrName = sid;
    DWORD error = SetEntriesInAclW(1, &access, former, &next);
    if (error != ERROR_SUCCESS) {
        return error;
    }
    error = SetSecurityInfo(object, type, DACL_SECURITY_INFORMATION, NULL, NULL, next, NULL);
    LocalFree(next);
    return error;
}

/* Grants the rights on the object and what is below it, unless the account has them. `object` is
 * open with READ_CONTROL and WRITE_DAC. */
static void setup_grant(struct setup *setup, const struct setup_account *account, HANDLE object,
                        SE_OBJECT_TYPE type, DWORD rights, const char *what)
{
    PSECURITY_DESCRIPTOR descriptor = NULL;
    PACL former = NULL;
    PSID sid = (PSID)(uintptr_t)account->sid;
    DWORD error = GetSecurityInfo(object, type, DACL_SECURITY_INFORMATION, NULL, NULL, &former,
                                  NULL, &descriptor);
    bool there = error == ERROR_SUCCESS && setup_has_rights(former, sid, rights);
    if (error == ERROR_SUCCESS && !there && !setup->options->dry_run) {
        error = setup_add_rights(object, type, former, sid, rights);
    }
    if (error != ERROR_SUCCESS) {
        setup_report(setup, SETUP_FAILED, "%s for %s: error %lu", what, account->name, error);
    } else {
        setup_report(setup, there ? SETUP_THERE : SETUP_DONE, "%s for %s", what, account->name);
    }
    LocalFree(descriptor);
}

/* With --dry-run the object may not exist yet. */
static void setup_grant_later(struct setup *setup, const struct setup_account *account, DWORD error,
                              const char *what)
{
    if (setup->options->dry_run) {
        setup_report(setup, SETUP_DONE, "%s for %s", what, account->name);
    } else {
        setup_report(setup, SETUP_FAILED, "%s for %s: error %lu", what, account->name, error);
    }
}

static void setup_map_key(struct setup *setup, const struct setup_account *account)
{
    HKEY opened = NULL;
    struct plat_registry_key key = {NULL};
    enum plat_io io = plat_registry_open(NULL, REGISTRY_PROVIDERS, PLAT_REGISTRY_READ, &key);
    bool there = io == PLAT_IO_OK;
    plat_registry_close(&key);
    if (!there && !setup->options->dry_run) {
        io = plat_registry_create(NULL, REGISTRY_PROVIDERS, &key);
        plat_registry_close(&key);
        if (io != PLAT_IO_OK) {
            setup_report(setup, SETUP_FAILED, "registry key of the map: %s", plat_io_text(io));
            return;
        }
    }
    setup_report(setup, there ? SETUP_THERE : SETUP_DONE, "HKLM\\%s", REGISTRY_PROVIDERS);
    LSTATUS error = RegOpenKeyExW(HKEY_LOCAL_MACHINE, MAP_PATH, 0,
                                  READ_CONTROL | WRITE_DAC | KEY_WOW64_64KEY, &opened);
    if (error != ERROR_SUCCESS) {
        setup_grant_later(setup, account, (DWORD)error, "full control of that key");
        return;
    }
    setup_grant(setup, account, opened, SE_REGISTRY_KEY, KEY_ALL_ACCESS,
                "full control of that key");
    RegCloseKey(opened);
}

/* A folder or a file; only BACKUP_SEMANTICS opens a folder. */
static void setup_grant_path(struct setup *setup, const struct setup_account *account,
                             const wchar_t *path, DWORD rights, const char *what)
{
    HANDLE opened = CreateFileW(path, READ_CONTROL | WRITE_DAC, FILE_SHARE_READ | FILE_SHARE_WRITE,
                                NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    if (opened == INVALID_HANDLE_VALUE) {
        setup_grant_later(setup, account, GetLastError(), what);
        return;
    }
    setup_grant(setup, account, opened, SE_FILE_OBJECT, rights, what);
    CloseHandle(opened);
}

/* For a map in a file, which keymap_file names. The folder above must exist. */
static void setup_map_folder(struct setup *setup, const struct setup_account *account)
{
    char folder[PATH_UNITS];
    wchar_t wide[PATH_UNITS];
    bool named = path_folder(setup->config->keymap_file, folder, sizeof folder);
    bool there = named && plat_folder_exists(folder);
    enum plat_io io = named ? PLAT_IO_OK : PLAT_IO_FAILED;
    if (named && !there && !setup->options->dry_run) {
        io = plat_folder_for(setup->config->keymap_file);
    }
    if (io != PLAT_IO_OK || !path_native(folder, wide, PATH_UNITS)) {
        setup_report(setup, SETUP_FAILED, "folder of the map %s: %s", setup->config->keymap_file,
                     plat_io_text(io));
        return;
    }
    setup_report(setup, there ? SETUP_THERE : SETUP_DONE, "folder of the map %s", folder);
    setup_grant_path(setup, account, wide, FILE_ALL_ACCESS, "full control of that folder");
}

/* The package, or setup for another instance, has made the folder. */
static void setup_share_data_folder(struct setup *setup, const struct setup_account *account,
                                    const char *path)
{
    wchar_t wide[PATH_UNITS];
    bool safe = path_folder_trusted(path);
    setup_report(setup, safe ? SETUP_THERE : SETUP_FAILED, "folder %s%s", path,
                 safe ? "" : ": others may write it; see docs/admin.md, On Windows, for icacls");
    if (safe && path_native(path, wide, PATH_UNITS)) {
        setup_grant_path(setup, account, wide, FILE_GENERIC_READ | FILE_GENERIC_EXECUTE,
                         "reading that folder");
    }
}

/* Any user may create folders under %ProgramData%, so this one gets rights of its own. */
static void setup_data_folder(struct setup *setup, const struct setup_account *account)
{
    char path[1100], sddl[300];
    wchar_t wide[PATH_UNITS], wide_sddl[300];
    char *sid = NULL;
    SECURITY_ATTRIBUTES security = {sizeof security, NULL, FALSE};
    if (!default_paths_config(0, path, sizeof path) || strrchr(path, '\\') == NULL ||
        !ConvertSidToStringSidA((PSID)(uintptr_t)account->sid, &sid)) {
        setup_report(setup, SETUP_FAILED, "the folder of the configuration cannot be named");
        return;
    }
    *strrchr(path, '\\') = '\0';
    if (plat_folder_exists(path)) {
        setup_share_data_folder(setup, account, path);
        LocalFree(sid);
        return;
    }
    (void)text_format(sddl, sizeof sddl,
                      "O:BAD:PAI(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)(A;OICI;0x1200a9;;;%s)", sid);
    bool done = setup->options->dry_run ||
                (path_widen(sddl, wide_sddl, 300) && path_native(path, wide, PATH_UNITS) &&
                 ConvertStringSecurityDescriptorToSecurityDescriptorW(
                     wide_sddl, SDDL_REVISION_1, &security.lpSecurityDescriptor, NULL) &&
                 CreateDirectoryW(wide, &security));
    setup_report(setup, done ? SETUP_DONE : SETUP_FAILED,
                 "folder %s, written by administrators, read by %s", path, account->name);
    LocalFree(security.lpSecurityDescriptor);
    LocalFree(sid);
}

/* The service may not create files in that folder, so setup creates the log for it. */
static void setup_log_file(struct setup *setup, const struct setup_account *account)
{
    char path[1100];
    wchar_t wide[PATH_UNITS];
    if (!default_paths_config(0, path, sizeof path - 4) || strrchr(path, '.') == NULL) {
        return;
    }
    memcpy(strrchr(path, '.'), ".log", 5);
    if (!path_native(path, wide, PATH_UNITS)) {
        return;
    }
    bool there = GetFileAttributesW(wide) != INVALID_FILE_ATTRIBUTES;
    if (!there && !setup->options->dry_run) {
        HANDLE file = CreateFileW(wide, GENERIC_WRITE, FILE_SHARE_READ, NULL, CREATE_NEW,
                                  FILE_ATTRIBUTE_NORMAL, NULL);
        if (file == INVALID_HANDLE_VALUE) {
            setup_report(setup, SETUP_FAILED, "log %s: error %lu", path, GetLastError());
            return;
        }
        CloseHandle(file);
    }
    setup_report(setup, there ? SETUP_THERE : SETUP_DONE, "log %s", path);
    setup_grant_path(setup, account, wide,
                     FILE_GENERIC_READ | FILE_GENERIC_WRITE | FILE_GENERIC_EXECUTE | DELETE,
                     "writing that log");
}

static enum plat_io setup_make_event_source(const char *library)
{
    struct plat_registry_key key = {NULL};
    enum plat_io io = plat_registry_create(NULL, SOURCE_KEY, &key);
    if (io != PLAT_IO_OK) {
        goto out;
    }
    io = plat_registry_set_text(&key, "EventMessageFile", library);
    if (io != PLAT_IO_OK) {
        goto out;
    }
    io = plat_registry_set_number(&key, "TypesSupported", EVENT_TYPES);
out:
    plat_registry_close(&key);
    return io;
}

static void setup_event_source(struct setup *setup)
{
    char path[PLAT_REGISTRY_TEXT_MAX + 1] = "";
    struct plat_registry_key key = {NULL};
    bool there =
        plat_registry_open(NULL, SOURCE_KEY, PLAT_REGISTRY_READ, &key) == PLAT_IO_OK &&
        plat_registry_text(&key, NULL, "EventMessageFile", path, sizeof path) == PLAT_IO_OK &&
        text_equal_nocase(path, setup->library);
    plat_registry_close(&key);
    enum plat_io io = PLAT_IO_OK;
    if (!there && !setup->options->dry_run) {
        io = setup_make_event_source(setup->library);
    }
    setup_report(setup,
                 io != PLAT_IO_OK ? SETUP_FAILED
                 : there          ? SETUP_THERE
                                  : SETUP_DONE,
                 "event source akv-ekm with the texts of %s%s%s", there ? path : setup->library,
                 io != PLAT_IO_OK ? ": " : "", io != PLAT_IO_OK ? plat_io_text(io) : "");
}

void setup_machine(struct setup *setup)
{
    struct setup_account account;
    memset(&account, 0, sizeof account);
    if (!setup_find_account(setup, &account)) {
        return;
    }
    if (setup->config->keymap_file[0] != '\0') {
        setup_map_folder(setup, &account);
    } else {
        setup_map_key(setup, &account);
    }
    setup_data_folder(setup, &account);
    setup_log_file(setup, &account);
    setup_event_source(setup);
}
