/* The log: its form, its levels, rotation, repeats. */
// only: posix
// with: scratch.c
// wrap: plat_now_ms plat_unix_time_ms plat_system_log plat_standard_error
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/log_dedup.h"
#include "base/text.h"
#include "platform/system.h"
#include "scratch.h"

static _Atomic uint64_t now_ms;

uint64_t __wrap_plat_now_ms(void);
uint64_t __wrap_plat_now_ms(void)
{
    return atomic_load(&now_ms);
}

int64_t __wrap_plat_unix_time_ms(void);
int64_t __wrap_plat_unix_time_ms(void)
{
    return 1798761599007; /* 2026-12-31T23:59:59.007Z */
}

static atomic_int system_lines;
static char system_text[4096];
static bool system_takes;
static uint32_t system_code;

bool __wrap_plat_system_log(enum plat_severity severity, uint32_t code, const char *text);
bool __wrap_plat_system_log(enum plat_severity severity, uint32_t code, const char *text)
{
    assert_int_equal(severity, PLAT_SEVERITY_ERROR);
    atomic_fetch_add(&system_lines, 1);
    system_code = code;
    (void)text_copy(system_text, sizeof system_text, text);
    return system_takes;
}

static char error_text[4096];

bool __wrap_plat_standard_error(const char *line, size_t len);
bool __wrap_plat_standard_error(const char *line, size_t len)
{
    size_t before = strlen(error_text);
    (void)text_copy_n(error_text + before, sizeof error_text - before, line, len);
    return true;
}

static struct config config;
static char content[65536];

static void test_log_start(enum log_level level)
{
    config_defaults(&config);
    (void)text_copy(config.log_file, sizeof config.log_file, path);
    config.log_level = level;
    log_start(&config);
}

static int set_up(void **state)
{
    atomic_store(&now_ms, 1000000);
    atomic_store(&system_lines, 0);
    system_takes = true;
    error_text[0] = '\0';
    return make_folder(state);
}

static int tear_down(void **state)
{
    log_stop();
    return remove_folder(state);
}

static const char *read_log(const char *name)
{
    assert_int_equal(get(name, PLAT_TRUST_ANY, content, sizeof content), PLAT_IO_OK);
    return content;
}

static void test_a_line_has_its_form(void **state)
{
    (void)state;
    char expected[256];
    struct log_line line;
    test_log_start(LEVEL_INFO);
    log_begin(&line, LEVEL_INFO, 57, "Decrypt");
    log_pair(&line, "vault", "contoso.vault.azure.net");
    log_pair(&line, "empty", "");
    log_pair(&line, "absent", NULL);
    log_pair_number(&line, "ms", -12);
    log_write(&line);
    (void)snprintf(expected, sizeof expected,
                   "2026-12-31T23:59:59.007Z info %u/%llu #57 Decrypt "
                   "vault=\"contoso.vault.azure.net\" ms=\"-12\"\n",
                   (unsigned)getpid(), (unsigned long long)plat_thread_id());
    assert_string_equal(read_log(path), expected);
    assert_int_equal(mode_of(path) & 0137, 0); /* 0640 less the umask */
    assert_int_equal(atomic_load(&system_lines), 0);
}

/* The text after the last `key="`, up to the end of the line, without the closing quote. */
static const char *value_written(const char *value)
{
    struct log_line line;
    static char written[4096];
    log_begin(&line, LEVEL_INFO, 0, "Test");
    log_pair(&line, "key", value);
    line.text[line.len] = '\0';
    const char *start_of_value = strstr(line.text, " key=\"");
    assert_non_null(start_of_value);
    (void)text_copy(written, sizeof written, start_of_value + 6);
    size_t len = strlen(written);
    assert_true(len > 0 && written[len - 1] == '"');
    written[len - 1] = '\0';
    return written;
}

static void test_values_cannot_break_out(void **state)
{
    (void)state;
    assert_string_equal(value_written("a b=c'd~"), "a b=c'd~");
    assert_string_equal(value_written("x\" fake=\"1"), "x\\x22 fake=\\x221");
    assert_string_equal(value_written("a\\b"), "a\\x5Cb");
    assert_string_equal(value_written("a\r\nb\tc\x1b[0m"), "a\\x0D\\x0Ab\\x09c\\x1B[0m");
    assert_string_equal(value_written("\x7f\x80\xc3\xa4\xff"), "\\x7F\\x80\\xC3\\xA4\\xFF");
    for (int c = 1; c < 256; c++) {
        const char value[] = {'<', (char)c, '>', '\0'};
        for (const char *at = value_written(value); *at != '\0'; at++) {
            assert_true(*at >= 0x20 && *at < 0x7F && *at != '"');
        }
    }
}

