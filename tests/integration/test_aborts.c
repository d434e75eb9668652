/* CloseSession(abort) during every operation, wherever it waits: both return soon, the call with
 * 5007. */
#include "harness.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <cmocka.h>

#define CLOSING 5007
#define KEY     "aborted"
/* The promise is 2 s; a machine that does ten things at once may take its time, as long as it is no
 * try's. */
#define MOST_MS 15000
#define TRY_MS  "25000"

static struct sim sim;
static struct ready ready;

enum operation { OPEN, BY_NAME, BY_THUMB, EXPORT, NEXT_ID, BY_ID, CREATE, DROP, ENCRYPT, DECRYPT };

/* The vault must hold a request of this kind when the abort comes. */
static const struct row {
    enum operation operation;
    const char *path;  /* of the request that is never answered */
    bool is_cold;      /* the provider has just started and knows no key */
    bool has_no_token; /* the vault refuses the one that is cached */
} rows[] = {
    {BY_NAME, "/keys/" KEY, false, false}, {BY_NAME, "oauth2", false, true},
    {BY_THUMB, "/keys/" KEY, true, false}, {EXPORT, "/keys/" KEY, true, false},
    {NEXT_ID, "/keys?", false, false},     {NEXT_ID, "/keys/" KEY, false, false},
    {BY_ID, "/keys?", false, false},       {BY_ID, "/keys/" KEY, false, false},
    {CREATE, "/keys/new", false, false},   {DROP, "/keys/" KEY, false, false},
    {DROP, "/versions", false, false},     {ENCRYPT, "wrapkey", false, false},
    {ENCRYPT, "/keys/" KEY, true, false},  {DECRYPT, "unwrapkey", false, false},
    {DECRYPT, "unwrapkey", true, false},   {DECRYPT, "oauth2", false, true},
    {OPEN, "oauth2", true, false},
};

struct running {
    const struct row *row;
    SqlCpSession session;
    SqlCpError code;
    long end_ms;
};

static SqlCpError aborts_perform(struct running *running)
{
    const struct ekm *ekm = &ready.ekm;
    uint16_t units[32], name[64];
    uint8_t bytes[600], thumb_bytes[32], text[] = SIM_PLAIN;
    SqlCpData out = {sizeof bytes, bytes}, plain = {sizeof text, text};
    SqlCpKeyInfo info = {{sizeof name, name}, {sizeof thumb_bytes, thumb_bytes}, 0, 0};
    SqlCpKeyId id = SQLCP_INVALID_ID;
    SqlCpStr key = ekm_wide(KEY, units);
    SqlCpSession opened;
    switch (running->row->operation) {
    case OPEN:
        return ekm_open(ekm, "contoso-vault", SIM_PASSWORD, &opened);
    case BY_NAME:
        return ekm->GetKeyInfoByName(&running->session, &key, &info);
    case BY_THUMB:
        return ekm->GetKeyInfoByThumb(&running->session, &ready.thumb, &info);
    case EXPORT:
        return ekm->ExportKey(&running->session, &ready.thumb, NULL, SQLCP_PUBLIC_KEY_BLOB, &out);
    case NEXT_ID:
        return ekm->GetNextKeyId(&running->session, &id);
    case BY_ID:
        return ekm->GetKeyInfoByKeyId(&running->session, 1, &info);
    case CREATE:
        key = ekm_wide("new", units);
        return ekm->CreateKey(&running->session, &key, 1, 0, &out);
    case DROP:
        return ekm->DropKey(&running->session, &ready.thumb);
    case ENCRYPT:
        return ekm->Encrypt(&running->session, &ready.thumb, 1, NULL, 0, &plain, &out);
    case DECRYPT:
        return ekm->Decrypt(&running->session, &ready.thumb, 1, NULL, 0, &ready.cipher, &out);
    }
    return -1;
}

static void *aborts_run(void *argument)
{
    struct running *running = argument;
    running->code = aborts_perform(running);
    running->end_ms = now_ms();
    return NULL;
}

static void aborts_restart(void)
{
    assert_int_equal(ready.ekm.FreeProvider(), SQLCP_SUCCESS);
    assert_int_equal(ready.ekm.InitializeProvider(), SQLCP_SUCCESS);
}

/* Waits until a request that fits the fault has come: each counts it down. */
static void wait_for_request(const char *path)
{
    for (int i = 0; i < 1000; i++) {
        char *faults = sim_ask(&sim, "/faults");
        bool hit = strstr(faults, "\"times\":1000") == NULL;
        free(faults);
        if (hit) {
            return;
        }
        usleep(10000);
    }
    fail_msg("no request for %s came", path);
}

static long abort_it(const struct row *row, struct running *running, pthread_t thread)
{
    long begin_ms = now_ms();
    /* Nobody has a handle yet of a session that is being opened: there the closing Free ends it. */
    assert_int_equal(row->operation == OPEN ? ready.ekm.FreeProvider()
                                            : ready.ekm.CloseSession(&running->session, 1),
                     SQLCP_SUCCESS);
    long closed_ms = now_ms() - begin_ms;
    pthread_join(thread, NULL);
    long end_ms = running->end_ms - begin_ms;
    sim_ctl(&sim, "DELETE", "/faults", NULL);
    if (running->code != CLOSING || end_ms > MOST_MS ||
        (row->operation != OPEN && closed_ms > MOST_MS)) {
        fail_msg("operation %d at %s: code %d after %ld ms, closed after %ld ms",
                 (int)row->operation, row->path, running->code, end_ms, closed_ms);
    }
    return end_ms;
}

