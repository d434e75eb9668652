#include "pause.h"

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "encode.h"

#define LOOK_MS 20 /* how often a hang checks whether its client is still connected */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static unsigned releases;
static bool is_stopping;

void pause_init(void)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

static bool is_gone(int fd)
{
    struct pollfd look = {.fd = fd, .events = POLLRDHUP};
    return poll(&look, 1, 0) > 0 && (look.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

enum pause_end pause_for(int64_t duration_ms, int fd)
{
    enum pause_end end = PAUSE_TIME;
    int64_t until_ms = clock_ms() + duration_ms, now_ms = 0;
    pthread_mutex_lock(&lock);
    unsigned releases_before = releases;
    while ((now_ms = clock_ms()) < until_ms) {
        if (is_stopping || (fd >= 0 && (releases != releases_before || is_gone(fd)))) {
            end = is_stopping                   ? PAUSE_STOPPED
                  : releases != releases_before ? PAUSE_RELEASED
                                                : PAUSE_GONE;
            break;
        }
        int64_t wake_ms = fd >= 0 && now_ms + LOOK_MS < until_ms ? now_ms + LOOK_MS : until_ms;
        struct timespec wake = {wake_ms / 1000, wake_ms % 1000 * 1000000};
        pthread_cond_timedwait(&changed, &lock, &wake);
    }
    pthread_mutex_unlock(&lock);
    return end;
}

void pause_release(void)
{
    pthread_mutex_lock(&lock);
    releases++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

void pause_stop(void)
{
    pthread_mutex_lock(&lock);
    is_stopping = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}
