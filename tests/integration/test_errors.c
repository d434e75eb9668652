/* Faults that the matrix of test_faults.c does not cause: proxies, settings, names, and states of
 * the vault itself, seen through the exports with their codes. */
#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "plain_server.h"

#define KEY          "errors"
#define WRONG_SECRET "11111111222243338444555555555555wrong"

enum operation { OPEN, OPEN_WRONG, FIND, FIND_ABSENT, ENCRYPT, DECRYPT };

struct row {
    SqlCpError code;
    enum operation operation;
    const char *config;  /* a line of the configuration, or NULL; %d: the plain server's port */
    const char *request; /* "METHOD /path" at the control endpoint, or NULL */
    const char *json;
    const char *undo; /* json of the same request that puts things right */
};

#define FAULT               "POST /faults"
#define SETTING             "POST /settings"
#define PATCH               "PATCH /keys"
#define ON_KEY(rest)        "{\"vault\":\"" SIM_VAULT "\",\"name\":\"" KEY "\"," rest "}"
#define FOREVER(path, rest) "{\"path\":\"" path "\",\"times\":0," rest "}"
#define CHALLENGE(value)    "{\"challenge\":" value "}"

static const struct row network[] = {
    {5013, OPEN, "proxy = http://127.0.0.1:1", NULL, NULL, NULL},
    {5013, OPEN, "proxy = http://proxy.invalid:3128", NULL, NULL, NULL},
    {5013, OPEN, "proxy = http://127.0.0.1:%d", NULL, "silence", NULL},
    {5013, OPEN, "proxy = http://127.0.0.1:%d", NULL, "407 Proxy Authentication Required", NULL},
    {5013, OPEN, "proxy = http://127.0.0.1:%d", NULL, "403 Forbidden", NULL},
    {3106, OPEN, "ca_file =", NULL, NULL, NULL},
    {5001, DECRYPT, "try_timeout_ms = 10000", FAULT, FOREVER("unwrapkey", "\"action\":\"hang\""),
     NULL},
};

static const struct row statuses[] = {
    {5004, DECRYPT, NULL, PATCH, ON_KEY("\"enabled\":false"), ON_KEY("\"enabled\":true")},
    {5004, FIND, NULL, PATCH, ON_KEY("\"enabled\":false"), ON_KEY("\"enabled\":true")},
    {5011, DECRYPT, NULL, "POST /vaults/" SIM_VAULT "/firewall", "{\"deny\":\"firewall\"}",
     "{\"deny\":\"none\"}"},
    {5011, OPEN, NULL, "POST /vaults/" SIM_VAULT "/firewall", "{\"deny\":\"connection\"}",
     "{\"deny\":\"none\"}"},
    {5012, DECRYPT, NULL, PATCH, ON_KEY("\"key_ops\":[\"sign\"]"),
     ON_KEY("\"key_ops\":[\"wrapKey\",\"unwrapKey\"]")},
    {5012, FIND, NULL, PATCH, ON_KEY("\"key_ops\":[\"wrapKey\"]"),
     ON_KEY("\"key_ops\":[\"wrapKey\",\"unwrapKey\"]")},
    {3303, OPEN_WRONG, NULL, NULL, NULL, NULL},
    {3112, FIND_ABSENT, NULL, NULL, NULL, NULL},
    {5005, ENCRYPT, "wrap_locally = yes", PATCH, ON_KEY("\"exp\":1000000000"), ON_KEY("\"exp\":0")},
    {2058, FIND, "keymap_file = /proc/nothing/keymap", NULL, NULL, NULL},
};

static struct sim sim;
static char original[4096];

/* Faults that are retried until the end of the call. A slow machine must still open its session
 * within that time. */
static bool uses_up_its_time(SqlCpError code)
{
    static const SqlCpError codes[] = {3102, 3900, 5001, 5013};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (codes[i] == code) {
            return true;
        }
    }
    return false;
}

/* The configuration as vaultsim wrote it, with times as short as the expected code allows. */
static void restore_configuration(SqlCpError expected)
{
    char path[96];
    snprintf(path, sizeof path, "%s/akv-ekm.conf", sim.folder);
    FILE *file = fopen(path, original[0] == '\0' ? "r" : "w");
    assert_non_null(file);
    if (original[0] == '\0') {
        assert_true(fread(original, 1, sizeof original - 1, file) > 0);
    } else {
        fputs(original, file);
    }
    fclose(file);
    if (uses_up_its_time(expected)) {
        sim_configure(&sim, "try_timeout_ms = 1500");
        sim_configure(&sim, "call_timeout_ms = 3000");
    }
}

