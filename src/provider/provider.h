/*
 * The life of the provider: counted Initialize and Free, and the gate that every other call passes.
 *
 * Owns the state, the configuration, and the number of calls inside. Any thread. The configuration
 * stays as it is between a successful provider_enter and its provider_leave. In a forked child
 * everything is closed (specification.md section 1).
 */
#ifndef AKVEKM_PROVIDER_PROVIDER_H
#define AKVEKM_PROVIDER_PROVIDER_H

#include <stdatomic.h>

#include "base/config.h"

/* EKM_OK, EKM_CLOSING in a forked child, or why it could not start; the system log then says so,
 * and all is as before. */
enum ekm_rc provider_initialize(void) EKM_MUST_CHECK;
/* EKM_OK, or EKM_FAILURE if calls still run after PROVIDER_CLOSE_WAIT_MS: nothing is torn down, the
 * next Free tries again. */
enum ekm_rc provider_free(void) EKM_MUST_CHECK;
#define PROVIDER_CLOSE_WAIT_MS 5000

/* EKM_OK and the configuration, or EKM_CLOSING; only after EKM_OK is there a leave. */
enum ekm_rc provider_enter(const struct config **out) EKM_MUST_CHECK;
void provider_leave(void);

/* EKM_CLOSING in a forked child, where locks may be held by threads that do not exist there, and
 * once the process ends. */
enum ekm_rc provider_check_process(void) EKM_MUST_CHECK;

/* The abort flag of calls that have no session. */
const atomic_bool *provider_closing(void);

#endif
