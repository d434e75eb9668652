/* Which vault a call asks when two hold the same keys, in what order and for how long
 * (specification.md section 11). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// wrap: plat_now_ms plat_unix_time_ms plat_cond_wait_until
// with: fake_clock.c

#include <cmocka.h>

#include "base/text.h"
#include "fake_clock.h"
#include "vault/second_vault.h"

#define FIRST  "contoso.vault.azure.net"
#define SECOND "fabrikam.vault.azure.net"

static struct config config;
static struct call call;
static struct vault first;
static char reason[600];
static char *items[4];

static enum ekm_rc test_second_vault_start(const char *a, const char *b)
{
    static char texts[2][300];
    const char *const given[] = {a, b};
    config_defaults(&config);
    (void)text_copy(config.path, sizeof config.path, "/etc/conf");
    config.second_vault_line = 7;
    config.second_vault.items = items;
    config.second_vault.count = 0;
    for (size_t i = 0; i < 2 && given[i] != NULL; i++) {
        (void)text_copy(texts[i], sizeof texts[i], given[i]);
        items[config.second_vault.count++] = texts[i];
    }
    reason[0] = '\0';
    return second_vault_start(&config, reason, sizeof reason);
}

static void begin_call(void)
{
    call_begin(&call, "Test", &config);
}

static int set_up(void **state)
{
    (void)state;
    fake_clock_reset();
    if (test_second_vault_start("contoso: fabrikam", NULL) != EKM_OK ||
        address_parse(&config, "contoso", &first.address) != EKM_OK) {
        return -1;
    }
    first.spare = second_vault_find(FIRST);
    begin_call();
    return first.spare != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    second_vault_stop();
    return 0;
}

/* The results of the vaults, and which were asked: "1" and "2" in their order. */
static struct {
    enum ekm_rc rc[2];
    bool asks_nobody;  /* answered from a cache */
    bool of_login;     /* the failure is none of the vault's */
    uint64_t takes_ms; /* of the first: as long as it may */
    long status;
    char asked[16];
    uint64_t first_took_ms, second_limit_ms;
    bool second_stands_in;
} script;

static enum ekm_rc test_second_vault_step(struct call *with, const struct vault *vault,
                                          void *context)
{
    bool is_second = strcmp(vault->address.host, SECOND) == 0;
    enum ekm_rc rc = script.rc[is_second];
    uint64_t began_ms = plat_now_ms();
    assert_ptr_equal(context, &script);
    assert_string_equal(vault->address.host, is_second ? SECOND : FIRST);
    (void)text_copy(script.asked + strlen(script.asked), 3, is_second ? "2" : "1");
    if (is_second) {
        script.second_limit_ms = with->deadline_ms - began_ms;
        script.second_stands_in = vault->stands_in && vault->spare == NULL;
        assert_null(with->patience.watch);
        assert_string_equal(with->vault, SECOND);
    }
    if (script.asks_nobody) {
        return rc;
    }
    if (!is_second && script.takes_ms > 0) {
        call_patience_begin(&with->patience);
        enum ekm_rc slept = call_sleep(with, script.takes_ms);
        call_patience_end(&with->patience);
        assert_int_equal(slept, EKM_OK);
        script.first_took_ms = plat_now_ms() - began_ms;
    }
    with->vault_answered = rc == EKM_OK || script.status != 0;
    with->error.at_vault = !script.of_login;
    with->error.http_status = script.status;
    return rc == EKM_OK ? EKM_OK : call_fail(with, rc, "scripted");
}

static enum ekm_rc test_second_vault_run(enum ekm_rc of_first, enum ekm_rc of_second)
{
    memset(&script, 0, sizeof script);
    script.rc[0] = of_first;
    script.rc[1] = of_second;
    begin_call();
    return second_vault_run(&call, &first, true, test_second_vault_step, &script);
}

