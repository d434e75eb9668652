/*
 * The log: one line for each event, to log_file and, for errors, to the system log
 * (specification.md section 9). Errors that go to neither go to standard error.
 *
 * Owns the handle of the log file and the table that counts repeated failures. It quotes and cleans
 * every value. Any layer above platform and any thread may call. Before log_start only errors are
 * written, to the system log.
 */
#ifndef AKVEKM_BASE_LOG_H
#define AKVEKM_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "platform/io.h"

void log_start(const struct config *config);
/* Opens only the default file, for errors, when the configuration that names another cannot be
 * read. */
void log_start_default(void);
/* Writes the pending counts of repeated failures and closes the files. No call may be running. */
void log_stop(void);
/* Reports repeated failures whose minute is over. Called at the end of calls. */
void log_tick(void);

/* Whether a line of this level is written anywhere. Ask before building a line. */
bool log_wanted(enum log_level level);

struct log_line {
    enum log_level level;
    int32_t code; /* the event id for the system log */
    size_t len;
    char text[3072];
};

/* Begins a line: time, level, process, thread, "#call_number", operation. call_number 0: none. */
void log_begin(struct log_line *line, enum log_level level, uint64_t call_number,
               const char *operation);
/* Adds key="value". Control characters, quotes, backslashes and non-ASCII become \xNN; at most 256
 * bytes. An empty value is left out. */
void log_pair(struct log_line *line, const char *key, const char *value);
void log_pair_number(struct log_line *line, const char *key, int64_t value);
void log_write(struct log_line *line);

/* Whether to write a failure of this kind now. False: it is counted, and one line reports the count
 * later (the same failure more than 10 times in a minute). */
bool log_failure_admitted(const char *operation, int32_t code, const char *vault);

/* Writes that the file which this setting names is not used, and why. */
void log_unused_file(const char *operation, const char *setting, const char *path, enum plat_io io);

/* Writes one line with only text=. */
void log_text(enum log_level level, uint64_t call_number, const char *operation, const char *format,
              ...) EKM_PRINTF(4, 5);

#endif
