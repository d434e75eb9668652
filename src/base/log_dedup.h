/*
 * Which failures are repeats: the same one more than 10 times in a minute becomes one line with a
 * count.
 *
 * Owns a small table of recent failures; a stranger that finds it full is always admitted. Called
 * by log.c; any thread. Times come from the caller.
 */
#ifndef AKVEKM_BASE_LOG_DEDUP_H
#define AKVEKM_BASE_LOG_DEDUP_H

#include <stdbool.h>
#include <stdint.h>

#define LOG_DEDUP_LIMIT     10
#define LOG_DEDUP_MINUTE_MS 60000

struct log_folded {
    char operation[32], vault[254];
    int32_t code;
    uint64_t since_ms;
    unsigned seen, suppressed;
};

/* Counts this failure; false from the eleventh of its minute on. */
bool log_dedup_admit(uint64_t now_ms, const char *operation, int32_t code, const char *vault);
/* Takes out one whose minute is over (or any, if `all`); true if it had suppressed lines that are
 * to be told. */
bool log_dedup_expired(uint64_t now_ms, bool all, struct log_folded *out);

#endif
