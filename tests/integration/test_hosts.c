/* Strange hosts: small stacks, no rights, few descriptors, other locales, nothing where it belongs.
 */
#include "hostile.h"

#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STACK_BYTES ((size_t)2048 << 10) /* sanitizers need room of their own */
#else
#define STACK_BYTES ((size_t)256 << 10)
#endif
#define PAINT      0xA5
#define KEY        "host"
#define NOBODY     65534
#define NO_MAP     2058
#define FEW_FILES  64
#define FILE_USERS 64

static struct sim sim;
static struct ekm ekm;

/* In the child, where an assertion of cmocka would run on in the parent's program. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

/* The provider is this host's alone: it is never started in the test program itself. */
static void in_child(void (*host)(void))
{
    int status = -1;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        host();
        fflush(NULL);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* Shared by the steps, because each runs in a thread of its own. */
static SqlCpSession session;
static uint8_t thumb_bytes[32], cipher_bytes[512];
static SqlCpData thumb = {sizeof thumb_bytes, thumb_bytes};
static SqlCpData cipher = {sizeof cipher_bytes, cipher_bytes};

static SqlCpError hosts_initialize(void)
{
    return ekm.InitializeProvider();
}

static SqlCpError provider_info(void)
{
    uint16_t name[SQLCP_MAX_FRIENDLY_NAME_BYTES / 2];
    SqlCpProviderInfo info = {.name = {sizeof name, name}};
    return ekm.GetProviderInfo(&info);
}

static SqlCpError next_algorithm(void)
{
    SqlCpAlgId id = SQLCP_INVALID_ID;
    return ekm.GetNextAlgorithmId(&id);
}

static SqlCpError algorithm_info(void)
{
    uint16_t tag[SQLCP_MAX_ALGORITHM_TAG_BYTES / 2];
    SqlCpAlgorithmInfo info = {.algTag = {sizeof tag, tag}};
    return ekm.GetAlgorithmInfo(1, &info);
}

static SqlCpError open_session(void)
{
    return ekm_open(&ekm, "contoso-vault", SIM_PASSWORD, &session);
}

static SqlCpError close_session(void)
{
    return ekm.CloseSession(&session, 0);
}

static SqlCpError by_name(void)
{
    return ekm_find(&ekm, &session, KEY, &thumb);
}

static SqlCpError by_thumb(void)
{
    uint16_t name[SQLCP_MAX_KEY_NAME_BYTES / 2];
    uint8_t bytes[32];
    SqlCpKeyInfo info = {{sizeof name, name}, {sizeof bytes, bytes}, 0, 0};
    return ekm.GetKeyInfoByThumb(&session, &thumb, &info);
}

static SqlCpError next_id(void)
{
    SqlCpKeyId id = SQLCP_INVALID_ID;
    return ekm.GetNextKeyId(&session, &id);
}

static SqlCpError by_id(void)
{
    uint16_t name[SQLCP_MAX_KEY_NAME_BYTES / 2];
    uint8_t bytes[32];
    SqlCpKeyInfo info = {{sizeof name, name}, {sizeof bytes, bytes}, 0, 0};
    return ekm.GetKeyInfoByKeyId(&session, 1, &info);
}

static SqlCpError export_key(void)
{
    uint8_t bytes[SQLCP_MAX_KEY_BLOB_BYTES];
    SqlCpKeyBlob blob = {sizeof bytes, bytes};
    return ekm.ExportKey(&session, &thumb, NULL, SQLCP_PUBLIC_KEY_BLOB, &blob);
}

static SqlCpError import_key(void)
{
    return ekm.ImportKey(&session, NULL, NULL, 0, 0, NULL) == SQLCP_NOT_SUPPORTED ? 0 : -1;
}

static SqlCpError hosts_encrypt(void)
{
    uint8_t text[] = SIM_PLAIN;
    SqlCpData plain = {sizeof text, text};
    cipher.cb = sizeof cipher_bytes;
    return ekm_encrypt(&ekm, &session, &thumb, &plain, &cipher);
}

static SqlCpError hosts_decrypt(void)
{
    uint8_t bytes[512];
    SqlCpData plain = {sizeof bytes, bytes};
    SqlCpError code = ekm_decrypt(&ekm, &session, &thumb, &cipher, &plain);
    bool right = plain.cb == sizeof SIM_PLAIN && memcmp(bytes, SIM_PLAIN, plain.cb) == 0;
    return code != SQLCP_SUCCESS || right ? code : -1;
}

/* CreateKey and DropKey, up to the vault's refusal. */
static SqlCpError create_key(void)
{
    uint16_t units[8];
    uint8_t bytes[32];
    SqlCpData made = {sizeof bytes, bytes};
    const SqlCpStr name = ekm_wide("new-key", units);
    return ekm.CreateKey(&session, &name, 1, 0, &made) == 3113 ? 0 : -1;
}

static SqlCpError drop_key(void)
{
    return ekm.DropKey(&session, &thumb) == 3113 ? 0 : -1;
}

static SqlCpError free_provider(void)
{
    return ekm.FreeProvider();
}

static const struct step {
    const char *name;
    SqlCpError (*run)(void);
} steps[] = {
    {"InitializeProvider", hosts_initialize},
    {"GetProviderInfo", provider_info},
    {"GetNextAlgorithmId", next_algorithm},
    {"GetAlgorithmInfo", algorithm_info},
    {"OpenSession", open_session},
    {"GetKeyInfoByName", by_name},
    {"GetKeyInfoByThumb", by_thumb},
    {"ExportKey", export_key},
    {"Encrypt", hosts_encrypt},
    {"Decrypt", hosts_decrypt},
    {"GetNextKeyId", next_id},
    {"GetKeyInfoByKeyId", by_id},
    {"ImportKey", import_key},
    {"CreateKey", create_key},
    {"DropKey", drop_key},
    {"CloseSession", close_session},
    {"FreeProvider", free_provider},
};
#define STEPS (sizeof steps / sizeof steps[0])

static void run_all(void)
{
    for (size_t i = 0; i < STEPS; i++) {
        SqlCpError code = steps[i].run();
        if (code != SQLCP_SUCCESS) {
            fprintf(stderr, "%s: %d\n", steps[i].name, code);
            _exit(1);
        }
    }
}

struct painted {
    const struct step *step;
    SqlCpError code;
};

static void *run_painted(void *argument)
{
    struct painted *painted = argument;
    painted->code = painted->step->run();
    return NULL;
}

/* How deep the call went: the paint below is untouched. */
static size_t stack_use(const struct step *step)
{
    struct painted painted = {step, -1};
    pthread_attr_t attributes;
    pthread_t thread;
    uint8_t *stack =
        mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    size_t untouched = 0;
    CHECK(stack != MAP_FAILED);
    memset(stack, PAINT, STACK_BYTES);
    CHECK(mprotect(stack, 4096, PROT_NONE) == 0);
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstack(&attributes, stack, STACK_BYTES) == 0);
    CHECK(pthread_create(&thread, &attributes, run_painted, &painted) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    if (painted.code != SQLCP_SUCCESS) {
        fprintf(stderr, "%s: %d\n", step->name, painted.code);
        _exit(1);
    }
    for (untouched = 4096; untouched < STACK_BYTES && stack[untouched] == PAINT; untouched++) {
    }
    munmap(stack, STACK_BYTES);
    return STACK_BYTES - untouched;
}

static void host_with_small_stacks(void)
{
    size_t most = 0;
    for (size_t i = 0; i < STEPS; i++) {
        size_t used = stack_use(&steps[i]);
        printf("%7zu bytes of stack: %s\n", used, steps[i].name);
        most = used > most ? used : most;
    }
    CHECK(most < STACK_BYTES / 2);
}

static void test_small_stacks(void **state)
{
    (void)state;
    in_child(host_with_small_stacks);
}

/* Nothing where it belongs: no standard descriptors, no working directory, no environment, and the
 * default for every signal. */
static void host_in_the_void(void)
{
    char folder[] = "/tmp/akvekm-void-XXXXXX", config[128];
    const char *path = getenv("AKVEKM_CONFIG");
    CHECK(path != NULL && strlen(path) < sizeof config);
    strcpy(config, path);
    CHECK(mkdtemp(folder) != NULL && chdir(folder) == 0 && rmdir(folder) == 0);
    CHECK(clearenv() == 0 && setenv("AKVEKM_CONFIG", config, 1) == 0);
    for (int number = 1; number < 32; number++) {
        (void)signal(number, SIG_DFL);
    }
    (void)umask(0777);
    close(0);
    close(1);
    close(2);
    run_all();
    /* Nothing took the place of the standard descriptors, where the host would write to it. */
    for (int fd = 0; fd < 3; fd++) {
        if (fcntl(fd, F_GETFD) >= 0) {
            _exit(2);
        }
    }
}

static void test_void(void **state)
{
    (void)state;
    in_child(host_in_the_void);
}

static void use_locale(const char *name)
{
    char formatted[32];
    CHECK(setlocale(LC_ALL, name) != NULL);
    snprintf(formatted, sizeof formatted, "%.1f", 1.5);
    CHECK(strcmp(formatted, "1,5") == 0);
    run_all();
    CHECK(strcmp(setlocale(LC_ALL, NULL), name) == 0);
}

/* A comma for the decimal point, and an i whose upper case is not I. */
static void host_in_turkey(void)
{
    use_locale("tr_TR.UTF-8");
}

static void test_locale(void **state)
{
    char folder[] = "/tmp/akvekm-locale-XXXXXX", command[160];
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(command, sizeof command, "localedef -i tr_TR -f UTF-8 '%s/tr_TR.UTF-8' >'%s/log' 2>&1",
             folder, folder);
    bool made = system(command) == 0;
    if (made) {
        setenv("LOCPATH", folder, 1);
        in_child(host_in_turkey);
        unsetenv("LOCPATH");
    }
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
    if (!made) {
        print_message("there is nothing to make a locale from here\n");
        skip();
    }
}

/* Memory that the host has read before stays readable; nothing else may be written. */
static void host_without_rights(void)
{
    uint8_t bytes[32];
    SqlCpData other = {0, bytes};
    if (geteuid() == 0) {
        CHECK(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
    }
    CHECK(chdir("/") == 0);
    CHECK(hosts_initialize() == SQLCP_SUCCESS && open_session() == SQLCP_SUCCESS);
    CHECK(by_name() == SQLCP_SUCCESS);
    CHECK(hosts_encrypt() == SQLCP_SUCCESS && hosts_decrypt() == SQLCP_SUCCESS);
    CHECK(by_thumb() == SQLCP_SUCCESS && export_key() == SQLCP_SUCCESS);
    CHECK(ekm_find(&ekm, &session, "other", &other) == NO_MAP);
    CHECK(close_session() == SQLCP_SUCCESS && free_provider() == SQLCP_SUCCESS);
}

static void set_rights(mode_t folder, mode_t files)
{
    static const char *const names[] = {"akv-ekm.conf", "ca.pem", "keymap", "keymap.lock",
                                        "akv-ekm.log"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[160];
        snprintf(path, sizeof path, "%s/%s", sim.folder, names[i]);
        assert_int_equal(chmod(path, files), 0);
    }
    assert_int_equal(chmod(sim.folder, folder), 0);
}

static void test_no_rights(void **state)
{
    (void)state;
    sim_make_key(&sim, "other");
    in_child(run_all); /* the map knows the key */
    set_rights(0555, 0444);
    in_child(host_without_rights);
    set_rights(0700, 0600);
}

static void *decrypt_often(void *argument)
{
    int *succeeded = argument;
    for (int i = 0; i < 5; i++) {
        SqlCpError code = hosts_decrypt();
        CHECK(hostile_is_documented(code));
        *succeeded += code == SQLCP_SUCCESS;
    }
    return NULL;
}

/* More calls at once than there are descriptors: they take turns or fail with a code, and when
 * they are gone all is well. */
static void host_with_few_files(void)
{
    const struct rlimit few = {FEW_FILES, FEW_FILES};
    pthread_t threads[FILE_USERS];
    int succeeded[FILE_USERS] = {0}, all = 0;
    CHECK(hostile_is_documented(0));
    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
    CHECK(hosts_initialize() == SQLCP_SUCCESS && open_session() == SQLCP_SUCCESS);
    CHECK(by_name() == SQLCP_SUCCESS && hosts_encrypt() == SQLCP_SUCCESS);
    for (int i = 0; i < FILE_USERS; i++) {
        CHECK(pthread_create(&threads[i], NULL, decrypt_often, &succeeded[i]) == 0);
    }
    for (int i = 0; i < FILE_USERS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        all += succeeded[i];
    }
    printf("%d of %d Decrypts succeeded with %d descriptors\n", all, 5 * FILE_USERS, FEW_FILES);
    CHECK(all > 0 && hosts_decrypt() == SQLCP_SUCCESS);
    CHECK(close_session() == SQLCP_SUCCESS && free_provider() == SQLCP_SUCCESS);
}

static void test_few_files(void **state)
{
    (void)state;
    sim_ctl(&sim, "POST", "/settings", "{\"latency_ms\":50}");
    sim_configure(&sim, "call_timeout_ms = 10000");
    in_child(host_with_few_files);
    sim_ctl(&sim, "POST", "/settings", "{\"latency_ms\":0}");
    sim_configure(&sim, "call_timeout_ms = 30000");
}

static int hosts_start(void **state)
{
    *state = &sim;
    sim_start(&sim, NULL, NULL);
    sim_configure(&sim, "allow_create = yes");
    sim_configure(&sim, "allow_drop = yes");
    sim_make_key(&sim, KEY);
    ekm_load(&ekm);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_stacks), cmocka_unit_test(test_void),
        cmocka_unit_test(test_locale),       cmocka_unit_test(test_no_rights),
        cmocka_unit_test(test_few_files),
    };
    return cmocka_run_group_tests(tests, hosts_start, sim_tear_down);
}
