/*
 * The log: one line an event, to log_file and, for errors, to the system log (specification.md
 * section 9); errors that neither takes go to standard error.
 *
 * Owns the log file's handle and the table that folds repeated failures. Every value is quoted and
 * cleaned here. Any floor above platform may call, any thread; before log_start lines go nowhere
 * but errors to the system log.
 */
#ifndef AKVEKM_BASE_LOG_H
#define AKVEKM_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"

void log_start(const struct config *config);
/* The default file alone, for errors: where the configuration that names another cannot be read. */
void log_start_default(void);
/* Writes out what is still folded, closes the files. No call may be running. */
void log_stop(void);
/* Reports folded failures whose minute is over; called when calls leave. */
void log_tick(void);

/* Whether a line of this level goes anywhere: ask before building one. */
bool log_wanted(enum log_level level);

struct log_line {
    enum log_level level;
    int32_t code; /* for the system log's event id */
    size_t len;
    char text[3072];
};

/* Starts a line: time, level, process, thread, "#call_number", operation. call_number 0: none. */
void log_begin(struct log_line *line, enum log_level level, uint64_t call_number,
               const char *operation);
/* Adds key="value": control characters, quotes, backslashes and non-ASCII as \xNN, 256 bytes at
 * most. Empty: left out. */
void log_pair(struct log_line *line, const char *key, const char *value);
void log_pair_number(struct log_line *line, const char *key, int64_t value);
void log_write(struct log_line *line);

/* Whether a failure of this kind is to be written now; false: it is counted and later becomes part
 * of one line (the same failure more than 10 times in a minute). */
bool log_failure_admitted(const char *operation, int32_t code, const char *vault);

/* One line with a single text= pair. */
void log_text(enum log_level level, uint64_t call_number, const char *operation, const char *format,
              ...) EKM_PRINTF(4, 5);

#endif