static void test_values_end_at_256_bytes(void **state)
{
    (void)state;
    char value[400];
    memset(value, 'a', sizeof value);
    value[300] = '\0';
    assert_int_equal(strlen(value_written(value)), 256);
    value[256] = '\0';
    assert_int_equal(strlen(value_written(value)), 256);
    /* An escape is written whole or not at all. */
    value[252] = '\n';
    assert_int_equal(strlen(value_written(value)), 256);
    value[252] = 'a';
    value[253] = '\n';
    assert_int_equal(strlen(value_written(value)), 253);
}

static void test_a_line_too_long_stays_one_line(void **state)
{
    (void)state;
    char value[300];
    struct log_line line;
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    test_log_start(LEVEL_INFO);
    log_begin(&line, LEVEL_INFO, 1, "Test");
    for (int i = 0; i < 30; i++) {
        log_pair(&line, "key", value);
    }
    log_write(&line);
    log_text(LEVEL_INFO, 2, "Test", "next");
    const char *text = read_log(path);
    const char *end = strchr(text, '\n');
    assert_non_null(end);
    assert_true((size_t)(end - text) < sizeof line.text);
    assert_non_null(strstr(end, "#2 Test text=\"next\"\n"));
}

static void test_levels(void **state)
{
    (void)state;
    static const struct {
        enum log_level level;
        int lines, system;
    } cases[] = {{LEVEL_NONE, 0, 0}, {LEVEL_ERROR, 1, 1}, {LEVEL_INFO, 2, 1}, {LEVEL_DEBUG, 3, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atomic_store(&system_lines, 0);
        test_log_start(cases[i].level);
        for (int level = LEVEL_ERROR; level <= LEVEL_DEBUG; level++) {
            assert_int_equal(log_wanted((enum log_level)level), level <= (int)cases[i].level);
            log_text((enum log_level)level, 0, "Test", "%d", level);
        }
        log_stop();
        int lines = 0;
        if (access(path, F_OK) == 0) {
            for (const char *at = read_log(path); (at = strchr(at, '\n')) != NULL; at++) {
                lines++;
            }
            (void)unlink(path);
        }
        assert_int_equal(lines, cases[i].lines);
        assert_int_equal(atomic_load(&system_lines), cases[i].system);
    }
    assert_false(log_wanted(LEVEL_NONE));
}

static void test_errors_reach_the_system_log_with_their_code(void **state)
{
    (void)state;
    struct log_line line;
    test_log_start(LEVEL_ERROR);
    log_begin(&line, LEVEL_ERROR, 3, "Encrypt");
    line.code = 3113;
    log_pair(&line, "azure", "Forbidden");
    log_write(&line);
    assert_int_equal(atomic_load(&system_lines), 1);
    assert_int_equal(system_code, 3113);
    assert_non_null(strstr(system_text, "#3 Encrypt azure=\"Forbidden\""));
    assert_null(strchr(system_text, '\n'));
}

static void test_errors_before_the_start_go_only_to_the_system_log(void **state)
{
    (void)state;
    assert_true(log_wanted(LEVEL_ERROR));
    assert_false(log_wanted(LEVEL_INFO));
    log_text(LEVEL_ERROR, 0, "Initialize", "early");
    log_text(LEVEL_INFO, 0, "Initialize", "early");
    assert_int_equal(atomic_load(&system_lines), 1);
    assert_int_equal(access(path, F_OK), -1);
}

static void test_a_file_that_cannot_be_opened_is_reported(void **state)
{
    (void)state;
    assert_int_equal(symlink("/etc/hostname", path), 0);
    test_log_start(LEVEL_INFO);
    assert_int_equal(atomic_load(&system_lines), 1);
    assert_non_null(strstr(system_text, "symbolic link"));
    log_text(LEVEL_INFO, 0, "Test", "nowhere");
}

/* Never used in silence, never said twice. */
static void test_an_unsafe_file_is_reported_once(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    test_log_start(LEVEL_INFO);
    assert_int_equal(atomic_load(&system_lines), 1);
    assert_non_null(strstr(system_text, "a pipe"));
    atomic_fetch_add(&now_ms, 5000);
    log_text(LEVEL_INFO, 0, "Test", "nowhere");
    assert_int_equal(atomic_load(&system_lines), 1);
    log_stop();
    assert_int_equal(unlink(path), 0);
    put(path, "", 0640);
    assert_int_equal(chmod(folder, 0777), 0);
    test_log_start(LEVEL_INFO);
    assert_int_equal(atomic_load(&system_lines), 2);
    assert_non_null(strstr(system_text, "unsafe rights"));
    assert_string_equal(error_text, "");
    /* Mended: it is taken into use without a restart. */
    assert_int_equal(chmod(folder, 0700), 0);
    atomic_fetch_add(&now_ms, 5000);
    log_text(LEVEL_INFO, 0, "Test", "again");
    assert_non_null(strstr(read_log(path), "again"));
}

static void test_an_unsafe_folder_gets_no_file(void **state)
{
    (void)state;
    assert_int_equal(chmod(folder, 0777), 0);
    test_log_start(LEVEL_INFO);
    log_text(LEVEL_INFO, 0, "Test", "nowhere");
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(atomic_load(&system_lines), 1);
    assert_non_null(strstr(system_text, "(mode 0777): chmod o-w"));
    assert_int_equal(chmod(folder, 0700), 0);
    atomic_fetch_add(&now_ms, 5000);
    log_text(LEVEL_INFO, 0, "Test", "now");
    assert_non_null(strstr(read_log(path), "now"));
}

static void test_a_rotation_to_an_unsafe_file_is_reported_once(void **state)
{
    (void)state;
    test_log_start(LEVEL_INFO);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/etc/hostname", path), 0);
    for (int i = 0; i < 3; i++) {
        atomic_fetch_add(&now_ms, 1000);
        log_text(LEVEL_INFO, 0, "Test", "x");
    }
    assert_int_equal(atomic_load(&system_lines), 1);
    assert_non_null(strstr(system_text, "symbolic link"));
}

static void test_errors_that_no_log_accepts_go_to_standard_error(void **state)
{
    (void)state;
    system_takes = false;
    log_text(LEVEL_ERROR, 0, "Initialize", "no file yet");
    assert_non_null(strstr(error_text, " Initialize text=\"no file yet\"\n"));
    error_text[0] = '\0';
    test_log_start(LEVEL_INFO);
    log_text(LEVEL_ERROR, 0, "Test", "in the file");
    log_text(LEVEL_INFO, 0, "Test", "nobody asked");
    assert_string_equal(error_text, "");
    assert_non_null(strstr(read_log(path), "in the file"));
    log_stop();
    system_takes = true;
    log_text(LEVEL_ERROR, 0, "Test", "in the system log");
    assert_string_equal(error_text, "");
}

static int lowest_free(void)
{
    int fd = open("/dev/null", O_RDONLY);
    assert_true(fd >= 0);
    (void)close(fd);
    return fd;
}

static void test_rotation_is_followed_within_a_second(void **state)
{
    (void)state;
    char former[160];
    int before = lowest_free();
    (void)snprintf(former, sizeof former, "%s.1", path);
    test_log_start(LEVEL_INFO);
    log_text(LEVEL_INFO, 0, "Test", "first");
    assert_int_equal(rename(path, former), 0);
    log_text(LEVEL_INFO, 0, "Test", "second");
    atomic_fetch_add(&now_ms, 1000);
    log_text(LEVEL_INFO, 0, "Test", "third");
    assert_non_null(strstr(read_log(former), "second"));
    assert_null(strstr(read_log(former), "third"));
    assert_non_null(strstr(read_log(path), "third"));
    /* Removed instead of renamed. */
    assert_int_equal(unlink(path), 0);
    atomic_fetch_add(&now_ms, 1000);
    log_text(LEVEL_INFO, 0, "Test", "fourth");
    assert_non_null(strstr(read_log(path), "fourth"));
    assert_int_equal(lowest_free(), before + 1); /* the replaced ones are closed */
    log_stop();
    assert_int_equal(lowest_free(), before);
}

static void test_a_link_put_in_the_logs_place_is_not_followed(void **state)
{
    (void)state;
    char victim[160];
    (void)snprintf(victim, sizeof victim, "%s/victim", folder);
    put(victim, "untouched", 0600);
    test_log_start(LEVEL_INFO);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink(victim, path), 0);
    atomic_fetch_add(&now_ms, 1000);
    log_text(LEVEL_INFO, 0, "Test", "x");
    assert_content(victim, "untouched");
}

