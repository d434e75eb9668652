#include "base/date.h"

#include "base/text.h"
#include "platform/system.h"

#define DAY_S 86400

static int date_digits(const char *text, size_t count)
{
    int number = 0;
    for (size_t i = 0; i < count; i++) {
        if (!text_is_digit(text[i])) {
            return -1;
        }
        number = 10 * number + (text[i] - '0');
    }
    return number;
}

static bool date_is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

bool date_read(const char *text, size_t len, int64_t *unix_s)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (len != DATE_CAP - 1 || text[4] != '-' || text[7] != '-') {
        return false;
    }
    int year = date_digits(text, 4), month = date_digits(text + 5, 2);
    int day = date_digits(text + 8, 2);
    if (year < 2000 || month < 1 || month > 12 || day < 1 ||
        day > lengths[month - 1] + (month == 2 && date_is_leap(year))) {
        return false;
    }
    int64_t before = year - 1, days = 365 * (before - 1969) + before / 4 - before / 100 +
                                      before / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400);
    for (int i = 1; i < month; i++) {
        days += lengths[i - 1] + (i == 2 && date_is_leap(year));
    }
    *unix_s = (days + day - 1) * DAY_S;
    return true;
}

void date_write(int64_t unix_s, char out[DATE_CAP])
{
    struct plat_time date;
    plat_calendar(unix_s * 1000, &date);
    (void)text_format(out, DATE_CAP, "%04u-%02u-%02u", (unsigned)date.year % 10000,
                      (unsigned)date.month % 100, (unsigned)date.day % 100);
}
