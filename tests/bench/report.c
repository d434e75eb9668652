#include "report.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "measure.h"

#define COLUMNS_MAX 24
#define CELL_MAX    48

static struct {
    FILE *json;
    bool has_section, has_row; /* in the JSON so far; the row: of this section */
    size_t count;
    char names[COLUMNS_MAX][CELL_MAX], values[COLUMNS_MAX][CELL_MAX];
    bool is_text[COLUMNS_MAX];
} report;

static void report_json(const char *text)
{
    if (report.json != NULL) {
        fputs(text, report.json);
    }
}

void report_open(const char *json_path)
{
    if (json_path != NULL) {
        report.json = fopen(json_path, "w");
        if (report.json == NULL) {
            give_up("%s cannot be written", json_path);
        }
    }
    report_json("{\n");
}

static void end_section(void)
{
    report_json(report.has_section ? "\n ]" : "");
}

void report_section(const char *name, const char *what)
{
    end_section();
    report_json(report.has_section ? ",\n \"" : " \"");
    report_json(name);
    report_json("\": [");
    report.has_section = true;
    report.has_row = false;
    printf("\n%s: %s\n", name, what);
    fflush(stdout);
}

static void report_add(const char *column, const char *value, bool is_text)
{
    if (report.count == COLUMNS_MAX) {
        give_up("too many columns");
    }
    snprintf(report.names[report.count], CELL_MAX, "%s", column);
    snprintf(report.values[report.count], CELL_MAX, "%s", value);
    report.is_text[report.count++] = is_text;
}

void report_text(const char *column, const char *value)
{
    report_add(column, value, true);
}

void report_number(const char *column, double value, int digits)
{
    char text[CELL_MAX];
    snprintf(text, sizeof text, "%.*f", digits, value);
    report_add(column, text, false);
}

static int report_width(size_t i)
{
    size_t name = strlen(report.names[i]), least = report.is_text[i] ? 12 : 8;
    return (int)(name > least ? name : least);
}

static void print_line(char cells[COLUMNS_MAX][CELL_MAX])
{
    for (size_t i = 0; i < report.count; i++) {
        printf(report.is_text[i] ? "%s%-*s" : "%s%*s", i > 0 ? "  " : "", report_width(i),
               cells[i]);
    }
    printf("\n");
}

void report_row(void)
{
    if (!report.has_row) {
        print_line(report.names);
    }
    print_line(report.values);
    fflush(stdout);
    report_json(report.has_row ? ",\n  {" : "\n  {");
    for (size_t i = 0; i < report.count && report.json != NULL; i++) {
        const char *quote = report.is_text[i] ? "\"" : "";
        fprintf(report.json, "%s\"%s\": %s%s%s", i > 0 ? ", " : "", report.names[i], quote,
                report.values[i], quote);
    }
    report_json("}");
    report.has_row = true;
    report.count = 0;
}

void report_close(void)
{
    end_section();
    report_json("\n}\n");
    if (report.json != NULL && fclose(report.json) != 0) {
        give_up("the JSON file could not be written");
    }
    report.json = NULL;
}
