#include "platform/path_win32.h"

#include <stdlib.h>
#include <windows.h>

#include <aclapi.h>

/* Rights to change content, attributes or rights, or to replace the object. */
#define CHANGING                                                                                   \
    (FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_WRITE_EA | FILE_WRITE_ATTRIBUTES |                  \
     FILE_DELETE_CHILD | DELETE | WRITE_DAC | WRITE_OWNER | GENERIC_WRITE | GENERIC_ALL)

/* The account of the process's token, and the services it runs as. */
struct account {
    TOKEN_USER *user;
    TOKEN_GROUPS *groups;
};

static void *token_part(HANDLE token, TOKEN_INFORMATION_CLASS part)
{
    DWORD bytes = 0;
    (void)GetTokenInformation(token, part, NULL, 0, &bytes);
    void *data = bytes > 0 ? malloc(bytes) : NULL;
    if (data != NULL && !GetTokenInformation(token, part, data, bytes, &bytes)) {
        free(data);
        data = NULL;
    }
    return data;
}

/* The process's own account, not that of a login that the thread impersonates. */
static bool read_account(struct account *out)
{
    HANDLE token = NULL;
    *out = (struct account){NULL, NULL};
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) {
        return false;
    }
    out->user = token_part(token, TokenUser);
    out->groups = token_part(token, TokenGroups);
    (void)CloseHandle(token);
    return out->user != NULL;
}

static void free_account(struct account *account)
{
    free(account->user);
    free(account->groups);
}

static bool has_authority(PSID sid, DWORD first, UCHAR least_count)
{
    static const SID_IDENTIFIER_AUTHORITY nt = {SECURITY_NT_AUTHORITY};
    const SID_IDENTIFIER_AUTHORITY *authority = GetSidIdentifierAuthority(sid);
    return memcmp(authority, &nt, sizeof nt) == 0 && *GetSidSubAuthorityCount(sid) >= least_count &&
           *GetSidSubAuthority(sid, 0) == first;
}

/* NT SERVICE\name (six parts; S-1-5-80-0 means all services and does not count). If SQL Server runs
 * under a domain account, its set-up gives rights to this group of the token. */
static bool is_own_service(const struct account *account, PSID sid)
{
    if (account->groups == NULL || !has_authority(sid, SECURITY_SERVICE_ID_BASE_RID, 6)) {
        return false;
    }
    for (DWORD i = 0; i < account->groups->GroupCount; i++) {
        const SID_AND_ATTRIBUTES *group = &account->groups->Groups[i];
        if ((group->Attributes & SE_GROUP_ENABLED) != 0 && EqualSid(group->Sid, sid)) {
            return true;
        }
    }
    return false;
}

static bool is_trusted_installer(PSID sid)
{
    static const DWORD parts[] = {80, 956008885, 3418522649, 1831038044, 1853292631, 2271478464};
    bool same = has_authority(sid, parts[0], 6) && *GetSidSubAuthorityCount(sid) == 6;
    for (DWORD i = 1; same && i < 6; i++) {
        same = *GetSidSubAuthority(sid, i) == parts[i];
    }
    return same;
}

static bool is_trusted_sid(const struct account *account, PSID sid)
{
    return sid != NULL && IsValidSid(sid) &&
           (EqualSid(sid, account->user->User.Sid) || IsWellKnownSid(sid, WinLocalSystemSid) ||
            IsWellKnownSid(sid, WinBuiltinAdministratorsSid) || is_trusted_installer(sid) ||
            is_own_service(account, sid));
}

/* False if the entry lets another account change the object, or is of an unknown kind. */
static bool is_harmless(const struct account *account, ACE_HEADER *header)
{
    ACCESS_ALLOWED_ACE *ace = (ACCESS_ALLOWED_ACE *)header;
    switch (header->AceType) {
    case ACCESS_DENIED_ACE_TYPE:
    case ACCESS_DENIED_OBJECT_ACE_TYPE:
    case ACCESS_DENIED_CALLBACK_ACE_TYPE:
    case ACCESS_DENIED_CALLBACK_OBJECT_ACE_TYPE:
        return true;
    case ACCESS_ALLOWED_ACE_TYPE:
    case ACCESS_ALLOWED_CALLBACK_ACE_TYPE:
        return (header->AceFlags & INHERIT_ONLY_ACE) != 0 || (ace->Mask & CHANGING) == 0 ||
               is_trusted_sid(account, &ace->SidStart);
    default:
        return false;
    }
}

static bool is_list_harmless(const struct account *account, ACL *list)
{
    bool harmless = list != NULL; /* no list at all: everybody may do everything */
    for (DWORD i = 0; harmless && i < list->AceCount; i++) {
        void *ace = NULL;
        harmless = GetAce(list, i, &ace) && is_harmless(account, ace);
    }
    return harmless;
}

bool path_trusted(void *native_handle)
{
    struct account account;
    PSID owner = NULL;
    ACL *list = NULL;
    PSECURITY_DESCRIPTOR descriptor = NULL;
    DWORD status = GetSecurityInfo(native_handle, SE_FILE_OBJECT,
                                   OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION, &owner,
                                   NULL, &list, NULL, &descriptor);
    bool trusted = read_account(&account) && status == ERROR_SUCCESS &&
                   is_trusted_sid(&account, owner) && is_list_harmless(&account, list);
    free_account(&account);
    if (descriptor != NULL) {
        (void)LocalFree(descriptor);
    }
    return trusted;
}
