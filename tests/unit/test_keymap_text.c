/* Tables that share memory: what continues one leaves it as it is, and is right where it cannot
 * share. */
// only: posix
// wrap: malloc
// with: temporary.h
#include "keymap/keymap_text.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOST           "contoso-vault.vault.azure.net"
#define LINE(hex, key) HOST "\t" hex "\thttps://" HOST "/keys/" key "/v1\n"
#define BASE           LINE("EA4D", "One") "# note\nbroken\n" LINE("AB", "Two")

static size_t refused; /* the how manieth allocation from now on fails; 0: none */
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return refused > 0 && --refused == 0 ? NULL : __real_malloc(size);
}

static void read_table(const char *bytes, size_t len, struct keymap_table *table)
{
    struct keymap_text *text = keymap_text_new(len);
    assert_non_null(text);
    memcpy(text->raw, bytes, len);
    assert_true(keymap_text_table(text, len, table));
}

/* The table is that of these bytes, as it is read from nothing. */
static void keymap_text_check(const struct keymap_table *table, const char *bytes)
{
    struct keymap_table anew = {0};
    read_table(bytes, strlen(bytes), &anew);
    assert_int_equal(table->raw_len, strlen(bytes));
    assert_memory_equal(table->text->raw, bytes, table->raw_len);
    assert_int_equal(table->count, anew.count);
    assert_int_equal(table->lines, anew.lines);
    assert_int_equal(table->broken, anew.broken);
    assert_int_equal(table->broken_lines[0], anew.broken_lines[0]);
    for (size_t i = 0; i < anew.count; i++) {
        assert_int_equal(keymap_entry_order(table->entries[i], anew.entries[i]), 0);
        assert_string_equal(table->entries[i]->uri, anew.entries[i]->uri);
    }
    keymap_table_free(&anew);
}

static void go_on(const struct keymap_table *former, const char *more, struct keymap_table *table)
{
    assert_true(keymap_text_continue(former, more, strlen(more), table));
}

static void test_one_alone_may_go_on_from_an_end(void **state)
{
    (void)state;
    struct keymap_table base = {0}, same = {0}, first = {0}, second = {0}, third = {0};
    read_table(BASE, sizeof BASE - 1, &base);
    go_on(&base, "", &same);
    go_on(&base, LINE("00", "First") "broken\n", &first);
    go_on(&base, LINE("EA4D", "Second"), &second);
    go_on(&first, LINE("AB", "Third"), &third);
    assert_ptr_equal(same.text, base.text);
    assert_ptr_equal(first.text, base.text);
    assert_ptr_not_equal(second.text, base.text);
    assert_ptr_equal(third.text, base.text);
    keymap_text_check(&base, BASE);
    keymap_table_free(&base);
    keymap_text_check(&same, BASE);
    keymap_text_check(&first, BASE LINE("00", "First") "broken\n");
    keymap_text_check(&second, BASE LINE("EA4D", "Second"));
    keymap_text_check(&third, BASE LINE("00", "First") "broken\n" LINE("AB", "Third"));
    keymap_table_free(&third);
    keymap_text_check(&first, BASE LINE("00", "First") "broken\n");
    keymap_table_free(&first);
    keymap_table_free(&second);
    keymap_text_check(&same, BASE);
    keymap_table_free(&same);
}

/* The thread that takes the end may write the bytes that nobody took, and not a byte more. */
static void test_an_unfinished_line_is_not_continued(void **state)
{
    (void)state;
    struct keymap_table base = {0}, cut_off = {0}, same = {0}, whole = {0}, empty = {0}, one = {0};
    read_table(BASE, sizeof BASE - 1, &base);
    go_on(&base, HOST "\t00\thttps://" HOST "/keys/Cut", &cut_off);
    assert_ptr_equal(cut_off.text, base.text);
    go_on(&cut_off, "", &same);
    assert_ptr_equal(same.text, base.text);
    go_on(&same, "Off/v1\n", &whole);
    assert_ptr_not_equal(whole.text, base.text);
    keymap_text_check(&base, BASE);
    keymap_text_check(&cut_off, BASE HOST "\t00\thttps://" HOST "/keys/Cut");
    keymap_text_check(&same, BASE HOST "\t00\thttps://" HOST "/keys/Cut");
    keymap_text_check(&whole, BASE LINE("00", "CutOff"));
    /* Only at its very beginning a byte order mark is one. */
    read_table("", 0, &empty);
    go_on(&empty, "\xEF\xBB\xBF" LINE("00", "One"), &one);
    keymap_text_check(&one, "\xEF\xBB\xBF" LINE("00", "One"));
    assert_int_equal(one.count, 1);
    struct keymap_table *const all[] = {&base, &cut_off, &same, &whole, &empty, &one};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        keymap_table_free(all[i]);
    }
}