static void fail_often(int times, int admitted)
{
    for (int i = 0; i < times; i++) {
        assert_int_equal(log_failure_admitted("Decrypt", 3111, "a"), i < admitted);
    }
}

static void test_repeats_become_one_line(void **state)
{
    (void)state;
    test_log_start(LEVEL_ERROR);
    fail_often(25, 10);
    /* Others are not touched by it. */
    assert_true(log_failure_admitted("Encrypt", 3111, "a"));
    assert_true(log_failure_admitted("Decrypt", 3112, "a"));
    assert_true(log_failure_admitted("Decrypt", 3111, "b"));
    atomic_fetch_add(&now_ms, LOG_DEDUP_MINUTE_MS - 1);
    log_tick();
    assert_string_equal(read_log(path), "");
    atomic_fetch_add(&now_ms, 1);
    log_tick();
    log_tick();
    assert_non_null(
        strstr(read_log(path), "Decrypt code=\"3111\" vault=\"a\" repeated=\"15\" text=\""));
    assert_int_equal(atomic_load(&system_lines), 1);
    /* A new minute begins anew; what it held back is told at the latest when the log stops. */
    fail_often(11, 10);
    log_stop();
    assert_int_equal(atomic_load(&system_lines), 2);
    assert_non_null(strstr(read_log(path), "repeated=\"1\""));
}