static void test_every_operation(void **state)
{
    long longest_ms = 0;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        struct running running = {row, NULL, -1, 0};
        pthread_t thread;
        char json[128];
        if (row->is_cold) {
            aborts_restart();
        }
        if (row->operation != OPEN) {
            assert_int_equal(ekm_open(&ready.ekm, "contoso-vault", SIM_PASSWORD, &running.session),
                             0);
        }
        if (row->has_no_token) {
            sim_ctl(&sim, "POST", "/tokens/expire", NULL);
        }
        snprintf(json, sizeof json, "{\"path\":\"%s\",\"times\":1000,\"action\":\"hang\"}",
                 row->path);
        sim_ctl(&sim, "POST", "/faults", json);
        assert_int_equal(pthread_create(&thread, NULL, aborts_run, &running), 0);
        wait_for_request(row->path);
        long end_ms = abort_it(row, &running, thread);
        longest_ms = end_ms > longest_ms ? end_ms : longest_ms;
        if (row->operation == OPEN) {
            assert_int_equal(ready.ekm.InitializeProvider(), SQLCP_SUCCESS);
        }
    }
    print_message("a call ended %ld ms after its abort at the most\n", longest_ms);
    assert_int_equal(ekm_open(&ready.ekm, "contoso-vault", SIM_PASSWORD, &ready.session), 0);
    assert_int_equal(ready_decrypt(&ready), SQLCP_SUCCESS);
}

/* Another process writes the map and takes its time. */
static void test_waiting_for_the_map(void **state)
{
    static const struct row row = {BY_NAME, "", false, false};
    struct running running = {&row, NULL, -1, 0};
    char path[128];
    pthread_t thread;
    (void)state;
    snprintf(path, sizeof path, "%s/keymap", sim.folder);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof path, "%s/keymap.lock", sim.folder);
    int lock = open(path, O_RDWR | O_CLOEXEC);
    assert_true(lock >= 0);
    assert_int_equal(flock(lock, LOCK_EX), 0);
    assert_int_equal(ekm_open(&ready.ekm, "contoso-vault", SIM_PASSWORD, &running.session), 0);
    sim_ctl(&sim, "DELETE", "/counters", NULL);
    assert_int_equal(pthread_create(&thread, NULL, aborts_run, &running), 0);
    for (int i = 0; i < 1000 && sim_counter(&sim, "requests") == 0; i++) {
        usleep(10000);
    }
    usleep(500000); /* from the vault's answer to the lock */
    print_message("after %ld ms\n", abort_it(&row, &running, thread));
    close(lock);
    assert_int_equal(ekm_open(&ready.ekm, "contoso-vault", SIM_PASSWORD, &running.session), 0);
    assert_int_equal(aborts_perform(&running), SQLCP_SUCCESS);
    assert_int_equal(ready.ekm.CloseSession(&running.session, 0), SQLCP_SUCCESS);
}

/* Several calls of one session, all of them ended by one abort. */
static void test_all_calls_of_a_session(void **state)
{
    enum { THREADS = 16 };
    static const struct row row = {DECRYPT, "unwrapkey", false, false};
    struct running running[THREADS];
    pthread_t threads[THREADS];
    SqlCpSession session;
    int ended = 0;
    (void)state;
    assert_int_equal(ekm_open(&ready.ekm, "contoso-vault", SIM_PASSWORD, &session), 0);
    sim_ctl(&sim, "POST", "/faults", "{\"path\":\"unwrapkey\",\"times\":1000,\"action\":\"hang\"}");
    for (int i = 0; i < THREADS; i++) {
        running[i] = (struct running){&row, session, -1, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, aborts_run, &running[i]), 0);
    }
    wait_for_request("unwrapkey");
    long begin_ms = now_ms();
    assert_int_equal(ready.ekm.CloseSession(&session, 1), SQLCP_SUCCESS);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        /* Any but one may have come when the session was gone. */
        assert_true(running[i].code == CLOSING || running[i].code == SQLCP_INVALID_ARGUMENT);
        ended += running[i].code == CLOSING;
        assert_true(running[i].end_ms - begin_ms < MOST_MS);
    }
    assert_true(ended > 0);
    sim_ctl(&sim, "DELETE", "/faults", NULL);
}

static int aborts_start(void **state)
{
    *state = &ready;
    sim_start(&sim, NULL, NULL);
    sim_ctl(&sim, "POST", "/clients",
            "{\"client_id\":\"11111111-2222-4333-8444-555555555555\",\"permissions\":[\"all\"]}");
    sim_configure(&sim, "try_timeout_ms = " TRY_MS);
    sim_configure(&sim, "allow_create = yes");
    sim_configure(&sim, "allow_drop = yes");
    ready_open(&ready, &sim, KEY);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_operation),
        cmocka_unit_test(test_waiting_for_the_map),
        cmocka_unit_test(test_all_calls_of_a_session),
    };
    return cmocka_run_group_tests(tests, aborts_start, ready_tear_down);
}
