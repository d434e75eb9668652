/*
 * Sets the login that a thread of the engine impersonates aside while the library works, so that
 * files, registry, certificate store, proxy settings and event log are those of the service.
 *
 * Owns nothing; a struct plat_impersonation is on the stack of one thread between leave and
 * restore. On POSIX no thread impersonates, and these functions do nothing.
 */
#ifndef AKVEKM_PLATFORM_IMPERSONATION_H
#define AKVEKM_PLATFORM_IMPERSONATION_H

#include <stdbool.h>
#include <stdint.h>

struct plat_impersonation {
    void *token; /* NULL: the thread does not impersonate */
};

/* False, with the system's error number: the thread is still the login, because its login cannot be
 * read or set aside. The caller must not touch anything that belongs to the service. */
bool plat_impersonation_leave(struct plat_impersonation *login, uint32_t *error);

/* False, with the system's error number: the thread is still the service. The caller must call
 * plat_impersonation_drop before the thread leaves the library. */
bool plat_impersonation_restore(struct plat_impersonation *login, uint32_t *error);

/* Makes the thread anonymous, so that the engine's next actions on it are refused instead of
 * running with the rights of the service. Ends the process if even that fails. */
void plat_impersonation_drop(void);

#endif
