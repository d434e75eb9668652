/* Initialize, Free and the gate, through the exports. */
#include "provider_fixture.h"

// wrap: vault_authenticate vault_get_key vault_wrap vault_unwrap vault_list_keys
// wrap: vault_list_versions vault_create_key vault_delete_key http_start http_stop
// wrap: vault_list_keys_page vault_request_try_all OPENSSL_init_crypto
// with: fake_vault.c provider_fixture.c

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef _WIN32
#include <sys/wait.h>
#endif
#include <cmocka.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include "platform/system.h"

static void test_initialize_and_free_are_counted(void **state)
{
    SqlCpKeyId id = 0;
    (void)state;
    assert_int_equal(SqlCryptFreeProvider(), SQLCP_SUCCESS);
    fixture_start();
    assert_int_equal(atomic_load(&fake_http_running), 1);
    assert_int_equal(SqlCryptInitializeProvider(), SQLCP_SUCCESS);
    assert_int_equal(atomic_load(&fake_http_running), 1);
    assert_int_equal(SqlCryptFreeProvider(), SQLCP_SUCCESS);
    assert_int_equal(SqlCryptGetNextKeyId(&fixture.session, &id), SQLCP_NOT_FOUND);
    assert_int_equal(SqlCryptFreeProvider(), SQLCP_SUCCESS);
    assert_int_equal(atomic_load(&fake_http_running), 0);
    assert_int_equal(SqlCryptFreeProvider(), SQLCP_SUCCESS);
    assert_int_equal(SqlCryptGetNextKeyId(&fixture.session, &id), CLOSING);
    /* A handle of the life before. */
    SqlCpSession old = fixture.session;
    fixture_start();
    assert_int_equal(SqlCryptGetNextKeyId(&old, &id), SQLCP_INVALID_ARGUMENT);
    fixture_stop();
}

/* Only the first caller initializes OpenSSL: later calls change nothing. */
static uint64_t openssl_options;

int __real_OPENSSL_init_crypto(uint64_t options, const OPENSSL_INIT_SETTINGS *settings);
int __wrap_OPENSSL_init_crypto(uint64_t options, const OPENSSL_INIT_SETTINGS *settings);
int __wrap_OPENSSL_init_crypto(uint64_t options, const OPENSSL_INIT_SETTINGS *settings)
{
    static bool asked;
    openssl_options = asked ? openssl_options : options;
    asked = true;
    return __real_OPENSSL_init_crypto(options, settings);
}

#ifdef AKVEKM_PRIVATE_LIBRARIES
/* Whatever Initialize does first: an OpenSSL that is inside wipes what it frees, and does not clean
 * up at the end of a process whose threads were killed. */
static void test_openssl_inside_is_ours(void **state)
{
    CRYPTO_malloc_fn allocate = NULL;
    CRYPTO_realloc_fn reallocate = NULL;
    CRYPTO_free_fn release = NULL;
    (void)state;
    fixture_start();
    CRYPTO_get_mem_functions(&allocate, &reallocate, &release);
    assert_ptr_not_equal(allocate, CRYPTO_malloc);
    assert_ptr_not_equal(reallocate, CRYPTO_realloc);
    assert_ptr_not_equal(release, CRYPTO_free);
    assert_true((openssl_options & OPENSSL_INIT_NO_ATEXIT) != 0);
    fixture_stop();
}
#else
/* One that the host shares stays as it is. */
static void test_openssl_of_the_host_is_left(void **state)
{
    (void)state;
    fixture_start();
    assert_true((openssl_options & OPENSSL_INIT_NO_ATEXIT) == 0);
    fixture_stop();
}
#endif