/* Threads read the clock before they take the table's lock. */
static void test_a_clock_read_earlier_ends_no_minute(void **state)
{
    (void)state;
    struct log_folded folded;
    int admitted = 0;
    for (int i = 0; i < 1000; i++) {
        admitted += log_dedup_admit(2000000, "Decrypt", 3107, "late");
        assert_false(log_dedup_expired(1999999, false, &folded));
    }
    assert_int_equal(admitted, LOG_DEDUP_LIMIT);
    assert_true(log_dedup_expired(2000000 + LOG_DEDUP_MINUTE_MS, false, &folded));
    assert_int_equal(folded.suppressed, 990);
}

static void test_names_longer_than_a_slot_are_repeats_too(void **state)
{
    (void)state;
    char vault[300];
    int admitted = 0;
    memset(vault, 'v', sizeof vault - 1);
    vault[sizeof vault - 1] = '\0';
    for (int i = 0; i < 100; i++) {
        admitted += log_failure_admitted("AnOperationWithANameOf32Characters", 3107, vault);
    }
    assert_int_equal(admitted, LOG_DEDUP_LIMIT);
}

static void test_a_full_table_of_failures_suppresses_no_line(void **state)
{
    (void)state;
    char vault[16];
    for (int i = 0; i < 100; i++) {
        (void)snprintf(vault, sizeof vault, "v%d", i);
        assert_true(log_failure_admitted("Decrypt", 3111, vault));
    }
}

#define WRITERS 8
#define LINES   100

static void *write_lines(void *unused)
{
    (void)unused;
    for (int i = 0; i < LINES; i++) {
        log_text(LEVEL_INFO, 1, "Storm", "line");
        atomic_fetch_add(&now_ms, 100);
    }
    return NULL;
}

static int whole_lines(const char *name)
{
    int lines = 0;
    if (access(name, F_OK) != 0) {
        return 0;
    }
    for (const char *at = read_log(name), *end; *at != '\0'; at = end + 1, lines++) {
        end = strchr(at, '\n');
        assert_non_null(end);
        assert_int_equal(strncmp(at, "2026-12-31T", 11), 0);
        assert_int_equal(strncmp(end - 6, "\"line\"", 6), 0);
    }
    return lines;
}

static void test_many_writers_lose_nothing_while_the_file_rotates(void **state)
{
    (void)state;
    pthread_t threads[WRITERS];
    char former[160];
    int lines = 0;
    test_log_start(LEVEL_INFO);
    for (int i = 0; i < WRITERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, NULL), 0);
    }
    for (int i = 0; i < 5; i++) {
        (void)snprintf(former, sizeof former, "%s.%d", path, i);
        (void)rename(path, former);
        (void)usleep(2000);
    }
    for (int i = 0; i < WRITERS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < 5; i++) {
        (void)snprintf(former, sizeof former, "%s.%d", path, i);
        lines += whole_lines(former);
    }
    assert_int_equal(lines + whole_lines(path), WRITERS * LINES);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_a_line_has_its_form),
        EACH(test_values_cannot_break_out),
        EACH(test_values_end_at_256_bytes),
        EACH(test_a_line_too_long_stays_one_line),
        EACH(test_levels),
        EACH(test_errors_reach_the_system_log_with_their_code),
        EACH(test_errors_before_the_start_go_only_to_the_system_log),
        EACH(test_a_file_that_cannot_be_opened_is_reported),
        EACH(test_an_unsafe_file_is_reported_once),
        EACH(test_an_unsafe_folder_gets_no_file),
        EACH(test_a_rotation_to_an_unsafe_file_is_reported_once),
        EACH(test_errors_that_no_log_accepts_go_to_standard_error),
        EACH(test_rotation_is_followed_within_a_second),
        EACH(test_a_link_put_in_the_logs_place_is_not_followed),
        EACH(test_repeats_become_one_line),
        EACH(test_a_clock_read_earlier_ends_no_minute),
        EACH(test_names_longer_than_a_slot_are_repeats_too),
        EACH(test_a_full_table_of_failures_suppresses_no_line),
        EACH(test_many_writers_lose_nothing_while_the_file_rotates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