static void test_settings(void **state)
{
    static const char *const good[] = {
        "contoso: fabrikam", "contoso:fabrikam",
        "https://contoso.vault.azure.net/ : https://fabrikam.vault.azure.net/",
        "CONTOSO: hsm.managedhsm.azure.net"};
    static const char *const bad[][2] = {
        {"contoso", "is not VAULT: SECOND VAULT"},
        {": fabrikam", "the first is no vault"},
        {"contoso:", "the second is no vault"},
        {"contoso: vault.example.org", "the second is no vault"},
        {"vault.example.org: contoso", "the first is no vault"},
        {"contoso: fabrikam:443", "the second is no vault"},
        {"contoso: contoso.vault.azure.net", "cannot stand in for itself"},
        {"contoso: fabrikam.vault.azure.cn", "same cloud"},
        {"contoso: hsm.managedhsm.usgovcloudapi.net", "same cloud"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        second_vault_stop();
        assert_int_equal(test_second_vault_start(good[i], "fabrikam: contoso"), EKM_OK);
        assert_non_null(second_vault_find(FIRST));
        assert_non_null(second_vault_find(SECOND)); /* each for the other is no circle */
        assert_null(second_vault_find("other.vault.azure.net"));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        second_vault_stop();
        assert_int_equal(test_second_vault_start(bad[i][0], NULL), EKM_CONFIGURATION);
        assert_non_null(strstr(reason, "/etc/conf:7: second_vault: "));
        assert_non_null(strstr(reason, bad[i][1]));
        assert_null(second_vault_find(FIRST));
    }
    second_vault_stop();
    assert_int_equal(test_second_vault_start("contoso: fabrikam", "CONTOSO.vault.azure.net: other"),
                     EKM_CONFIGURATION);
    assert_non_null(strstr(reason, "has a second vault already"));
    /* A private cloud's login is not known: its vaults pass for each other, and for no others. */
    static char suffix[] = ".vault.local", *suffixes[] = {suffix};
    second_vault_stop();
    assert_int_equal(test_second_vault_start("a.vault.local: b.vault.local", NULL),
                     EKM_CONFIGURATION);
    config.vault_suffixes = (struct text_list){suffixes, 1};
    assert_int_equal(second_vault_start(&config, reason, sizeof reason), EKM_OK);
    second_vault_stop();
    (void)text_copy(items[0], 300, "a.vault.local: contoso");
    assert_int_equal(second_vault_start(&config, reason, sizeof reason), EKM_CONFIGURATION);
}

static void test_only_outages(void **state)
{
    static const enum ekm_rc outages[] = {
        EKM_HOST_NOT_RESOLVED, EKM_CONNECT_FAILED,    EKM_TLS_FAILED,       EKM_CERTIFICATE_REFUSED,
        EKM_NO_ANSWER,         EKM_SERVER_ERROR,      EKM_SERVER_REFUSED,   EKM_NOT_VAULT,
        EKM_NOT_VAULT_PASSING, EKM_THROTTLED,         EKM_UNWRAP_NOT_JSON,  EKM_KEY_NOT_JSON,
        EKM_CONNECTION_BROKEN, EKM_PROXY_UNREACHABLE, EKM_UNEXPECTED_STATUS};
    static const enum ekm_rc refusals[] = {
        EKM_FORBIDDEN,       EKM_KEY_NOT_FOUND,   EKM_NOT_FOUND,     EKM_KEY_DISABLED,
        EKM_KEY_EXPIRED,     EKM_FIREWALL,        EKM_KEY_OPERATION, EKM_UNAUTHORIZED,
        EKM_TOKEN_REJECTED,  EKM_UNWRAP_REFUSED,  EKM_OTHER_KEY,     EKM_CHALLENGE_FOREIGN,
        EKM_BAD_CREDENTIALS, EKM_REQUEST_REFUSED, EKM_CLOSING,       EKM_OUT_OF_MEMORY};
    (void)state;
    for (size_t i = 0; i < sizeof outages / sizeof outages[0]; i++) {
        assert_int_equal(test_second_vault_run(outages[i], EKM_OK), EKM_OK);
        assert_string_equal(script.asked, "12");
        assert_true(script.second_stands_in);
        assert_string_equal(call.vault, SECOND);
        fake_clock_advance(60000);
        assert_int_equal(test_second_vault_run(EKM_OK, EKM_OK), EKM_OK); /* and back */
        assert_string_equal(script.asked, "1");
    }
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        assert_int_equal(test_second_vault_run(refusals[i], EKM_OK), refusals[i]);
        assert_string_equal(script.asked, "1");
    }
    /* The login service is the same for both. */
    memset(&script, 0, sizeof script);
    script.rc[0] = EKM_CONNECT_FAILED;
    script.of_login = true;
    assert_int_equal(second_vault_run(&call, &first, true, test_second_vault_step, &script),
                     EKM_CONNECT_FAILED);
    assert_string_equal(script.asked, "1");
    /* Without a second vault, nothing changes. */
    struct vault alone = first;
    alone.spare = NULL;
    memset(&script, 0, sizeof script);
    script.rc[0] = EKM_CONNECT_FAILED;
    assert_int_equal(second_vault_run(&call, &alone, true, test_second_vault_step, &script),
                     EKM_CONNECT_FAILED);
    assert_string_equal(script.asked, "1");
}