/* `line` again and again: each table is right, and two of them had to leave a text that was full.
 */
static void fill_up(const char *line)
{
    static char bytes[256 * 1024];
    struct keymap_table table = {0}, next = {0};
    size_t texts = 1, len = sizeof BASE - 1;
    memcpy(bytes, BASE, len + 1);
    read_table(bytes, len, &table);
    while (texts < 3) {
        assert_true(len + strlen(line) < sizeof bytes);
        go_on(&table, line, &next);
        assert_true(next.raw_len <= next.text->cap && next.count <= next.text->entries_cap);
        bool is_moved = next.text != table.text;
        if (is_moved) {
            texts++;
            keymap_text_check(&table, bytes);
        }
        strcpy(bytes + len, line);
        len += strlen(line);
        if (is_moved) {
            keymap_text_check(&next, bytes);
        }
        keymap_table_free(&table);
        table = next;
    }
    keymap_table_free(&table);
}

static void test_what_is_full_is_left(void **state)
{
    static char comment[1000] = "#";
    (void)state;
    memset(comment + 1, 'x', sizeof comment - 3);
    comment[sizeof comment - 2] = '\n';
    fill_up(comment);
    fill_up("a.b\tEA\tc\n");
}

/* Many lines at once, in no order, some of them twice: the later one of two counts. */
static void test_many_lines_at_once(void **state)
{
    static char bytes[64 * 1024];
    (void)state;
    for (unsigned lines = 250; lines < 260; lines++) {
        struct keymap_table base = {0}, table = {0};
        size_t len = sizeof BASE - 1;
        memcpy(bytes, BASE, sizeof BASE);
        for (unsigned i = 0; i < lines; i++) {
            len +=
                (size_t)snprintf(bytes + len, sizeof bytes - len,
                                 HOST "\t%02X\thttps://" HOST "/keys/Key%u/v1\n", i * 83 % 200, i);
        }
        read_table(BASE, sizeof BASE - 1, &base);
        go_on(&base, bytes + base.raw_len, &table);
        keymap_text_check(&table, bytes);
        keymap_text_check(&base, BASE);
        keymap_table_free(&table);
        keymap_table_free(&base);
    }
}

static struct keymap_table read_by_others;
static atomic_bool ended;

static void *keep_reading(void *unused)
{
    (void)unused;
    do {
        keymap_text_check(&read_by_others, BASE);
    } while (!atomic_load(&ended));
    return NULL;
}

/* One table goes on and on while others read where it began. */
static void test_readers_of_a_former_one(void **state)
{
    (void)state;
    pthread_t readers[2];
    struct keymap_table table = {0}, next = {0};
    char line[128], text[8192] = BASE;
    read_table(BASE, sizeof BASE - 1, &read_by_others);
    go_on(&read_by_others, "", &table);
    atomic_store(&ended, false);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&readers[i], NULL, keep_reading, NULL), 0);
    }
    for (unsigned i = 0; i < 60; i++) {
        snprintf(line, sizeof line, HOST "\t%02X\thttps://" HOST "/keys/Key%u/v1\n", i * 7 % 60, i);
        strcat(text, line);
        go_on(&table, line, &next);
        assert_ptr_equal(next.text, read_by_others.text);
        keymap_text_check(&next, text);
        keymap_table_free(&table);
        table = next;
    }
    atomic_store(&ended, true);
    for (size_t i = 0; i < 2; i++) {
        pthread_join(readers[i], NULL);
    }
    keymap_table_free(&table);
    keymap_text_check(&read_by_others, BASE);
    keymap_table_free(&read_by_others);
}

