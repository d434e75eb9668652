/* Recordings are read with any content. Each judge says what speaks for and against its assumption.
 * Only times, numbers and known words of a recording reach the report. */
// with: ../../src/tool/recording.c ../../src/tool/call_table.c ../../src/tool/assumption.c
// with: ../../src/tool/assumption_judges.c ../../src/tool/trace_report.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tool/trace_report.h"

#define T "2026-11-29T03:04:05.678Z 7/9 "

static struct trace_report *report_of(const char *text, size_t piece)
{
    struct trace_report *report = trace_report_new();
    assert_non_null(report);
    for (size_t len = strlen(text), at = 0; at < len; at += piece) {
        trace_report_feed(report, text + at, len - at < piece ? len - at : piece);
    }
    trace_report_end(report);
    return report;
}

struct seen {
    size_t count;
    struct recording_call calls[4];
    char fields[4][200];
};

static void trace_report_keep(void *context, const struct recording_call *call)
{
    struct seen *seen = context;
    assert_true(seen->count < 4);
    seen->calls[seen->count] = *call;
    assert_true(strlen(call->fields) < sizeof seen->fields[0]);
    memcpy(seen->fields[seen->count], call->fields, strlen(call->fields) + 1);
    seen->calls[seen->count].fields = seen->fields[seen->count];
    seen->count++;
}

static void lines_are_read_and_others_counted(void **state)
{
    (void)state;
    static const char text[] =
        "# a comment\n# akv-ekm recording 1, version 9\n" T
        "Decrypt session=5 thumb=2p:0AFF final=1 in=256p out=0n gives=32 rc=2 us=12\r\n"
        "this is no call\n\n# akv-ekm recording 1, another start\n"
        "2026-11-29T03:04:05.678Z 79 Decrypt rc=0 us=1\n" T "FreeProvider\n" T
        "GetKeyInfoByName session=6 name=2p:\"K\" out=64p rc=0 us=3";
    for (size_t piece = 1; piece < sizeof text; piece++) {
        struct seen seen = {.count = 0};
        struct recording recording = {.visit = trace_report_keep, .context = &seen};
        for (size_t at = 0; at < sizeof text - 1; at += piece) {
            size_t left = sizeof text - 1 - at;
            recording_feed(&recording, text + at, left < piece ? left : piece);
        }
        recording_end(&recording);
        assert_int_equal(recording.calls, 3);
        assert_int_equal(recording.strange, 2);
        assert_string_equal(recording.title, "akv-ekm recording 1, version 9");
        const struct recording_call *call = &seen.calls[0];
        size_t len = 0;
        assert_int_equal(call->process, 7);
        assert_int_equal(call->thread, 9);
        assert_true(call->has_session && call->session == 5);
        assert_int_equal(call->result, 2);
        assert_int_equal(call->took_us, 12);
        assert_memory_equal(recording_field(call, "thumb", &len), "2p:0AFF", 7);
        assert_int_equal(len, 7);
        assert_null(recording_field(call, "thum", &len));
        assert_false(recording_offers(call, "out"));
        assert_true(recording_offers(call, "in"));
        assert_int_equal(seen.calls[1].result, -1);
        assert_int_equal(seen.calls[1].function, RECORDING_FreeProvider);
        assert_true(recording_offers(&seen.calls[2], "out"));
    }
}

