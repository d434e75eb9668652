#include "platform/thread.h"

#include <windows.h>

#include "platform/system.h"

/* thread.h does not include windows.h, so that its thousands of names stay out of the library's
 * files. */
_Static_assert(sizeof(SRWLOCK) == sizeof(void *), "a mutex is one pointer, empty when free");
_Static_assert(sizeof(CONDITION_VARIABLE) == sizeof(void *), "a condition is one pointer");

static SRWLOCK *lock_of(struct plat_mutex *mutex)
{
    return (SRWLOCK *)&mutex->native;
}

void plat_mutex_lock(struct plat_mutex *mutex)
{
    AcquireSRWLockExclusive(lock_of(mutex));
}

void plat_mutex_unlock(struct plat_mutex *mutex)
{
    ReleaseSRWLockExclusive(lock_of(mutex));
}

void plat_cond_broadcast(struct plat_cond *cond)
{
    WakeAllConditionVariable((CONDITION_VARIABLE *)&cond->native);
}

void plat_cond_wait_until(struct plat_cond *cond, struct plat_mutex *mutex, uint64_t until_ms)
{
    uint64_t now_ms = plat_now_ms();
    uint64_t wait_ms = until_ms > now_ms ? until_ms - now_ms : 0;
    DWORD slice_ms = wait_ms < INT32_MAX ? (DWORD)wait_ms : INT32_MAX;
    (void)SleepConditionVariableSRW((CONDITION_VARIABLE *)&cond->native, lock_of(mutex), slice_ms,
                                    0);
}

/* Windows has neither fork nor SIGPIPE. */
bool plat_on_fork_child(void (*handler)(void))
{
    (void)handler;
    return true;
}

bool plat_on_exit(void (*handler)(void))
{
    (void)handler;
    return true;
}

void plat_signals_hold(struct plat_signals *signals)
{
    signals->held = false;
}

void plat_signals_release(struct plat_signals *signals)
{
    signals->held = false;
}

void plat_signals_restore(struct plat_signals *signals)
{
    signals->held = false;
}
