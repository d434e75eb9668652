/*
 * The life of the provider: counted Initialize and Free, and the count of running calls.
 *
 * Owns the state, the configuration, and the number of running calls. Any thread. The configuration
 * does not change between a successful provider_enter and its provider_leave. In a forked child
 * everything is closed (specification.md section 1).
 */
#ifndef AKVEKM_PROVIDER_PROVIDER_H
#define AKVEKM_PROVIDER_PROVIDER_H

#include <stdatomic.h>

#include "base/config.h"

/* EKM_OK, EKM_CLOSING in a forked child, or why it could not start. The system log then has the
 * reason, and nothing has changed. */
enum ekm_rc provider_initialize(void) EKM_MUST_CHECK;
/* EKM_OK, or EKM_FAILURE if calls still run after PROVIDER_CLOSE_WAIT_MS: nothing is closed, and
 * the next Free tries again. */
enum ekm_rc provider_free(void) EKM_MUST_CHECK;
#define PROVIDER_CLOSE_WAIT_MS 5000

/* EKM_OK and the configuration, or EKM_CLOSING. Call provider_leave only after EKM_OK. */
enum ekm_rc provider_enter(const struct config **out) EKM_MUST_CHECK;
void provider_leave(void);

/* EKM_CLOSING in a forked child, where threads that do not exist may hold locks, and once the
 * process ends. */
enum ekm_rc provider_check_process(void) EKM_MUST_CHECK;

/* The abort flag of calls that have no session. */
const atomic_bool *provider_closing(void);

#endif
