/* 64 threads on the exports while the provider goes up and down and sessions are aborted. For
 * ThreadSanitizer. */
#include "provider_fixture.h"

// wrap: vault_authenticate vault_get_key vault_wrap vault_unwrap vault_list_keys
// wrap: vault_list_versions vault_create_key vault_delete_key http_start http_stop
// wrap: vault_list_keys_page vault_request_try_all
// with: fake_vault.c provider_fixture.c

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define THREADS 64
#define PLAIN   "0123456789abcdef"

static atomic_bool stop;
static atomic_uint wrong, done;
static struct thumbprint print;

static void storm_expect(bool right, SqlCpError code)
{
    if (!right && atomic_fetch_add(&wrong, 1) == 0) {
        print_error("code %d\n", code);
    }
}

static bool is_expected(SqlCpError code)
{
    return code == SQLCP_SUCCESS || code == CLOSING || code == SQLCP_INVALID_ARGUMENT;
}

static SqlCpError storm_use(SqlCpSession *session)
{
    uint8_t cipher_bytes[256], plain_bytes[256], thumb_bytes[20], text[] = PLAIN;
    SqlCpData thumb = {20, thumb_bytes}, in = {sizeof text, text};
    SqlCpData cipher = {sizeof cipher_bytes, cipher_bytes};
    SqlCpData plain = {sizeof plain_bytes, plain_bytes};
    memcpy(thumb_bytes, print.bytes, 20);
    SqlCpError code = SqlCryptEncrypt(session, &thumb, 1, NULL, 0, &in, &cipher);
    if (code == SQLCP_SUCCESS) {
        code = SqlCryptDecrypt(session, &thumb, 1, NULL, 0, &cipher, &plain);
        storm_expect(code != SQLCP_SUCCESS || memcmp(plain_bytes, PLAIN, sizeof text) == 0, code);
    }
    return code;
}

static SqlCpError storm_ask(SqlCpSession *session)
{
    uint16_t units[16], found[32];
    uint8_t bytes[32];
    SqlCpStr name = fixture_wide("TdeKey0", units);
    SqlCpKeyInfo info = {{0, NULL}, {0, NULL}, 0, 0};
    SqlCpKeyId id = SQLCP_INVALID_ID;
    SqlCpProviderInfo provider;
    memset(&provider, 0, sizeof provider);
    (void)SqlCryptGetProviderInfo(&provider);
    SqlCpError code = SqlCryptGetNextKeyId(session, &id);
    if (code == SQLCP_SUCCESS &&
        SqlCryptGetKeyInfoByName(session, &name, &info) == SQLCP_INSUFFICIENT_BUFFER) {
        info.name = (SqlCpStr){sizeof found, found};
        info.thumb = (SqlCpData){sizeof bytes, bytes};
        code = SqlCryptGetKeyInfoByName(session, &name, &info);
    }
    return code;
}

static void *storm_work(void *argument)
{
    unsigned number = *(unsigned *)argument;
    SqlCpSession session = NULL;
    for (unsigned i = 0; !atomic_load(&stop); i++) {
        SqlCpError code = fixture_open("contoso-vault", FAKE_SECRET, &session);
        storm_expect(code == SQLCP_SUCCESS || code == CLOSING, code);
        if (code != SQLCP_SUCCESS) {
            usleep(200);
            continue;
        }
        code = storm_use(&session);
        storm_expect(is_expected(code), code);
        code = (i + number) % 4 == 0 ? storm_ask(&session) : storm_use(&fixture.session);
        storm_expect(is_expected(code), code);
        code = SqlCryptCloseSession(&session, number % 2 == 0);
        storm_expect(is_expected(code), code);
        atomic_fetch_add(&done, 1);
    }
    return NULL;
}

static void test_storm(void **state)
{
    pthread_t threads[THREADS];
    unsigned numbers[THREADS];
    (void)state;
    atomic_store(&stop, false);
    fake_add("TdeKey0", "v1", 1);
    fixture_start();
    assert_int_equal(fixture_find("TdeKey0", &print), SQLCP_SUCCESS);
    atomic_store(&fake_delay_ms, 1);
    for (unsigned i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, storm_work, &numbers[i]), 0);
    }
    /* On a busy machine the threads may not get far meanwhile. */
    for (int i = 0; i < 30 || (i < 1000 && atomic_load(&done) <= THREADS); i++) {
        usleep(20000);
        assert_int_equal(SqlCryptFreeProvider(), SQLCP_SUCCESS);
        assert_int_equal(SqlCryptInitializeProvider(), SQLCP_SUCCESS);
        if (i % 3 == 0) {
            assert_int_equal(SqlCryptInitializeProvider(), SQLCP_SUCCESS);
            assert_int_equal(SqlCryptFreeProvider(), SQLCP_SUCCESS);
        }
    }
    atomic_store(&stop, true);
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(atomic_load(&wrong), 0);
    assert_true(atomic_load(&done) > THREADS);
    assert_int_equal(SqlCryptFreeProvider(), SQLCP_SUCCESS);
    assert_int_equal(atomic_load(&fake_http_running), 0);
}

/* In any order of callers the last Free closes, and every successful Initialize has its Free. */
static void *initialize_and_free(void *argument)
{
    (void)argument;
    for (int i = 0; i < 20; i++) {
        SqlCpSession session = NULL;
        SqlCpError code = SqlCryptInitializeProvider();
        storm_expect(code == SQLCP_SUCCESS, code);
        code = fixture_open("contoso-vault", FAKE_SECRET, &session);
        storm_expect(code == SQLCP_SUCCESS, code);
        code = storm_use(&session);
        storm_expect(code == SQLCP_SUCCESS, code);
        code = SqlCryptFreeProvider();
        storm_expect(code == SQLCP_SUCCESS, code);
    }
    return NULL;
}

static void test_many_threads_initialize_at_once(void **state)
{
    pthread_t threads[THREADS];
    (void)state;
    fake_add("TdeKey0", "v1", 1);
    fixture_start();
    assert_int_equal(fixture_find("TdeKey0", &print), SQLCP_SUCCESS);
    fixture_stop();
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, initialize_and_free, NULL), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(atomic_load(&wrong), 0);
    assert_int_equal(atomic_load(&fake_http_running), 0);
    assert_int_equal(SqlCryptOpenSession(NULL, NULL), CLOSING);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(test_storm),
                                       CASE(test_many_threads_initialize_at_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
