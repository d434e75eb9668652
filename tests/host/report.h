/*
 * What a run came to: how long databases and statements took, and how the databases ended.
 *
 * Owns the counts of the process; any thread may add. Printed by --report, never looked at else.
 */
#ifndef EKMHOST_REPORT_H
#define EKMHOST_REPORT_H

#include "instance.h"

/* One database was opened, or not, in the time since start_ns. */
void report_recovery(uint64_t start_ns, bool online);
void report_statement(uint64_t start_ns, bool failed);
/* A running database went on with the key in memory. */
void report_key_in_memory(void);

void report_print(const struct instance *instance, FILE *out);

#endif
