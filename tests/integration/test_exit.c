/* The engine's exit() while calls are under way: no signal, no hang, whoever used OpenSSL first. */
#include "harness.h"

#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define CLOSING 5007
#define THREADS 16
#define MOST_S  20
/* Each begins with a fresh process; AKVEKM_EXITS asks for more. */
#define EXITS 12

static struct sim sim;
static struct ready ready;
static atomic_uint calls;

/* Calls go on while the process ends, and must be refused then. */
static void *call_on(void *unused)
{
    uint8_t bytes[600];
    (void)unused;
    for (;;) {
        SqlCpData plain = {sizeof bytes, bytes};
        SqlCpError code =
            ready.ekm.Decrypt(&ready.session, &ready.thumb, 1, NULL, 0, &ready.cipher, &plain);
        if (code != SQLCP_SUCCESS && code != CLOSING) {
            _exit(4);
        }
        atomic_fetch_add(&calls, 1);
    }
    return NULL;
}

/* The end of a process while its calls run. */
static int exit_live(const char *how)
{
    pthread_t thread;
    if (strcmp(how, "openssl") == 0) {
        void *crypto = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_GLOBAL);
        void *symbol = crypto != NULL ? dlsym(crypto, "OPENSSL_init_crypto") : NULL;
        int (*init)(uint64_t, const void *) = NULL;
        memcpy(&init, &symbol, sizeof init);
        if (init == NULL || init(0, NULL) != 1) {
            return 3;
        }
    }
    uint8_t text[] = SIM_PLAIN;
    SqlCpData plain = {sizeof text, text};
    ready.thumb = (SqlCpData){sizeof ready.thumb_bytes, ready.thumb_bytes};
    ready.cipher = (SqlCpData){sizeof ready.cipher_bytes, ready.cipher_bytes};
    ekm_load(&ready.ekm);
    if (ready.ekm.InitializeProvider() != SQLCP_SUCCESS ||
        ekm_open(&ready.ekm, "contoso-vault", SIM_PASSWORD, &ready.session) != SQLCP_SUCCESS ||
        ekm_find(&ready.ekm, &ready.session, "exit", &ready.thumb) != SQLCP_SUCCESS ||
        ekm_encrypt(&ready.ekm, &ready.session, &ready.thumb, &plain, &ready.cipher) !=
            SQLCP_SUCCESS) {
        return 3;
    }
    if (strcmp(how, "fork") == 0 && fork() == 0) {
        exit(0);
    }
    for (int i = 0; i < THREADS; i++) {
        if (pthread_create(&thread, NULL, call_on, NULL) != 0) {
            return 3;
        }
    }
    while (atomic_load(&calls) < 2 * THREADS) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    nanosleep(&(struct timespec){.tv_nsec = (long)(getpid() % 17) * 700000}, NULL);
    exit(strcmp(how, "fork") != 0 || wait(NULL) > 0 ? 0 : 5);
}

static void exit_often(const char *how)
{
    const char *asked = getenv("AKVEKM_EXITS");
    int times = asked != NULL ? atoi(asked) : EXITS;
    for (int i = 0; i < times; i++) {
        int status = 0;
        pid_t child = fork();
        if (child == 0) {
            alarm(MOST_S);
            execl("/proc/self/exe", "integration_exit", how, (char *)NULL);
            _exit(9);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            fail_msg("exit %d of %d: signal %d, code %d", i + 1, times,
                     WIFSIGNALED(status) ? WTERMSIG(status) : 0, WEXITSTATUS(status));
        }
    }
}

static void test_exit_with_the_library_loaded_first(void **state)
{
    (void)state;
    exit_often("library");
}

static void test_exit_with_openssl_loaded_first(void **state)
{
    (void)state;
    exit_often("openssl");
}

static void test_forked_child(void **state)
{
    (void)state;
    exit_often("fork");
}

static int set_up(void **state)
{
    *state = &sim;
    sim_start(&sim, NULL, NULL);
    sim_make_key(&sim, "exit");
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exit_with_the_library_loaded_first),
        cmocka_unit_test(test_exit_with_openssl_loaded_first),
        cmocka_unit_test(test_forked_child),
    };
    return argc > 1 ? exit_live(argv[1]) : cmocka_run_group_tests(tests, set_up, sim_tear_down);
}
