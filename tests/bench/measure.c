#include "measure.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

uint64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t timeval_ns(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_usec * 1000u;
}

uint64_t cpu_ns(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return timeval_ns(usage.ru_utime) + timeval_ns(usage.ru_stime);
}

void print_costs(long times)
{
    uint64_t allocations = allocation_count(), cpu = cpu_ns();
    bench_measured(times);
    printf("cpu_us=%f allocations=%f\n", (double)(cpu_ns() - cpu) / 1000 / (double)times,
           (double)(allocation_count() - allocations) / (double)times);
}

double resident_kib(void)
{
    char line[256];
    double kib = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL) {
        if (strncmp(line, "VmRSS:", 6) == 0) {
            kib = strtod(line + 6, NULL);
        }
    }
    if (status != NULL) {
        fclose(status);
    }
    return kib;
}

static int measure_compare(const void *left, const void *right)
{
    const double *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

double quantile(double *values, size_t count, double rank)
{
    if (count == 0) {
        return 0;
    }
    qsort(values, count, sizeof *values, measure_compare);
    size_t at = (size_t)(rank * (double)(count - 1) + 0.5);
    return values[at];
}

double median(double *values, size_t count)
{
    double high = quantile(values, count, 0.5);
    return count > 0 && count % 2 == 0 ? (values[count / 2 - 1] + values[count / 2]) / 2 : high;
}

double spread_percent(double *values, size_t count)
{
    double middle = median(values, count);
    return middle > 0 ? 100 * (values[count - 1] - values[0]) / middle : 0;
}

void give_up(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("bench: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}
