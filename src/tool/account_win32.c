#include "tool/account.h"

#include <windows.h>

#include <lmcons.h>

#include "base/text.h"
#include "platform/path_win32.h"

bool account_become(const char *name, char *why, size_t cap)
{
    if (name != NULL) {
        (void)text_copy(why, cap,
                        "on Windows --user is not possible: start the tool as that account");
        return false;
    }
    return true;
}

void account_describe(char *out, size_t cap)
{
    wchar_t name[UNLEN + 1];
    char text[3 * UNLEN + 1] = "no name";
    DWORD len = UNLEN + 1;
    if (GetUserNameW(name, &len)) {
        (void)path_narrow(name, text, sizeof text);
    }
    (void)text_format(out, cap, "%.200s%s", text,
                      account_is_administrator() ? " (administrator)" : "");
}

bool account_is_administrator(void)
{
    SID_IDENTIFIER_AUTHORITY authority = {SECURITY_NT_AUTHORITY};
    PSID group = NULL;
    BOOL member = FALSE;
    if (AllocateAndInitializeSid(&authority, 2, SECURITY_BUILTIN_DOMAIN_RID,
                                 DOMAIN_ALIAS_RID_ADMINS, 0, 0, 0, 0, 0, 0, &group)) {
        if (!CheckTokenMembership(NULL, group, &member)) {
            member = FALSE;
        }
        FreeSid(group);
    }
    return member != FALSE;
}

bool account_has_terminal(void)
{
    DWORD mode = 0;
    return GetConsoleMode(GetStdHandle(STD_INPUT_HANDLE), &mode) != 0;
}

void account_set_echo(bool on)
{
    HANDLE input = GetStdHandle(STD_INPUT_HANDLE);
    DWORD mode = 0;
    if (GetConsoleMode(input, &mode)) {
        mode = on ? mode | ENABLE_ECHO_INPUT : mode & ~(DWORD)ENABLE_ECHO_INPUT;
        (void)SetConsoleMode(input, mode);
    }
}
