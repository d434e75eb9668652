/* 64 threads that call whatever they like with whatever handle is at hand, while others start and
 * free the provider and abort sessions. */
#include "hostile.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define THREADS    64
#define HANDLES    12
#define CLOSING    5007
#define RUN_MS     4000
#define PATIENCE_S 60    /* for all of the exports to have had their turn */
#define LONGEST_MS 60000 /* call_timeout_ms, and a machine that has 64 threads to serve */
#define EXPORTS    17

static struct sim sim;
static struct ready ready;
static _Atomic(SqlCpSession) handles[HANDLES];
static atomic_bool stop_all;
static atomic_int undocumented;
static atomic_long longest_ms;
static atomic_uint counts[EXPORTS], successes[EXPORTS], closings;

static unsigned races_draw(uint64_t *random, unsigned below)
{
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*random >> 33) % below;
}

/* One call of the export with this index. */
static SqlCpError races_call(unsigned export, uint64_t *random)
{
    const struct ekm *ekm = &ready.ekm;
    unsigned place = races_draw(random, HANDLES);
    SqlCpSession session = atomic_load(&handles[place]), opened = NULL;
    uint16_t units[] = {'r', 'a', 'c', 'e'}, name[64];
    uint8_t bytes[600], thumb_bytes[32], text[] = SIM_PLAIN;
    const SqlCpStr key = {sizeof units, units};
    SqlCpData thumb = ready.thumb, out = {sizeof bytes, bytes}, plain = {sizeof text, text};
    SqlCpKeyInfo info = {{sizeof name, name}, {sizeof thumb_bytes, thumb_bytes}, 0, 0};
    SqlCpProviderInfo provider = {.name = {0, NULL}};
    SqlCpAlgorithmInfo algorithm = {.algTag = {sizeof name, name}};
    SqlCpKeyId id = races_draw(random, 2);
    SqlCpError code;
    switch (export) {
    case 0:
        return ekm->InitializeProvider();
    case 1:
        return ekm->FreeProvider();
    case 2:
        code = ekm_open(ekm, "contoso-vault", SIM_PASSWORD, &opened);
        if (code == SQLCP_SUCCESS) {
            atomic_store(&handles[place], opened);
        }
        return code;
    case 3:
        return ekm->CloseSession(&session, (SqlCpBoolean)races_draw(random, 2));
    case 4:
        return ekm->GetProviderInfo(&provider);
    case 5:
        return ekm->GetNextAlgorithmId(&id);
    case 6:
        return ekm->GetAlgorithmInfo(1 + races_draw(random, 3), &algorithm);
    case 7:
        return ekm->CreateKey(&session, &key, 1, 0, &out);
    case 8:
        return ekm->DropKey(&session, &thumb);
    case 9:
        return ekm->GetNextKeyId(&session, &id);
    case 10:
        return ekm->GetKeyInfoByKeyId(&session, id, &info);
    case 11:
        return ekm->GetKeyInfoByThumb(&session, &thumb, &info);
    case 12:
        return ekm->GetKeyInfoByName(&session, &key, &info);
    case 13:
        return ekm->ExportKey(&session, &thumb, NULL, SQLCP_PUBLIC_KEY_BLOB, &out);
    case 14:
        return ekm->ImportKey(&session, &key, NULL, SQLCP_PUBLIC_KEY_BLOB, 0, &out);
    case 15:
        return ekm->Encrypt(&session, &thumb, 1, NULL, 0, &plain, &out);
    default:
        return ekm->Decrypt(&session, &thumb, 1, NULL, 0, &ready.cipher, &out);
    }
}

/* Starting, freeing and closing are rare, so that the rest gets somewhere in between. */
static unsigned races_choose(uint64_t *random)
{
    unsigned export = races_draw(random, EXPORTS);
    bool touches_others = export == 0 || export == 1 || export == 3;
    return touches_others && races_draw(random, 16) != 0 ? 16 : export;
}

static void *races_work(void *argument)
{
    uint64_t random = (uint64_t)(uintptr_t)argument;
    while (!atomic_load(&stop_all)) {
        unsigned export = races_choose(&random);
        long begin_ms = now_ms();
        SqlCpError code = races_call(export, &random);
        long took_ms = now_ms() - begin_ms, most_ms = atomic_load(&longest_ms);
        while (took_ms > most_ms && !atomic_compare_exchange_weak(&longest_ms, &most_ms, took_ms)) {
        }
        if (!hostile_is_documented(code)) {
            atomic_store(&undocumented, code);
        }
        atomic_fetch_add(&counts[export], 1);
        atomic_fetch_add(&closings, code == CLOSING);
        if (code == SQLCP_SUCCESS || code == SQLCP_INSUFFICIENT_BUFFER) {
            atomic_fetch_add(&successes[export], 1);
        }
    }
    return NULL;
}

/* However often it was started, and while calls are still on their way out. */
static void free_for_good(void)
{
    SqlCpSession session = NULL;
    for (int i = 0; i < 100000; i++) {
        (void)ready.ekm.FreeProvider();
        if (ready.ekm.CloseSession(&session, 0) == CLOSING) {
            return;
        }
    }
    fail_msg("the provider cannot be freed");
}

/* Something must have worked, or nothing was raced with. */
static bool races_enough(void)
{
    bool all = atomic_load(&successes[2]) > 0 && atomic_load(&successes[16]) > 0 &&
               atomic_load(&closings) > 0;
    for (int i = 0; i < EXPORTS; i++) {
        all = all && atomic_load(&counts[i]) > 0;
    }
    return all;
}

static void test_random_calls_during_initialize_and_free(void **state)
{
    pthread_t threads[THREADS];
    (void)state;
    assert_true(hostile_is_documented(CLOSING)); /* reads the table before the threads do */
    for (uintptr_t i = 0; i < THREADS; i++) {
        void *seed = NULL;
        uintptr_t number = 7919 * (i + 1);
        memcpy(&seed, &number, sizeof seed);
        assert_int_equal(pthread_create(&threads[i], NULL, races_work, seed), 0);
    }
    usleep(RUN_MS * 1000);
    for (int i = 0; i < PATIENCE_S * 100 && !races_enough(); i++) {
        usleep(10000);
    }
    atomic_store(&stop_all, true);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    unsigned all = 0;
    for (int i = 0; i < EXPORTS; i++) {
        all += atomic_load(&counts[i]);
    }
    print_message("%u calls, %u of them with 5007, of %u Decrypts %u with success, the longest "
                  "call %ld ms\n",
                  all, atomic_load(&closings), atomic_load(&counts[16]),
                  atomic_load(&successes[16]), atomic_load(&longest_ms));
    assert_int_equal(atomic_load(&undocumented), 0);
    assert_true(atomic_load(&longest_ms) < LONGEST_MS);
    assert_true(races_enough());
    free_for_good();
    assert_int_equal(ready.ekm.InitializeProvider(), SQLCP_SUCCESS);
    assert_int_equal(ekm_open(&ready.ekm, "contoso-vault", SIM_PASSWORD, &ready.session), 0);
    assert_int_equal(ready_decrypt(&ready), SQLCP_SUCCESS);
    assert_int_equal(sim_counter(&sim, "leaked_secrets"), 0);
}

static int races_start(void **state)
{
    *state = &ready;
    sim_start(&sim, NULL, NULL);
    sim_configure(&sim, "allow_create = yes");
    sim_configure(&sim, "log_level = info");
    ready_open(&ready, &sim, "race");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_calls_during_initialize_and_free)};
    return cmocka_run_group_tests(tests, races_start, ready_tear_down);
}
