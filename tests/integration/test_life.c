/* Life cycle under load: aborts, forks, Free during calls, what the host must find untouched. */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define CLOSING 5007
#define SOON_MS 9000 /* before a try ends by itself, on a busy machine as well */

static struct sim sim;

static int life_start(void **state)
{
    *state = &sim;
    sim_start(&sim, NULL, NULL);
    return 0;
}

struct running {
    const struct ready *ready;
    SqlCpError code;
    long end_ms;
};

static void *decrypt_in_thread(void *argument)
{
    struct running *running = argument;
    running->code = ready_decrypt(running->ready);
    running->end_ms = now_ms();
    return NULL;
}

/* Starts a Decrypt that the vault never answers, and returns once the vault holds it. */
static pthread_t hang_a_decrypt(struct running *running)
{
    pthread_t thread;
    sim_ctl(&sim, "DELETE", "/counters", NULL);
    sim_ctl(&sim, "POST", "/faults", "{\"path\":\"unwrapkey\",\"times\":0,\"action\":\"hang\"}");
    assert_int_equal(pthread_create(&thread, NULL, decrypt_in_thread, running), 0);
    for (int i = 0; i < 1000 && sim_counter(&sim, "requests") == 0; i++) {
        usleep(10000);
    }
    assert_int_equal(sim_counter(&sim, "requests"), 1);
    return thread;
}

static void test_abort_ends_a_hanging_call(void **state)
{
    (void)state;
    struct ready ready;
    ready_open(&ready, &sim, "aborted");
    struct running running = {&ready, 0, 0};
    pthread_t thread = hang_a_decrypt(&running);
    long begin_ms = now_ms();
    assert_int_equal(ready.ekm.CloseSession(&ready.session, 1), SQLCP_SUCCESS);
    assert_true(now_ms() - begin_ms < SOON_MS);
    pthread_join(thread, NULL);
    sim_ctl(&sim, "DELETE", "/faults", NULL);
    assert_int_equal(running.code, CLOSING);
    assert_true(running.end_ms - begin_ms < SOON_MS);
    assert_int_equal(ready.ekm.CloseSession(&ready.session, 0), SQLCP_INVALID_ARGUMENT);
    assert_int_equal(ready_decrypt(&ready), SQLCP_INVALID_ARGUMENT);
    assert_int_equal(ready.ekm.FreeProvider(), SQLCP_SUCCESS);
    ekm_unload(&ready.ekm);
}

static void test_close_lets_a_call_finish(void **state)
{
    (void)state;
    struct ready ready;
    pthread_t thread;
    ready_open(&ready, &sim, "finished");
    struct running running = {&ready, -1, 0};
    sim_ctl(&sim, "DELETE", "/counters", NULL);
    sim_ctl(&sim, "POST", "/faults",
            "{\"path\":\"unwrapkey\",\"action\":\"delay\",\"delay_ms\":700}");
    assert_int_equal(pthread_create(&thread, NULL, decrypt_in_thread, &running), 0);
    while (sim_counter(&sim, "requests") == 0) {
        usleep(10000);
    }
    assert_int_equal(ready.ekm.CloseSession(&ready.session, 0), SQLCP_SUCCESS);
    pthread_join(thread, NULL);
    assert_int_equal(running.code, SQLCP_SUCCESS);
    assert_int_equal(ready.ekm.FreeProvider(), SQLCP_SUCCESS);
    ekm_unload(&ready.ekm);
}

/* The closing Free aborts the sessions and waits: a hanging call does not outlive it. */
static void test_free_ends_hanging_calls(void **state)
{
    (void)state;
    struct ready ready;
    ready_open(&ready, &sim, "freed");
    struct running running = {&ready, 0, 0};
    pthread_t thread = hang_a_decrypt(&running);
    assert_int_equal(ready.ekm.FreeProvider(), SQLCP_SUCCESS);
    pthread_join(thread, NULL);
    sim_ctl(&sim, "DELETE", "/faults", NULL);
    assert_int_equal(running.code, CLOSING);
    assert_int_equal(ready_decrypt(&ready), CLOSING);
    assert_int_equal(ready.ekm.FreeProvider(), SQLCP_SUCCESS);
    ekm_unload(&ready.ekm);
}

/* A session that was closed under a running call is out of the table; Free must end that call, too.
 */
static void test_free_ends_calls_of_closed_sessions(void **state)
{
    (void)state;
    struct ready ready;
    ready_open(&ready, &sim, "orphan");
    struct running running = {&ready, 0, 0};
    pthread_t thread = hang_a_decrypt(&running);
    assert_int_equal(ready.ekm.CloseSession(&ready.session, 0), SQLCP_SUCCESS);
    assert_int_equal(ready.ekm.FreeProvider(), SQLCP_SUCCESS);
    pthread_join(thread, NULL);
    sim_ctl(&sim, "DELETE", "/faults", NULL);
    assert_int_equal(running.code, CLOSING);
    ekm_unload(&ready.ekm);
}

/* Before any Initialize, the provider's own data are told without a trace in errno; a start that
 * fails leaves no descriptor. */
