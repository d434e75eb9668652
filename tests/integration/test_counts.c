/* Requests, connections and tokens, counted at the vault: what each operation may cost. */
#include "harness.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct sim sim;

static int counts_start(void **state)
{
    *state = &sim;
    sim_start(&sim, NULL, NULL);
    sim_configure(&sim, "hedge = no"); /* a busy machine is late, and the counts are exact */
    sim_make_key(&sim, "counted");
    return 0;
}

static void counts_reset(void)
{
    sim_ctl(&sim, "DELETE", "/counters", NULL);
}

#define assert_requests(count) assert_int_equal(sim_counter(&sim, "requests"), (count))

static void test_each_operation(void **state)
{
    (void)state;
    struct ekm ekm;
    SqlCpSession first, second;
    uint8_t bytes[32], blob[600], cipher[512], text[] = SIM_PLAIN;
    SqlCpData thumb = {0, bytes}, plain = {sizeof text, text}, wrapped = {sizeof cipher, cipher};
    ekm_load(&ekm);
    counts_reset();
    assert_int_equal(ekm.InitializeProvider(), SQLCP_SUCCESS);
    assert_requests(0);
    assert_int_equal(ekm_open(&ekm, "contoso-vault", SIM_PASSWORD, &first), SQLCP_SUCCESS);
    assert_requests(2);
    assert_int_equal(ekm_open(&ekm, "CONTOSO-VAULT", SIM_PASSWORD, &second), SQLCP_SUCCESS);
    assert_requests(2);
    assert_int_equal(ekm_find(&ekm, &first, "counted", &thumb), SQLCP_SUCCESS);
    assert_int_equal(thumb.cb, 20);
    assert_requests(3);
    SqlCpKeyBlob size = {0, NULL}, exported = {0, blob};
    assert_int_equal(ekm.ExportKey(&first, &thumb, NULL, SQLCP_PUBLIC_KEY_BLOB, &size),
                     SQLCP_INSUFFICIENT_BUFFER);
    exported.cb = size.cb;
    assert_int_equal(ekm.ExportKey(&first, &thumb, NULL, SQLCP_PUBLIC_KEY_BLOB, &exported),
                     SQLCP_SUCCESS);
    assert_requests(3);
    assert_int_equal(ekm_encrypt(&ekm, &first, &thumb, &plain, &wrapped), SQLCP_SUCCESS);
    assert_requests(4);
    struct ready ready = {.ekm = ekm, .session = second, .thumb = thumb, .cipher = wrapped};
    assert_int_equal(ready_decrypt(&ready), SQLCP_SUCCESS);
    assert_requests(5);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(ready_decrypt(&ready), SQLCP_SUCCESS);
    }
    assert_requests(105);
    /* Sequential calls share one kept-alive connection to each host: the vault's and Entra's. */
    assert_int_equal(sim_counter(&sim, "connections"), 2);
    assert_int_equal(sim_counter(&sim, "handshakes"), 2);
    assert_int_equal(sim_counter(&sim, "leaked_secrets"), 0);
    assert_int_equal(ekm.CloseSession(&first, 0), SQLCP_SUCCESS);
    assert_int_equal(ekm.CloseSession(&second, 0), SQLCP_SUCCESS);
    assert_int_equal(ekm.FreeProvider(), SQLCP_SUCCESS);
    ekm_unload(&ekm);
}

/* A name asked for again asks the vault again: a bare name means the newest version at that moment.
 */
static void test_bare_name_is_read_anew(void **state)
{
    (void)state;
    struct ready ready;
    uint8_t bytes[32];
    SqlCpData newer = {0, bytes};
    ready_open(&ready, &sim, "rolled");
    sim_make_key(&sim, "rolled");
    counts_reset();
    assert_int_equal(ekm_find(&ready.ekm, &ready.session, "rolled", &newer), SQLCP_SUCCESS);
    assert_requests(1);
    assert_memory_not_equal(bytes, ready.thumb_bytes, 20);
    assert_int_equal(ready_decrypt(&ready), SQLCP_SUCCESS);
    ready_close(&ready);
}

/* Never repeated once it may have left, not even by curl on a connection that breaks: a second
 * create is a second version. */
static void test_create_is_sent_once(void **state)
{
    (void)state;
    struct ready ready;
    uint16_t name[] = {'o', 'n', 'c', 'e'};
    uint8_t bytes[20];
    SqlCpStr wanted = {sizeof name, name};
    SqlCpKeyThumbprint thumb = {sizeof bytes, bytes};
    sim_configure(&sim, "allow_create = yes");
    sim_ctl(&sim, "POST", "/clients",
            "{\"client_id\":\"11111111-2222-4333-8444-555555555555\",\"secrets\":[\"" SIM_SECRET
            "\"],\"permissions\":[\"get\",\"list\",\"wrapKey\",\"unwrapKey\",\"create\"]}");
    ready_open(&ready, &sim, "before");
    sim_ctl(&sim, "POST", "/faults", "{\"path\":\"/create\",\"times\":0,\"action\":\"cut\"}");
    counts_reset();
    assert_int_equal(ready.ekm.CreateKey(&ready.session, &wanted, 1, 0, &thumb), 3119);
    assert_int_equal(sim_counter(&sim, "create"), 1);
    sim_ctl(&sim, "DELETE", "/faults", NULL);
    assert_int_equal(ready.ekm.CreateKey(&ready.session, &wanted, 1, 0, &thumb), SQLCP_SUCCESS);
    assert_int_equal(sim_counter(&sim, "create"), 2);
    ready_close(&ready);
}

