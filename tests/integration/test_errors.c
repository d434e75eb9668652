/* Each row of the error table, provoked at the vault and seen through the exports with its code. */
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

enum operation { OPEN, OPEN_WRONG, FIND, FIND_ABSENT, ENCRYPT, DECRYPT, LIST };

struct row {
    SqlCpError code;
    enum operation operation;
    const char *config;  /* a line of the configuration, or NULL; %d: the plain server's port */
    const char *request; /* "METHOD /path" at the control endpoint, or NULL */
    const char *json;
    const char *undo; /* json of the same request that puts things right */
};

#define FAULT                "POST /faults"
#define SETTING              "POST /settings"
#define PATCH                "PATCH /keys"
#define ON_KEY(rest)         "{\"vault\":\"" SIM_VAULT "\",\"name\":\"" KEY "\"," rest "}"
#define FOREVER(path, rest)  "{\"path\":\"" path "\",\"times\":0," rest "}"
#define STATUS(path, status) FOREVER(path, "\"action\":\"status\",\"status\":" status)
#define BODY(path, body)     FOREVER(path, "\"action\":\"body\",\"body\":\"" body "\"")
#define EDIT(path, field, value)                                                                   \
    FOREVER(path, "\"action\":\"edit\",\"path_in_body\":\"" field "\",\"value\":" value)
#define CHALLENGE(value) "{\"challenge\":" value "}"
#define NORMAL_CHALLENGE CHALLENGE("null")
#define AT_TENANT        "authorization=\\\"https://login.microsoftonline.com/t\\\""

static const struct row network[] = {
    {3102, OPEN, "connect_to = ::127.0.0.1:1", NULL, NULL, NULL},
    {5013, OPEN, "proxy = http://127.0.0.1:1", NULL, NULL, NULL},
    {5013, OPEN, "proxy = http://proxy.invalid:3128", NULL, NULL, NULL},
    {5013, OPEN, "proxy = http://127.0.0.1:%d", NULL, "silence", NULL},
    {5013, OPEN, "proxy = http://127.0.0.1:%d", NULL, "407 Proxy Authentication Required", NULL},
    {5013, OPEN, "proxy = http://127.0.0.1:%d", NULL, "403 Forbidden", NULL},
    {3106, OPEN, "ca_file =", NULL, NULL, NULL},
    {3106, OPEN, "connect_to = ::127.0.0.1:%d", NULL, "200 Not TLS", NULL},
    {3107, DECRYPT, NULL, FAULT, FOREVER("unwrapkey", "\"action\":\"hang\""), NULL},
    {5001, DECRYPT, "try_timeout_ms = 10000", FAULT, FOREVER("unwrapkey", "\"action\":\"hang\""),
     NULL},
    {3119, DECRYPT, NULL, FAULT, FOREVER("unwrapkey", "\"action\":\"cut\""), NULL},
    {3119, DECRYPT, NULL, FAULT, FOREVER("unwrapkey", "\"action\":\"cut_body\""), NULL},
    {3119, DECRYPT, NULL, FAULT, FOREVER("unwrapkey", "\"action\":\"oversized\""), NULL},
};

static const struct row statuses[] = {
    {3108, DECRYPT, NULL, FAULT, FOREVER("unwrapkey", "\"action\":\"no_challenge\""), NULL},
    {3305, DECRYPT, NULL, FAULT, FOREVER("unwrapkey", "\"action\":\"expired_token\""), NULL},
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
    {3113, DECRYPT, NULL, FAULT, STATUS("unwrapkey", "403"), NULL},
    {3113, LIST, NULL, FAULT, STATUS("/keys", "403"), NULL},
    {3112, FIND_ABSENT, NULL, NULL, NULL, NULL},
    {3109, DECRYPT, NULL, FAULT, STATUS("unwrapkey", "429"), NULL},
    {3109, DECRYPT, NULL, FAULT,
     FOREVER("unwrapkey", "\"action\":\"status\",\"status\":429,\"retry_after\":\"600\""), NULL},
    {3111, DECRYPT, NULL, FAULT, STATUS("unwrapkey", "500"), NULL},
    {3111, DECRYPT, NULL, FAULT, STATUS("unwrapkey", "503"), NULL},
    {3111, DECRYPT, NULL, FAULT, STATUS("unwrapkey", "501"), NULL},
    {3110, FIND, NULL, FAULT, STATUS("/keys/" KEY, "400"), NULL},
    {3110, DECRYPT, NULL, FAULT, STATUS("unwrapkey", "409"), NULL},
    {3110, DECRYPT, NULL, FAULT, STATUS("unwrapkey", "302"), NULL},
    {3001, DECRYPT, NULL, FAULT, STATUS("unwrapkey", "202"), NULL},
    {5010, DECRYPT, NULL, FAULT, STATUS("unwrapkey", "400"), NULL},
    {5008, DECRYPT, NULL, FAULT, FOREVER("unwrapkey", "\"action\":\"wrong_kid\""), NULL},
    {5008, ENCRYPT, NULL, FAULT, FOREVER("wrapkey", "\"action\":\"wrong_kid\""), NULL},
    {5008, FIND, NULL, FAULT, FOREVER("/keys/" KEY, "\"action\":\"wrong_kid\""), NULL},
    {5005, ENCRYPT, "wrap_locally = yes", PATCH, ON_KEY("\"exp\":1000000000"), ON_KEY("\"exp\":0")},
    {2058, FIND, "keymap_file = /proc/nothing/keymap", NULL, NULL, NULL},
};

