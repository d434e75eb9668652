/* Threads, clock, random bytes, errno: what the system modules promise. */
// only: posix
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/system.h"
#include "platform/thread.h"

#define THREADS 8
#define ROUNDS  2000

static struct plat_mutex mutex = PLAT_MUTEX_INIT;
static struct plat_cond cond = PLAT_COND_INIT;
static unsigned counted;
static bool ready;

static void *thread_count(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        plat_mutex_lock(&mutex);
        counted++;
        plat_mutex_unlock(&mutex);
    }
    return NULL;
}

static void test_mutex_excludes(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, thread_count, NULL), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(counted, THREADS * ROUNDS);
}

static void *thread_announce(void *unused)
{
    (void)unused;
    plat_mutex_lock(&mutex);
    ready = true;
    plat_cond_broadcast(&cond);
    plat_mutex_unlock(&mutex);
    return NULL;
}

static void test_broadcast_wakes_before_the_time_is_up(void **state)
{
    (void)state;
    pthread_t thread;
    uint64_t until_ms = plat_now_ms() + 60000;
    plat_mutex_lock(&mutex);
    assert_int_equal(pthread_create(&thread, NULL, thread_announce, NULL), 0);
    while (!ready && plat_now_ms() < until_ms) {
        plat_cond_wait_until(&cond, &mutex, until_ms);
    }
    assert_true(ready);
    plat_mutex_unlock(&mutex);
    assert_true(plat_now_ms() < until_ms);
    (void)pthread_join(thread, NULL);
}

static void test_wait_ends_by_the_monotonic_clock(void **state)
{
    (void)state;
    uint64_t start_ms = plat_now_ms();
    plat_mutex_lock(&mutex);
    while (plat_now_ms() < start_ms + 30) {
        plat_cond_wait_until(&cond, &mutex, start_ms + 30);
    }
    plat_cond_wait_until(&cond, &mutex, 0); /* long past: at once */
    plat_mutex_unlock(&mutex);
    assert_true(plat_now_ms() < start_ms + 30000);
}

static bool is_blocked(int signal_number)
{
    sigset_t now;
    assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &now), 0);
    return sigismember(&now, signal_number) == 1;
}

static void break_pipe(void)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    (void)close(ends[0]);
    assert_int_equal(write(ends[1], "x", 1), -1);
    assert_int_equal(errno, EPIPE);
    (void)close(ends[1]);
}

static atomic_int handled;

static void on_sigpipe(int number)
{
    (void)number;
    atomic_fetch_add(&handled, 1);
}

static void test_sigpipe_stays_ours(void **state)
{
    (void)state;
    struct plat_signals signals;
    struct sigaction host = {.sa_handler = on_sigpipe}, after;
    assert_int_equal(sigaction(SIGPIPE, &host, NULL), 0);
    plat_signals_hold(&signals);
    break_pipe();
    plat_signals_release(&signals);
    assert_int_equal(atomic_load(&handled), 0);
    assert_false(is_blocked(SIGPIPE));
    assert_int_equal(sigaction(SIGPIPE, NULL, &after), 0);
    assert_ptr_equal(after.sa_handler, on_sigpipe);
    /* Outside, the host's handler works as before. */
    break_pipe();
    assert_int_equal(atomic_load(&handled), 1);
}

/* A limit of file sizes ends a process that does not expect it; a library may not. */
static void test_limit_of_file_sizes_is_an_error(void **state)
{
    (void)state;
    int status = -1;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char name[] = "/tmp/akvekm-unit-XXXXXX", big[4096] = "";
        const struct rlimit limit = {100, 100};
        struct plat_signals signals;
        int file = mkstemp(name);
        (void)unlink(name);
        if (file < 0 || setrlimit(RLIMIT_FSIZE, &limit) != 0) {
            _exit(1);
        }
        plat_signals_hold(&signals);
        ssize_t first = write(file, big, sizeof big), second = write(file, big, sizeof big);
        int error = errno;
        plat_signals_release(&signals);
        _exit(first == 100 && second < 0 && error == EFBIG && !is_blocked(SIGXFSZ) ? 0 : 2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void test_the_hosts_own_pending_sigpipe_survives(void **state)
{
    (void)state;
    struct plat_signals signals;
    sigset_t pipe_only, pending;
    struct sigaction host = {.sa_handler = on_sigpipe};
    assert_int_equal(sigaction(SIGPIPE, &host, NULL), 0);
    atomic_store(&handled, 0);
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &pipe_only, NULL), 0);
    break_pipe();
    plat_signals_hold(&signals);
    break_pipe();
    plat_signals_release(&signals);
    assert_int_equal(sigpending(&pending), 0);
    assert_int_equal(sigismember(&pending, SIGPIPE), 1);
    assert_true(is_blocked(SIGPIPE));
    assert_int_equal(pthread_sigmask(SIG_UNBLOCK, &pipe_only, NULL), 0);
    assert_int_equal(atomic_load(&handled), 1);
}

static atomic_bool in_child;

static void mark_child(void)
{
    atomic_store(&in_child, true);
}

static void test_fork_handler_runs_in_the_child_only(void **state)
{
    (void)state;
    assert_true(plat_on_fork_child(mark_child));
    uint32_t parent_id = plat_process_id();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(atomic_load(&in_child) && plat_process_id() != parent_id ? 42 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 42);
    assert_false(atomic_load(&in_child));
}