struct racer {
    pthread_t thread;
    char hex[3], text[512];
    struct keymap_table table;
};

static void *keymap_text_race(void *argument)
{
    struct racer *racer = argument;
    char line[128];
    snprintf(line, sizeof line, HOST "\t%s\thttps://" HOST "/keys/Raced/v1\n", racer->hex);
    snprintf(racer->text, sizeof racer->text, BASE "%s", line);
    go_on(&read_by_others, line, &racer->table);
    return NULL;
}

/* All go on from one end at once: one of them gets it, each has its own line. */
static void test_at_once(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 50; round++) {
        struct racer racers[4];
        size_t sharing = 0;
        memset(racers, 0, sizeof racers);
        read_table(BASE, sizeof BASE - 1, &read_by_others);
        for (unsigned i = 0; i < 4; i++) {
            snprintf(racers[i].hex, sizeof racers[i].hex, "%02X", 0x30 * i);
            assert_int_equal(pthread_create(&racers[i].thread, NULL, keymap_text_race, &racers[i]),
                             0);
        }
        for (unsigned i = 0; i < 4; i++) {
            pthread_join(racers[i].thread, NULL);
            sharing += racers[i].table.text == read_by_others.text;
        }
        assert_int_equal(sharing, 1);
        keymap_text_check(&read_by_others, BASE);
        keymap_table_free(&read_by_others);
        for (unsigned i = 0; i < 4; i++) {
            keymap_text_check(&racers[i].table, racers[i].text);
            keymap_table_free(&racers[i].table);
        }
    }
}

static bool make_by_reading(const struct keymap_table *base, struct keymap_table *table)
{
    struct keymap_text *text = keymap_text_new(base->raw_len);
    if (text == NULL) {
        return false;
    }
    memcpy(text->raw, base->text->raw, base->raw_len);
    return keymap_text_table(text, base->raw_len, table);
}

static bool make_by_adding(const struct keymap_table *base, struct keymap_table *table)
{
    return keymap_text_continue(base, LINE("77", "More"), sizeof LINE("77", "More") - 1, table);
}

static bool make_by_changing(const struct keymap_table *base, struct keymap_table *table)
{
    struct keymap_span span;
    struct keymap_entry entry = {HOST, "https://" HOST "/keys/Changed/v1", {{0}, 0}};
    assert_true(thumbprint_set(&entry.thumbprint, (const uint8_t *)"\xEA\x4D", 2));
    assert_non_null(keymap_text_find(base, &entry, &span));
    return keymap_text_edit(base, &span, &entry, table);
}

/* Without memory nothing is made, and nothing that was made is lost. */
static void test_no_memory(void **state)
{
    static const struct {
        bool (*make)(const struct keymap_table *base, struct keymap_table *table);
        bool taken; /* the end, so that a copy is needed */
        const char *made;
        size_t allocations;
    } rows[] = {
        {make_by_reading, false, BASE, 3},
        {make_by_adding, false, BASE LINE("77", "More"), 1},
        {make_by_adding, true, BASE LINE("77", "More"), 3},
        {make_by_changing, false, LINE("EA4D", "Changed") "# note\nbroken\n" LINE("AB", "Two"), 3},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t nth = 1; nth <= rows[i].allocations + 1; nth++) {
            struct keymap_table base = {0}, taker = {0}, table = {0};
            read_table(BASE, sizeof BASE - 1, &base);
            if (rows[i].taken) {
                go_on(&base, LINE("88", "Taken"), &taker);
            }
            refused = nth;
            bool made = rows[i].make(&base, &table);
            refused = 0;
            assert_true(made == (nth > rows[i].allocations));
            keymap_text_check(&base, BASE);
            if (made) {
                keymap_text_check(&table, rows[i].made);
            } else {
                assert_null(table.text);
                assert_null(table.entries);
            }
            keymap_table_free(&table);
            keymap_table_free(&taker);
            keymap_table_free(&base);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_alone_may_go_on_from_an_end),
        cmocka_unit_test(test_an_unfinished_line_is_not_continued),
        cmocka_unit_test(test_what_is_full_is_left),
        cmocka_unit_test(test_many_lines_at_once),
        cmocka_unit_test(test_readers_of_a_former_one),
        cmocka_unit_test(test_at_once),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
