/*
 * A clock that stands still unless moved, for programs that wrap plat_now_ms, plat_unix_time_ms and
 * plat_cond_wait_until: waiting moves it to the end of the wait.
 *
 * Any thread. A standing clock does not give up the mutex in a wait: tests with threads let it run.
 */
#ifndef AKVEKM_TESTS_FAKE_CLOCK_H
#define AKVEKM_TESTS_FAKE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "platform/system.h"
#include "platform/thread.h"

#define FAKE_UNIX_TIME_MS ((int64_t)1700000000000) /* Tue, 14 Nov 2023 22:13:20 GMT */

void fake_clock_reset(void); /* both clocks at their start; the monotonic one at 1000000 */
void fake_clock_advance(uint64_t ms);
bool fake_clock_used(void); /* whether this program asked it for the time since the reset */
/* From now to the reset time goes by itself and waits really wait, for tests with threads;
 * advancing still moves it on. */
void fake_clock_run(void);

uint64_t __wrap_plat_now_ms(void);
int64_t __wrap_plat_unix_time_ms(void);
void __wrap_plat_cond_wait_until(struct plat_cond *cond, struct plat_mutex *mutex,
                                 uint64_t until_ms);

#endif
