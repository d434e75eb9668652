/*
 * Memory fails at every point: each operation is done with its first allocation refused, then its
 * second, and so on until it gets through without one; then from each point onwards. The library's
 * own allocations, libcurl's, cJSON's and OpenSSL's are refused in turn, against vaultsim over TLS.
 *
 * Ours, curl's, cJSON's: Success or the right code, the same call succeeds at once afterwards, and
 * nothing is left after Free. OpenSSL's: no crash; what it leaks or remembers is listed by its
 * stack.
 *
 * `torture_allocations all` refuses every one and ends with that list; without it those that the
 * test command has time for. A second argument names one of the tests.
 */
#include "alloc_meter.h"
#include "findings.h"
#include "forms.h"
#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define KEY          "tortured"
#define MADE         "made"
#define MEMORY       2051
#define MAP          2058
#define CLOSED       5007
#define TRIES        3
#define AGAIN_MAX    4 /* calls after one that went wrong because OpenSSL remembers it */
#define CODES_MAX    16
#define ALLOCATIONS  200000
#define SAMPLES_CURL 12 /* of each operation, where not all are refused */
#define SAMPLES_TLS  12
#define SAMPLES_FORM 6 /* of each form of signing in */

uint32_t __wrap_backoff_delay_ms(unsigned tries, uint32_t random);
bool __wrap_trust_system_load(void *store);
void __wrap_default_paths_arc_keys(char *out, size_t cap);
void __wrap_plat_wipe_freed(void);

enum level { DOWN, UP, OPEN };

struct operation {
    const char *name;
    enum level level; /* the state that must exist before */
    bool warm;        /* done once before, and again and again in one life; else once in each */
    bool lost_map;    /* the map file is removed before */
    SqlCpError (*run)(void);
    void (*undo)(void); /* after a success; NULL: nothing to undo */
};

static struct sim sim;
static struct ready ready;
static char map_path[96], *map_text;
static bool all, openssl_refused;
static unsigned tries;
static const char *secret = SIM_PASSWORD;
static bool refuses_forms;

/* No waits: the first tries are repeated at once, later ones never. */
uint32_t __wrap_backoff_delay_ms(unsigned number, uint32_t random)
{
    (void)number;
    (void)random;
    return ++tries < TRIES ? 1 : UINT32_MAX;
}

/* It takes every free block of the heap at each Free, and a refused one ends it: nothing to find,
 * and each would count as an allocation of the library. */
void __wrap_plat_wipe_freed(void)
{
}

/* The system's authorities are a hundred thousand allocations of OpenSSL, one like the other;
 * ca_file takes the same way with one. */
bool __wrap_trust_system_load(void *store)
{
    return store != NULL;
}

/* Where vaultsim's agent puts its keys. */
void __wrap_default_paths_arc_keys(char *out, size_t cap)
{
    snprintf(out, cap, "%s/arc-tokens", sim.folder);
}

static SqlCpError run_initialize(void)
{
    return ready.ekm.InitializeProvider();
}

static void undo_initialize(void)
{
    assert_int_equal(ready.ekm.FreeProvider(), SQLCP_SUCCESS);
}

static SqlCpError run_open(void)
{
    return ekm_open(&ready.ekm, "contoso-vault", secret, &ready.session);
}

static void undo_open(void)
{
    assert_int_equal(ready.ekm.CloseSession(&ready.session, 0), SQLCP_SUCCESS);
}

static SqlCpError run_name(void)
{
    uint8_t bytes[32];
    SqlCpData thumb = {sizeof bytes, bytes};
    return ekm_find(&ready.ekm, &ready.session, KEY, &thumb);
}

static SqlCpError run_thumb(void)
{
    uint16_t name[64];
    uint8_t bytes[32];
    SqlCpKeyInfo info = {{sizeof name, name}, {sizeof bytes, bytes}, 0, 0};
    return ready.ekm.GetKeyInfoByThumb(&ready.session, &ready.thumb, &info);
}

static SqlCpError run_export(void)
{
    uint8_t bytes[1024];
    SqlCpData blob = {sizeof bytes, bytes};
    return ready.ekm.ExportKey(&ready.session, &ready.thumb, NULL, SQLCP_PUBLIC_KEY_BLOB, &blob);
}

