/* The file's lines: what is an entry, what is broken, what a rewrite keeps byte for byte. */
// only: posix
// wrap: malloc fsync read
// with: temporary.h
#include "keymap/keymap_store.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HOST "contoso-vault.vault.azure.net"
#define HEX  "EA4D88DB3ABB940193A920780D6689C517DCCD06"
#define URI  "https://contoso-vault.vault.azure.net/keys/TdeKey0/v1"

static struct config config;
static struct call call;
static char folder[64];

static size_t refused; /* the how manieth allocation from now on fails; 0: none */
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return refused > 0 && --refused == 0 ? NULL : __real_malloc(size);
}

static bool flush_fails;
static unsigned flushes;
int __real_fsync(int handle);
int __wrap_fsync(int handle);
int __wrap_fsync(int handle)
{
    flushes++;
    errno = ENOSPC;
    return flush_fails ? -1 : __real_fsync(handle);
}

static const char *to_append; /* by an administrator, before the file is read */
ssize_t __real_read(int handle, void *out, size_t size);
ssize_t __wrap_read(int handle, void *out, size_t size);
ssize_t __wrap_read(int handle, void *out, size_t size)
{
    if (to_append != NULL) {
        FILE *file = fopen(config.keymap_file, "a");
        assert_non_null(file);
        assert_true(fputs(to_append, file) >= 0);
        fclose(file);
        to_append = NULL;
    }
    return __real_read(handle, out, size);
}

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/akvekm-unit-XXXXXX");
    assert_non_null(mkdtemp(folder));
    config_defaults(&config);
    snprintf(config.keymap_file, sizeof config.keymap_file, "%s/keymap", folder);
    call_begin(&call, "test", &config);
    keymap_store_start(&config);
    return 0;
}

