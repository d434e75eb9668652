#include "rowset.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "memory.h"

void rowset_add_column(struct rowset *rows, const char *name)
{
    rows->columns = memory_grow(rows->columns, (rows->column_count + 1) * sizeof *rows->columns);
    rows->columns[rows->column_count++] = memory_text(name);
}

void rowset_add_columns(struct rowset *rows, const char *names)
{
    while (*names) {
        size_t len = strcspn(names, " ");
        char *name = memory_text_n(names, len);
        rowset_add_column(rows, name);
        free(name);
        names += len + strspn(names + len, " ");
    }
}

struct value *rowset_add_row(struct rowset *rows)
{
    size_t width = rows->column_count;
    rows->cells = memory_grow(rows->cells, (rows->row_count + 1) * width * sizeof *rows->cells);
    struct value *row = rowset_row(rows, rows->row_count++);
    memset(row, 0, width * sizeof *row);
    return row;
}

struct value *rowset_row(const struct rowset *rows, size_t row)
{
    return rows->cells + row * rows->column_count;
}

size_t rowset_column(const struct rowset *rows, const char *name)
{
    size_t column = 0;
    while (column < rows->column_count && strcasecmp(rows->columns[column], name) != 0)
        column++;
    return column;
}

static bool out_of_order(const struct value *a, const struct value *b, bool descending)
{
    int order = 0; /* NULL sorts first, as in SQL Server */
    if (a->kind == VALUE_NULL || b->kind == VALUE_NULL)
        order = (a->kind != VALUE_NULL) - (b->kind != VALUE_NULL);
    else
        order = value_compare(a, b);
    return descending ? order < 0 : order > 0;
}

void rowset_sort(struct rowset *rows, size_t column, bool descending)
{
    size_t width = rows->column_count;
    struct value *moved = memory_take(width * sizeof *moved);
    for (size_t i = 1; i < rows->row_count; i++) {
        size_t at = i;
        memcpy(moved, rowset_row(rows, i), width * sizeof *moved);
        for (; at > 0; at--) {
            const struct value *before = rowset_row(rows, at - 1);
            if (!out_of_order(&before[column], &moved[column], descending))
                break;
            memcpy(rowset_row(rows, at), before, width * sizeof *moved);
        }
        memcpy(rowset_row(rows, at), moved, width * sizeof *moved);
    }
    free(moved);
}

static void print_line(FILE *out, char *const *fields, const size_t *widths, size_t count)
{
    struct memory_text line = {0};
    memory_append(&line, "", 0);
    for (size_t i = 0; i < count; i++) {
        char *field = memory_format("%s%-*s", i ? " " : "", (int)widths[i], fields[i]);
        memory_append(&line, field, strlen(field));
        memory_wipe_text(field);
    }
    while (line.len > 0 && line.data[line.len - 1] == ' ')
        line.data[--line.len] = 0;
    fprintf(out, "%s\n", line.data);
    free(line.data);
}

static void print_dashes(FILE *out, const size_t *widths, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i)
            fputc(' ', out);
        for (size_t dash = 0; dash < widths[i]; dash++)
            fputc('-', out);
    }
    fputc('\n', out);
}

void rowset_print(const struct rowset *rows, FILE *out)
{
    size_t width = rows->column_count;
    size_t count = rows->row_count * width;
    char **fields = memory_take((count + 1) * sizeof *fields);
    size_t *widths = memory_take((width + 1) * sizeof *widths);
    for (size_t i = 0; i < width; i++)
        widths[i] = *rows->columns[i] ? strlen(rows->columns[i]) : 1;
    for (size_t i = 0; i < count; i++) {
        fields[i] = value_display(&rows->cells[i]);
        size_t len = strlen(fields[i]);
        if (len > widths[i % width])
            widths[i % width] = len;
    }
    print_line(out, rows->columns, widths, width);
    print_dashes(out, widths, width);
    for (size_t row = 0; row < rows->row_count; row++)
        print_line(out, fields + row * width, widths, width);
    fprintf(out, "\n(%zu rows affected)\n", rows->row_count);
    for (size_t i = 0; i < count; i++)
        free(fields[i]);
    free(fields);
    free(widths);
}

void rowset_free(struct rowset *rows)
{
    for (size_t i = 0; i < rows->row_count * rows->column_count; i++)
        value_free(&rows->cells[i]);
    for (size_t i = 0; i < rows->column_count; i++)
        free(rows->columns[i]);
    free(rows->cells);
    free(rows->columns);
    memset(rows, 0, sizeof *rows);
}