static void test_calendar(void **state)
{
    (void)state;
    static const struct {
        int64_t unix_time_ms;
        struct plat_time time;
    } known[] = {
        {0, {1970, 1, 1, 0, 0, 0, 0}},
        {951782399999, {2000, 2, 28, 23, 59, 59, 999}},
        {951782400000, {2000, 2, 29, 0, 0, 0, 0}},
        {1798761599001, {2026, 12, 31, 23, 59, 59, 1}},
        {4107542400000, {2100, 3, 1, 0, 0, 0, 0}},
    };
    /* The host's time zone is none of our business. */
    assert_int_equal(setenv("TZ", "America/New_York", 1), 0);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct plat_time now;
        plat_calendar(known[i].unix_time_ms, &now);
        assert_memory_equal(&now, &known[i].time, sizeof now);
    }
}

static void test_random_bytes_differ(void **state)
{
    (void)state;
    uint8_t a[32] = {0}, b[32] = {0};
    assert_true(plat_random(a, sizeof a));
    assert_true(plat_random(b, sizeof b));
    assert_memory_not_equal(a, b, sizeof a);
}

static void test_wipe(void **state)
{
    (void)state;
    uint8_t secret[64], zero[64] = {0};
    memset(secret, 0x5A, sizeof secret);
    plat_wipe(secret, sizeof secret);
    assert_memory_equal(secret, zero, sizeof secret);
    plat_wipe(NULL, 0);
}

static void test_errno_of_the_host_comes_back(void **state)
{
    (void)state;
    struct plat_errors errors;
    errno = ENOTTY;
    plat_errors_save(&errors);
    errno = ENOENT;
    plat_errors_restore(&errors);
    assert_int_equal(errno, ENOTTY);
}

static int lowest_free(void)
{
    int fd = open("/dev/null", O_RDONLY);
    assert_true(fd >= 0);
    (void)close(fd);
    return fd;
}

static void test_system_log_neither_blocks_nor_leaks(void **state)
{
    (void)state;
    int before = lowest_free();
    for (int i = 0; i < 100; i++) {
        plat_system_log(PLAT_SEVERITY_INFO, 0, "akv-ekm unit test");
    }
    /* At most its one socket, which children do not inherit. */
    int after = lowest_free();
    assert_int_in_range(after, before, before + 1);
    for (int fd = 3; fd <= after; fd++) {
        int type = 0;
        socklen_t len = sizeof type;
        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_DGRAM) {
            assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        }
    }
    plat_system_log_close();
    plat_system_log_close();
    assert_int_equal(lowest_free(), before);
}

static void test_sockets_are_never_the_standard_ones(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(0);
        (void)close(1);
        (void)close(2);
        plat_system_log(PLAT_SEVERITY_INFO, 0, "akv-ekm unit test");
        int fd = (int)plat_socket(AF_UNIX, SOCK_DGRAM, 0);
        bool right = fd > 2 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
        _exit(right && fcntl(0, F_GETFD) < 0 && fcntl(1, F_GETFD) < 0 && fcntl(2, F_GETFD) < 0 ? 42
                                                                                               : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 42);
    assert_true(plat_socket(-1, SOCK_DGRAM, 0) < 0);
}

static void test_identity(void **state)
{
    (void)state;
    char name[128], tiny[5];
    plat_os_name(name, sizeof name);
    assert_int_equal(strncmp(name, "Linux ", 6), 0);
    plat_os_name(tiny, sizeof tiny);
    assert_string_equal(tiny, "Linu");
    assert_int_equal(plat_process_id(), getpid());
    assert_true(plat_thread_id() != 0);
    assert_int_equal(setenv("AKVEKM_UNIT", "x", 1), 0);
    assert_int_equal(plat_environment("AKVEKM_UNIT", name, sizeof name), 1);
    assert_string_equal(name, "x");
    assert_int_equal(plat_environment("AKVEKM_UNSET", name, sizeof name), 0);
    assert_string_equal(name, "");
    assert_int_equal(setenv("AKVEKM_UNIT", "longer", 1), 0);
    assert_int_equal(plat_environment("AKVEKM_UNIT", tiny, sizeof tiny), 6);
    assert_string_equal(tiny, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mutex_excludes),
        cmocka_unit_test(test_broadcast_wakes_before_the_time_is_up),
        cmocka_unit_test(test_wait_ends_by_the_monotonic_clock),
        cmocka_unit_test(test_sigpipe_stays_ours),
        cmocka_unit_test(test_limit_of_file_sizes_is_an_error),
        cmocka_unit_test(test_the_hosts_own_pending_sigpipe_survives),
        cmocka_unit_test(test_fork_handler_runs_in_the_child_only),
        cmocka_unit_test(test_calendar),
        cmocka_unit_test(test_random_bytes_differ),
        cmocka_unit_test(test_wipe),
        cmocka_unit_test(test_errno_of_the_host_comes_back),
        cmocka_unit_test(test_system_log_neither_blocks_nor_leaks),
        cmocka_unit_test(test_sockets_are_never_the_standard_ones),
        cmocka_unit_test(test_identity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
