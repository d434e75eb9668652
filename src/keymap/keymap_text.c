#include "keymap/keymap_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "keymap/keymap_entry.h"

enum line_kind { LINE_EMPTY, LINE_ENTRY, LINE_BROKEN };

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Cuts the next field off and terminates it in place; NULL if there is none. */
static char *next_field(char **rest)
{
    char *field = *rest;
    while (is_blank(*field)) {
        field++;
    }
    char *end = field;
    while (*end != '\0' && !is_blank(*end)) {
        end++;
    }
    *rest = *end == '\0' ? end : end + 1;
    *end = '\0';
    return field == end ? NULL : field;
}

/* Reads a terminated line in place. */
static enum line_kind read_line(char *line, struct keymap_entry *out)
{
    char *rest = line;
    char *host = next_field(&rest);
    if (host == NULL || host[0] == '#') {
        return LINE_EMPTY;
    }
    char *thumbprint = next_field(&rest), *uri = next_field(&rest);
    if (uri == NULL || next_field(&rest) != NULL || strlen(uri) > KEY_URI_MAX + 4) {
        return LINE_BROKEN;
    }
    out->host = keymap_read_host(host);
    out->uri = uri;
    return out->host != NULL && keymap_read_thumbprint(thumbprint, &out->thumbprint) ? LINE_ENTRY
                                                                                     : LINE_BROKEN;
}

static size_t count_lines(const char *text, size_t len)
{
    size_t lines = 1;
    const char *end = text + len;
    for (const char *at = text; (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++) {
        lines++;
    }
    return lines;
}

/* Some editors begin a file with a byte order mark. */
static size_t mark_len(const char *raw, size_t len)
{
    return len >= 3 && memcmp(raw, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
}

/* Reads the lines of the table's text from `start` on, in place, into its entries. */
static void read_lines(struct keymap_table *table, size_t start)
{
    char *line = table->text + start, *behind = table->text + table->raw_len;
    for (char *end; line < behind; line = end + 1) {
        end = memchr(line, '\n', (size_t)(behind - line));
        end = end != NULL ? end : behind;
        *end = '\0';
        table->lines++;
        /* A zero byte inside the line hides its rest: nothing that we would have written. */
        enum line_kind kind = strlen(line) == (size_t)(end - line)
                                  ? read_line(line, &table->entries[table->count])
                                  : LINE_BROKEN;
        if (kind == LINE_ENTRY && end - line >= KEYMAP_LINE_MAX_BYTES) {
            kind = LINE_BROKEN; /* nor is this */
        }
        table->count += kind == LINE_ENTRY;
        if (kind == LINE_BROKEN && table->broken++ == 0) {
            table->first_broken_line = table->lines;
        }
    }
}

/* Whether the text goes on where that of `former` ended, at the end of a line. */
static bool is_continued(const struct keymap_table *former, const char *raw, size_t len)
{
    return former != NULL && former->raw_len > 0 && former->raw_len <= len &&
           former->raw[former->raw_len - 1] == '\n' &&
           memcmp(former->raw, raw, former->raw_len) == 0;
}

/* Copies entries of `former`, which has the same text up to there. */
static void copy_entries(struct keymap_entry *out, const struct keymap_table *former, size_t from,
                         size_t to, char *text)
{
    for (size_t i = from; i < to; i++, out++) {
        const struct keymap_entry *entry = &former->entries[i];
        out->host = text + (entry->host - former->text);
        out->uri = text + (entry->uri - former->text);
        out->thumbprint = entry->thumbprint;
    }
}

/* Adds the entries of `former` to those that are there; of equal ones, they come first. */
static bool merge(struct keymap_table *table, const struct keymap_table *former)
{
    struct keymap_entry *all = malloc((former->count + table->count + 1) * sizeof *all);
    if (all == NULL) {
        return false;
    }
    size_t taken = 0;
    for (size_t i = 0; i < table->count; i++) {
        size_t rank = keymap_table_rank(former, &table->entries[i], true);
        copy_entries(all + taken + i, former, taken, rank, table->text);
        all[rank + i] = table->entries[i];
        taken = rank;
    }
    copy_entries(all + taken + table->count, former, taken, former->count, table->text);
    free(table->entries);
    table->entries = all;
    table->count += former->count;
    return true;
}

/* The text of `former` is left as its reading made it. */
bool keymap_text_table(const struct keymap_table *former, char **raw, size_t len,
                       struct keymap_table *table)
{
    bool continued = is_continued(former, *raw, len);
    size_t start = continued ? former->raw_len : mark_len(*raw, len);
    *table = (struct keymap_table){.raw_len = len};
    table->text = malloc(len + 1);
    table->entries = malloc(count_lines(*raw + start, len - start) * sizeof *table->entries);
    bool made = table->text != NULL && table->entries != NULL;
    if (made) {
        memcpy(table->text, continued ? former->text : *raw, start);
        memcpy(table->text + start, *raw + start, len - start);
        table->text[len] = '\0';
        if (continued) {
            table->lines = former->lines;
            table->broken = former->broken;
            table->first_broken_line = former->first_broken_line;
        }
        read_lines(table, start);
        keymap_table_sort(table);
        made = !continued || merge(table, former);
    }
    if (!made) {
        keymap_table_free(table);
        return false;
    }
    table->raw = *raw;
    *raw = NULL;
    return true;
}

const struct keymap_entry *keymap_text_find(const struct keymap_table *table,
                                            const struct keymap_entry *wanted,
                                            struct keymap_span *span)
{
    size_t rank = keymap_table_rank(table, wanted, true);
    const struct keymap_entry *found = rank > 0 ? &table->entries[rank - 1] : NULL;
    *span = (struct keymap_span){0, 0};
    if (found == NULL || keymap_entry_order(found, wanted) != 0) {
        return NULL;
    }
    size_t first = mark_len(table->raw, table->raw_len), at = (size_t)(found->uri - table->text);
    const char *end = memchr(table->raw + at, '\n', table->raw_len - at);
    while (at > first && table->raw[at - 1] != '\n') {
        at--;
    }
    span->start = at;
    span->len = (end != NULL ? (size_t)(end - table->raw) : table->raw_len) - at;
    return found;
}

size_t keymap_text_edit(char *raw, size_t len, const struct keymap_span *span,
                        const struct keymap_entry *entry)
{
    char line[KEYMAP_LINE_MAX_BYTES], hex[2 * THUMBPRINT_MAX_BYTES + 1];
    size_t head = span->len > 0 ? span->start : len, tail = head + span->len;
    const char *before = span->len == 0 && head > 0 && raw[head - 1] != '\n' ? "\n" : "";
    thumbprint_text(&entry->thumbprint, hex);
    if (!text_format(line, sizeof line, "%s%s\t%s\t%s%s", before, entry->host, hex, entry->uri,
                     tail == len ? "\n" : "")) {
        return 0;
    }
    size_t line_len = strlen(line);
    memmove(raw + head + line_len, raw + tail, len - tail);
    memcpy(raw + head, line, line_len);
    return head + line_len + len - tail;
}
