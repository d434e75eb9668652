/*
 * Finds repeated failures: the same one more than 10 times in a minute becomes one line with a
 * count.
 *
 * Owns a small table of recent failures. If the table is full, a new failure is always written.
 * log.c calls it, from any thread. The caller passes the time.
 */
#ifndef AKVEKM_BASE_LOG_DEDUP_H
#define AKVEKM_BASE_LOG_DEDUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

#define LOG_DEDUP_LIMIT     10
#define LOG_DEDUP_MINUTE_MS 60000

struct log_folded {
    char operation[32], vault[TEXT_HOST_CAP];
    int32_t code;
    uint64_t since_ms;
    unsigned seen, suppressed;
};

/* Counts this failure. False from the eleventh of its minute on. */
bool log_dedup_admit(uint64_t now_ms, const char *operation, int32_t code, const char *vault);
/* Removes an entry whose minute is over (or any, if `all`). True if lines of it were suppressed and
 * must be reported. */
bool log_dedup_expired(uint64_t now_ms, bool all, struct log_folded *out);

#endif
