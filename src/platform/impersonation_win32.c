#include "platform/impersonation.h"

#include <windows.h>

#define TRIES    4
#define PAUSE_MS 5

/* Opens the token with the rights of the service, because the login may have no right to its own
 * token. */
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

/* Retries, so that a short lack of memory does not lose the login. */
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

/* A thread with more rights than its login is worse than no process. Windows' documentation advises
 * the same if a login cannot be restored. */
void plat_impersonation_drop(void)
{
    if (!ImpersonateAnonymousToken(GetCurrentThread())) {
        RaiseFailFastException(NULL, NULL, 0);
    }
}
