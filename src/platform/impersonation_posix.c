#include "platform/impersonation.h"

#include <stddef.h>

bool plat_impersonation_leave(struct plat_impersonation *login, uint32_t *error)
{
    login->token = NULL;
    *error = 0;
    return true;
}

bool plat_impersonation_restore(struct plat_impersonation *login, uint32_t *error)
{
    (void)login;
    *error = 0;
    return true;
}

void plat_impersonation_drop(void)
{
}
