/* docs/errors.md and docs/configuration.md against the tables they describe, both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/config.h"
#include "base/config_table.h"
#include "base/text.h"

#define CELLS_MAX 8

/* A row of a Markdown table, its cells without blanks around them; they point into the line. */
struct row {
    char *cells[CELLS_MAX];
    size_t count;
};

static char *docs_trim(char *text)
{
    text += strspn(text, " \n");
    size_t len = strlen(text);
    while (len > 0 && strchr(" \n", text[len - 1]) != NULL) {
        text[--len] = '\0';
    }
    return text;
}

static bool next_row(FILE *page, char *line, size_t cap, struct row *row)
{
    while (fgets(line, (int)cap, page) != NULL) {
        assert_true(strlen(line) + 1 < cap);
        if (line[0] != '|') {
            continue;
        }
        row->count = 0;
        for (char *at = line + 1, *end; (end = strchr(at, '|')) != NULL; at = end + 1) {
            *end = '\0';
            assert_true(row->count < CELLS_MAX);
            row->cells[row->count++] = docs_trim(at);
        }
        return true;
    }
    return false;
}

static FILE *open_page(const char *name)
{
    char path[1024];
    assert_true(text_format(path, sizeof path, "%s/docs/%s", AKVEKM_SOURCE_DIR, name));
    FILE *page = fopen(path, "r");
    assert_non_null(page);
    return page;
}

static bool is_returned(long code)
{
    for (int i = 0; i < EKM_RC_COUNT; i++) {
        if (ekm_code((enum ekm_rc)i) == code) {
            return true;
        }
    }
    return false;
}

#define CODES_MAX 6000

static void test_each_code_is_explained_once_and_no_other(void **state)
{
    (void)state;
    static unsigned rows[CODES_MAX];
    char line[2048];
    struct row row;
    FILE *page = open_page("errors.md");
    while (next_row(page, line, sizeof line, &row)) {
        char *end;
        long code = strtol(row.cells[0], &end, 10);
        if (*end != '\0' || end == row.cells[0]) {
            continue; /* a table's head */
        }
        assert_int_in_range(code, 0, CODES_MAX - 1);
        assert_int_equal(row.count, 3);
        assert_true(strlen(row.cells[1]) > 5 && strlen(row.cells[2]) > 5);
        /* 5 and 7 belong to the interface; the page says that the library never returns them. */
        bool interface_only = code == SQLCP_AUTH_FAILURE || code == SQLCP_PROVIDER_ERROR;
        if (!interface_only && !is_returned(code)) {
            fail_msg("errors.md explains %ld, which the library never returns", code);
        }
        rows[code]++;
    }
    (void)fclose(page);
    for (int i = 0; i < EKM_RC_COUNT; i++) {
        int32_t code = ekm_code((enum ekm_rc)i);
        if (rows[code] != 1) {
            fail_msg("errors.md has %u rows for %d", rows[code], (int)code);
        }
    }
    for (int code = SQLCP_SUCCESS; code <= SQLCP_PROVIDER_ERROR; code++) {
        assert_int_equal(rows[code], 1);
    }
}

/* The text between the first pair of backquotes, or "" for a cell without. */
static const char *docs_quoted(char *cell)
{
    char *start = strchr(cell, '`');
    char *end = start != NULL ? strchr(start + 1, '`') : NULL;
    if (end == NULL) {
        return "";
    }
    *end = '\0';
    return start + 1;
}

static void read_ok(const struct config_setting *setting, uint64_t number, bool ok)
{
    char value[24];
    const char *why = NULL;
    struct config config;
    config_defaults(&config);
    assert_true(text_format(value, sizeof value, "%llu", (unsigned long long)number));
    enum ekm_rc rc = config_setting_read(setting, value, &config, &why);
    if (rc != (ok ? EKM_OK : EKM_CONFIGURATION)) {
        fail_msg("%s = %s: %s", config_setting_key(config_setting_index(setting)), value,
                 ekm_name(rc));
    }
    config_free(&config);
}