static int tear_down(void **state)
{
    char command[96];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static void write_map(const char *text, size_t len)
{
    FILE *file = fopen(config.keymap_file, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    fclose(file);
}

static const char empty[] = "";
static void test_lines(void **state)
{
    static const struct {
        const char *line;
        size_t entries, broken;
    } rows[] = {
        {HOST "\t" HEX "\t" URI, 1, 0},
        {HOST " " HEX " " URI " ", 1, 0},
        {"https://" HOST "/ 0X" HEX " " URI, 1, 0},
        {HOST ":443\t0xea4d\t" URI, 1, 0},
        {HOST "\tEA\thttps://elsewhere", 1, 0},
        {empty, 0, 0},
        {"   \t", 0, 0},
        {"# " HOST, 0, 0},
        {"  #" HOST, 0, 0},
        {HOST, 0, 1},
        {HOST "\t" HEX, 0, 1},
        {HOST "\t" HEX "\t" URI "\tmore", 0, 1},
        {HOST "\t0x\t" URI, 0, 1},
        {HOST "\tABC\t" URI, 0, 1},
        {HOST "\t" HEX HEX "\t" URI, 0, 1},
        {HOST "\tGG\t" URI, 0, 1},
        {"https://\t" HEX "\t" URI, 0, 1},
        {"contoso/vault\t" HEX "\t" URI, 0, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct keymap_table table = {.text = NULL};
        write_map(rows[i].line, strlen(rows[i].line));
        assert_int_equal(keymap_store_load(NULL, &table), PLAT_IO_OK);
        assert_int_equal(table.count, rows[i].entries);
        assert_int_equal(table.broken, rows[i].broken);
        assert_int_equal(table.broken_lines[0], rows[i].broken);
        if (table.count == 1) {
            assert_string_equal(table.entries[0]->host, HOST);
        }
        keymap_table_free(&table);
    }
}

static void test_absent_is_empty(void **state)
{
    struct keymap_table table = {.text = NULL};
    (void)state;
    assert_int_equal(keymap_store_load(NULL, &table), PLAT_IO_OK);
    assert_int_equal(table.count, 0);
    assert_false(keymap_store_changed(&table.state));
    write_map("", 0);
    assert_true(keymap_store_changed(&table.state));
    keymap_table_free(&table);
}

static void test_change_is_seen(void **state)
{
    struct keymap_table table = {.text = NULL};
    static const char text[] = HOST "\t" HEX "\t" URI "\n";
    (void)state;
    write_map(text, sizeof text - 1);
    assert_int_equal(keymap_store_load(NULL, &table), PLAT_IO_OK);
    assert_false(keymap_store_changed(&table.state));
    write_map(text, sizeof text - 3);
    assert_true(keymap_store_changed(&table.state));
    assert_int_equal(unlink(config.keymap_file), 0);
    assert_true(keymap_store_changed(&table.state));
    keymap_table_free(&table);
}

/* Zero bytes, lines beyond every limit, no final line break: all still there after a rewrite. */
static void test_rewrite_keeps_everything(void **state)
{
    static char text[6000], read[8000];
    struct keymap_table after = {.text = NULL};
    struct keymap_entry entry = {HOST, URI, {{0}, 0}};
    size_t len = 0;
    (void)state;
    memcpy(text, "zero\0byte " HOST "\t" HEX "\t" URI "\n", 10);
    len = 10;
    text[len++] = '\n';
    memset(text + len, 'x', 5000);
    len += 5000;
    memcpy(text + len, "\n\r\n# end", 8);
    len += 8;
    write_map(text, len);
    assert_true(thumbprint_set(&entry.thumbprint, (const uint8_t *)"\xAB\xCD", 2));
    assert_int_equal(keymap_store_put(&call, call.deadline_ms, &entry, NULL, NULL, &after),
                     PLAT_IO_OK);
    assert_int_equal(after.count, 1);
    assert_int_equal(after.broken, 2);
    assert_int_equal(after.broken_lines[0], 1);
    assert_false(keymap_store_changed(&after.state));
    FILE *file = fopen(config.keymap_file, "r");
    assert_non_null(file);
    size_t read_len = fread(read, 1, sizeof read, file);
    fclose(file);
    static const char added[] = "\n" HOST "\tABCD\t" URI "\n";
    assert_int_equal(read_len, len + sizeof added - 1);
    assert_memory_equal(read, text, len);
    assert_memory_equal(read + len, added, sizeof added - 1);
    keymap_table_free(&after);
}

/* An entry longer than what a rewrite looks at could never be replaced, and would hide the new one.
 */
static void test_long_entry_is_none(void **state)
{
    static char text[3000];
    struct keymap_table after = {0};
    struct keymap_entry entry = {HOST, URI, {{0}, 0}};
    (void)state;
    assert_true(thumbprint_set(&entry.thumbprint, (const uint8_t *)"\xAB\xCD", 2));
    int len = snprintf(text, sizeof text, "%s\tABCD\t%s0\n%s%1000s\tABCD\t%s0\n# %1100s\n", HOST,
                       URI, HOST, "", URI, "");
    write_map(text, (size_t)len);
    const struct key_id seen = {"TdeKey0", "v10"};
    assert_int_equal(keymap_store_put(&call, call.deadline_ms, &entry, &seen, NULL, &after),
                     PLAT_IO_OK);
    assert_int_equal(after.count, 1);
    assert_int_equal(after.broken, 1);
    assert_int_equal(after.broken_lines[0], 2);
    assert_string_equal(after.entries[0]->uri, URI);
    keymap_table_free(&after);
}

static void test_known_answer_line(void **state)
{
    struct keymap_table after = {.text = NULL};
    struct keymap_entry entry = {HOST, URI, {{0xEA, 0x4D}, 20}};
    char text[256] = "";
    (void)state;
    assert_int_equal(keymap_store_put(&call, call.deadline_ms, &entry, NULL, NULL, &after),
                     PLAT_IO_OK);
    FILE *file = fopen(config.keymap_file, "r");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    assert_string_equal(text, HOST "\tEA4D000000000000000000000000000000000000\t" URI "\n");
    keymap_table_free(&after);
}

#define LINE(hex, version) HOST "\t" hex "\thttps://" HOST "/keys/TdeKey0/" version "\n"

/* Each continues, changes or cuts another: with a mark, broken lines, spellings, equal entries, no
 * end. */
static const char *const versions[] = {
    "",
    "\xEF\xBB\xBF",
    "\xEF\xBB\xBF" LINE("EA4D", "v1"),
    "\xEF\xBB\xBF" LINE("EA4D", "v1") LINE("AB", "v2"),
    LINE("EA4D", "v1"),
    LINE("EA4D", "v1") "# note\n\n",
    LINE("EA4D", "v1") "# note\n\n" LINE("EA4D", "v3") LINE("AB", "v2"),
    LINE("EA4D", "v1") "# note\n\n" LINE("EA4D", "v3") LINE("AB", "v2") "broken\n",
    LINE("EA4D", "v1") "# note\n\n" LINE("EA4D", "v3") LINE("AB", "v2") "broken\nbroken",
    LINE("EA4D", "v1") "# note\n\n" LINE("EA4D", "v3")
        LINE("AB", "v2") "broken\nbroken again\n" LINE(
            "ea4d", "v4") "https://" HOST ":443/ 0xAB " URI "\n" LINE("FF", "v5") LINE("00", "v6"),
    LINE("EA4D", "v1") "aaa.vault.azure.net\tEA4D\t" URI "\nzzz.vault.azure.net\tEA4D\t" URI "\n",
    LINE("EA4D", "v9"),
    "https://" HOST "/ 0xea4d " URI,
    "https://" HOST "/ 0xea4d " URI "\n" LINE("EA4D", "v1"),
};
#define VERSIONS (sizeof versions / sizeof versions[0])

static void check_same(const struct keymap_table *a, const struct keymap_table *b)
{
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->broken, b->broken);
    assert_int_equal(a->broken_lines[0], b->broken_lines[0]);
    assert_true(a->young == b->young);
    assert_memory_equal(&a->state, &b->state, sizeof a->state);
    for (size_t i = 0; i < a->count; i++) {
        assert_int_equal(keymap_entry_order(a->entries[i], b->entries[i]), 0);
        assert_string_equal(a->entries[i]->uri, b->entries[i]->uri);
    }
}

/* Whatever was read before: the table is that of the file as it is. */
static void test_former_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < VERSIONS * VERSIONS; i++) {
        struct keymap_table former = {0}, table = {0}, anew = {0};
        const char *text = versions[i % VERSIONS];
        write_map(versions[i / VERSIONS], strlen(versions[i / VERSIONS]));
        assert_int_equal(keymap_store_load(NULL, &former), PLAT_IO_OK);
        write_map(text, strlen(text));
        assert_int_equal(keymap_store_load(&former, &table), PLAT_IO_OK);
        keymap_table_free(&former);
        assert_int_equal(keymap_store_load(NULL, &anew), PLAT_IO_OK);
        check_same(&table, &anew);
        keymap_table_free(&table);
        keymap_table_free(&anew);
    }
}