/* Lines that were cut, overwritten, joined, or never were lines of a recording. */
static void damaged_lines_are_left_out(void **state)
{
    (void)state;
    static const char *const damaged[] = {
        T "Decrypt session=5 thumb=2p:0AFF final=1 params=0n in=256p out=0n gives=3",
        T "Decrypt session=5 final=1 params=0n rc=0",
        T "Decrypt session=5 final=1 params=0n rc=-1 us=1",
        T "Decrypt session=5 final=1 params=0n rc=99999999999999999999 us=1",
        T "Decrypt",
        T "Decrypts session=1 rc=0 us=1",
        T "",
        T,
        "2026-11-29 03:04:05.678Z 7/9 Decrypt rc=0 us=1",
        "2026-11-29T03:04:05.678Z 7/9  Decrypt rc=0 us=1",
        "2026-11-29T03:04:05.678Z /9 Decrypt rc=0 us=1",
        "2026-11-29T03:04:05.678Z 18446744073709551616/9 Decrypt rc=0 us=1",
        "2026-11-29T03:04:05.678Z",
        "2026-11-29T0",
        "\xFF\xFE\x32",
        T "OpenSession auth=1 secret=" T "CloseSession session=1 abort=",
    };
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        char text[400];
        assert_true(snprintf(text, sizeof text, "%s\n" T "FreeProvider\n", damaged[i]) > 0);
        struct trace_report *report = report_of(text, 7);
        if (report->recording.calls != 1 || report->recording.strange != 1) {
            fail_msg("taken for a call: %s", damaged[i]);
        }
        for (size_t judge = 0; judge < JUDGE_COUNT; judge++) {
            assert_int_equal(report->judges.counts[judge].against, 0);
        }
        free(report);
    }
}

/* A line without end, and one with a zero in it, cost themselves alone. */
static void lines_of_any_length_cost_themselves_alone(void **state)
{
    (void)state;
    struct trace_report *report = trace_report_new();
    char block[1000];
    memset(block, 'x', sizeof block);
    assert_non_null(report);
    for (size_t i = 0; i < 100000; i++) {
        trace_report_feed(report, block, sizeof block);
    }
    static const char more[] =
        "\n" T "Decrypt session=1\0 final=1 params=0n rc=0 us=1\n" T "FreeProvider\n";
    trace_report_feed(report, more, sizeof more - 1);
    trace_report_end(report);
    assert_int_equal(report->recording.calls, 1);
    assert_int_equal(report->recording.strange, 2);
    free(report);
}

struct example {
    const char *number, *text;
    enum assumption_verdict verdict;
};

#define INITIALIZE     T "InitializeProvider rc=0 us=1\n"
#define OPEN(n)        T "OpenSession auth=1 session=" #n " rc=0 us=1\n"
#define CLOSE(n)       T "CloseSession session=" #n " abort=0 rc=0 us=1\n"
#define CRYPT(f, n, t) T f " session=" #n " thumb=1p:" #t " final=1 params=0n rc=0 us=1\n"
#define FREE           T "FreeProvider\n"

