#include "fake_clock.h"

#include <stdatomic.h>
#include <time.h>
#ifdef _WIN32
#include <windows.h>
#endif

#define START_MS 1000000

static _Atomic uint64_t now_ms = START_MS;
static atomic_bool used, running;

static uint64_t real_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The wrapped functions cannot be called here: they would ask the wrapped clock. */
static void wait_really(struct plat_cond *cond, struct plat_mutex *mutex, uint64_t until_ms)
{
#ifdef _WIN32
    uint64_t ms = real_ms();
    (void)SleepConditionVariableSRW((CONDITION_VARIABLE *)&cond->native, (SRWLOCK *)&mutex->native,
                                    until_ms > ms ? (DWORD)(until_ms - ms) : 0, 0);
#else
    struct timespec until = {(time_t)(until_ms / 1000), (long)(until_ms % 1000) * 1000000};
    (void)pthread_cond_clockwait(&cond->native, &mutex->native, CLOCK_MONOTONIC, &until);
#endif
}

void fake_clock_reset(void)
{
    atomic_store(&now_ms, START_MS);
    atomic_store(&used, false);
    atomic_store(&running, false);
}

void fake_clock_run(void)
{
    atomic_store(&running, true);
}

void fake_clock_advance(uint64_t ms)
{
    atomic_fetch_add(&now_ms, ms);
}

bool fake_clock_used(void)
{
    return atomic_load(&used) && !atomic_load(&running);
}

uint64_t __wrap_plat_now_ms(void)
{
    atomic_store(&used, true);
    return atomic_load(&now_ms) + (atomic_load(&running) ? real_ms() : 0);
}

int64_t __wrap_plat_unix_time_ms(void)
{
    return FAKE_UNIX_TIME_MS + (int64_t)(atomic_load(&now_ms) - START_MS);
}

void __wrap_plat_cond_wait_until(struct plat_cond *cond, struct plat_mutex *mutex,
                                 uint64_t until_ms)
{
    if (atomic_load(&running)) {
        uint64_t real_until_ms = until_ms - atomic_load(&now_ms);
        wait_really(cond, mutex, real_until_ms);
        return;
    }
    if (atomic_load(&now_ms) < until_ms) {
        atomic_store(&now_ms, until_ms);
    }
}
