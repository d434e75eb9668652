/* The call record: deadline, abort, errors of tries, and the one line at its end. */
// with: fake_clock.c
// wrap: plat_now_ms plat_unix_time_ms plat_cond_wait_until log_write
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/call.h"
#include "base/log.h"
#include "base/text.h"
#include "fake_clock.h"

static unsigned lines;
static struct log_line last;

void __wrap_log_write(struct log_line *line);
void __wrap_log_write(struct log_line *line)
{
    line->text[line->len] = '\0';
    last = *line;
    lines++;
}

static struct config config;
static struct call call;
static atomic_bool aborted;

static int set_up(void **state)
{
    (void)state;
    fake_clock_reset();
    config_defaults(&config);
    config.log_file[0] = '\0';
    config.log_level = LEVEL_DEBUG;
    log_start(&config);
    lines = 0;
    memset(&last, 0, sizeof last);
    atomic_store(&aborted, false);
    memset(&call, 0xA5, sizeof call); /* what an export's stack holds */
    call_begin(&call, "Decrypt", &config);
    call.session_aborted = &aborted;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    log_stop();
    return 0;
}

static void assert_told(const char *pair)
{
    if (strstr(last.text, pair) == NULL) {
        fail_msg("no %s in: %s", pair, last.text);
    }
}

static void assert_untold(const char *key)
{
    if (strstr(last.text, key) != NULL) {
        fail_msg("%s in: %s", key, last.text);
    }
}

static void test_begin_leaves_nothing_of_the_stack(void **state)
{
    (void)state;
    struct call next;
    assert_int_equal(call.deadline_ms - call.start_ms, 30000);
    assert_int_equal(call_remaining_ms(&call), 30000);
    assert_int_equal(call.tries, 0);
    assert_int_equal(call.error.rc, EKM_OK);
    assert_string_equal(call.vault, "");
    call_begin(&next, "Encrypt", &config);
    assert_int_equal(next.number, call.number + 1);
    assert_int_equal(call_end(&call, EKM_OK), 0);
    assert_untold("vault=");
    assert_untold("code=");
}

static void test_correlation_is_one_uuid_for_the_call(void **state)
{
    (void)state;
    char first[37];
    struct call other;
    assert_string_equal(call.correlation_id, "");
    (void)text_copy(first, sizeof first, call_correlation_id(&call));
    assert_int_equal(strlen(first), 36);
    assert_int_equal(first[14], '4');
    assert_non_null(strchr("89ab", first[19]));
    call_new_try(&call);
    assert_string_equal(call_correlation_id(&call), first);
    call_begin(&other, "Decrypt", &config);
    assert_string_not_equal(call_correlation_id(&other), first);
}

static void test_a_new_try_starts_clean(void **state)
{
    (void)state;
    call_new_try(&call);
    call.error.http_status = 503;
    (void)text_copy(call.error.azure_code, sizeof call.error.azure_code, "Busy");
    assert_int_equal(call_fail(&call, EKM_SERVER_ERROR, "try %d", 1), EKM_SERVER_ERROR);
    assert_string_equal(call.error.note, "try 1");
    call_new_try(&call);
    assert_int_equal(call.tries, 2);
    assert_int_equal(call_fail(&call, EKM_NO_ANSWER, NULL), EKM_NO_ANSWER);
    assert_int_equal(call_end(&call, EKM_NO_ANSWER), 3107);
    assert_told(" code=\"3107\"");
    assert_told(" tries=\"2\"");
    assert_untold("http=");
    assert_untold("\"503\"");
    assert_untold("Busy");
    assert_untold("try 1");
}

