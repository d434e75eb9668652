/*
 * Every operation times every fault: the code, within the call's time, nothing leaked, the same
 * call succeeding once the fault is gone, and neither secret nor token told to a foreign host. The
 * two tables: faults/operation.c and faults/fault.c.
 *
 * Most of it is waiting, so several processes share the faults, each with a vaultsim of its own,
 * and the operations of one fault run at once. An argument runs only the faults whose names contain
 * it.
 */
#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "faults/fault.h"
#include "harness.h"

#define WORKERS         10
#define MARGIN_MS       20000  /* beyond the call's time: the machine may be busy */
#define MENDED_MS       120000 /* within which the same call must succeed again */
#define NAME_LIFE_S     62     /* libcurl remembers a name for a minute */
#define SETTLE_MS       10000
#define CALL_MS         3000
#define PATIENT_CALL_MS 120000

/* Shared by the workers. */
static struct shared {
    atomic_size_t next;
    atomic_int cells, again;
} * shared;

static const char *only; /* part of a fault's name, or NULL */
static struct bench bench;
static int call_ms;

/* One cell of the matrix. */
struct cell {
    const struct fault *fault;
    enum operation operation;
    SqlCpSession session;
    SqlCpError code;
    long took_ms;
};

static bool faults_has(const struct fault *fault, enum operation operation)
{
    return (fault->operations & (1u << operation)) != 0;
}

static bool needs_token(const struct fault *fault)
{
    return fault->place == IN_TOKEN || fault->place == TO_LOGIN;
}

/* The spec's quotes. */
static void append_spec(char *json, size_t cap, const char *spec)
{
    size_t len = strlen(json);
    for (; *spec != '\0' && len + 3 < cap; spec++) {
        if (*spec == '`') {
            json[len++] = '\\';
        }
        json[len++] = *spec == '`' || *spec == '\'' ? '"' : *spec;
    }
    json[len++] = '}';
    json[len] = '\0';
}

static void queue_fault(const struct fault *fault, enum operation operation)
{
    char json[1024];
    snprintf(json, sizeof json, "{\"times\":0,%s,",
             fault->place == IN_TOKEN ? "\"path\":\"oauth2\"" : operation_request(operation));
    append_spec(json, sizeof json, fault->spec);
    sim_ctl(&bench.sim, "POST", "/faults", json);
}

static void break_things(const struct fault *fault, const struct cell *cells, size_t count)
{
    for (size_t i = 0; i < count && fault->place == IN_REQUEST; i++) {
        queue_fault(fault, cells[i].operation);
    }
    if (fault->place == IN_TOKEN) {
        queue_fault(fault, OPEN_SESSION);
    }
    if (fault->place == TO_VAULT || fault->place == TO_LOGIN) {
        listener_set(fault->listener);
        network_set(fault->place == TO_VAULT ? AT_VAULT : AT_LOGIN, fault->network);
    }
    if (needs_token(fault)) {
        sim_ctl(&bench.sim, "POST", "/tokens/expire", NULL);
    }
}

static void mend_things(const struct fault *fault)
{
    sim_ctl(&bench.sim, "DELETE", "/faults", NULL);
    if (fault->place == TO_VAULT || fault->place == TO_LOGIN) {
        network_set(AT_VAULT, NETWORK_RIGHT);
        network_set(AT_LOGIN, NETWORK_RIGHT);
        listener_set(FOREIGN_HOST);
    }
}

static void *faults_perform(void *argument)
{
    struct cell *cell = argument;
    long start_ms = now_ms();
    cell->code = operation_perform(&bench, cell->operation, &cell->session);
    cell->took_ms = now_ms() - start_ms;
    return NULL;
}

static int faults_judge(const struct cell *cell)
{
    SqlCpError expected = fault_code(cell->fault, cell->operation);
    bool wrong = cell->code != expected, late = cell->took_ms > call_ms + MARGIN_MS;
    if (wrong || late) {
        print_error("%s, %s: %d instead of %d after %ld ms of %d\n", cell->fault->name,
                    operation_name(cell->operation), cell->code, expected, cell->took_ms, call_ms);
    }
    atomic_fetch_add(&shared->cells, 1);
    return wrong || late;
}

/* The fault gone, the same call succeeds: soon, as a busy machine may need several of the short
 * times, and a refused secret is remembered for 10 s. */
static int succeed_again(const struct cell *cell)
{
    SqlCpSession session = cell->session;
    SqlCpError code = -1;
    for (long end_ms = now_ms() + MENDED_MS; code != SQLCP_SUCCESS && now_ms() < end_ms;) {
        code = operation_repeat(&bench, cell->operation, cell->fault->lasts, &session);
        if (code != SQLCP_SUCCESS) {
            usleep(100000);
        }
    }
    if (code != SQLCP_SUCCESS) {
        print_error("%s, %s: still %d when the fault is gone\n", cell->fault->name,
                    operation_name(cell->operation), code);
    }
    return code != SQLCP_SUCCESS;
}

/* All at once. */
static int run_cells(const struct fault *fault, struct cell *cells, size_t count)
{
    pthread_t threads[OPERATIONS];
    int wrong = 0;
    break_things(fault, cells, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, faults_perform, &cells[i]), 0);
    }
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        wrong += faults_judge(&cells[i]);
    }
    mend_things(fault);
    for (size_t i = 0; i < count; i++) {
        wrong += succeed_again(&cells[i]);
    }
    return wrong;
}