/* The same for the result of a write, in the file and in memory: it adds, replaces or keeps. */
static void put_after(const struct keymap_table *former, const char *text, char *read, size_t cap)
{
    static const struct key_id seen = {"TdeKey0", "v1"};
    struct keymap_entry entry = {HOST, URI "0", {{0}, 0}};
    struct keymap_table after = {0}, anew = {0};
    assert_true(thumbprint_set(&entry.thumbprint, (const uint8_t *)"\xEA\x4D", 2));
    write_map(text, strlen(text));
    assert_int_equal(keymap_store_put(&call, call.deadline_ms, &entry, &seen, former, &after),
                     PLAT_IO_OK);
    assert_int_equal(keymap_store_load(NULL, &anew), PLAT_IO_OK);
    check_same(&after, &anew);
    keymap_table_free(&after);
    keymap_table_free(&anew);
    FILE *file = fopen(config.keymap_file, "r");
    assert_non_null(file);
    read[fread(read, 1, cap - 1, file)] = '\0';
    fclose(file);
}

static void test_former_does_not_change_a_write(void **state)
{
    static char with[4096], without[4096];
    (void)state;
    for (size_t i = 0; i < VERSIONS * VERSIONS; i++) {
        struct keymap_table former = {0};
        write_map(versions[i / VERSIONS], strlen(versions[i / VERSIONS]));
        assert_int_equal(keymap_store_load(NULL, &former), PLAT_IO_OK);
        put_after(&former, versions[i % VERSIONS], with, sizeof with);
        keymap_table_free(&former);
        put_after(NULL, versions[i % VERSIONS], without, sizeof without);
        assert_string_equal(with, without);
    }
}