static const struct example examples[] = {
    {"A4", INITIALIZE T "GetNextAlgorithmId alg=0 gives=1 rc=0 us=1\n" OPEN(1),
     ASSUMPTION_CONFIRMED},
    {"A4", INITIALIZE OPEN(1), ASSUMPTION_CONTRADICTED},
    {"A4", INITIALIZE T "GetProviderInfo rc=0 us=1\n" FREE, ASSUMPTION_CONTRADICTED},
    {"A4", OPEN(1), ASSUMPTION_SILENT},
    {"A8", INITIALIZE OPEN(1) OPEN(2), ASSUMPTION_CONFIRMED},
    {"A8", INITIALIZE OPEN(1) FREE INITIALIZE, ASSUMPTION_CONTRADICTED},
    {"A8", INITIALIZE FREE INITIALIZE OPEN(1), ASSUMPTION_SILENT},
    {"A10", OPEN(1) CRYPT("Decrypt", 1, A) CLOSE(1), ASSUMPTION_CONFIRMED},
    {"A10", OPEN(1) CRYPT("Decrypt", 1, A) CRYPT("Decrypt", 1, B) CLOSE(1),
     ASSUMPTION_CONTRADICTED},
    {"A10", OPEN(1) T "DropKey session=1 rc=0 us=1\n" CRYPT("Decrypt", 1, A) CLOSE(1),
     ASSUMPTION_SILENT},
    {"A14", T "CreateKey session=1 rc=0 us=1\n" T "GetKeyInfoByName session=1 rc=2 us=1\n",
     ASSUMPTION_CONFIRMED},
    {"A14", T "CreateKey session=1 rc=0 us=1\n" T "ExportKey session=1 rc=2 us=1\n",
     ASSUMPTION_CONTRADICTED},
    {"A14", T "CreateKey session=1 rc=1 us=1\n" T "ExportKey session=1 rc=2 us=1\n",
     ASSUMPTION_SILENT},
    {"A19", CRYPT("Decrypt", 1, A) CRYPT("Encrypt", 2, B), ASSUMPTION_CONFIRMED},
    {"A19", CRYPT("Decrypt", 1, A) CRYPT("Encrypt", 2, B) CRYPT("Decrypt", 3, B),
     ASSUMPTION_CONTRADICTED},
    {"A19", CRYPT("Decrypt", 1, A) CRYPT("Encrypt", 2, A), ASSUMPTION_SILENT},
    {"A27", T "ExportKey out=0n rc=2 us=1\n" T "ExportKey out=9p rc=0 us=1\n",
     ASSUMPTION_CONFIRMED},
    {"A27", T "ExportKey out=9p rc=0 us=1\n", ASSUMPTION_CONTRADICTED},
    {"A27", T "CreateKey out=20p rc=0 us=1\n", ASSUMPTION_SILENT},
    {"A28", CRYPT("Decrypt", 1, A), ASSUMPTION_CONFIRMED},
    {"A28", T "Decrypt final=0 params=0n rc=0 us=1\n", ASSUMPTION_CONTRADICTED},
    {"A28", T "Decrypt final=1 params=1p rc=0 us=1\n", ASSUMPTION_CONTRADICTED},
    {"A29", T "ExportKey encryptor=0 type=1 rc=2 us=1\n", ASSUMPTION_CONFIRMED},
    {"A29", T "ExportKey encryptor=1 type=1 rc=2 us=1\n", ASSUMPTION_CONTRADICTED},
    {"A29", T "ImportKey encryptor=1 type=1 rc=3 us=1\n", ASSUMPTION_SILENT},
    {"A30", CLOSE(1), ASSUMPTION_CONFIRMED},
    {"A30", CLOSE(1) T "CloseSession session=2 abort=1 rc=0 us=1\n", ASSUMPTION_CONTRADICTED},
    {"A31", INITIALIZE OPEN(1) CLOSE(1) FREE, ASSUMPTION_CONFIRMED},
    {"A31", INITIALIZE OPEN(1) OPEN(2) CLOSE(1) FREE, ASSUMPTION_CONTRADICTED},
    {"A31", INITIALIZE INITIALIZE OPEN(1) FREE CLOSE(1) FREE, ASSUMPTION_CONFIRMED},
    {"A31", INITIALIZE OPEN(1), ASSUMPTION_SILENT},
};

static void each_judge_tells_confirmed_from_contradicted(void **state)
{
    (void)state;
    for (const struct assumption *at = assumptions; at->number; at++) {
        int tried[3] = {0, 0, 0};
        for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
            if (strcmp(examples[i].number, at->number) != 0) {
                continue;
            }
            struct trace_report *report = report_of(examples[i].text, 4096);
            const struct judge_count *count = &report->judges.counts[at->judge];
            if (assumption_verdict(at, &report->judges) != examples[i].verdict) {
                fail_msg("%s: %llu for and %llu against in\n%s", at->number, count->for_it,
                         count->against, examples[i].text);
            }
            assert_int_equal(assumption_contradicted(at->number, &report->judges),
                             examples[i].verdict == ASSUMPTION_CONTRADICTED);
            tried[examples[i].verdict]++;
            free(report);
        }
        if (at->judge != JUDGE_NONE &&
            (tried[ASSUMPTION_CONFIRMED] == 0 || tried[ASSUMPTION_CONTRADICTED] == 0)) {
            fail_msg("%s is not tried both ways", at->number);
        }
    }
}

/* The processes of a failover are held apart. */
static void processes_are_held_apart(void **state)
{
    (void)state;
    struct trace_report *report = report_of(
        INITIALIZE OPEN(1) "2026-11-29T03:04:05.678Z 8/9 InitializeProvider rc=0 us=1\n", 4096);
    assert_false(assumption_contradicted("A8", &report->judges));
    free(report);
}

/* A forged recording of a million threads and sessions takes no more memory, says so, and makes no
 * verdict of what was not followed. */