/* Every export but the five that work in any state; NULL everywhere must not matter yet. */
static void test_calls_outside_initialize_and_free_are_refused(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(SqlCryptOpenSession(NULL, NULL), CLOSING);
        assert_int_equal(SqlCryptCloseSession(NULL, 0), CLOSING);
        assert_int_equal(SqlCryptCreateKey(NULL, NULL, 0, 0, NULL), CLOSING);
        assert_int_equal(SqlCryptDropKey(NULL, NULL), CLOSING);
        assert_int_equal(SqlCryptGetNextKeyId(NULL, NULL), CLOSING);
        assert_int_equal(SqlCryptGetKeyInfoByKeyId(NULL, 0, NULL), CLOSING);
        assert_int_equal(SqlCryptGetKeyInfoByThumb(NULL, NULL, NULL), CLOSING);
        assert_int_equal(SqlCryptGetKeyInfoByName(NULL, NULL, NULL), CLOSING);
        assert_int_equal(SqlCryptExportKey(NULL, NULL, NULL, 1, NULL), CLOSING);
        assert_int_equal(SqlCryptImportKey(NULL, NULL, NULL, 1, 0, NULL), CLOSING);
        assert_int_equal(SqlCryptEncrypt(NULL, NULL, 1, NULL, 0, NULL, NULL), CLOSING);
        assert_int_equal(SqlCryptDecrypt(NULL, NULL, 1, NULL, 0, NULL, NULL), CLOSING);
        fixture_start();
        fixture_stop();
    }
}

static void test_null_everywhere(void **state)
{
    SqlCpSession *const session = &fixture.session;
    SqlCpStr no_text = {2, NULL};
    SqlCpCredential no_credential = {{2, NULL}, {2, NULL}};
    SqlCpData no_data = {20, NULL};
    SqlCpKeyInfo info = {{0, NULL}, {0, NULL}, 0, 0};
    SqlCpSession opened = NULL;
    (void)state;
    fixture_start();
    for (int i = 0; i < 2; i++) {
        const SqlCpData *data = i == 0 ? NULL : &no_data;
        const SqlCpStr *text = i == 0 ? NULL : &no_text;
        assert_int_equal(SqlCryptOpenSession(i == 0 ? NULL : &no_credential, &opened), 6);
        assert_int_equal(SqlCryptGetKeyInfoByThumb(session, data, &info), 6);
        assert_int_equal(SqlCryptGetKeyInfoByName(session, text, &info), 6);
        assert_int_equal(SqlCryptExportKey(session, data, NULL, 1, &(SqlCpData){0, NULL}), 6);
        assert_int_equal(SqlCryptEncrypt(session, data, 1, NULL, 0, data, &(SqlCpData){0, NULL}),
                         6);
        assert_int_equal(SqlCryptDecrypt(session, data, 1, NULL, 0, data, &(SqlCpData){0, NULL}),
                         6);
    }
    assert_int_equal(SqlCryptGetNextKeyId(session, NULL), 6);
    assert_int_equal(SqlCryptGetKeyInfoByKeyId(session, 1, NULL), 6);
    assert_int_equal(SqlCryptGetKeyInfoByName(session, &no_text, NULL), 6);
    assert_int_equal(SqlCryptGetKeyInfoByThumb(session, &no_data, NULL), 6);
    assert_int_equal(SqlCryptGetKeyInfoByName(NULL, NULL, NULL), 6);
    assert_int_equal(SqlCryptCloseSession(NULL, 0), 6);
    assert_int_equal(SqlCryptImportKey(session, NULL, NULL, 1, 0, NULL), SQLCP_NOT_SUPPORTED);
    assert_int_equal(fake_requests(), 0);
    fixture_stop();
}

