/*
 * Prepares the machine for the account of the service. Each system has its own half.
 *
 * Every step reports what it did, and changes nothing that is right already. One thread.
 */
#ifndef AKVEKM_TOOL_SETUP_H
#define AKVEKM_TOOL_SETUP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/config.h"
#include "tool/tool.h"

struct setup {
    const struct tool_options *options;
    const struct config *config;
    unsigned done, failed;
    char library[512]; /* the path that SQL Server is told */
};

enum setup_outcome { SETUP_THERE, SETUP_DONE, SETUP_FAILED };

/* "done", "would be done" with --dry-run, or "there already". */
void setup_report(struct setup *setup, enum setup_outcome outcome, const char *format, ...)
    EKM_PRINTF(3, 4);

/* Whether this process may change the machine; if not, `why` has the reason. */
bool setup_may(const struct setup *setup, char *why, size_t cap);
void setup_machine(struct setup *setup);

/* Where the packages put the library. */
void setup_default_library(char *out, size_t cap);

/* Prints the T-SQL of the setup article for this vault, key and form of signing in. False: usage.
 */
bool setup_print_statements(const struct setup *setup);

#endif
