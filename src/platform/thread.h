/*
 * Mutexes, conditions and other services for threads.
 *
 * Owns nothing. Every object is static and needs no set-up or tear-down, so that an entry may use
 * it before the first Initialize. Any layer and thread. A mutex is not recursive and guards no I/O.
 */
#ifndef AKVEKM_PLATFORM_THREAD_H
#define AKVEKM_PLATFORM_THREAD_H

#include <stdbool.h>
#include <stdint.h>

/* clang-format off */
#ifdef _WIN32
struct plat_mutex { void *native; };
struct plat_cond { void *native; };
#define PLAT_MUTEX_INIT { 0 }
#define PLAT_COND_INIT { 0 }
#else
#include <pthread.h>
#include <signal.h>
struct plat_mutex { pthread_mutex_t native; };
struct plat_cond { pthread_cond_t native; };
#define PLAT_MUTEX_INIT { PTHREAD_MUTEX_INITIALIZER }
#define PLAT_COND_INIT { PTHREAD_COND_INITIALIZER }
#endif
/* clang-format on */

void plat_mutex_lock(struct plat_mutex *mutex);
void plat_mutex_unlock(struct plat_mutex *mutex);

void plat_cond_broadcast(struct plat_cond *cond);

/* Waits until a broadcast or until plat_now_ms() reaches `until_ms`. Spurious wake-ups happen. */
void plat_cond_wait_until(struct plat_cond *cond, struct plat_mutex *mutex, uint64_t until_ms);

/* Runs `handler` in every child that the process forks after this call. False: the system
 * refused. */
bool plat_on_fork_child(void (*handler)(void));
/* Runs `handler` at the normal end of the process, while other threads still run. Never on Windows,
 * where they have ended by then. False: the system refused. */
bool plat_on_exit(void (*handler)(void));

/* Blocks the signals that a write may raise (SIGPIPE; SIGXFSZ at a limit of file sizes) for this
 * thread between hold and release, and removes those that came meanwhile. So the engine's own
 * signal handling is unchanged. Hold and release must pair up in one thread. */
struct plat_signals {
#ifndef _WIN32
    sigset_t former_mask, caught;
#endif
    bool held;
};
void plat_signals_hold(struct plat_signals *signals);
void plat_signals_release(struct plat_signals *signals);
/* Instead of release, if no write failed and so no signal came. */
void plat_signals_restore(struct plat_signals *signals);

#endif
