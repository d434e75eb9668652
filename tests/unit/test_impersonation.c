/* A thread that impersonates a login is the service within each export, and the login behind it. */
// only: windows
#include "provider_fixture.h"

// wrap: vault_authenticate vault_get_key vault_wrap vault_unwrap vault_list_keys
// wrap: vault_list_versions vault_create_key vault_delete_key http_start http_stop
// wrap: vault_list_keys_page vault_request_try_all call_begin provider_initialize provider_free
// wrap: __imp_OpenThreadToken __imp_SetThreadToken __imp_ImpersonateAnonymousToken
// wrap: __imp_RaiseFailFastException
// with: fake_vault.c provider_fixture.c

#include <windows.h>

#include <sddl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "platform/impersonation.h"
#include "provider/provider.h"

#define INTERNAL 5009
#define MAP_KEY  L"SOFTWARE\\Microsoft\\SQL Server Cryptographic Provider"

/* The names that the linker gives to the tables of imported functions. */
typedef BOOL(WINAPI *open_token)(HANDLE, DWORD, BOOL, HANDLE *);
typedef BOOL(WINAPI *set_token)(HANDLE *, HANDLE);
extern open_token __real___imp_OpenThreadToken, __wrap___imp_OpenThreadToken;
extern set_token __real___imp_SetThreadToken, __wrap___imp_SetThreadToken;
extern BOOL(WINAPI *__wrap___imp_ImpersonateAnonymousToken)(HANDLE);
extern VOID(WINAPI *__wrap___imp_RaiseFailFastException)(EXCEPTION_RECORD *, CONTEXT *, DWORD);

/* How many calls fail from now on, and with what. */
static int open_fails, leave_fails, back_fails, anonymous_fails;
static int times_open, times_set, times_anonymous, times_ended;
static int times_inside, times_impersonated;

static bool impersonation_impersonates(void)
{
    HANDLE token = NULL;
    bool has = __real___imp_OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token);
    if (has) {
        CloseHandle(token);
    }
    return has;
}

static BOOL WINAPI scripted_open(HANDLE thread, DWORD access, BOOL as_self, HANDLE *token)
{
    times_open++;
    assert_true(as_self);
    if (open_fails > 0) {
        open_fails--;
        SetLastError(ERROR_CANT_OPEN_ANONYMOUS);
        return FALSE;
    }
    return __real___imp_OpenThreadToken(thread, access, as_self, token);
}
open_token __wrap___imp_OpenThreadToken = scripted_open;

static BOOL WINAPI scripted_set(HANDLE *thread, HANDLE token)
{
    int *fails = token == NULL ? &leave_fails : &back_fails;
    times_set++;
    if (*fails > 0) {
        (*fails)--;
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return FALSE;
    }
    return __real___imp_SetThreadToken(thread, token);
}
set_token __wrap___imp_SetThreadToken = scripted_set;

static BOOL WINAPI scripted_anonymous(HANDLE thread)
{
    (void)thread;
    times_anonymous++;
    return anonymous_fails == 0;
}
BOOL(WINAPI *__wrap___imp_ImpersonateAnonymousToken)(HANDLE) = scripted_anonymous;

static VOID WINAPI scripted_end(EXCEPTION_RECORD *record, CONTEXT *context, DWORD flags)
{
    (void)record;
    (void)context;
    (void)flags;
    times_ended++;
}
VOID(WINAPI *__wrap___imp_RaiseFailFastException)
(EXCEPTION_RECORD *, CONTEXT *, DWORD) = scripted_end;

static void look_inside(void)
{
    times_inside++;
    times_impersonated += impersonation_impersonates();
}

void __real_call_begin(struct call *call, const char *operation, const struct config *config);
void __wrap_call_begin(struct call *call, const char *operation, const struct config *config);
void __wrap_call_begin(struct call *call, const char *operation, const struct config *config)
{
    look_inside();
    __real_call_begin(call, operation, config);
}

enum ekm_rc __real_provider_initialize(void);
enum ekm_rc __wrap_provider_initialize(void);
enum ekm_rc __wrap_provider_initialize(void)
{
    look_inside();
    return __real_provider_initialize();
}

enum ekm_rc __real_provider_free(void);
enum ekm_rc __wrap_provider_free(void);
enum ekm_rc __wrap_provider_free(void)
{
    look_inside();
    return __real_provider_free();
}

static int set_up(void **state)
{
    times_open = times_set = times_anonymous = times_ended = 0;
    times_inside = times_impersonated = 0;
    return fixture_set_up(state);
}