static void test_a_long_note_is_cut_off(void **state)
{
    (void)state;
    char text[1000];
    memset(text, 'n', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    (void)call_fail(&call, EKM_INTERNAL, "%s", text);
    assert_int_equal(strlen(call.error.note), sizeof call.error.note - 1);
}

static void test_time_and_abort_are_seen(void **state)
{
    (void)state;
    assert_int_equal(call_check(&call), EKM_OK);
    fake_clock_advance(29999);
    assert_int_equal(call_remaining_ms(&call), 1);
    assert_int_equal(call_check(&call), EKM_OK);
    fake_clock_advance(1);
    assert_int_equal(call_remaining_ms(&call), 0);
    assert_int_equal(call_check(&call), EKM_DEADLINE);
    assert_int_equal(call.error.rc, EKM_DEADLINE);
    fake_clock_advance(100000);
    assert_int_equal(call_remaining_ms(&call), 0);
    atomic_store(&aborted, true);
    assert_int_equal(call_check(&call), EKM_CLOSING);
    assert_int_equal(call.error.rc, EKM_CLOSING);
    call.session_aborted = NULL; /* outside sessions nobody aborts */
    assert_false(call_aborted(&call));
}

static void test_sleep_ends_by_time_deadline_or_abort(void **state)
{
    (void)state;
    assert_int_equal(call_sleep(&call, 1000), EKM_OK);
    assert_int_equal(call_remaining_ms(&call), 29000);
    assert_int_equal(call_sleep(&call, 0), EKM_OK);
    assert_int_equal(call_remaining_ms(&call), 29000);
    assert_int_equal(call_sleep(&call, UINT64_MAX), EKM_OK);
    assert_int_equal(call_remaining_ms(&call), 0);
    atomic_store(&aborted, true);
    assert_int_equal(call_sleep(&call, 1000), EKM_CLOSING);
}

static void test_a_failure_tells_everything_once(void **state)
{
    (void)state;
    (void)text_copy(call.vault, sizeof call.vault, "contoso.vault.azure.net");
    (void)text_copy(call.key, sizeof call.key, "TDE");
    (void)text_copy(call.version, sizeof call.version, "0123abcd");
    (void)text_copy(call.thumbprint, sizeof call.thumbprint, "ABCD");
    (void)text_copy(call.client_id, sizeof call.client_id, "1111-2222");
    call_new_try(&call);
    (void)text_copy(call.request_id, sizeof call.request_id, "req-1");
    (void)text_copy(call.error.request_id, sizeof call.error.request_id, "req-2");
    call.error.http_status = 403;
    call.error.aadsts = 7000222;
    (void)text_copy(call.error.azure_code, sizeof call.error.azure_code, "Forbidden");
    (void)text_copy(call.error.inner_code, sizeof call.error.inner_code, "ForbiddenByRbac");
    enum ekm_rc rc = call_fail(&call, EKM_FORBIDDEN, "role \"x\"");
    const char *correlation_id = call_correlation_id(&call);
    fake_clock_advance(12);
    assert_int_equal(call_end(&call, rc), 3113);
    assert_int_equal(lines, 1);
    assert_int_equal(last.level, LEVEL_ERROR);
    assert_int_equal(last.code, 3113);
    static const char *const pairs[] = {" Decrypt ",
                                        " code=\"3113\"",
                                        " http=\"403\"",
                                        " azure=\"Forbidden\"",
                                        " inner=\"ForbiddenByRbac\"",
                                        " aadsts=\"7000222\"",
                                        " request=\"req-2\"",
                                        " key=\"TDE/0123abcd\"",
                                        " vault=\"contoso.vault.azure.net\"",
                                        " thumbprint=\"ABCD\"",
                                        " client=\"1111-2222\"",
                                        " ms=\"12\"",
                                        " tries=\"1\"",
                                        " note=\"role \\x22x\\x22\""};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        assert_told(pairs[i]);
    }
    assert_told(correlation_id);
    assert_told(ekm_text(EKM_FORBIDDEN) + 30);
}

