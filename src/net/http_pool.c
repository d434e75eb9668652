#include "net/http_pool.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "net/curl_library.h"
#include "net/wait_queue.h"
#include "platform/system.h"
#include "platform/thread.h"

#define IDLE_MS  118000 /* curl does not use a connection that was idle for longer */
#define SWEEP_MS 1000

struct waiter {
    struct wait_queue_place place; /* first, so that a pointer to it is one to the waiter */
    struct http_handle *given;
};

static struct {
    struct plat_mutex mutex;
    struct wait_queue_place *line; /* empty while a handle is idle */
    bool several_hosts;            /* the waiting calls may want several hosts */
    struct http_handle *idle, *all;
    uint32_t count, max; /* `count`: handles that are idle, in use or being made */
    uint64_t sweep_ms;   /* when to look for expired idle handles again */
    struct http_client *client;
} pool = {.mutex = PLAT_MUTEX_INIT};

/* One lock for each kind of shared data. curl takes them from inside its transfers. */
static struct plat_mutex share_locks[CURL_LOCK_DATA_LAST];
static bool share_locks_ready;

static void lock_shared(CURL *easy, curl_lock_data data, curl_lock_access access, void *context)
{
    (void)easy;
    (void)access;
    (void)context;
    plat_mutex_lock(&share_locks[data]);
}

static void unlock_shared(CURL *easy, curl_lock_data data, void *context)
{
    (void)easy;
    (void)context;
    plat_mutex_unlock(&share_locks[data]);
}

enum ekm_rc http_pool_start(struct http_client *client)
{
    static const struct plat_mutex fresh = PLAT_MUTEX_INIT;
    for (size_t i = 0; i < CURL_LOCK_DATA_LAST && !share_locks_ready; i++) {
        share_locks[i] = fresh;
    }
    share_locks_ready = true;
    /* Shares DNS names only: libcurl cannot share TLS sessions between threads (tls_resume.h). */
    CURLSH *share = curl_share_init();
    if (share == NULL) {
        return EKM_OUT_OF_MEMORY;
    }
    if (curl_share_setopt(share, CURLSHOPT_LOCKFUNC, lock_shared) != CURLSHE_OK ||
        curl_share_setopt(share, CURLSHOPT_UNLOCKFUNC, unlock_shared) != CURLSHE_OK ||
        curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) != CURLSHE_OK) {
        (void)curl_share_cleanup(share);
        return EKM_OUT_OF_MEMORY;
    }
    client->share = share;
    plat_mutex_lock(&pool.mutex);
    pool.max = client->config->max_connections;
    pool.client = client;
    plat_mutex_unlock(&pool.mutex);
    return EKM_OK;
}

static void free_handle(struct http_handle *handle)
{
    for (size_t i = 0; i < HTTP_EASIES; i++) {
        http_easy_close(&handle->easies[i]);
    }
    (void)curl_multi_cleanup(handle->multi);
    free(handle);
}

/* The list is linked by `below`. */
static void free_handles(struct http_handle *handle)
{
    while (handle != NULL) {
        struct http_handle *next = handle->below;
        free_handle(handle);
        handle = next;
    }
}

void http_pool_stop(void)
{
    plat_mutex_lock(&pool.mutex);
    struct http_handle *idle = pool.idle;
    struct http_client *client = pool.client;
    pool.idle = pool.all = NULL;
    pool.client = NULL;
    pool.count = 0;
    plat_mutex_unlock(&pool.mutex);
    free_handles(idle);
    if (client != NULL) {
        (void)curl_share_cleanup(client->share);
        client->share = NULL;
    }
}

/* Under the lock: takes the topmost idle handle that was used for this host, else the topmost. */
static struct http_handle *http_pool_pick(const char *host)
{
    struct http_handle **at = &pool.idle;
    while (*at != NULL && strcmp((*at)->host, host) != 0) {
        at = &(*at)->below;
    }
    at = *at != NULL ? at : &pool.idle;
    struct http_handle *handle = *at;
    if (handle != NULL) {
        *at = handle->below;
        (void)text_copy(handle->host, sizeof handle->host, host);
    }
    return handle;
}

static CURLM *new_multi(void)
{
    CURLM *multi = curl_multi_init();
    if (multi != NULL &&
        curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)HTTP_AT_ONCE) != CURLM_OK) {
        (void)curl_multi_cleanup(multi);
        return NULL;
    }
    if (multi != NULL) {
        curl_library_set_quick_exit(multi);
    }
    return multi;
}

/* libcurl has no other way to close the connections of a multi handle. */
void http_pool_drop_connections(struct http_handle *handle)
{
    CURLM *multi = new_multi();
    if (multi != NULL) {
        (void)curl_multi_cleanup(handle->multi);
        handle->multi = multi;
        handle->doubted = handle->has_several = false;
    }
}

static struct http_handle *new_handle(void)
{
    struct http_handle *handle = calloc(1, sizeof *handle);
    if (handle == NULL) {
        return NULL;
    }
    handle->multi = new_multi();
    if (handle->multi == NULL || !http_easy_open(&handle->easies[0], pool.client)) {
        free_handle(handle);
        return NULL;
    }
    return handle;
}

