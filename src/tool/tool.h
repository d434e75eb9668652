/*
 * akv-ekm, the tool beside the library: the options and the exit status of its commands.
 *
 * Every answer comes from the modules that SQL Server runs; a command only asks and prints. One
 * thread. Only connection.h reads a secret; no option holds one.
 */
#ifndef AKVEKM_TOOL_TOOL_H
#define AKVEKM_TOOL_TOOL_H

#include <stdbool.h>
#include <stddef.h>

enum { TOOL_OK = 0, TOOL_FAILED = 1, TOOL_USAGE = 2 };

#define TOOL_WORDS_MAX 8

struct tool_options {
    const char *identity, *key, *user, *instance, *sign_in, *library; /* NULL: not given */
    bool json, dry_run;
    const char *words[TOOL_WORDS_MAX]; /* arguments that are not options */
    size_t word_count;
};

/* A line on standard error; returns TOOL_USAGE. */
int tool_misuse(const char *format, const char *word);

/* Each command. */
int tool_version(const struct tool_options *options);
int tool_explain(const struct tool_options *options);
int tool_map(const struct tool_options *options);
int tool_keys(const struct tool_options *options);
int tool_trace(const struct tool_options *options);
int tool_setup(const struct tool_options *options);
int tool_doctor(const struct tool_options *options);

#endif
