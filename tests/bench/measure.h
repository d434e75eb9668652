/*
 * Clocks, the costs of the process itself, and the statistics of a series of numbers.
 *
 * Allocations are counted by malloc and the like, which allocations.c defines for the whole
 * program, the loaded library included. Any thread.
 */
#ifndef AKVEKM_BENCH_MEASURE_H
#define AKVEKM_BENCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>

uint64_t clock_ns(void);
/* User and system time of this process. */
uint64_t cpu_ns(void);
/* The allocations of this process so far: malloc, calloc, realloc and aligned ones. */
uint64_t allocation_count(void);
/* Resident memory of this process. */
double resident_kib(void);

/* Each program defines it: the operations that callgrind counts, and nothing else. */
void bench_measured(long times);
/* Runs them, and prints the cost of one: `cpu_us=` and `allocations=`. */
void print_costs(long times);

/* These sort their input. `rank` is 0 to 1. */
double quantile(double *values, size_t count, double rank);
double median(double *values, size_t count);
/* Distance of the extremes, in per cent of the median. */
double spread_percent(double *values, size_t count);

/* Ends the program with a line on standard error. */
_Noreturn void give_up(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