/* In a child that has not loaded the library before: exit code 0 if `work` asserted nothing. */
static void in_fresh_process(void (*work)(const void *), const void *argument)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        work(argument);
        _exit(0);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

struct wrapped {
    uint8_t thumb[20], cipher[256];
};

static void counts_prepare(const void *argument)
{
    struct ready ready;
    ready_open(&ready, &sim, "fresh");
    FILE *out = fopen(argument, "wb");
    if (out == NULL || fwrite(ready.thumb_bytes, 20, 1, out) != 1 ||
        fwrite(ready.cipher_bytes, 256, 1, out) != 1 || fclose(out) != 0) {
        _exit(1);
    }
    ready_close(&ready);
}

static void fresh_start(struct ready *ready, const struct wrapped *wrapped)
{
    ekm_load(&ready->ekm);
    memcpy(ready->thumb_bytes, wrapped->thumb, 20);
    memcpy(ready->cipher_bytes, wrapped->cipher, 256);
    ready->thumb = (SqlCpData){20, ready->thumb_bytes};
    ready->cipher = (SqlCpData){256, ready->cipher_bytes};
    if (ready->ekm.InitializeProvider() != 0 ||
        ekm_open(&ready->ekm, "contoso-vault", SIM_PASSWORD, &ready->session) != 0) {
        _exit(2);
    }
}

static void decrypt_twice(const void *argument)
{
    struct ready ready;
    fresh_start(&ready, argument);
    if (ready_decrypt(&ready) != 0 || sim_counter(&sim, "requests") != 3) {
        _exit(3);
    }
    if (ready_decrypt(&ready) != 0 || sim_counter(&sim, "requests") != 4) {
        _exit(4);
    }
    ready_close(&ready);
}

static void encrypt_twice(const void *argument)
{
    struct ready ready;
    uint8_t bytes[512], text[] = SIM_PLAIN;
    SqlCpData plain = {sizeof text, text}, out = {sizeof bytes, bytes};
    fresh_start(&ready, argument);
    for (long round = 0; round < 2; round++) {
        out.cb = sizeof bytes;
        if (ekm_encrypt(&ready.ekm, &ready.session, &ready.thumb, &plain, &out) != 0 ||
            sim_counter(&sim, "requests") != 4 + round) {
            _exit(5);
        }
    }
    ready_close(&ready);
}

static void test_fresh_process(void **state)
{
    (void)state;
    char path[96];
    struct wrapped wrapped;
    snprintf(path, sizeof path, "%s/fresh", sim.folder);
    in_fresh_process(counts_prepare, path);
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    assert_int_equal(fread(&wrapped, sizeof wrapped, 1, in), 1);
    fclose(in);
    counts_reset();
    in_fresh_process(decrypt_twice, &wrapped);
    counts_reset();
    in_fresh_process(encrypt_twice, &wrapped);
}

static void *decrypt_once(void *ready)
{
    return ready_decrypt(ready) == SQLCP_SUCCESS ? ready : NULL;
}

/* Each of so many calls under way has a connection of its own: how many there were not yet, and how
 * many of these resumed a TLS session. */
static void decrypt_at_once(struct ready *ready, size_t count, long *made, long *resumed)
{
    pthread_t threads[32];
    counts_reset();
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, decrypt_once, ready), 0);
    }
    for (size_t i = 0; i < count; i++) {
        void *result = NULL;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_non_null(result);
    }
    *made = sim_counter(&sim, "handshakes");
    *resumed = sim_counter(&sim, "resumptions");
    assert_in_range(*made, 1, count);
}

/* A full handshake is for the first connection, and for those after the vault lost what it gave its
 * tickets under. */
static void further_connections_resume(const char *version)
{
    struct ready ready;
    long made = 0, resumed = 0;
    sim_ctl(&sim, "POST", "/settings", version);
    ready_open(&ready, &sim, "resumed");
    sim_ctl(&sim, "POST", "/settings", "{\"latency_ms\":300}");
    decrypt_at_once(&ready, 8, &made, &resumed);
    assert_int_equal(resumed, made);
    sim_ctl(&sim, "POST", "/settings", "{\"tls_tickets\":false}");
    decrypt_at_once(&ready, 12, &made, &resumed);
    assert_int_equal(resumed, 0);
    sim_ctl(&sim, "POST", "/settings", "{\"tls_tickets\":true}");
    decrypt_at_once(&ready, 13, &made, &resumed);
    assert_int_equal(resumed, 0);
    decrypt_at_once(&ready, 20, &made, &resumed);
    assert_int_equal(resumed, made);
    sim_ctl(&sim, "POST", "/settings", "{\"latency_ms\":0,\"tls_1_2\":false}");
    assert_int_equal(sim_counter(&sim, "leaked_secrets"), 0);
    ready_close(&ready);
}

static void test_further_connections(void **state)
{
    (void)state;
    further_connections_resume("{\"tls_1_2\":false}");
    further_connections_resume("{\"tls_1_2\":true}");
}

int main(void)
{
    /* The fresh processes come first: the parent must not have loaded the library when it forks. */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fresh_process),          cmocka_unit_test(test_each_operation),
        cmocka_unit_test(test_bare_name_is_read_anew), cmocka_unit_test(test_create_is_sent_once),
        cmocka_unit_test(test_further_connections),
    };
    return cmocka_run_group_tests(tests, counts_start, sim_tear_down);
}
