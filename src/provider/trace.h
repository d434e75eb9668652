/*
 * The recording of the engine's calls: one line for each call in trace_file; off unless that is
 * set.
 *
 * Owns the file and its size. Records the sizes of arguments and results, never their content: no
 * secret, plain text or wrapped key. Any thread; start and stop only while no call runs.
 * Documentation: configuration.md; the lines: ekmhost.md.
 */
#ifndef AKVEKM_PROVIDER_TRACE_H
#define AKVEKM_PROVIDER_TRACE_H

#include <stdatomic.h>

#include "akvekm/sqlcrypt.h"
#include "base/config.h"
#include "platform/system.h"

extern atomic_bool trace_is_on;

/* The only cost of a call while nothing is recorded: one branch. */
static inline bool trace_wanted(void)
{
    return atomic_load_explicit(&trace_is_on, memory_order_relaxed);
}

void trace_start(const struct config *config);
void trace_stop(void);

struct trace_line {
    struct plat_errors errors; /* SQL Server's */
    uint64_t start_us;
    size_t len;
    char text[2560]; /* a line is cut at the end, never longer */
};

void trace_begin(struct trace_line *line, const char *function);
void trace_number(struct trace_line *line, const char *key, uint64_t value);
/* A size and whether there is a pointer: `in=256p`, `out=0n`. */
void trace_size(struct trace_line *line, const char *key, uint32_t size, const void *pointer);
void trace_data(struct trace_line *line, const char *key, const SqlCpData *data);
/* The same, followed by the bytes: `thumb=20p:0A1B...`. */
void trace_thumbprint(struct trace_line *line, const SqlCpKeyThumbprint *thumbprint);
/* The same, with the text: `name=14p:"TdeKey0"`. */
void trace_name(struct trace_line *line, const SqlCpStr *name);
void trace_session(struct trace_line *line, const SqlCpSession *session);
/* Writes the line and returns the result unchanged. */
SqlCpError trace_end(struct trace_line *line, SqlCpError result);
/* True once, after the file has reached its full size. The caller logs that. */
bool trace_has_filled(void);
/* For the last Free, after which there is no file: a line without a result. */
void trace_last(struct trace_line *line);

#endif
