/*
 * What a recording says, as a report that can be sent: times, counts, versions, verdicts. Nothing
 * else of the recording reaches it: no name, thumbprint or text of a field.
 *
 * Owns what is known of one recording. One thread.
 */
#ifndef AKVEKM_TOOL_TRACE_REPORT_H
#define AKVEKM_TOOL_TRACE_REPORT_H

#include <stdio.h>

#include "tool/assumption.h"

#define TRACE_REPORT_RESULTS 24 /* told apart for each function; the rest is one line */

struct trace_report_row {
    long result;
    unsigned long long calls, longest_us;
};

struct trace_report {
    struct recording recording;
    struct judges judges;
    char first[sizeof RECORDING_TIME], last[sizeof RECORDING_TIME];
    struct trace_report_row rows[RECORDING_FUNCTION_COUNT][TRACE_REPORT_RESULTS + 1];
};

/* In memory that free() takes; NULL: there is none. */
struct trace_report *trace_report_new(void);

/* Feed the recording piece by piece, then end it. */
void trace_report_feed(struct trace_report *report, const void *data, size_t len);
void trace_report_end(struct trace_report *report);

/* Reads a whole file; NULL counts as unreadable. False: `why` says what is wrong. A file without a
 * call is no recording. */
bool trace_report_read(struct trace_report *report, FILE *file, const char **why);

void trace_report_print(const struct trace_report *report, FILE *out);

/* Reads the recording and writes the report, `path` NULL: to standard output. False after a line
 * on standard error. A recording is never overwritten. */
bool trace_report_write(const char *program, const char *recording, const char *path);

#endif