static void test_nothing_is_touched_outside(void **state)
{
    (void)state;
    struct ekm ekm;
    SqlCpProviderInfo info = {.name = {0, NULL}};
    ekm_load(&ekm);
    errno = 4711;
    assert_int_equal(ekm.GetProviderInfo(&info), SQLCP_INSUFFICIENT_BUFFER);
    assert_int_equal(errno, 4711);
    sim_configure(&sim, "log_level = loud");
    int before = dup(STDIN_FILENO);
    close(before);
    assert_int_equal(ekm.InitializeProvider(), 5003);
    int after = dup(STDIN_FILENO);
    close(after);
    assert_int_equal(before, after);
    sim_configure(&sim, "log_level = debug");
    ekm_unload(&ekm);
}

static void test_initialize_and_free_are_counted(void **state)
{
    (void)state;
    struct ready ready;
    ready_open(&ready, &sim, "twice");
    assert_int_equal(ready.ekm.InitializeProvider(), SQLCP_SUCCESS);
    assert_int_equal(ready.ekm.FreeProvider(), SQLCP_SUCCESS);
    assert_int_equal(ready_decrypt(&ready), SQLCP_SUCCESS);
    ready_close(&ready);
    ekm_load(&ready.ekm);
    SqlCpProviderInfo info;
    memset(&info, 0, sizeof info);
    assert_int_equal(ready.ekm.GetProviderInfo(&info), SQLCP_INSUFFICIENT_BUFFER);
    assert_int_equal(ekm_open(&ready.ekm, "contoso-vault", SIM_PASSWORD, &ready.session), CLOSING);
    ekm_unload(&ready.ekm);
}

static void test_child_is_refused(void **state)
{
    (void)state;
    struct ready ready;
    int status = -1;
    ready_open(&ready, &sim, "forked");
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        SqlCpKeyId id = 0;
        SqlCpProviderInfo info = {.name = {0, NULL}};
        SqlCpAlgorithmInfo algorithm = {.algTag = {0, NULL}};
        bool refused = ready.ekm.GetProviderInfo(&info) == CLOSING &&
                       ready.ekm.GetNextAlgorithmId(&id) == CLOSING &&
                       ready.ekm.GetAlgorithmInfo(1, &algorithm) == CLOSING &&
                       ready_decrypt(&ready) == CLOSING && ready.ekm.FreeProvider() == CLOSING &&
                       ready.ekm.InitializeProvider() == CLOSING &&
                       ready.ekm.GetNextKeyId(&ready.session, &id) == CLOSING;
        _exit(refused ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(ready_decrypt(&ready), SQLCP_SUCCESS);
    ready_close(&ready);
}

/* Curl's pair of wake-up sockets, which no option reaches. */
static bool is_unnamed_pair(int fd)
{
    struct sockaddr_un address;
    socklen_t len = sizeof address;
    return getsockname(fd, (struct sockaddr *)&address, &len) == 0 &&
           address.sun_family == AF_UNIX && len == sizeof address.sun_family;
}

/* Descriptors above the standard three that an exec would hand on. */
static int inherited_descriptors(void)
{
    int count = 0;
    for (int fd = 3; fd < 256; fd++) {
        int flags = fcntl(fd, F_GETFD);
        count += flags >= 0 && (flags & FD_CLOEXEC) == 0 && !is_unnamed_pair(fd);
    }
    return count;
}

static void test_host_is_undisturbed(void **state)
{
    (void)state;
    struct ready ready;
    struct sigaction before, after;
    char folder[256], folder_after[256];
    sigset_t mask_before, mask_after;
    int inherited = inherited_descriptors();
    umask(0027);
    assert_int_equal(sigaction(SIGPIPE, NULL, &before), 0);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &mask_before), 0);
    assert_non_null(getcwd(folder, sizeof folder));
    ready_open(&ready, &sim, "quiet");
    /* The vault goes away under an idle connection: writing to it must not raise SIGPIPE. */
    sim_kill(&sim);
    sim_resume(&sim);
    errno = 4711;
    assert_int_equal(ready_decrypt(&ready), SQLCP_SUCCESS);
    assert_int_equal(errno, 4711);
    assert_int_equal(inherited_descriptors(), inherited);
    assert_int_equal(sigaction(SIGPIPE, NULL, &after), 0);
    assert_true(before.sa_handler == after.sa_handler);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &mask_after), 0);
    for (int number = 1; number < 32; number++) {
        assert_int_equal(sigismember(&mask_before, number), sigismember(&mask_after, number));
    }
    assert_non_null(getcwd(folder_after, sizeof folder_after));
    assert_string_equal(folder, folder_after);
    assert_int_equal(umask(0022), 0027);
    ready_close(&ready);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_touched_outside),
        cmocka_unit_test(test_free_ends_calls_of_closed_sessions),
        cmocka_unit_test(test_abort_ends_a_hanging_call),
        cmocka_unit_test(test_close_lets_a_call_finish),
        cmocka_unit_test(test_free_ends_hanging_calls),
        cmocka_unit_test(test_initialize_and_free_are_counted),
        cmocka_unit_test(test_host_is_undisturbed),
        cmocka_unit_test(test_child_is_refused),
    };
    return cmocka_run_group_tests(tests, life_start, sim_tear_down);
}
