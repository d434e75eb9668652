#include "tool/trace_report.h"

#include <stdlib.h>
#include <string.h>

#define PIECE 65536
#define HEAD  "# akv-ekm recording "

static void trace_report_count(struct trace_report *report, const struct recording_call *call)
{
    struct trace_report_row *rows = report->rows[call->function];
    size_t i = 0;
    while (i < TRACE_REPORT_RESULTS && rows[i].calls > 0 && rows[i].result != call->result) {
        i++;
    }
    rows[i].result = call->result;
    rows[i].calls++;
    if (call->took_us > rows[i].longest_us) {
        rows[i].longest_us = call->took_us;
    }
}

static void trace_report_see(void *context, const struct recording_call *call)
{
    struct trace_report *report = context;
    if (report->first[0] == '\0') {
        memcpy(report->first, call->time, sizeof report->first);
    }
    memcpy(report->last, call->time, sizeof report->last);
    trace_report_count(report, call);
    judges_see(&report->judges, call);
}

struct trace_report *trace_report_new(void)
{
    struct trace_report *report = calloc(1, sizeof *report);
    if (report != NULL) {
        report->recording.visit = trace_report_see;
        report->recording.context = report;
    }
    return report;
}

void trace_report_feed(struct trace_report *report, const void *data, size_t len)
{
    recording_feed(&report->recording, data, len);
}

void trace_report_end(struct trace_report *report)
{
    recording_end(&report->recording);
    judges_end(&report->judges);
}

bool trace_report_read(struct trace_report *report, FILE *file, const char **why)
{
    static char piece[PIECE];
    *why = "cannot be read";
    if (file == NULL) {
        return false;
    }
    for (size_t len; (len = fread(piece, 1, sizeof piece, file)) > 0;) {
        trace_report_feed(report, piece, len);
    }
    trace_report_end(report);
    if (ferror(file) == 0 && report->recording.calls == 0) {
        *why = "holds no call: it is no recording (trace_file)";
    }
    return ferror(file) == 0 && report->recording.calls > 0;
}

/* One line for each function and result: how often, and the longest time. */
static void trace_report_print_calls(const struct trace_report *report, FILE *out)
{
    for (size_t function = 0; function < RECORDING_FUNCTION_COUNT; function++) {
        const char *name = recording_function_name((enum recording_function)function);
        for (size_t i = 0; i <= TRACE_REPORT_RESULTS; i++) {
            const struct trace_report_row *row = &report->rows[function][i];
            if (row->calls == 0) {
                continue;
            }
            (void)fprintf(out, "%8llu %-18s ", row->calls, name);
            if (i == TRACE_REPORT_RESULTS) {
                (void)fprintf(out, "other results, longest %llu us\n", row->longest_us);
            } else if (row->result < 0) {
                (void)fprintf(out, "no result recorded\n");
            } else {
                (void)fprintf(out, "result %ld, longest %llu us\n", row->result, row->longest_us);
            }
        }
    }
}

void trace_report_print(const struct trace_report *report, FILE *out)
{
    const struct recording *recording = &report->recording;
    const struct judges *judges = &report->judges;
    (void)fprintf(out, "Report on a recording of SQL Server's calls\n%s\n",
                  recording->title[0] != '\0' ? recording->title
                                              : "recorded by an unknown version");
    (void)fprintf(out, "%llu calls from %s to %s in %zu processes, %llu other lines\n",
                  recording->calls, report->first, report->last, judges->process_count,
                  recording->strange);
    if (judges->lost || judges->sessions.lost || judges->threads.lost) {
        (void)fprintf(out, "more processes, sessions or threads at once than are followed\n");
    }
    (void)fputc('\n', out);
    trace_report_print_calls(report, out);
    (void)fputc('\n', out);
    assumption_print(judges, out);
    (void)fputs("\nNo names, thumbprints or identities are in this report. Please add the result "
                "of\nSELECT @@VERSION and send it to the project.\n",
                out);
}

static bool trace_report_is_recording(const char *path)
{
    char head[sizeof HEAD] = "";
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    size_t len = fread(head, 1, sizeof HEAD - 1, file);
    (void)fclose(file);
    return len == sizeof HEAD - 1 && memcmp(head, HEAD, len) == 0;
}

static bool trace_report_put(const struct trace_report *report, const char *path, const char **why)
{
    *why = "is a recording, and stays: name another file for the report";
    if (path != NULL && trace_report_is_recording(path)) {
        return false;
    }
    FILE *out = path != NULL ? fopen(path, "w") : stdout;
    *why = "cannot be written";
    if (out == NULL) {
        return false;
    }
    trace_report_print(report, out);
    bool good = fflush(out) == 0 && ferror(out) == 0;
    if (out != stdout) {
        good = fclose(out) == 0 && good;
    }
    return good;
}

bool trace_report_write(const char *program, const char *recording, const char *path)
{
    const char *why = "cannot be read: out of memory";
    const char *named = recording;
    struct trace_report *report = trace_report_new();
    FILE *file = report != NULL ? fopen(recording, "rb") : NULL;
    bool good = report != NULL && trace_report_read(report, file, &why);
    if (file != NULL) {
        (void)fclose(file);
    }
    if (good) {
        named = path != NULL ? path : "the report";
        good = trace_report_put(report, path, &why);
    }
    if (!good) {
        (void)fprintf(stderr, "%s: %.500s %s\n", program, named, why);
    }
    free(report);
    return good;
}