static void test_an_audited_success_is_logged_at_info(void **state)
{
    (void)state;
    call.audited = true;
    (void)text_copy(call.key, sizeof call.key, "TDE");
    assert_int_equal(call_end(&call, EKM_OK), 0);
    assert_int_equal(lines, 1);
    assert_int_equal(last.level, LEVEL_INFO);
    assert_told(" key=\"TDE\"");
    /* A failed try before the success is no failure of the call. */
    call_begin(&call, "Decrypt", &config);
    call.audited = true;
    (void)call_fail(&call, EKM_THROTTLED, "again");
    assert_int_equal(call_end(&call, EKM_OK), 0);
    assert_int_equal(last.level, LEVEL_INFO);
    assert_untold("again");
}

static void test_answers_of_the_interface_are_no_failures(void **state)
{
    (void)state;
    assert_int_equal(call_end(&call, EKM_OK), 0);
    assert_int_equal(last.level, LEVEL_DEBUG);
    call.audited = true;
    assert_int_equal(call_end(&call, EKM_INSUFFICIENT_BUFFER), SQLCP_INSUFFICIENT_BUFFER);
    assert_int_equal(last.level, LEVEL_DEBUG);
    /* The end of an enumeration: nobody called it a failure. */
    assert_int_equal(call_end(&call, EKM_NOT_FOUND), SQLCP_NOT_FOUND);
    assert_int_equal(last.level, LEVEL_DEBUG);
    /* A key that is missed is one. */
    (void)call_fail(&call, EKM_NOT_FOUND, "no key has this thumbprint");
    assert_int_equal(call_end(&call, EKM_NOT_FOUND), SQLCP_NOT_FOUND);
    assert_int_equal(last.level, LEVEL_ERROR);
    assert_told(" code=\"4\"");
}

static void fail_once(void)
{
    call_begin(&call, "Decrypt", &config);
    (void)text_copy(call.vault, sizeof call.vault, "v");
    assert_int_equal(call_end(&call, call_fail(&call, EKM_SERVER_ERROR, NULL)), 3111);
}

static void test_repeats_are_folded(void **state)
{
    (void)state;
    for (int i = 0; i < 30; i++) {
        fail_once();
    }
    assert_int_equal(lines, 10);
    /* In the next minute it is told in full again (how many were left out: test_log.c). */
    fake_clock_advance(60000);
    fail_once();
    assert_int_equal(lines, 11);
    assert_told(" ms=");
    /* Ten, and much later one more: that one is told. */
    for (int i = 0; i < 9; i++) {
        fail_once();
    }
    assert_int_equal(lines, 20);
    fake_clock_advance(3600000);
    fail_once();
    assert_int_equal(lines, 21);
}

static void test_progress_is_logged_with_the_calls_number(void **state)
{
    (void)state;
    char number[32];
    (void)text_copy(call.vault, sizeof call.vault, "v");
    call_log(&call, LEVEL_INFO, "unwrapped by %s", "RSA-OAEP");
    (void)snprintf(number, sizeof number, " #%llu Decrypt ", (unsigned long long)call.number);
    assert_told(number);
    assert_told(" text=\"unwrapped by RSA-OAEP\"");
    assert_told(" vault=\"v\"");
    config.log_level = LEVEL_ERROR;
    log_stop();
    log_start(&config);
    lines = 0;
    call_log(&call, LEVEL_INFO, "not wanted");
    assert_int_equal(lines, 0);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_begin_leaves_nothing_of_the_stack),
        EACH(test_correlation_is_one_uuid_for_the_call),
        EACH(test_a_new_try_starts_clean),
        EACH(test_a_long_note_is_cut_off),
        EACH(test_time_and_abort_are_seen),
        EACH(test_sleep_ends_by_time_deadline_or_abort),
        EACH(test_a_failure_tells_everything_once),
        EACH(test_an_audited_success_is_logged_at_info),
        EACH(test_answers_of_the_interface_are_no_failures),
        EACH(test_repeats_are_folded),
        EACH(test_progress_is_logged_with_the_calls_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
