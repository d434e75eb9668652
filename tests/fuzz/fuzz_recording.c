/* A recording of calls: whoever wrote it, and in whatever pieces it comes, the same verdicts; the
 * report holds printable text of a bounded size, and nothing that stood in a field. */
#include "fuzz.h"

// aims: src/tool/recording.c src/tool/call_table.c src/tool/assumption_judges.c
// aims: src/tool/assumption.c src/tool/trace_report.c
// with: ../../src/tool/recording.c ../../src/tool/call_table.c ../../src/tool/assumption.c
// with: ../../src/tool/assumption_judges.c ../../src/tool/trace_report.c

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool/trace_report.h"

#define REPORT_MAX 65536
#define LINES_MAX  400 /* functions times results, and the rest */

static void check_report(const struct trace_report *report)
{
    char *text = NULL;
    size_t len = 0, lines = 0;
    FILE *out = open_memstream(&text, &len);
    FUZZ_CHECK(out != NULL);
    trace_report_print(report, out);
    FUZZ_CHECK(fclose(out) == 0 && len < REPORT_MAX);
    for (size_t i = 0; i < len; i++) {
        FUZZ_CHECK((text[i] >= ' ' && text[i] <= '~') || text[i] == '\n');
        lines += text[i] == '\n';
    }
    FUZZ_CHECK(lines < LINES_MAX && strstr(text, "=") == NULL);
    free(text);
}

/* Every call is in one row, and each entry of a table is where it is looked for. */
static void check_sums(struct trace_report *report)
{
    unsigned long long calls = 0;
    for (size_t function = 0; function < RECORDING_FUNCTION_COUNT; function++) {
        for (size_t i = 0; i <= TRACE_REPORT_RESULTS; i++) {
            calls += report->rows[function][i].calls;
        }
    }
    FUZZ_CHECK(calls == report->recording.calls);
    struct call_table *tables[] = {&report->judges.sessions, &report->judges.threads};
    for (size_t t = 0; t < 2; t++) {
        unsigned used = 0;
        for (size_t i = 0; i < CALL_TABLE_SLOTS; i++) {
            struct call_entry *entry = &tables[t]->slots[i];
            used += entry->used;
            FUZZ_CHECK(!entry->used ||
                       call_table_find(tables[t], entry->process, entry->id) == entry);
        }
        FUZZ_CHECK(used == tables[t]->used && used <= CALL_TABLE_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trace_report *whole = trace_report_new();
    struct trace_report *pieces = trace_report_new();
    FUZZ_CHECK(whole != NULL && pieces != NULL);
    trace_report_feed(whole, data, size);
    trace_report_end(whole);
    for (size_t at = 0, piece = 1; at < size; at += piece, piece = piece % 61 + 1) {
        trace_report_feed(pieces, data + at, size - at < piece ? size - at : piece);
    }
    trace_report_end(pieces);
    FUZZ_CHECK(whole->recording.calls == pieces->recording.calls &&
               whole->recording.strange == pieces->recording.strange);
    FUZZ_CHECK(memcmp(&whole->judges, &pieces->judges, sizeof whole->judges) == 0);
    FUZZ_CHECK(memcmp(whole->rows, pieces->rows, sizeof whole->rows) == 0);
    check_sums(whole);
    /* A title may have it. */
    whole->recording.title[0] = '\0';
    check_report(whole);
    free(whole);
    free(pieces);
    return 0;
}
