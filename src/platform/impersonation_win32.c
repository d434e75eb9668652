#include "platform/impersonation.h"

#include <windows.h>

#define TRIES    4
#define PAUSE_MS 5

/* The token is opened with the rights of the service: the login need not have any to its own. */
bool plat_impersonation_leave(struct plat_impersonation *login, uint32_t *error)
{
    HANDLE token = NULL;
    login->token = NULL;
    *error = 0;
    if (!OpenThreadToken(GetCurrentThread(), TOKEN_IMPERSONATE, TRUE, &token)) {
        *error = GetLastError();
        return *error == ERROR_NO_TOKEN;
    }
    if (!SetThreadToken(NULL, NULL)) {
        *error = GetLastError();
        (void)CloseHandle(token);
        return false;
    }
    login->token = token;
    return true;
}

/* A moment without memory must not cost the login. */
bool plat_impersonation_restore(struct plat_impersonation *login, uint32_t *error)
{
    HANDLE token = login->token;
    *error = 0;
    if (token == NULL) {
        return true;
    }
    login->token = NULL;
    bool back = SetThreadToken(NULL, token);
    for (int i = 1; i < TRIES && !back; i++) {
        *error = GetLastError();
        Sleep(PAUSE_MS);
        back = SetThreadToken(NULL, token);
    }
    (void)CloseHandle(token);
    return back;
}

/* A thread with more rights than its login's is worse than no process. Windows' own advice for a
 * login that cannot be changed back is the same. */
void plat_impersonation_drop(void)
{
    if (!ImpersonateAnonymousToken(GetCurrentThread())) {
        RaiseFailFastException(NULL, NULL, 0);
    }
}