static SqlCpError run_enumerate(void)
{
    SqlCpKeyId id = 0;
    uint16_t name[64];
    uint8_t bytes[32];
    SqlCpError code;
    while ((code = ready.ekm.GetNextKeyId(&ready.session, &id)) == SQLCP_SUCCESS) {
        SqlCpKeyInfo info = {{sizeof name, name}, {sizeof bytes, bytes}, 0, 0};
        code = ready.ekm.GetKeyInfoByKeyId(&ready.session, id, &info);
        if (code != SQLCP_SUCCESS) {
            return code;
        }
    }
    return code == SQLCP_NOT_FOUND ? SQLCP_SUCCESS : code;
}

static SqlCpError run_create(void)
{
    uint16_t units[] = {'m', 'a', 'd', 'e'};
    uint8_t bytes[32];
    SqlCpStr name = {sizeof units, units};
    SqlCpData thumb = {sizeof bytes, bytes};
    return ready.ekm.CreateKey(&ready.session, &name, 1, 0, &thumb);
}

static SqlCpError run_encrypt(void)
{
    uint8_t text[] = SIM_PLAIN, bytes[512];
    SqlCpData plain = {sizeof text, text}, cipher = {sizeof bytes, bytes};
    return ekm_encrypt(&ready.ekm, &ready.session, &ready.thumb, &plain, &cipher);
}

static SqlCpError run_decrypt(void)
{
    return ready_decrypt(&ready);
}

static SqlCpError run_close(void)
{
    return ready.ekm.CloseSession(&ready.session, 0);
}

static void undo_close(void)
{
    assert_int_equal(run_open(), SQLCP_SUCCESS);
}

static SqlCpError run_free(void)
{
    return ready.ekm.FreeProvider();
}

static void undo_free(void)
{
    assert_int_equal(run_initialize(), SQLCP_SUCCESS);
    undo_close();
}

static const struct operation operations[] = {
    {"Initialize", DOWN, false, false, run_initialize, undo_initialize},
    {"OpenSession, cold", UP, false, false, run_open, undo_open},
    {"OpenSession, warm", UP, true, false, run_open, undo_open},
    {"GetKeyInfoByName, cold", OPEN, false, true, run_name, NULL},
    {"GetKeyInfoByName, warm", OPEN, true, false, run_name, NULL},
    {"GetKeyInfoByThumb, cold", OPEN, false, false, run_thumb, NULL},
    {"GetKeyInfoByThumb, warm", OPEN, true, false, run_thumb, NULL},
    {"ExportKey, cold", OPEN, false, false, run_export, NULL},
    {"ExportKey, warm", OPEN, true, false, run_export, NULL},
    {"enumeration, cold", OPEN, false, false, run_enumerate, NULL},
    {"enumeration, warm", OPEN, true, false, run_enumerate, NULL},
    {"CreateKey", OPEN, false, true, run_create, NULL},
    {"Encrypt, cold", OPEN, false, false, run_encrypt, NULL},
    {"Encrypt, warm", OPEN, true, false, run_encrypt, NULL},
    {"Decrypt, cold", OPEN, false, false, run_decrypt, NULL},
    {"Decrypt, map lost", OPEN, false, true, run_decrypt, NULL},
    {"Decrypt, warm", OPEN, true, false, run_decrypt, NULL},
    {"CloseSession", OPEN, true, false, run_close, undo_close},
    {"Free", OPEN, true, false, run_free, undo_free},
};

static void begin_life(const struct operation *operation)
{
    (void)unlink(map_path);
    if (!operation->lost_map) {
        FILE *map = fopen(map_path, "w");
        assert_non_null(map);
        fputs(map_text, map);
        assert_int_equal(fclose(map), 0);
    }
    if (operation->level >= UP) {
        assert_int_equal(run_initialize(), SQLCP_SUCCESS);
    }
    if (operation->level >= OPEN) {
        assert_int_equal(run_open(), SQLCP_SUCCESS);
    }
    if (operation->warm) {
        assert_int_equal(operation->run(), SQLCP_SUCCESS);
        if (operation->undo != NULL) {
            operation->undo();
        }
    }
}

static void end_life(const struct operation *operation)
{
    if (operation->level >= OPEN) {
        undo_open();
    }
    if (operation->level >= UP) {
        undo_initialize();
    }
}