static void test_credentials(void **state)
{
    static char identity[560], secret[2100];
    SqlCpSession session = NULL;
    uint16_t units[4] = {'a', 0xD800, 'b', 'c'};
    SqlCpCredential odd = {{3, units}, {8, units}}, lone = {{8, units}, {8, units}};
    (void)state;
    fixture_start();
    fake_reset_counts();
    memset(identity, 'a', sizeof identity - 1);
    memset(secret, '1', sizeof secret - 1);
    assert_int_equal(fixture_open(identity, FAKE_SECRET, &session), 5002);
    assert_int_equal(fixture_open("contoso-vault", secret, &session), 6);
    assert_int_equal(fixture_open("contoso-vault.example.com", FAKE_SECRET, &session), 5002);
    assert_int_equal(fixture_open("contoso-vault", "", &session), 2050);
    assert_int_equal(SqlCryptOpenSession(&odd, &session), 6);
    assert_int_equal(SqlCryptOpenSession(&lone, &session), 5002);
    /* IDENTITY and SECRET are swapped: the log must not show the secret. */
    assert_int_equal(fixture_open(FAKE_SECRET, "contoso-vault", &session), 5002);
    assert_int_equal(fixture_open("abc8Q~fake_secret", "contoso-vault", &session), 5002);
    assert_null(session);
    assert_int_equal(fake_counts.authenticate, 0);
    assert_int_equal(fixture_open("https://Contoso-Vault.vault.azure.net/", FAKE_SECRET, &session),
                     0);
    assert_int_equal(fake_counts.authenticate, 1);
    assert_int_equal(SqlCryptCloseSession(&session, 0), SQLCP_SUCCESS);
    fixture_stop();
    assert_null(strstr(fixture_read(fixture.log), "fake~secret"));
    assert_null(strstr(fixture_read(fixture.log), "fake_secret"));
    assert_non_null(strstr(fixture_read(fixture.log), "IDENTITY begins with 'abc8Q~'"));
    assert_non_null(strstr(fixture_read(fixture.log), "11111111-2222-4333-8444-555555555555"));
}

static void test_failed_start_changes_nothing(void **state)
{
    SqlCpProviderInfo before, after;
    (void)state;
    fixture_start();
    fixture_stop();
    memset(&before, 0, sizeof before);
    memset(&after, 0, sizeof after);
    uint16_t one[64], two[64];
    before.name = (SqlCpStr){sizeof one, one};
    after.name = (SqlCpStr){sizeof two, two};
    assert_int_equal(SqlCryptGetProviderInfo(&before), SQLCP_SUCCESS);
    fake_http_start_rc = EKM_CONFIGURATION;
    fixture_configure("provider_name = Never");
    assert_int_equal(SqlCryptInitializeProvider(), 5003);
    assert_int_equal(SqlCryptOpenSession(NULL, NULL), CLOSING);
    assert_int_equal(SqlCryptGetProviderInfo(&after), SQLCP_SUCCESS);
    assert_int_equal(before.name.cb, after.name.cb);
    assert_int_equal(SqlCryptFreeProvider(), SQLCP_SUCCESS);
    fake_http_start_rc = EKM_OK;
    fixture_start();
    assert_int_equal(SqlCryptGetProviderInfo(&after), SQLCP_SUCCESS);
    assert_int_equal(after.name.cb, 10);
    fixture_stop();
    /* The identity survives Free. */
    after.name.cb = sizeof two;
    assert_int_equal(SqlCryptGetProviderInfo(&after), SQLCP_SUCCESS);
    assert_int_equal(after.name.cb, 10);
    fixture_configure("call_timeout_ms = soon");
    assert_int_equal(SqlCryptInitializeProvider(), 5003);
    assert_int_equal(atomic_load(&fake_http_running), 0);
}

static void test_start_is_logged(void **state)
{
    (void)state;
    fixture_configure("allow_drop = yes");
    fixture_start();
    fixture_stop();
    const char *log = fixture_read(fixture.log);
    assert_non_null(strstr(log, "openssl=\"3."));
    assert_non_null(strstr(log, "curl=\""));
    assert_non_null(strstr(log, "keymap_entries=\"0\""));
    assert_non_null(strstr(log, "setting=\"allow_drop\""));
    assert_non_null(strstr(log, "note=\"widens trust\""));
    assert_non_null(strstr(log, fixture.map));
}