/* "low..high" is exactly what the library takes. */
static void check_range(const struct config_setting *setting, const char *range)
{
    char *end;
    uint64_t low = strtoull(range, &end, 10);
    assert_int_equal(strncmp(end, "..", 2), 0);
    uint64_t high = strtoull(end + 2, &end, 10);
    assert_int_equal(*end, '\0');
    read_ok(setting, low - 1, false);
    read_ok(setting, low, true);
    read_ok(setting, high, true);
    read_ok(setting, high + 1, false);
}

static void check_default(const struct config_setting *setting, const char *key, char *cell)
{
    char actual[2048];
    struct config config;
    config_defaults(&config);
    config_setting_text(config_setting_index(setting), &config, actual, sizeof actual);
    const char *told = docs_quoted(cell);
    /* Only where the folder exists, and no map's file on Windows, as the page says. */
    bool left_out =
        (strcmp(key, "log_file") == 0 || strcmp(key, "keymap_file") == 0) && actual[0] == '\0';
    /* On Windows these are below %ProgramData%, wherever that is. */
    left_out =
        left_out || ((strcmp(key, "certificate_folder") == 0 || strcmp(key, "log_file") == 0) &&
                     actual[0] != '/');
    if (!left_out && strcmp(told, actual) != 0) {
        fail_msg("configuration.md gives %s the default '%s', the library '%s'", key, told, actual);
    }
    if (told[0] == '\0') {
        assert_string_equal(cell, "empty");
    }
}

struct trust {
    const char *key;
    bool widens, seen;
};

static void see_trust(void *context, const char *key, const char *value, bool widens)
{
    struct trust *trust = context;
    (void)value;
    if (strcmp(trust->key, key) == 0) {
        trust->seen = true;
        trust->widens = widens;
    }
}

/* A value that differs from the default, for every kind of setting. */
static void check_trust(const struct config_setting *setting, const char *key, const char *told)
{
    static const char *const others[] = {"yes",
                                         "no",
                                         "error",
                                         "7777",
                                         "77",
                                         "a.example",
                                         "::127.0.0.1:1",
                                         "/x/y",
                                         "C:\\x\\y",
                                         "RSA1_5",
                                         "1.2.3.4",
                                         "7.1",
                                         "{00000000-0000-0000-0000-000000000001}",
                                         "imds",
                                         "certificate",
                                         "00000000000000000000000000000001",
                                         "2030-01-31"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct config config;
        const char *why = NULL;
        struct trust trust = {key, false, false};
        config_defaults(&config);
        if (config_setting_read(setting, others[i], &config, &why) == EKM_OK) {
            config_visit_changed(&config, see_trust, &trust);
        }
        config_free(&config);
        if (trust.seen) {
            assert_string_equal(told, trust.widens ? "yes" : "no");
            return;
        }
    }
    fail_msg("no value changes %s", key);
}

static void test_each_setting_is_described_once_and_no_other(void **state)
{
    (void)state;
    unsigned rows[CONFIG_SETTINGS_MAX] = {0};
    char line[2048];
    struct row row;
    FILE *page = open_page("configuration.md");
    while (next_row(page, line, sizeof line, &row)) {
        if (row.cells[0][0] != '`') {
            continue; /* a table's head */
        }
        assert_int_equal(row.count, 6);
        const char *key = docs_quoted(row.cells[0]);
        const struct config_setting *setting = config_setting_find(key);
        if (setting == NULL) {
            fail_msg("configuration.md describes %s, which is no setting", key);
        }
        rows[config_setting_index(setting)]++;
        if (strcmp(row.cells[1], "number") == 0) {
            check_range(setting, row.cells[2]);
        }
        check_default(setting, key, row.cells[3]);
        check_trust(setting, key, row.cells[4]);
        assert_true(strlen(row.cells[5]) > 5);
    }
    (void)fclose(page);
    for (size_t i = 0; i < config_setting_count(); i++) {
        if (rows[i] != 1) {
            fail_msg("configuration.md has %u rows for %s", rows[i], config_setting_key(i));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_code_is_explained_once_and_no_other),
        cmocka_unit_test(test_each_setting_is_described_once_and_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