static int tear_down(void **state)
{
    open_fails = leave_fails = back_fails = anonymous_fails = 0;
    RevertToSelf();
    return fixture_tear_down(state);
}

/* The result of an export does not matter here, only that the login is back and the last error is
 * unchanged. */
#define KEEPS(...)                                                                                 \
    do {                                                                                           \
        SetLastError(4711);                                                                        \
        (void)(__VA_ARGS__);                                                                       \
        assert_int_equal(GetLastError(), 4711);                                                    \
        assert_true(impersonation_impersonates());                                                 \
    } while (0)

static void test_each_export(void **state)
{
    SqlCpSession session = NULL;
    SqlCpProviderInfo provider = {0};
    SqlCpAlgorithmInfo algorithm = {0};
    SqlCpAlgId id = 0;
    SqlCpKeyId key = 0;
    struct thumbprint thumbprint;
    uint16_t name[300], secret[300];
    (void)state;
    fake_add("key", "v1", 1);
    assert_true(ImpersonateSelf(SecurityImpersonation));
    KEEPS(SqlCryptInitializeProvider());
    KEEPS(SqlCryptGetProviderInfo(&provider));
    KEEPS(SqlCryptGetNextAlgorithmId(&id));
    KEEPS(SqlCryptGetAlgorithmInfo(1, &algorithm));
    SqlCpCredential credential = {fixture_wide(FAKE_HOST, name), fixture_wide(FAKE_SECRET, secret)};
    KEEPS(SqlCryptOpenSession(&credential, &session));
    fixture.session = session;
    assert_non_null(session);
    KEEPS(fixture_find("key", &thumbprint));
    KEEPS(SqlCryptCreateKey(&session, NULL, 1, 0, NULL));
    KEEPS(SqlCryptDropKey(&session, NULL));
    KEEPS(SqlCryptGetNextKeyId(&session, &key));
    KEEPS(SqlCryptGetKeyInfoByKeyId(&session, 1, NULL));
    KEEPS(SqlCryptGetKeyInfoByThumb(&session, NULL, NULL));
    KEEPS(SqlCryptExportKey(&session, NULL, NULL, 0, NULL));
    KEEPS(SqlCryptImportKey(&session, NULL, NULL, 0, 0, NULL));
    KEEPS(SqlCryptEncrypt(&session, NULL, 1, NULL, 0, NULL, NULL));
    KEEPS(SqlCryptDecrypt(&session, NULL, 1, NULL, 0, NULL, NULL));
    KEEPS(SqlCryptCloseSession(&session, 0));
    KEEPS(SqlCryptFreeProvider());
    assert_true(times_inside >= 15);
    assert_int_equal(times_impersonated, 0);
    assert_int_equal(times_anonymous, 0);
}

/* A login that is no administrator: what the service may write in the registry it may not. */
static HANDLE make_small_login(void)
{
    HANDLE process = NULL, small = NULL, login = NULL;
    BYTE administrators[SECURITY_MAX_SID_SIZE];
    DWORD size = sizeof administrators;
    SID_AND_ATTRIBUTES disabled = {administrators, 0};
    assert_true(CreateWellKnownSid(WinBuiltinAdministratorsSid, NULL, administrators, &size));
    assert_true(OpenProcessToken(GetCurrentProcess(), TOKEN_ALL_ACCESS, &process));
    assert_true(CreateRestrictedToken(process, 0, 1, &disabled, 0, NULL, 0, NULL, &small));
    assert_true(DuplicateToken(small, SecurityImpersonation, &login));
    CloseHandle(process);
    CloseHandle(small);
    return login;
}

static void give_map_to_administrators(void)
{
    HKEY key = NULL;
    PSECURITY_DESCRIPTOR rights = NULL;
    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorW(
        L"D:P(A;CIOI;KA;;;BA)", SDDL_REVISION_1, &rights, NULL));
    assert_int_equal(RegOpenKeyExW(HKEY_LOCAL_MACHINE, MAP_KEY, 0, WRITE_DAC, &key), ERROR_SUCCESS);
    assert_int_equal(RegSetKeySecurity(key, DACL_SECURITY_INFORMATION, rights), ERROR_SUCCESS);
    RegCloseKey(key);
    LocalFree(rights);
}

static LSTATUS open_map_for_writing(void)
{
    HKEY key = NULL;
    LSTATUS status = RegOpenKeyExW(HKEY_LOCAL_MACHINE, MAP_KEY, 0, KEY_WRITE, &key);
    if (status == ERROR_SUCCESS) {
        RegCloseKey(key);
    }
    return status;
}