static void test_host_errno_is_kept(void **state)
{
    (void)state;
    fake_add("TdeKey0", "v1", 1);
    errno = 4711;
    fixture_start();
    struct thumbprint print;
    errno = 4711;
    assert_int_equal(fixture_find("TdeKey0", &print), SQLCP_SUCCESS);
    assert_int_equal(errno, 4711);
    assert_int_equal(fixture_find("absent", &print), 3112);
    assert_int_equal(errno, 4711);
    assert_int_equal(SqlCryptFreeProvider(), SQLCP_SUCCESS);
    assert_int_equal(errno, 4711);
}

/* Where the library has an OpenSSL of its own, the host's queue is out of its reach. */
static void test_host_queue_is_kept(void **state)
{
    (void)state;
#ifdef AKVEKM_PRIVATE_LIBRARIES
    skip();
#endif
    struct thumbprint print;
    fake_add("TdeKey0", "v1", 1);
    ERR_clear_error();
    ERR_raise(ERR_LIB_USER, 77);
    ERR_raise_data(ERR_LIB_USER, 78, "of the %s", "host");
    fixture_start();
    assert_int_equal(fixture_find("TdeKey0", &print), SQLCP_SUCCESS);
    assert_int_equal(fixture_find("absent", &print), 3112);
    fixture_stop();
    const char *file = NULL, *function = NULL, *data = NULL;
    int line = 0, flags = 0;
    assert_int_equal(ERR_GET_REASON(ERR_get_error_all(&file, &line, &function, &data, &flags)), 77);
    assert_non_null(strstr(file, "test_provider.c"));
    assert_string_equal(function, "test_host_queue_is_kept");
    assert_int_equal(ERR_GET_REASON(ERR_get_error_all(&file, &line, &function, &data, &flags)), 78);
    assert_string_equal(data, "of the host");
    assert_int_equal(ERR_get_error(), 0);
    /* Nor is anything left behind where nothing was. */
    fixture_start();
    assert_int_equal(fixture_find("absent", &print), 3112);
    assert_int_equal(ERR_peek_error(), 0);
    fixture_stop();
    assert_int_equal(ERR_peek_error(), 0);
}

/* Before the vault would have answered, on a busy machine as well. */
#define VAULT_TAKES_MS 20000
#define SOON_MS        10000

struct caller {
    SqlCpError code;
    uint64_t end_ms;
};

static void *list_in_thread(void *argument)
{
    struct caller *caller = argument;
    SqlCpKeyId id = 0;
    caller->code = SqlCryptGetNextKeyId(&fixture.session, &id);
    caller->end_ms = plat_now_ms();
    return NULL;
}

static void *open_in_thread(void *argument)
{
    struct caller *caller = argument;
    SqlCpSession session;
    caller->code = fixture_open("contoso-vault", FAKE_SECRET, &session);
    caller->end_ms = plat_now_ms();
    return NULL;
}

static void provider_begin(pthread_t *thread, void *(*entry)(void *), struct caller *caller,
                           atomic_uint *until_counted)
{
    unsigned before = atomic_load(until_counted);
    assert_int_equal(pthread_create(thread, NULL, entry, caller), 0);
    while (atomic_load(until_counted) == before) {
        usleep(1000);
    }
}

static void test_free_ends_running_calls(void **state)
{
    struct caller lister = {-1, 0}, opener = {-1, 0};
    pthread_t threads[2];
    (void)state;
    fixture_start();
    atomic_store(&fake_delay_ms, VAULT_TAKES_MS);
    provider_begin(&threads[0], list_in_thread, &lister, &fake_counts.list);
    provider_begin(&threads[1], open_in_thread, &opener, &fake_counts.authenticate);
    assert_int_equal(SqlCryptFreeProvider(), SQLCP_SUCCESS);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(lister.code, CLOSING);
    assert_int_equal(opener.code, CLOSING);
}

