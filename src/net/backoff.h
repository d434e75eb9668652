/*
 * The arithmetic of retries. Pure functions: no clock, no state.
 *
 * Rule: specification.md section 7. The waits grow exponentially from 400 ms, with full jitter.
 * Retry-After is honoured, in seconds or as a date.
 */
#ifndef AKVEKM_NET_BACKOFF_H
#define AKVEKM_NET_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

#define BACKOFF_BASE_MS 400
#define BACKOFF_CAP_MS  8000

bool backoff_retries_status(long http_status); /* 408, 429, 500, 502, 503, 504 */
/* The wait before try `tries + 1` (tries >= 1): uniform in (0, min(cap, base * 2^(tries-1))] by
 * `random`. */
uint32_t backoff_delay_ms(unsigned tries, uint32_t random);
/* The milliseconds that a Retry-After value asks for (0 if absent or malformed). A date is compared
 * with unix_time_ms. */
uint64_t backoff_retry_after_ms(const char *value, int64_t unix_time_ms);

#endif
