/*
 * Reads and writes days of the calendar in the form YYYY-MM-DD, in UTC.
 *
 * Pure functions; any thread.
 */
#ifndef AKVEKM_BASE_DATE_H
#define AKVEKM_BASE_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Gives the Unix time of the day's begin. False: it is not a day from 2000 to 9999. */
bool date_read(const char *text, size_t len, int64_t *unix_s);
#define DATE_CAP 11
void date_write(int64_t unix_s, char out[DATE_CAP]);

#endif