struct outcome {
    unsigned long count; /* of the allocations in the last run */
    SqlCpError codes[CODES_MAX];
    unsigned long times[CODES_MAX];
    unsigned long stuck; /* the same call failed afterwards */
    bool is_second;      /* a repetition, of which only what is left counts */
};

static void note_code(struct outcome *outcome, SqlCpError code)
{
    int at = 0;
    while (at < CODES_MAX - 1 && outcome->times[at] > 0 && outcome->codes[at] != code) {
        at++;
    }
    outcome->codes[at] = code;
    outcome->times[at]++;
}

/* Allocations of the library and of cJSON: out of memory, or the map's own code that it could not
 * be written. Curl gives no reason for some of its failures to connect, send or receive. */
static bool is_right(enum meter meter, SqlCpError code)
{
    switch (code) {
    case SQLCP_SUCCESS:
    case MEMORY:
        return true;
    case MAP:
        return meter == METER_CORE;
    case 3102:
    case 3106:
    case 3119:
    case 5018: /* the same of a source of managed identities */
    case 5020:
        return meter == METER_CURL || meter == METER_OPENSSL;
    default:
        return meter == METER_OPENSSL;
    }
}

static SqlCpError run_again(const struct operation *operation)
{
    tries = 0;
    SqlCpError code = operation->run();
    if (code == SQLCP_SUCCESS && operation->undo != NULL) {
        operation->undo();
    }
    return code;
}

/* The call with the nth allocation refused, and once more with all of them granted. False: it ended
 * before its nth. */
static bool refuse_nth(const struct operation *operation, enum meter meter, unsigned long nth,
                       bool onwards, struct outcome *outcome)
{
    unsigned long failed = 0;
    tries = 0;
    meter_arm(meter, nth, onwards);
    SqlCpError code = operation->run();
    outcome->count = meter_disarm(&failed);
    note_code(outcome, code);
    if (!is_right(meter, code)) {
        fail_msg("%s: %s's allocation %lu refused%s: %d", operation->name, meter_names[meter], nth,
                 onwards ? ", and all later ones" : "", (int)code);
    }
    if (code == SQLCP_SUCCESS && operation->undo != NULL) {
        operation->undo();
    }
    SqlCpError first_again = run_again(operation);
    unsigned failures = 0;
    if (first_again != SQLCP_SUCCESS && meter != METER_OPENSSL) {
        fail_msg("%s: %s's allocation %lu refused%s: the same call later: %d", operation->name,
                 meter_names[meter], nth, onwards ? ", and all later ones" : "", (int)first_again);
    }
    for (code = first_again; code != SQLCP_SUCCESS && failures < AGAIN_MAX; failures++) {
        code = run_again(operation);
    }
    if (failures > 0 && !outcome->is_second) {
        findings_add_memory(operation->name, meter_refused_at(), (int)first_again, failures);
    }
    outcome->stuck += failures > 0;
    return failed > 0;
}

/* libcurl 8.14.1 keeps a certificate's name when OpenSSL has no memory for the next one; 7.88.1
 * keeps nothing. So what libcurl keeps under OpenSSL's refusals is listed, not held against the
 * library. */
static void expect_nothing_left(const struct operation *operation, enum meter meter,
                                unsigned long nth)
{
    static unsigned long kept_by_curl;
    if (meter == METER_OPENSSL && meter_live(METER_CURL) > kept_by_curl) {
        findings_add_leak(operation->name, meter_refused_at(),
                          meter_live(METER_CURL) - kept_by_curl, NULL);
        kept_by_curl = meter_live(METER_CURL);
    }
    for (enum meter kind = METER_CORE; kind <= METER_CJSON; kind++) {
        if (meter_live(kind) > (kind == METER_CURL ? kept_by_curl : 0)) {
            meter_print_live(kind, 0);
            fail_msg("%s: %s's allocation %lu refused: %lu of %s are left after Free",
                     operation->name, meter_names[meter], nth, meter_live(kind), meter_names[kind]);
        }
    }
}