static const struct row sign_in[] = {
    {3203, OPEN, NULL, SETTING, CHALLENGE("\"Negotiate\""), NORMAL_CHALLENGE},
    {5006, OPEN, NULL, SETTING,
     CHALLENGE("\"Bearer authorization=\\\"https://login.microsoftonline.com/\\\", "
               "resource=\\\"https://vault.azure.net\\\"\""),
     NORMAL_CHALLENGE},
    {3203, OPEN, NULL, SETTING, CHALLENGE("\"Bearer resource=\\\"https://vault.azure.net\\\"\""),
     NORMAL_CHALLENGE},
    {3206, OPEN, NULL, SETTING, CHALLENGE("\"Bearer " AT_TENANT "\""), NORMAL_CHALLENGE},
    {5006, OPEN, NULL, SETTING,
     CHALLENGE("\"Bearer " AT_TENANT ", resource=\\\"https://graph.microsoft.com\\\"\""),
     NORMAL_CHALLENGE},
    {5006, OPEN, NULL, SETTING,
     CHALLENGE("\"Bearer authorization=\\\"https://login.example.com/t\\\", "
               "resource=\\\"https://vault.azure.net\\\"\""),
     NORMAL_CHALLENGE},
    {3303, OPEN_WRONG, NULL, NULL, NULL, NULL},
    {3303, OPEN, NULL, FAULT,
     FOREVER("oauth2", "\"action\":\"status\",\"status\":400,"
                       "\"body\":\"{\\\"error\\\":\\\"unauthorized_client\\\"}\""),
     NULL},
    {3304, OPEN, NULL, FAULT,
     FOREVER("oauth2", "\"action\":\"status\",\"status\":400,"
                       "\"body\":\"{\\\"error\\\":\\\"invalid_scope\\\"}\""),
     NULL},
    {3304, OPEN, NULL, FAULT, STATUS("oauth2", "429"), NULL},
    {3304, OPEN, NULL, FAULT, STATUS("oauth2", "503"), NULL},
    {3306, OPEN, NULL, FAULT, BODY("oauth2", "{\\\"token_type\\\":\\\"Bearer\\\"}"), NULL},
    {3307, OPEN, NULL, FAULT, FOREVER("oauth2", "\"action\":\"garbage\""), NULL},
};

static const struct row bodies[] = {
    {3404, FIND, NULL, FAULT, FOREVER("/keys/" KEY, "\"action\":\"garbage\""), NULL},
    {3405, FIND, NULL, FAULT, EDIT("/keys/" KEY, "key", "null"), NULL},
    {3406, FIND, NULL, FAULT, EDIT("/keys/" KEY, "key.kid", "null"), NULL},
    {3407, FIND, NULL, FAULT, EDIT("/keys/" KEY, "key.kty", "null"), NULL},
    {3408, FIND, NULL, FAULT, EDIT("/keys/" KEY, "key.n", "null"), NULL},
    {3409, FIND, NULL, FAULT, EDIT("/keys/" KEY, "key.n", "\"!!\""), NULL},
    {3410, FIND, NULL, FAULT, EDIT("/keys/" KEY, "key.e", "null"), NULL},
    {3411, FIND, NULL, FAULT, EDIT("/keys/" KEY, "key.e", "\"!!\""), NULL},
    {3412, FIND, NULL, FAULT, EDIT("/keys/" KEY, "key.kid", "\"https://\""), NULL},
    {3404, LIST, NULL, FAULT, FOREVER("/keys?", "\"action\":\"garbage\""), NULL},
    {3606, ENCRYPT, NULL, FAULT, EDIT("wrapkey", "value", "\"!!\""), NULL},
    {3607, ENCRYPT, NULL, FAULT, FOREVER("wrapkey", "\"action\":\"garbage\""), NULL},
    {3608, ENCRYPT, NULL, FAULT, EDIT("wrapkey", "value", "null"), NULL},
    {3609, ENCRYPT, NULL, FAULT, BODY("wrapkey", ""), NULL},
    {3706, DECRYPT, NULL, FAULT, EDIT("unwrapkey", "value", "\"!!\""), NULL},
    {3707, DECRYPT, NULL, FAULT, FOREVER("unwrapkey", "\"action\":\"garbage\""), NULL},
    {3708, DECRYPT, NULL, FAULT, EDIT("unwrapkey", "value", "null"), NULL},
    {3709, DECRYPT, NULL, FAULT, BODY("unwrapkey", ""), NULL},
};

