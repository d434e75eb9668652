/*
 * Prints measurements as tables on standard output and as JSON in a file.
 *
 * One thread. Cells come in the order of the columns; all rows of a section have the same columns.
 */
#ifndef AKVEKM_BENCH_REPORT_H
#define AKVEKM_BENCH_REPORT_H

void report_open(const char *json_path); /* NULL: no file */
void report_section(const char *name, const char *what);
void report_text(const char *column, const char *value);
void report_number(const char *column, double value, int digits);
void report_row(void);
void report_close(void);

#endif
