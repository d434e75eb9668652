#include "net/backoff.h"

#include <string.h>
#include <time.h>

#include "base/text.h"

bool backoff_retries_status(long http_status)
{
    switch (http_status) {
    case 408:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
        return true;
    default:
        return false;
    }
}

uint32_t backoff_delay_ms(unsigned tries, uint32_t random)
{
    uint32_t most = BACKOFF_BASE_MS;
    for (unsigned i = 1; i < tries && most < BACKOFF_CAP_MS; i++) {
        most *= 2;
    }
    most = most < BACKOFF_CAP_MS ? most : BACKOFF_CAP_MS;
    return 1 + random % most;
}

static int month_number(const char *name)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const char *at = strlen(name) == 3 ? strstr(names, name) : NULL;
    return at != NULL && (at - names) % 3 == 0 ? (int)(at - names) / 3 + 1 : 0;
}

/* Days since 1970-01-01 of a date of the Gregorian calendar. */
static int64_t days_since_epoch(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = year / 400, year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

/* Returns the number of `width` digits, or -1. */
static int date_number(const char *at, size_t width)
{
    int value = 0;
    for (size_t i = 0; i < width; i++) {
        if (!text_is_digit(at[i])) {
            return -1;
        }
        value = value * 10 + (at[i] - '0');
    }
    return value;
}

/* Reads only RFC 9110's preferred form: "Sun, 06 Nov 1994 08:49:37 GMT". Does not use sscanf(),
 * because headers of glibc 2.38 and newer make it a symbol that older systems lack. */
static bool http_date(const char *value, int64_t *unix_time_s)
{
    static const char form[] = "___, __ ___ ____ __:__:__ GMT";
    if (strlen(value) != sizeof form - 1) {
        return false;
    }
    for (size_t i = 0; i < sizeof form - 1; i++) {
        if (form[i] != '_' && form[i] != value[i]) {
            return false;
        }
    }
    char month_name[4];
    (void)text_copy_n(month_name, sizeof month_name, value + 8, 3);
    int month = month_number(month_name), day = date_number(value + 5, 2);
    int year = date_number(value + 12, 4), hour = date_number(value + 17, 2);
    int minute = date_number(value + 20, 2), second = date_number(value + 23, 2);
    if (month == 0 || year < 1970 || day < 1 || day > 31 || hour < 0 || hour > 23 || minute < 0 ||
        minute > 59 || second < 0 || second > 60) {
        return false;
    }
    *unix_time_s =
        days_since_epoch(year, month, day) * 86400 + (((int64_t)hour * 60 + minute) * 60) + second;
    return true;
}

uint64_t backoff_retry_after_ms(const char *value, int64_t unix_time_ms)
{
    uint64_t seconds = 0;
    int64_t date_s = 0;
    if (*value != '\0' && strspn(value, "0123456789") == strlen(value)) {
        return text_to_u64(value, UINT32_MAX, &seconds) ? seconds * 1000 : UINT32_MAX * 1000ULL;
    }
    if (!http_date(value, &date_s) || date_s * 1000 <= unix_time_ms) {
        return 0;
    }
    return (uint64_t)(date_s * 1000 - unix_time_ms);
}