static void errors_request(const char *request, const char *json)
{
    char method[16];
    size_t len = strcspn(request, " ");
    snprintf(method, sizeof method, "%.*s", (int)len, request);
    sim_ctl(&sim, method, request + len + 1, json);
}

static SqlCpError open_session(struct ready *ready, const char *password)
{
    SqlCpError code = ekm_open(&ready->ekm, "contoso-vault", password, &ready->session);
    if (code == SQLCP_SUCCESS) {
        assert_int_equal(ready->ekm.CloseSession(&ready->session, 0), SQLCP_SUCCESS);
    }
    return code;
}

static SqlCpError errors_encrypt(struct ready *ready)
{
    uint8_t bytes[512], text[] = SIM_PLAIN;
    SqlCpData plain = {sizeof text, text}, out = {sizeof bytes, bytes};
    return ekm_encrypt(&ready->ekm, &ready->session, &ready->thumb, &plain, &out);
}

static SqlCpError errors_find(struct ready *ready, const char *name)
{
    uint8_t bytes[32];
    SqlCpData thumb = {0, bytes};
    return ekm_find(&ready->ekm, &ready->session, name, &thumb);
}

static SqlCpError errors_perform(struct ready *ready, enum operation operation)
{
    switch (operation) {
    case OPEN:
        return open_session(ready, SIM_PASSWORD);
    case OPEN_WRONG:
        return open_session(ready, WRONG_SECRET);
    case FIND:
        return errors_find(ready, KEY);
    case FIND_ABSENT:
        return errors_find(ready, "absent");
    case ENCRYPT:
        return errors_encrypt(ready);
    case DECRYPT:
        return ready_decrypt(ready);
    }
    return -1;
}

/* The calls that must succeed before and after the fault, in the short time that the row allows. A
 * busy machine may need several attempts. */
static SqlCpError errors_succeed(struct ready *ready, enum operation operation)
{
    SqlCpError code = -1;
    for (int i = 0; i < 10 && code != SQLCP_SUCCESS; i++) {
        code = errors_perform(ready, operation);
        if (code != SQLCP_SUCCESS) {
            usleep(200000);
        }
    }
    return code;
}

static bool errors_opens(enum operation operation)
{
    return operation == OPEN || operation == OPEN_WRONG;
}

/* Waits out, in both directions, what a row before may have left with the library: nothing, as each
 * row has its own. */
static void run_row(const struct row *row, struct ready *ready, struct plain_server *server)
{
    char line[128];
    restore_configuration(row->code);
    if (row->config != NULL) {
        snprintf(line, sizeof line, "%s", row->config);
        char *number = strstr(line, "%d");
        if (number != NULL) {
            plain_server_answer(server, row->json);
            snprintf(number, sizeof line - (size_t)(number - line), "%d", server->port);
        }
        sim_configure(&sim, line);
    }
    assert_int_equal(ready->ekm.InitializeProvider(), SQLCP_SUCCESS);
    if (!errors_opens(row->operation)) {
        assert_int_equal(errors_succeed(ready, OPEN), SQLCP_SUCCESS);
        assert_int_equal(ekm_open(&ready->ekm, "contoso-vault", SIM_PASSWORD, &ready->session), 0);
    }
    if (row->request != NULL) {
        errors_request(row->request, row->json);
    }
    SqlCpError code = errors_perform(ready, row->operation);
    if (code != row->code) {
        print_error("%s %s\n", row->config != NULL ? row->config : "",
                    row->json != NULL ? row->json : "");
    }
    assert_int_equal(code, row->code);
    sim_ctl(&sim, "DELETE", "/faults", NULL);
    if (row->undo != NULL) {
        errors_request(row->request, row->undo);
    }
    if (row->config == NULL && row->request != NULL) {
        /* The fault gone, the same call succeeds. */
        assert_int_equal(errors_succeed(ready, row->operation), SQLCP_SUCCESS);
    }
    assert_int_equal(ready->ekm.FreeProvider(), SQLCP_SUCCESS);
}