/* How far apart the refused allocations lie. */
static unsigned long step_of(const struct operation *operation, enum meter meter, bool onwards)
{
    unsigned long failed = 0, samples = refuses_forms         ? SAMPLES_FORM
                                        : meter == METER_CURL ? SAMPLES_CURL
                                                              : SAMPLES_TLS;
    if (all || (!refuses_forms && (meter == METER_CORE || meter == METER_CJSON))) {
        return onwards && !all ? 4 : 1;
    }
    begin_life(operation);
    meter_arm(meter, ALLOCATIONS, false);
    assert_int_equal(operation->run(), SQLCP_SUCCESS);
    unsigned long count = meter_disarm(&failed);
    if (operation->undo != NULL) {
        operation->undo();
    }
    end_life(operation);
    return count / samples + 1;
}

/* The memory that OpenSSL keeps because of one failure: the difference between two failures and
 * one, so that what it allocates once in a process does not count. */
static void list_leak(const struct operation *operation, unsigned long nth)
{
    struct outcome ignored = {.is_second = true};
    unsigned long mark = meter_mark(true), before = meter_live(METER_OPENSSL);
    begin_life(operation);
    (void)refuse_nth(operation, METER_OPENSSL, nth, false, &ignored);
    end_life(operation);
    if (meter_live(METER_OPENSSL) > before) {
        findings_add_leak(operation->name, meter_refused_at(), meter_live(METER_OPENSSL) - before,
                          meter_left_at(METER_OPENSSL, mark));
    }
    (void)meter_mark(false);
}

static void allocations_torture(const struct operation *operation, enum meter meter, bool onwards)
{
    struct outcome outcome;
    memset(&outcome, 0, sizeof outcome);
    unsigned long step = step_of(operation, meter, onwards), nth = 1;
    bool going = true;
    for (; going; nth += going ? step : 0) {
        unsigned long before = meter_live(METER_OPENSSL), first = nth;
        begin_life(operation);
        do {
            going = refuse_nth(operation, meter, nth, onwards, &outcome);
        } while (operation->warm && going && (nth += step) < ALLOCATIONS);
        end_life(operation);
        expect_nothing_left(operation, meter, nth);
        bool more = all && meter == METER_OPENSSL && meter_live(meter) > before;
        for (unsigned long suspect = first; more && suspect <= nth; suspect += step) {
            list_leak(operation, suspect);
        }
    }
    printf("%-24s %-8s%s %5lu allocations, refused every %lu:", operation->name, meter_names[meter],
           onwards ? " onwards" : "        ", outcome.count, step);
    for (int i = 0; i < CODES_MAX && outcome.times[i] > 0; i++) {
        printf(" %d (%lu times)", (int)outcome.codes[i], outcome.times[i]);
    }
    printf(outcome.stuck > 0 ? "; %lu times the same call failed again\n" : "\n", outcome.stuck);
    fflush(stdout);
}

/* CreateKey's answer is that of a key made before, so that it can be asked for without end. */
static void script_create(void)
{
    sim_make_key(&sim, MADE);
    char *list = sim_ask(&sim, "/keys?vault=" SIM_VAULT), *fault = NULL;
    const char *n = strstr(strstr(list, "/keys/" MADE "/"), "\"n\":\"");
    char version[64] = "";
    assert_int_equal(sscanf(strstr(list, "/keys/" MADE "/"), "/keys/" MADE "/%63[0-9a-f]", version),
                     1);
    assert_non_null(n);
    assert_true(
        asprintf(&fault,
                 "{\"method\":\"POST\",\"path\":\"/keys/" MADE "/create\",\"times\":0,"
                 "\"action\":\"body\",\"body\":\"{\\\"key\\\":{\\\"kid\\\":\\\"https://" SIM_VAULT
                 "/keys/" MADE "/%s\\\",\\\"kty\\\":\\\"RSA\\\",\\\"n\\\":"
                 "\\\"%.342s\\\",\\\"e\\\":\\\"AQAB\\\"},\\\"attributes\\\":{}}\"}",
                 version, n + 5) > 0);
    sim_ctl(&sim, "DELETE", "/keys", "{\"vault\":\"" SIM_VAULT "\",\"name\":\"" MADE "\"}");
    sim_ctl(&sim, "POST", "/faults", fault);
    free(fault);
    free(list);
}