static void faults_prepare(struct cell *cell)
{
    SqlCpError code = -1;
    for (long end_ms = now_ms() + MENDED_MS; code != SQLCP_SUCCESS && now_ms() < end_ms;) {
        code = operation_prepare(&bench, cell->operation, &cell->session);
    }
    assert_int_equal(code, SQLCP_SUCCESS);
}

/* The operations that have a session before the fault comes. */
static int run_in_sessions(const struct fault *fault)
{
    struct cell cells[OPERATIONS];
    size_t count = 0;
    for (int i = OPEN_SESSION + 1; i < OPERATIONS; i++) {
        if (faults_has(fault, (enum operation)i)) {
            cells[count] = (struct cell){.fault = fault, .operation = (enum operation)i};
            faults_prepare(&cells[count++]);
        }
    }
    if (fault_is_of_names(fault)) {
        sleep(NAME_LIFE_S);
    }
    int wrong = run_cells(fault, cells, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(bench.ekm.CloseSession(&cells[i].session, 0), SQLCP_SUCCESS);
    }
    return wrong;
}

static int count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;
    assert_non_null(folder);
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

/* Connections to the listener end in its own threads, resolver threads let go end by themselves. */
static int settle_descriptors(const struct fault *fault, int before)
{
    int now = count_descriptors();
    for (long end_ms = now_ms() + SETTLE_MS; now > before && now_ms() < end_ms;) {
        usleep(20000);
        now = count_descriptors();
    }
    if (now > before) {
        print_error("%s: %d descriptors instead of %d\n", fault->name, now, before);
    }
    return now > before;
}

static int check_secrets(const struct fault *fault)
{
    bool told = sim_counter(&bench.sim, "leaked_secrets") != 0 || listener_was_told();
    bool foreign = network_foreign() != 0;
    if (told || foreign) {
        print_error("%s: %s\n", fault->name,
                    told ? "a secret or token was told" : "a foreign host was looked for");
    }
    return told || foreign;
}

static void faults_configure(int patience)
{
    char line[64];
    call_ms = patience * CALL_MS;
    snprintf(line, sizeof line, "call_timeout_ms = %d", call_ms);
    sim_configure(&bench.sim, line);
    snprintf(line, sizeof line, "try_timeout_ms = %d", call_ms / 3);
    sim_configure(&bench.sim, line);
    snprintf(line, sizeof line, "connect_timeout_ms = %d", call_ms / 4);
    sim_configure(&bench.sim, line);
}

static int run_fault(const struct fault *fault, int patience)
{
    int descriptors = count_descriptors(), wrong = 0;
    faults_configure(patience);
    assert_int_equal(bench.ekm.InitializeProvider(), SQLCP_SUCCESS);
    if (faults_has(fault, OPEN_SESSION)) {
        struct cell cell = {.fault = fault, .operation = OPEN_SESSION};
        wrong += run_cells(fault, &cell, 1);
    }
    wrong += run_in_sessions(fault);
    assert_int_equal(bench.ekm.FreeProvider(), SQLCP_SUCCESS);
    wrong += settle_descriptors(fault, descriptors) + check_secrets(fault);
    return wrong;
}

/* Calls that wait to their end are short at first; a busy machine may need longer ones. An error of
 * the library shows at any length. */
static int run_patiently(const struct fault *fault)
{
    int wrong = 1;
    if (!fault->lasts) {
        return run_fault(fault, PATIENT_CALL_MS / CALL_MS);
    }
    for (int patience = 1; wrong > 0 && patience <= 16; patience *= 4) {
        atomic_fetch_add(&shared->again, patience > 1);
        wrong = run_fault(fault, patience);
    }
    return wrong;
}

/* Two names for the two addresses of network.c; all other hosts stay as they are. */
static int connect_by_name(void)
{
    char line[192], *config = sim_file(&bench.sim, "akv-ekm.conf");
    const char *port_text = strstr(config, "::127.0.0.1:");
    assert_non_null(port_text);
    int port = (int)strtol(port_text + 12, NULL, 10);
    free(config);
    snprintf(line, sizeof line,
             "connect_to = " SIM_VAULT ":443:vault.test:%d, login.microsoftonline.com:443:"
             "login.test:%d",
             port, port);
    sim_configure(&bench.sim, line);
    return port;
}

static void test_share_of_the_faults(void **state)
{
    int wrong = 0;
    (void)state;
    bench_start(&bench);
    network_start(connect_by_name(), listener_start(&bench.sim));
    for (size_t i; (i = atomic_fetch_add(&shared->next, 1)) < fault_count();) {
        const struct fault *fault = fault_at(i);
        if (only == NULL || strstr(fault->name, only) != NULL) {
            wrong += run_patiently(fault);
        }
    }
    network_stop();
    listener_stop();
    bench_stop(&bench);
    assert_int_equal(wrong, 0);
}

static int faults_work(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_share_of_the_faults)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    pid_t workers[WORKERS];
    int failed = 0;
    only = argc > 1 ? argv[1] : NULL;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        return 1;
    }
    bench_make_keys();
    int count = only != NULL ? 1 : WORKERS;
    for (int i = 0; i < count; i++) {
        workers[i] = fork();
        if (workers[i] == 0) {
            exit(faults_work());
        }
        failed += workers[i] < 0;
    }
    for (int i = 0; i < count; i++) {
        int status = 1;
        failed += workers[i] < 0 || waitpid(workers[i], &status, 0) != workers[i] || status != 0;
    }
    printf("%d cells of %zu faults, %d faults given more time\n", atomic_load(&shared->cells),
           fault_count(), atomic_load(&shared->again));
    return failed != 0;
}
