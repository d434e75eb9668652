/*
 * The summary of a run: how long databases and statements took, and the final states of the
 * databases.
 *
 * Owns the counts of the process; any thread may add to them. Only --report prints them.
 */
#ifndef EKMHOST_REPORT_H
#define EKMHOST_REPORT_H

#include "instance.h"

/* One database was opened, or failed to open, in the time since start_ns. */
void report_recovery(uint64_t start_ns, bool online);
void report_statement(uint64_t start_ns, bool failed);
/* A running database used the key in memory. */
void report_key_in_memory(void);

void report_print(const struct instance *instance, FILE *out);

#endif