/* A call that does not end in time: nothing is torn down, all can be put right. */
static void test_free_gives_up(void **state)
{
    struct caller lister = {-1, 0};
    SqlCpSession session = NULL;
    pthread_t thread;
    (void)state;
    fixture_start();
    atomic_store(&fake_stubborn, true);
    provider_begin(&thread, list_in_thread, &lister, &fake_counts.list);
    assert_int_equal(SqlCryptFreeProvider(), SQLCP_FAILURE);
    assert_int_equal(atomic_load(&fake_http_running), 1);
    assert_int_equal(SqlCryptOpenSession(NULL, NULL), CLOSING);
    assert_int_equal(SqlCryptInitializeProvider(), SQLCP_SUCCESS);
    assert_int_equal(atomic_load(&fake_http_running), 1);
    atomic_store(&fake_stubborn, false);
    pthread_join(thread, NULL);
    assert_int_equal(lister.code, CLOSING);
    /* The sessions before were aborted, new ones work. */
    assert_int_equal(SqlCryptGetNextKeyId(&fixture.session, &(SqlCpKeyId){0}), CLOSING);
    assert_int_equal(fixture_open("contoso-vault", FAKE_SECRET, &session), SQLCP_SUCCESS);
    assert_int_equal(SqlCryptGetNextKeyId(&session, &(SqlCpKeyId){0}), SQLCP_NOT_FOUND);
    assert_int_equal(SqlCryptFreeProvider(), SQLCP_SUCCESS);
    assert_int_equal(atomic_load(&fake_http_running), 0);
}

static void test_abort_ends_a_running_call(void **state)
{
    struct caller lister = {-1, 0};
    pthread_t thread;
    (void)state;
    fixture_start();
    atomic_store(&fake_delay_ms, VAULT_TAKES_MS);
    provider_begin(&thread, list_in_thread, &lister, &fake_counts.list);
    uint64_t start_ms = plat_now_ms();
    assert_int_equal(SqlCryptCloseSession(&fixture.session, 1), SQLCP_SUCCESS);
    assert_true(plat_now_ms() - start_ms < SOON_MS);
    pthread_join(thread, NULL);
    assert_int_equal(lister.code, CLOSING);
    assert_true(lister.end_ms - start_ms < SOON_MS);
    assert_int_equal(SqlCryptFreeProvider(), SQLCP_SUCCESS);
}

#ifndef _WIN32
static void test_child_is_refused(void **state)
{
    int status = -1;
    SqlCpKeyId id = 0;
    (void)state;
    fixture_start();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        bool refused = SqlCryptGetNextKeyId(&fixture.session, &id) == CLOSING &&
                       SqlCryptInitializeProvider() == CLOSING &&
                       SqlCryptFreeProvider() == CLOSING &&
                       SqlCryptCloseSession(&fixture.session, 0) == CLOSING;
        _exit(refused ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(SqlCryptGetNextKeyId(&fixture.session, &id), SQLCP_NOT_FOUND);
    fixture_stop();
}
#endif

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifdef AKVEKM_PRIVATE_LIBRARIES
        CASE(test_openssl_inside_is_ours),
#else
        CASE(test_openssl_of_the_host_is_left),
#endif
        CASE(test_initialize_and_free_are_counted),
        CASE(test_calls_outside_initialize_and_free_are_refused),
        CASE(test_null_everywhere),
        CASE(test_credentials),
        CASE(test_failed_start_changes_nothing),
        CASE(test_start_is_logged),
        CASE(test_host_errno_is_kept),
        CASE(test_host_queue_is_kept),
        CASE(test_free_ends_running_calls),
        CASE(test_free_gives_up),
        CASE(test_abort_ends_a_running_call),
#ifndef _WIN32
        CASE(test_child_is_refused),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