static void run_table(const struct row *rows, size_t count)
{
    struct ready ready;
    struct plain_server server;
    assert_true(plain_server_start(&server));
    sim_start(&sim, NULL, NULL);
    original[0] = '\0';
    ready_open(&ready, &sim, KEY);
    assert_int_equal(ready.ekm.CloseSession(&ready.session, 0), SQLCP_SUCCESS);
    assert_int_equal(ready.ekm.FreeProvider(), SQLCP_SUCCESS);
    restore_configuration(0);
    for (size_t i = 0; i < count; i++) {
        run_row(&rows[i], &ready, &server);
    }
    assert_int_equal(sim_counter(&sim, "leaked_secrets"), 0);
    ekm_unload(&ready.ekm);
    sim_stop(&sim);
    plain_server_stop(&server);
}

#define TABLE_TEST(table)                                                                          \
    static void test_##table(void **state)                                                         \
    {                                                                                              \
        (void)state;                                                                               \
        run_table(table, sizeof(table) / sizeof((table)[0]));                                      \
    }
TABLE_TEST(network)
TABLE_TEST(statuses)

/* Refusals before anything is sent anywhere. */
static void test_nothing_is_sent(void **state)
{
    (void)state;
    static const struct {
        SqlCpError code;
        const char *identity, *password, *name;
    } rows[] = {
        {5002, "contoso-vault.example.com", SIM_PASSWORD, NULL},
        {5002, "contoso-vault.vault.azure.net.example.com", SIM_PASSWORD, NULL},
        {5002, "contoso-vault.vault.azure.net:443", SIM_PASSWORD, NULL},
        {5002, "no_such_name", SIM_PASSWORD, NULL},
        {5002, "", SIM_PASSWORD, NULL},
        {2050, "contoso-vault", "", NULL},
        {2050, "contoso-vault", "1111", NULL},
        {2050, "contoso-vault", "11111111222243338444555555555555", NULL},
        {3303, "contoso-vault", "zzzzzzzz222243338444555555555555secret", NULL},
        {2049, "contoso-vault", SIM_PASSWORD, "a-name-of-27-characters-123"},
    };
    struct ready ready;
    sim_start(&sim, NULL, NULL);
    ready_open(&ready, &sim, KEY);
    sim_ctl(&sim, "DELETE", "/counters", NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        SqlCpSession session;
        SqlCpError code = rows[i].name != NULL
                              ? errors_find(&ready, rows[i].name)
                              : ekm_open(&ready.ekm, rows[i].identity, rows[i].password, &session);
        assert_int_equal(code, rows[i].code);
    }
    assert_int_equal(sim_counter(&sim, "requests"), 0);
    ready_close(&ready);
    sim_stop(&sim);
}

static void test_names_that_do_not_resolve(void **state)
{
    (void)state;
    char line[160];
    struct ekm ekm;
    SqlCpSession session;
    sim_start(&sim, NULL, NULL);
    original[0] = '\0';
    restore_configuration(3900);
    sim_configure(&sim, "connect_to = nowhere.test:1:127.0.0.1:1");
    sim_configure(&sim, "vault_suffixes = .vault.invalid");
    ekm_load(&ekm);
    assert_int_equal(ekm.InitializeProvider(), SQLCP_SUCCESS);
    assert_int_equal(ekm_open(&ekm, "gone.vault.invalid", SIM_PASSWORD, &session), 3900);
    assert_int_equal(ekm.FreeProvider(), SQLCP_SUCCESS);
    /* Only the vault is mapped to vaultsim; the Entra host that it names does not resolve. */
    const char *port = strstr(original, "::127.0.0.1:");
    assert_non_null(port);
    snprintf(line, sizeof line, "connect_to = %s:443:127.0.0.1:%ld", SIM_VAULT,
             strtol(port + 12, NULL, 10));
    sim_configure(&sim, line);
    sim_configure(&sim, "authority_hosts = login.invalid");
    errors_request(SETTING, CHALLENGE("\"Bearer authorization=\\\"https://login.invalid/t\\\", "
                                      "resource=\\\"https://vault.azure.net\\\"\""));
    assert_int_equal(ekm.InitializeProvider(), SQLCP_SUCCESS);
    assert_int_equal(ekm_open(&ekm, "contoso-vault", SIM_PASSWORD, &session), 3102);
    assert_int_equal(ekm.FreeProvider(), SQLCP_SUCCESS);
    sim_configure(&sim, "try_timeout_ms = soon");
    assert_int_equal(ekm.InitializeProvider(), 5003);
    assert_int_equal(ekm_open(&ekm, "contoso-vault", SIM_PASSWORD, &session), 5007);
    ekm_unload(&ekm);
    sim_stop(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_sent),
        cmocka_unit_test(test_names_that_do_not_resolve),
        cmocka_unit_test(test_network),
        cmocka_unit_test(test_statuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
