#include "platform/thread.h"

#include <errno.h>
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

void plat_sigpipe_hold(struct plat_sigpipe *sigpipe)
{
    sigset_t pipe_only, pending;
    sigpipe->held = false;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    /* One that waits already is the host's: it stays where it is, and is not mistaken for ours. */
    if (sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1) {
        return;
    }
    sigpipe->held = pthread_sigmask(SIG_BLOCK, &pipe_only, &sigpipe->former_mask) == 0;
}

void plat_sigpipe_release(struct plat_sigpipe *sigpipe)
{
    const struct timespec now = {0, 0};
    sigset_t pipe_only;
    if (!sigpipe->held) {
        return;
    }
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    while (sigtimedwait(&pipe_only, NULL, &now) < 0 && errno == EINTR) {
    }
    (void)pthread_sigmask(SIG_SETMASK, &sigpipe->former_mask, NULL);
    sigpipe->held = false;
}
