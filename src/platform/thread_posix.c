#include "platform/thread.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

void plat_mutex_lock(struct plat_mutex *mutex)
{
    (void)pthread_mutex_lock(&mutex->native);
}

void plat_mutex_unlock(struct plat_mutex *mutex)
{
    (void)pthread_mutex_unlock(&mutex->native);
}

void plat_cond_broadcast(struct plat_cond *cond)
{
    (void)pthread_cond_broadcast(&cond->native);
}

void plat_cond_wait_until(struct plat_cond *cond, struct plat_mutex *mutex, uint64_t until_ms)
{
    struct timespec until = {(time_t)(until_ms / 1000), (long)(until_ms % 1000) * 1000000};
    (void)pthread_cond_clockwait(&cond->native, &mutex->native, CLOCK_MONOTONIC, &until);
}

bool plat_on_fork_child(void (*handler)(void))
{
    return pthread_atfork(NULL, NULL, handler) == 0;
}

bool plat_on_exit(void (*handler)(void))
{
    return atexit(handler) == 0;
}

void plat_signals_hold(struct plat_signals *signals)
{
    static const int numbers[] = {SIGPIPE, SIGXFSZ};
    sigset_t pending;
    bool looked = false;
    sigemptyset(&signals->caught);
    sigaddset(&signals->caught, SIGPIPE);
    sigaddset(&signals->caught, SIGXFSZ);
    signals->held = pthread_sigmask(SIG_BLOCK, &signals->caught, &signals->former_mask) == 0;
    for (size_t i = 0; signals->held && i < sizeof numbers / sizeof numbers[0]; i++) {
        /* A signal that is already pending belongs to the engine, which must have blocked it
         * before. It stays pending. */
        if (sigismember(&signals->former_mask, numbers[i]) == 1) {
            looked = looked || sigpending(&pending) == 0;
            if (!looked || sigismember(&pending, numbers[i]) == 1) {
                sigdelset(&signals->caught, numbers[i]);
            }
        }
    }
}

void plat_signals_release(struct plat_signals *signals)
{
    const struct timespec now = {0, 0};
    int number;
    if (!signals->held) {
        return;
    }
    do {
        number = sigtimedwait(&signals->caught, NULL, &now);
    } while (number > 0 || errno == EINTR);
    plat_signals_restore(signals);
}

void plat_signals_restore(struct plat_signals *signals)
{
    if (signals->held) {
        (void)pthread_sigmask(SIG_SETMASK, &signals->former_mask, NULL);
        signals->held = false;
    }
}