static void check_file(const char *expected)
{
    static char read[4096];
    FILE *file = fopen(config.keymap_file, "r");
    assert_non_null(file);
    read[fread(read, 1, sizeof read - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(read, expected);
}

static enum plat_io put_one(const char *version, uint8_t first, const struct keymap_table *former,
                            struct keymap_table *after)
{
    static const struct key_id seen = {"TdeKey0", "v1"};
    char uri[128];
    struct keymap_entry entry = {HOST, uri, {{0}, 0}};
    snprintf(uri, sizeof uri, "https://" HOST "/keys/TdeKey0/%s", version);
    assert_true(thumbprint_set(&entry.thumbprint, &first, 1));
    return keymap_store_put(&call, call.deadline_ms, &entry, &seen, former, after);
}

static void test_a_failed_write_leaves_all_usable(void **state)
{
    static const char base[] = LINE("EA", "v1") LINE("AB", "v2");
    struct keymap_table former = {0}, same = {0}, after = {0}, next = {0}, anew = {0};
    (void)state;
    write_map(base, sizeof base - 1);
    assert_int_equal(keymap_store_load(NULL, &former), PLAT_IO_OK);
    for (int i = 0; i < 2; i++) {
        flush_fails = true;
        assert_int_equal(put_one("lost", 0x11, &former, &after), PLAT_IO_FULL);
        flush_fails = false;
        assert_null(after.text);
        check_file(base);
        assert_int_equal(keymap_store_load(&former, &same), PLAT_IO_OK);
        check_same(&same, &former);
        keymap_table_free(&same);
    }
    assert_int_equal(put_one("v3", 0x22, &former, &after), PLAT_IO_OK);
    keymap_table_free(&former);
    assert_int_equal(put_one("v4", 0x33, &after, &next), PLAT_IO_OK);
    assert_ptr_equal(next.text, after.text);
    keymap_table_free(&after);
    check_file(LINE("EA", "v1") LINE("AB", "v2") LINE("22", "v3") LINE("33", "v4"));
    assert_int_equal(keymap_store_load(NULL, &anew), PLAT_IO_OK);
    check_same(&next, &anew);
    keymap_table_free(&next);
    keymap_table_free(&anew);
}

static void test_a_file_that_grows_while_it_is_read(void **state)
{
    static const char base[] = LINE("EA", "v1");
    struct keymap_table former = {0}, after = {0};
    (void)state;
    write_map(base, sizeof base - 1);
    to_append = LINE("AB", "v2");
    assert_int_equal(put_one("v3", 0x22, NULL, &former), PLAT_IO_OK);
    to_append = LINE("CD", "v4");
    assert_int_equal(put_one("v5", 0x33, &former, &after), PLAT_IO_OK);
    check_file(LINE("EA", "v1") LINE("AB", "v2") LINE("22", "v3") LINE("CD", "v4")
                   LINE("33", "v5"));
    keymap_table_free(&former);
    keymap_table_free(&after);
}

/* Want of memory is known before the file is touched: what was reported as failed is not there. */
static void test_no_memory(void **state)
{
    static const char base[] = LINE("EA", "v1");
    static const char *const expected[] = {LINE("EA", "v1") LINE("22", "new"), LINE("EA", "new")};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        bool is_change = i % 2 == 1, knows = i / 2 == 1;
        size_t nth = 0;
        enum plat_io io = PLAT_IO_FAILED;
        while (io != PLAT_IO_OK) {
            struct keymap_table former = {0}, after = {0};
            write_map(base, sizeof base - 1);
            assert_int_equal(keymap_store_load(NULL, &former), PLAT_IO_OK);
            flushes = 0;
            refused = ++nth;
            io = put_one("new", is_change ? 0xEA : 0x22, knows ? &former : NULL, &after);
            refused = 0;
            if (io != PLAT_IO_OK) {
                assert_int_equal(io, PLAT_IO_FAILED);
                assert_int_equal(flushes, 0);
                assert_null(after.text);
            }
            check_file(io == PLAT_IO_OK ? expected[is_change] : base);
            keymap_table_free(&after);
            keymap_table_free(&former);
        }
        assert_int_in_range(nth, 4, 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_former_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_former_does_not_change_a_write, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_absent_is_empty, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_change_is_seen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rewrite_keeps_everything, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_long_entry_is_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_known_answer_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_failed_write_leaves_all_usable, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_file_that_grows_while_it_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_memory, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
