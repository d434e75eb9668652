// wrap: plat_cond_wait_until
/* The order of callers when all handles are in use; no request is made. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/http.h"
#include "net/http_pool.h"
#include "platform/thread.h"

#define HANDLES 4
#define WAITERS 6
#define HUNG    "hung.vault.azure.net"
#define SOUND   "sound.vault.azure.net"
#define OTHER   "other.vault.azure.net"

static struct config config;
static atomic_int waiting, served;
static bool keep;

struct waiter {
    pthread_t thread;
    struct call call;
    const char *host;
    struct http_handle *handle;
    int turn;
};
static struct waiter waiters[WAITERS];

void __real_plat_cond_wait_until(struct plat_cond *cond, struct plat_mutex *mutex,
                                 uint64_t until_ms);
void __wrap_plat_cond_wait_until(struct plat_cond *cond, struct plat_mutex *mutex,
                                 uint64_t until_ms);

/* A thread that waits under the lock is in the queue. */
void __wrap_plat_cond_wait_until(struct plat_cond *cond, struct plat_mutex *mutex,
                                 uint64_t until_ms)
{
    atomic_fetch_add(&waiting, 1);
    __real_plat_cond_wait_until(cond, mutex, until_ms);
    atomic_fetch_sub(&waiting, 1);
}

static int set_up(void **state)
{
    char reason[256];
    (void)state;
    config_defaults(&config);
    config.max_connections = HANDLES;
    atomic_store(&served, 0);
    keep = false;
    return http_start(&config, reason, sizeof reason) == EKM_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    http_stop();
    return 0;
}

static void *wait_for_one(void *context)
{
    struct waiter *self = context;
    if (http_pool_take(&self->call, self->host, &self->handle) != EKM_OK) {
        return NULL;
    }
    self->turn = 1 + atomic_fetch_add(&served, 1);
    if (!keep) {
        http_pool_give(self->handle);
    }
    return NULL;
}

/* Stands in the line when this returns. The later, the less time it has if `hurried`. */
static void line_up(int i, const char *host, bool hurried)
{
    waiters[i] = (struct waiter){.host = host};
    call_begin(&waiters[i].call, "Test", &config);
    waiters[i].call.deadline_ms += (uint64_t)(hurried ? WAITERS - i : i) * 1000;
    assert_int_equal(pthread_create(&waiters[i].thread, NULL, wait_for_one, &waiters[i]), 0);
    while (atomic_load(&waiting) <= i) {
        (void)usleep(100);
    }
}

static void take_all(const char *host, struct http_handle *handles[HANDLES])
{
    struct call call;
    call_begin(&call, "Test", &config);
    for (int i = 0; i < HANDLES; i++) {
        assert_int_equal(http_pool_take(&call, host, &handles[i]), EKM_OK);
    }
}

static void join_all(void)
{
    for (int i = 0; i < WAITERS; i++) {
        assert_int_equal(pthread_join(waiters[i].thread, NULL), 0);
        assert_true(waiters[i].turn > 0);
    }
}

static void the_call_with_the_least_time_is_first(void **state)
{
    struct http_handle *handles[HANDLES];
    (void)state;
    take_all(SOUND, handles);
    for (int i = 0; i < WAITERS; i++) {
        line_up(i, SOUND, true);
    }
    http_pool_give(handles[0]);
    join_all();
    for (int i = 0; i < WAITERS; i++) {
        assert_int_equal(waiters[i].turn, WAITERS - i);
    }
    for (int i = 1; i < HANDLES; i++) {
        http_pool_give(handles[i]);
    }
}

/* A thread that returns a handle and wants one again at once would get it before the other wakes.
 */
static void a_waiting_call_is_not_overtaken(void **state)
{
    struct http_handle *handles[HANDLES], *other = NULL;
    atomic_bool aborted = true;
    struct call call;
    (void)state;
    keep = true;
    take_all(SOUND, handles);
    line_up(0, SOUND, false);
    call_begin(&call, "Test", &config);
    call.session_aborted = &aborted; /* waits for no more than a slice of time */
    http_pool_give(handles[0]);
    assert_int_equal(http_pool_take(&call, SOUND, &other), EKM_CLOSING);
    assert_null(other);
    assert_int_equal(pthread_join(waiters[0].thread, NULL), 0);
    assert_ptr_equal(waiters[0].handle, handles[0]);
    for (int i = 0; i < HANDLES; i++) {
        http_pool_give(handles[i]);
    }
}

/* The next of those in the line has it when this returns. */
static void give_one(struct http_handle *handle)
{
    int before = atomic_load(&served);
    http_pool_give(handle);
    while (atomic_load(&served) == before) {
        (void)usleep(100);
    }
}

/* Calls at a host that does not answer keep their handles long, and there are always more. */
static void a_host_that_hangs_does_not_take_all(void **state)
{
    static const char *const hosts[WAITERS] = {HUNG, HUNG, OTHER, SOUND, HUNG, SOUND};
    static const int turns[WAITERS] = {3, 4, 1, 2, 6, 5};
    struct http_handle *handles[HANDLES];
    (void)state;
    keep = true;
    take_all(HUNG, handles);
    for (int i = 0; i < WAITERS; i++) {
        line_up(i, hosts[i], false);
    }
    for (int i = 0; i < HANDLES; i++) {
        give_one(handles[i]);
    }
    give_one(waiters[2].handle);
    give_one(waiters[3].handle);
    join_all();
    for (int i = 0; i < WAITERS; i++) {
        assert_int_equal(waiters[i].turn, turns[i]);
        if (i != 2 && i != 3) {
            http_pool_give(waiters[i].handle);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_call_with_the_least_time_is_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_waiting_call_is_not_overtaken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_host_that_hangs_does_not_take_all, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
