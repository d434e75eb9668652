#include "fake_clock.h"

#include <stdatomic.h>

#define START_MS 1000000

static _Atomic uint64_t now_ms = START_MS;
static atomic_bool used;

void fake_clock_reset(void)
{
    atomic_store(&now_ms, START_MS);
    atomic_store(&used, false);
}

void fake_clock_advance(uint64_t ms)
{
    atomic_fetch_add(&now_ms, ms);
}

bool fake_clock_used(void)
{
    return atomic_load(&used);
}

uint64_t __wrap_plat_now_ms(void)
{
    atomic_store(&used, true);
    return atomic_load(&now_ms);
}

int64_t __wrap_plat_unix_time_ms(void)
{
    return FAKE_UNIX_TIME_MS + (int64_t)(atomic_load(&now_ms) - START_MS);
}

void __wrap_plat_cond_wait_until(struct plat_cond *cond, struct plat_mutex *mutex,
                                 uint64_t until_ms)
{
    (void)cond;
    (void)mutex;
    if (atomic_load(&now_ms) < until_ms) {
        atomic_store(&now_ms, until_ms);
    }
}