static struct sim sim;
static char original[4096];

/* What is repeated until the call's time is over; a slow machine must still open its session within
 * that time. */
static bool uses_up_its_time(SqlCpError code)
{
    static const SqlCpError codes[] = {3102, 3106, 3107, 3109, 3111, 3119, 3304, 3900, 5001, 5013};
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

static void request(const char *request, const char *json)
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

static SqlCpError encrypt(struct ready *ready)
{
    uint8_t bytes[512], text[] = SIM_PLAIN;
    SqlCpData plain = {sizeof text, text}, out = {sizeof bytes, bytes};
    return ekm_encrypt(&ready->ekm, &ready->session, &ready->thumb, &plain, &out);
}

static SqlCpError find(struct ready *ready, const char *name)
{
    uint8_t bytes[32];
    SqlCpData thumb = {0, bytes};
    return ekm_find(&ready->ekm, &ready->session, name, &thumb);
}

static SqlCpError perform(struct ready *ready, enum operation operation)
{
    SqlCpKeyId id = SQLCP_INVALID_ID;
    switch (operation) {
    case OPEN:
        return open_session(ready, SIM_PASSWORD);
    case OPEN_WRONG:
        return open_session(ready, WRONG_SECRET);
    case FIND:
        return find(ready, KEY);
    case FIND_ABSENT:
        return find(ready, "absent");
    case ENCRYPT:
        return encrypt(ready);
    case DECRYPT:
        return ready_decrypt(ready);
    case LIST:
        return ready->ekm.GetNextKeyId(&ready->session, &id);
    }
    return -1;
}

/* What must succeed before and after the fault, in the short time that the row allows: a busy
 * machine may need several tries. */
static SqlCpError succeed(struct ready *ready, enum operation operation)
{
    SqlCpError code = -1;
    for (int i = 0; i < 10 && code != SQLCP_SUCCESS; i++) {
        code = perform(ready, operation);
        if (code != SQLCP_SUCCESS) {
            usleep(200000);
        }
    }
    return code;
}

static bool opens(enum operation operation)
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
    if (!opens(row->operation)) {
        assert_int_equal(succeed(ready, OPEN), SQLCP_SUCCESS);
        assert_int_equal(ekm_open(&ready->ekm, "contoso-vault", SIM_PASSWORD, &ready->session), 0);
    }
    if (row->request != NULL) {
        request(row->request, row->json);
    }
    SqlCpError code = perform(ready, row->operation);
    if (code != row->code) {
        print_error("%s %s\n", row->config != NULL ? row->config : "",
                    row->json != NULL ? row->json : "");
    }
    assert_int_equal(code, row->code);
    sim_ctl(&sim, "DELETE", "/faults", NULL);
    if (row->undo != NULL) {
        request(row->request, row->undo);
    }
    if (row->config == NULL && row->request != NULL) {
        /* The fault gone, the same call succeeds. A refused sign-in is remembered for 10 s, as it
         * should be. */
        assert_int_equal(row->code == 3303 ? 0 : succeed(ready, row->operation), SQLCP_SUCCESS);
    }
    assert_int_equal(ready->ekm.FreeProvider(), SQLCP_SUCCESS);
}

static void run_table(const struct row *rows, size_t count)
{
    struct ready ready;
    struct plain_server server;
    plain_server_start(&server);
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
TABLE_TEST(sign_in)
TABLE_TEST(bodies)

/* What is refused before anything is sent anywhere. */
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
        {3110, "contoso-vault", SIM_PASSWORD, "no_underscore"},
        {3110, "contoso-vault", SIM_PASSWORD, "name/ver/sion"},
    };
    struct ready ready;
    sim_start(&sim, NULL, NULL);
    ready_open(&ready, &sim, KEY);
    sim_ctl(&sim, "DELETE", "/counters", NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        SqlCpSession session;
        SqlCpError code = rows[i].name != NULL
                              ? find(&ready, rows[i].name)
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
    request(SETTING, CHALLENGE("\"Bearer authorization=\\\"https://login.invalid/t\\\", "
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
        cmocka_unit_test(test_nothing_is_sent), cmocka_unit_test(test_names_that_do_not_resolve),
        cmocka_unit_test(test_network),         cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_sign_in),         cmocka_unit_test(test_bodies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