static void more_than_is_followed_is_no_verdict(void **state)
{
    (void)state;
    struct trace_report *report = trace_report_new();
    char line[200];
    assert_non_null(report);
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 30000; i++) {
            int len = snprintf(line, sizeof line,
                               "2026-11-29T03:04:05.678Z %u/%u %s session=%u out=%s gives=9 "
                               "rc=%d us=1\n",
                               i, i, round == 0 ? "CreateKey" : "ExportKey", i,
                               round == 0 ? "20p" : "9p", round == 0 ? 0 : 2);
            assert_true(len > 0 && len < (int)sizeof line);
            trace_report_feed(report, line, (size_t)len);
        }
    }
    assert_true(report->judges.lost && report->judges.sessions.lost && report->judges.threads.lost);
    assert_int_equal(report->judges.sessions.used, CALL_TABLE_MAX);
    unsigned long long before = report->judges.counts[JUDGE_SIZE_QUERY].against;
    trace_report_feed(report, line, strlen(line));
    trace_report_end(report);
    assert_int_equal(report->judges.counts[JUDGE_SIZE_QUERY].against, before);
    free(report);
}

/* An entry is found until it is removed, however full the table is. */
static void table_keeps_what_was_put_in(void **state)
{
    (void)state;
    struct call_table *table = calloc(1, sizeof *table);
    assert_non_null(table);
    unsigned there[4096] = {0}, random = 1;
    for (int step = 0; step < 200000; step++) {
        random = random * 1664525u + 1013904223u;
        unsigned id = random >> 8 & 4095;
        struct call_entry *entry = call_table_find(table, id & 7, id);
        assert_int_equal(entry != NULL, there[id] != 0);
        assert_true(entry == NULL || entry->facts == there[id]);
        if (random >> 30 != 0) {
            entry = call_table_take(table, id & 7, id);
            assert_non_null(entry);
            entry->facts = there[id] = random | 1;
        } else {
            call_table_remove(table, entry);
            there[id] = 0;
        }
    }
    unsigned count = 0;
    for (size_t i = 0; i < 4096; i++) {
        count += there[i] != 0;
    }
    assert_int_equal(table->used, count);
    free(table);
}

/* The author of a recording can put nothing into the report. */
static void report_shows_known_words_alone(void **state)
{
    (void)state;
    static const char text[] =
        "# akv-ekm recording 1, version 9\x1B[2J\xC3\xA4\n"
        "# akv-ekm recording 1, PASSWORD\n" T
        "Decrypt session=1 thumb=9p:ABCDEFABCD name=\"TdeKey0\" final=1 params=0n rc=3113 us=9\n" T
        "PASSWORD=1 rc=0 us=1\nPASSWORD\n" T "OpenSession PASSWORD auth=1 rc=7 us=1\n";
    char out[8192];
    FILE *file = tmpfile();
    assert_non_null(file);
    struct trace_report *report = report_of(text, 4096);
    trace_report_print(report, file);
    rewind(file);
    size_t len = fread(out, 1, sizeof out - 1, file);
    out[len] = '\0';
    (void)fclose(file);
    assert_null(strstr(out, "PASSWORD"));
    assert_null(strstr(out, "ABCDEF"));
    assert_null(strstr(out, "TdeKey0"));
    assert_non_null(strstr(out, "\nakv-ekm recording 1, version 9?[2J??\n"));
    assert_non_null(strstr(out, "\n2 calls from 2026-11-29T03:04:05.678Z to "
                                "2026-11-29T03:04:05.678Z in 1 processes, 2 other lines\n"));
    assert_non_null(strstr(out, "       1 Decrypt            result 3113, longest 9 us\n"));
    for (size_t i = 0; i < len; i++) {
        assert_true((out[i] >= ' ' && out[i] <= '~') || out[i] == '\n');
    }
    free(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_read_and_others_counted),
        cmocka_unit_test(damaged_lines_are_left_out),
        cmocka_unit_test(lines_of_any_length_cost_themselves_alone),
        cmocka_unit_test(each_judge_tells_confirmed_from_contradicted),
        cmocka_unit_test(processes_are_held_apart),
        cmocka_unit_test(more_than_is_followed_is_no_verdict),
        cmocka_unit_test(table_keeps_what_was_put_in),
        cmocka_unit_test(report_shows_known_words_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