static int set_up(void **state)
{
    (void)state;
    sim_start(&sim, "--throttle", "none");
    sim_ctl(&sim, "POST", "/settings", "{\"memoise\":true}");
    sim_configure(&sim, "allow_create = yes");
    sim_configure(&sim, "call_timeout_ms = 120000");
    sim_configure(&sim, "try_timeout_ms = 60000");
    sim_configure(&sim, "connect_timeout_ms = 60000");
    snprintf(map_path, sizeof map_path, "%s/keymap", sim.folder);
    sim_configure(&sim, "aks_token_proxy = yes");
    forms_prepare(&sim);
    script_create();
    sim_make_key(&sim, KEY);
#define EKM_DIRECT(name) ready.ekm.name = SqlCrypt##name;
    EKM_EXPORTS(EKM_DIRECT)
#undef EKM_DIRECT
    meter_enter();
    assert_int_equal(run_initialize(), SQLCP_SUCCESS);
    assert_int_equal(run_open(), SQLCP_SUCCESS);
    ready.thumb = (SqlCpData){sizeof ready.thumb_bytes, ready.thumb_bytes};
    ready.cipher = (SqlCpData){sizeof ready.cipher_bytes, ready.cipher_bytes};
    assert_int_equal(ekm_find(&ready.ekm, &ready.session, KEY, &ready.thumb), SQLCP_SUCCESS);
    uint8_t text[] = SIM_PLAIN;
    SqlCpData plain = {sizeof text, text};
    assert_int_equal(ekm_encrypt(&ready.ekm, &ready.session, &ready.thumb, &plain, &ready.cipher),
                     SQLCP_SUCCESS);
    undo_open();
    undo_initialize();
    meter_leave();
    sim_make_key(&sim, KEY); /* the version in use is no longer the newest */
    map_text = sim_file(&sim, "keymap");
    meter_enter();
    return 0;
}

static int clean_up(void **state)
{
    (void)state;
    meter_leave();
    assert_int_equal(sim_counter(&sim, "leaked_secrets"), 0);
    sim_stop(&sim);
    free(map_text);
    return 0;
}

static void refuse_all(enum meter meter)
{
    /* Clears what a failed test left behind. */
    while (ready.ekm.GetNextKeyId(&ready.session, &(SqlCpKeyId){0}) != CLOSED) {
        (void)run_free();
    }
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        allocations_torture(&operations[i], meter, false);
        if (meter != METER_OPENSSL) {
            allocations_torture(&operations[i], meter, true);
        }
    }
}

static void refuse_forms(enum meter meter)
{
    refuses_forms = true;
    for (unsigned form = 0; form < FORM_COUNT; form++) {
        const struct operation operation = {form_names[form], UP,       false, false,
                                            run_open,         undo_open};
        secret = form_choose(&sim, form);
        allocations_torture(&operation, meter, false);
        if (meter != METER_OPENSSL) {
            allocations_torture(&operation, meter, true);
        }
    }
    refuses_forms = false;
    secret = SIM_PASSWORD;
}

static void test_forms(void **state)
{
    (void)state;
    for (enum meter meter = METER_CORE; meter <= METER_CJSON; meter++) {
        refuse_forms(meter);
    }
}

static void test_forms_openssl(void **state)
{
    (void)state;
    openssl_refused = true;
    refuse_forms(METER_OPENSSL);
}

static void test_core(void **state)
{
    (void)state;
    refuse_all(METER_CORE);
}

static void test_cjson(void **state)
{
    (void)state;
    refuse_all(METER_CJSON);
}

static void test_curl(void **state)
{
    (void)state;
    refuse_all(METER_CURL);
}

static void test_openssl(void **state)
{
    (void)state;
    openssl_refused = true;
    refuse_all(METER_OPENSSL);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_core),    cmocka_unit_test(test_cjson),
        cmocka_unit_test(test_curl),    cmocka_unit_test(test_forms),
        cmocka_unit_test(test_openssl), cmocka_unit_test(test_forms_openssl),
    };
    all = argc > 1 && strcmp(argv[1], "all") == 0;
    if (argc > 2) {
        cmocka_set_test_filter(argv[2]);
    }
    if (!meter_install()) {
        fputs("torture_allocations: OpenSSL was there first\n", stderr);
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, set_up, clean_up);
    if (all && openssl_refused) {
        findings_print();
    }
    return failed;
}
