/*
 * The login that a thread of the engine impersonates, set aside while the library works: files,
 * registry, certificate store, proxy settings and event log are to be those of the service.
 *
 * Owns nothing; a struct plat_impersonation lives on the stack of one thread between leave and
 * restore. On POSIX no thread impersonates, and these do nothing.
 */
#ifndef AKVEKM_PLATFORM_IMPERSONATION_H
#define AKVEKM_PLATFORM_IMPERSONATION_H

#include <stdbool.h>
#include <stdint.h>

struct plat_impersonation {
    void *token; /* NULL: the thread is the service anyway */
};

/* False, and why: the thread goes on as the login, because it cannot be told which one to become
 * again, or will not let go of it. Nothing that the service owns may be touched then. */
bool plat_impersonation_leave(struct plat_impersonation *login, uint32_t *error);

/* False, and why: the thread is still the service. Whoever gets this calls plat_impersonation_drop
 * before the thread leaves the library. */
bool plat_impersonation_restore(struct plat_impersonation *login, uint32_t *error);

/* Makes the thread nobody: what the engine does next on it is refused, not done with the rights of
 * the service. Ends the process where not even that is possible. */
void plat_impersonation_drop(void);

#endif