/* The caller has counted the handle already. */
static enum ekm_rc make_handle(struct call *call, const char *host, struct http_handle **out)
{
    struct http_handle *handle = new_handle();
    plat_mutex_lock(&pool.mutex);
    if (handle != NULL) {
        (void)text_copy(handle->host, sizeof handle->host, host);
        handle->next = pool.all;
        pool.all = handle;
    } else {
        pool.count--;
    }
    plat_mutex_unlock(&pool.mutex);
    *out = handle;
    return handle != NULL ? EKM_OK
                          : call_fail(call, EKM_OUT_OF_MEMORY, "no memory for a request handle");
}

/* Under the lock: waits until a handle is handed over (*out), or until a new one may be made,
 * because another thread failed to make one (*out is NULL). */
static enum ekm_rc wait_in_line(struct call *call, const char *host, struct http_handle **out)
{
    struct waiter self = {.place = {.deadline_ms = call->deadline_ms, .host = host}};
    enum ekm_rc rc = EKM_OK;
    pool.several_hosts =
        pool.line != NULL && (pool.several_hosts || strcmp(pool.line->host, host) != 0);
    wait_queue_join(&pool.line, &self.place);
    while (rc == EKM_OK && self.given == NULL && pool.count >= pool.max) {
        plat_cond_wait_until(&self.place.turn, &pool.mutex, plat_now_ms() + CALL_SLICE_MS);
        rc = self.given == NULL ? call_check(call) : EKM_OK;
    }
    if (self.given == NULL) {
        wait_queue_leave(&pool.line, &self.place);
    }
    *out = self.given;
    return rc;
}

enum ekm_rc http_pool_take(struct call *call, const char *host, struct http_handle **out)
{
    enum ekm_rc rc = EKM_OK;
    plat_mutex_lock(&pool.mutex);
    *out = http_pool_pick(host);
    if (*out == NULL && pool.count >= pool.max) {
        rc = wait_in_line(call, host, out);
    }
    if (rc != EKM_OK || *out != NULL) {
        plat_mutex_unlock(&pool.mutex);
        return rc;
    }
    pool.count++;
    plat_mutex_unlock(&pool.mutex);
    return make_handle(call, host, out);
}

/* Under the lock, while no handle is idle: the number of this host's handles, without `given`. */
static unsigned busy_with(const char *host, const struct http_handle *given)
{
    unsigned busy = 0;
    for (const struct http_handle *at = pool.all; at != NULL; at = at->next) {
        busy += at != given && strcmp(at->host, host) == 0;
    }
    return busy;
}

/* Under the lock: the waiter that gets the handle. The host with the fewest handles in use comes
 * first, so that a host that hangs does not hold up the others. Within a host the waiter with the
 * least time left comes first. */
static struct wait_queue_place *next_in_line(const struct http_handle *given)
{
    struct wait_queue_place *next = pool.line;
    if (next == NULL || !pool.several_hosts) {
        return next;
    }
    const char *seen = next->host;
    unsigned least = busy_with(seen, given);
    for (struct wait_queue_place *at = next->next; at != NULL; at = at->next) {
        if (strcmp(at->host, seen) == 0 || strcmp(at->host, next->host) == 0) {
            continue;
        }
        seen = at->host;
        unsigned busy = busy_with(seen, given);
        if (busy < least) {
            least = busy;
            next = at;
        }
    }
    return next;
}

/* Under the lock: removes the handles that were idle for too long. They are at the bottom of the
 * stack. Returns them linked by `below`. */
static struct http_handle *take_expired(uint64_t now_ms)
{
    struct http_handle **at = &pool.idle;
    if (now_ms < pool.sweep_ms) {
        return NULL;
    }
    pool.sweep_ms = now_ms + SWEEP_MS;
    while (*at != NULL && now_ms - (*at)->given_ms < IDLE_MS) {
        at = &(*at)->below;
    }
    struct http_handle *expired = *at;
    *at = NULL;
    for (struct http_handle *handle = expired; handle != NULL; handle = handle->below) {
        struct http_handle **place = &pool.all;
        while (*place != handle) {
            place = &(*place)->next;
        }
        *place = handle->next;
        pool.count--;
    }
    return expired;
}

/* Hands the handle directly to a waiter, so that no later call can take it first. */
void http_pool_give(struct http_handle *handle)
{
    if (handle->doubted) {
        http_pool_drop_connections(handle);
    }
    handle->given_ms = plat_now_ms();
    plat_mutex_lock(&pool.mutex);
    struct wait_queue_place *next = next_in_line(handle);
    if (next != NULL) {
        wait_queue_leave(&pool.line, next);
        (void)text_copy(handle->host, sizeof handle->host, next->host);
        ((struct waiter *)(void *)next)->given = handle;
        plat_cond_broadcast(&next->turn);
    } else {
        handle->below = pool.idle;
        pool.idle = handle;
    }
    struct http_handle *expired = take_expired(handle->given_ms);
    plat_mutex_unlock(&pool.mutex);
    free_handles(expired);
}