static void test_service_writes_the_map(void **state)
{
    struct thumbprint thumbprint;
    HANDLE login = make_small_login();
    (void)state;
    fake_add("key", "v1", 1);
    give_map_to_administrators();
    assert_int_equal(open_map_for_writing(), ERROR_SUCCESS);
    assert_true(__real___imp_SetThreadToken(NULL, login));
    CloseHandle(login);
    assert_int_equal(open_map_for_writing(), ERROR_ACCESS_DENIED);
    fixture_start();
    assert_int_equal(fixture_find("key", &thumbprint), SQLCP_SUCCESS);
    assert_int_equal(open_map_for_writing(), ERROR_ACCESS_DENIED);
    fixture_stop();
    assert_true(RevertToSelf());
    assert_non_null(strstr(fixture_read(fixture.map), "/keys/key/v1"));
}

/* The usual thread costs one question. */
static void test_no_login(void **state)
{
    SqlCpKeyId key = 0;
    (void)state;
    fixture_start();
    times_open = times_set = 0;
    assert_int_equal(SqlCryptGetNextKeyId(&fixture.session, &key), SQLCP_NOT_FOUND);
    assert_int_equal(times_open, 1);
    assert_int_equal(times_set, 0);
    assert_false(impersonation_impersonates());
    fixture_stop();
}

/* The call ends at once, because it would continue as the login; the next call reports it. */
static void test_login_stays(void **state)
{
    SqlCpKeyId key = 0;
    (void)state;
    fixture_start();
    assert_true(ImpersonateSelf(SecurityImpersonation));
    times_inside = 0;
    open_fails = 1;
    SetLastError(4711);
    assert_int_equal(SqlCryptGetNextKeyId(&fixture.session, &key), INTERNAL);
    leave_fails = 1;
    assert_int_equal(SqlCryptGetNextKeyId(&fixture.session, &key), INTERNAL);
    open_fails = 1;
    assert_int_equal(SqlCryptInitializeProvider(), INTERNAL);
    open_fails = 1;
    assert_int_equal(SqlCryptFreeProvider(), INTERNAL);
    assert_int_equal(GetLastError(), 4711);
    assert_int_equal(times_inside, 0);
    assert_true(impersonation_impersonates());
    assert_null(strstr(fixture_read(fixture.log), "could not be set aside"));
    assert_int_equal(SqlCryptGetNextKeyId(&fixture.session, &key), SQLCP_NOT_FOUND);
    assert_true(impersonation_impersonates());
    assert_true(RevertToSelf());
    assert_non_null(strstr(fixture_read(fixture.log),
                           "4 calls were refused, because the login that their thread "
                           "impersonates could not be set aside: Windows' error 1347"));
    fixture_stop();
}

/* A moment without memory costs nothing. */
static void test_login_comes_back_later(void **state)
{
    SqlCpKeyId key = 0;
    (void)state;
    fixture_start();
    assert_true(ImpersonateSelf(SecurityImpersonation));
    back_fails = 2;
    assert_int_equal(SqlCryptGetNextKeyId(&fixture.session, &key), SQLCP_NOT_FOUND);
    assert_int_equal(times_anonymous, 0);
    assert_true(impersonation_impersonates());
    assert_true(RevertToSelf());
    fixture_stop();
}

/* Never with the rights of the service where the login's were. */
static void test_a_login_that_cannot_be_put_back(void **state)
{
    SqlCpKeyId key = 0;
    (void)state;
    fixture_start();
    for (anonymous_fails = 0; anonymous_fails < 2; anonymous_fails++) {
        assert_true(ImpersonateSelf(SecurityImpersonation));
        back_fails = 100;
        times_anonymous = 0;
        SetLastError(4711);
        assert_int_equal(SqlCryptGetNextKeyId(&fixture.session, &key), INTERNAL);
        assert_int_equal(GetLastError(), 4711);
        assert_int_equal(times_anonymous, 1);
        assert_int_equal(times_ended, anonymous_fails);
        back_fails = 0;
    }
    assert_non_null(strstr(fixture_read(fixture.log),
                           "the login of this thread could not be put back (Windows' error 8)"));
    assert_true(ImpersonateSelf(SecurityImpersonation));
    assert_int_equal(SqlCryptInitializeProvider(), SQLCP_SUCCESS);
    back_fails = 100;
    times_anonymous = 0;
    assert_int_equal(SqlCryptFreeProvider(), INTERNAL);
    assert_int_equal(times_anonymous, 1);
    back_fails = 0;
    fixture_stop();
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_each_export),
        CASE(test_service_writes_the_map),
        CASE(test_no_login),
        CASE(test_login_stays),
        CASE(test_login_comes_back_later),
        CASE(test_a_login_that_cannot_be_put_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