/* While it is down, one call in some seconds looks whether it is back. */
static void test_down(void **state)
{
    (void)state;
    assert_int_equal(test_second_vault_run(EKM_CONNECT_FAILED, EKM_OK), EKM_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(test_second_vault_run(EKM_CONNECT_FAILED, EKM_OK), EKM_OK);
        assert_string_equal(script.asked, "2");
        fake_clock_advance(1000);
    }
    fake_clock_advance(5000);
    assert_int_equal(test_second_vault_run(EKM_CONNECT_FAILED, EKM_OK), EKM_OK);
    assert_string_equal(script.asked, "12");
    assert_int_equal(test_second_vault_run(EKM_CONNECT_FAILED, EKM_OK), EKM_OK);
    assert_string_equal(script.asked, "2");
    /* A call without a request shows nothing, nor does a call that may not probe. */
    fake_clock_advance(5000);
    memset(&script, 0, sizeof script);
    script.asks_nobody = true;
    assert_int_equal(second_vault_run(&call, &first, true, test_second_vault_step, &script),
                     EKM_OK);
    assert_string_equal(script.asked, "1");
    memset(&script, 0, sizeof script);
    assert_int_equal(second_vault_run(&call, &first, false, test_second_vault_step, &script),
                     EKM_OK);
    assert_string_equal(script.asked, "2");
    /* A refusal is an answer: it is back, and its word counts. */
    memset(&script, 0, sizeof script);
    script.rc[0] = EKM_FORBIDDEN;
    script.status = 403;
    assert_int_equal(second_vault_run(&call, &first, true, test_second_vault_step, &script),
                     EKM_FORBIDDEN);
    assert_string_equal(script.asked, "1");
    assert_int_equal(test_second_vault_run(EKM_OK, EKM_OK), EKM_OK);
    assert_string_equal(script.asked, "1");
}

/* Where both fail, the first has the time that is left, and its failure is told, with the other's.
 */
static void test_both(void **state)
{
    (void)state;
    assert_int_equal(test_second_vault_run(EKM_SERVER_ERROR, EKM_FORBIDDEN), EKM_SERVER_ERROR);
    assert_string_equal(script.asked, "121");
    assert_non_null(strstr(call.error.note, SECOND ": 3113"));
    assert_string_equal(call.vault, FIRST);
    assert_int_equal(script.second_limit_ms, 15000);
    assert_int_equal(test_second_vault_run(EKM_SERVER_ERROR, EKM_CONNECT_FAILED), EKM_SERVER_ERROR);
    assert_string_equal(script.asked, "21");
    assert_int_equal(call.deadline_ms, call.start_ms + 30000);
    assert_int_equal(test_second_vault_run(EKM_SERVER_ERROR, EKM_CLOSING), EKM_CLOSING);
    assert_string_equal(script.asked, "2");
}

static void test_patience(void **state)
{
    (void)state;
    /* Silence. */
    memset(&script, 0, sizeof script);
    script.rc[0] = EKM_NO_ANSWER;
    script.takes_ms = 60000;
    begin_call();
    assert_int_equal(second_vault_run(&call, &first, true, test_second_vault_step, &script),
                     EKM_OK);
    assert_string_equal(script.asked, "12");
    assert_true(script.first_took_ms >= CALL_SILENCE_MS && script.first_took_ms <= 1100);
    /* It is not waited for by those who asked before it was given up. */
    struct call_patience late = call.patience;
    assert_null(late.watch);
    /* As long as others get answers it has half of the call's time. */
    fake_clock_advance(60000);
    assert_int_equal(test_second_vault_run(EKM_OK, EKM_OK), EKM_OK);
    struct call_watch watch = {0};
    struct call_patience patience = {.watch = &watch, .end_ms = plat_now_ms() + 15000};
    call_patience_begin(&patience);
    for (int i = 0; i < 29; i++) {
        fake_clock_advance(500);
        assert_false(call_patience_is_over(&patience));
        call_patience_note_response(&patience);
    }
    fake_clock_advance(500);
    assert_true(call_patience_is_over(&patience));
    /* Two requests with something else between them: only the vault's silence counts. */
    patience = (struct call_patience){.watch = &watch, .end_ms = plat_now_ms() + 600000};
    call_patience_begin(&patience);
    fake_clock_advance(500);
    call_patience_end(&patience);
    fake_clock_advance(20000);
    assert_false(call_patience_is_over(&patience));
    call_patience_begin(&patience);
    fake_clock_advance(200);
    assert_false(call_patience_is_over(&patience));
    fake_clock_advance(200);
    assert_true(call_patience_is_over(&patience));
    /* Given up by another call: at once, but for the one that looks whether it is back. */
    patience = (struct call_patience){.watch = &watch, .end_ms = plat_now_ms() + 600000};
    call_patience_begin(&patience);
    atomic_store(&watch.is_down, true);
    assert_true(call_patience_is_over(&patience));
    patience.is_probe = true;
    assert_false(call_patience_is_over(&patience));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_settings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_only_outages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_down, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_both, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_patience, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
