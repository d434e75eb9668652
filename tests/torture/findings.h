/*
 * The memory that OpenSSL leaks or remembers after one of its allocations was refused, once for all
 * refusals with one stack.
 */
#ifndef AKVEKM_TORTURE_FINDINGS_H
#define AKVEKM_TORTURE_FINDINGS_H

#include "alloc_meter.h"

/* `left`: so many blocks are left after Free, one of them made at `left_at`. */
void findings_add_leak(const char *operation, const struct meter_stack *refused_at,
                       unsigned long left, const struct meter_stack *left_at);
/* The same call failed so many times again, first with `code`. */
void findings_add_memory(const char *operation, const struct meter_stack *refused_at, int code,
                         unsigned failures);
void findings_print(void);

#endif
