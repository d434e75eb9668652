#include "keymap/keymap_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "keymap/keymap_entry.h"

#define SPARE_BYTES   ((size_t)64 * 1024)
#define SPARE_ENTRIES 512 /* about the number of lines that fit the spare bytes */
#define INSERTED_MAX  256 /* with more new lines than this, sorting everything is faster */

enum line_kind { LINE_EMPTY, LINE_ENTRY, LINE_BROKEN };

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Cuts off the next field and terminates it in place; NULL if there is none. */
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
static enum line_kind keymap_text_read_line(char *line, struct keymap_entry *out)
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

/* Reads the lines from `start` on, in place, as further entries of the table's text. */
static void keymap_text_read_lines(struct keymap_table *table, size_t start)
{
    struct keymap_text *text = table->text;
    char *line = text->cut + start, *behind = text->cut + table->raw_len;
    memcpy(line, text->raw + start, table->raw_len - start);
    for (char *end; line < behind; line = end + 1) {
        end = memchr(line, '\n', (size_t)(behind - line));
        end = end != NULL ? end : behind;
        *end = '\0';
        table->lines++;
        /* A zero byte inside a line hides the rest of it; the library never writes such a line. */
        enum line_kind kind = strlen(line) == (size_t)(end - line)
                                  ? keymap_text_read_line(line, &text->entries[table->count])
                                  : LINE_BROKEN;
        if (kind == LINE_ENTRY && end - line >= KEYMAP_LINE_MAX_BYTES) {
            kind = LINE_BROKEN; /* nor such a line */
        }
        table->count += kind == LINE_ENTRY;
        if (kind == LINE_BROKEN && table->broken < sizeof table->broken_lines / sizeof(size_t)) {
            table->broken_lines[table->broken] = table->lines;
        }
        table->broken += kind == LINE_BROKEN;
    }
}

static const struct keymap_entry **new_order(size_t entries)
{
    return malloc((entries + 1) * sizeof(struct keymap_entry *));
}

/* Makes room for this many entries and some more, in a text that has none. */
static bool keymap_text_reserve(struct keymap_text *text, size_t entries)
{
    text->entries_cap = entries + entries / 4 + SPARE_ENTRIES;
    text->entries = malloc(text->entries_cap * sizeof *text->entries);
    return text->entries != NULL;
}

bool keymap_text_table(struct keymap_text *text, size_t len, struct keymap_table *table)
{
    size_t start = text_mark_len(text->raw, len);
    size_t lines = count_lines(text->raw + start, len - start);
    *table = (struct keymap_table){.text = text, .raw_len = len, .entries = new_order(lines)};
    if (table->entries == NULL || !keymap_text_reserve(text, lines)) {
        keymap_table_free(table);
        return false;
    }
    atomic_store(&text->end, len);
    keymap_text_read_lines(table, start);
    keymap_table_sort(table);
    return true;
}

struct keymap_text *keymap_text_new(size_t len)
{
    size_t cap = len + len / 4 + SPARE_BYTES;
    struct keymap_text *text = malloc(sizeof *text + 2 * cap + 1);
    if (text != NULL) {
        text->raw = (char *)(text + 1);
        text->cut = text->raw + cap;
        text->cap = cap;
        text->entries = NULL;
        text->entries_cap = 0;
        atomic_init(&text->tables, 1);
        atomic_init(&text->end, len);
    }
    return text;
}

/* The text of `former` with these bytes instead of that span, parsed again. */
static bool keymap_text_replace(const struct keymap_table *former, const struct keymap_span *span,
                                const char *bytes, size_t len, struct keymap_table *table)
{
    const char *rest = former->text->raw + span->start + span->len;
    size_t rest_len = former->raw_len - span->start - span->len;
    struct keymap_text *text = keymap_text_new(span->start + len + rest_len);
    if (text == NULL) {
        return false;
    }
    memcpy(text->raw, former->text->raw, span->start);
    memcpy(text->raw + span->start, bytes, len);
    memcpy(text->raw + span->start + len, rest, rest_len);
    return keymap_text_table(text, span->start + len + rest_len, table);
}

/* The text of `former`, if this thread can take the bytes after it; NULL: no room, or another
 * thread took them. */
static struct keymap_text *keymap_text_share(const struct keymap_table *former, size_t len,
                                             size_t lines)
{
    struct keymap_text *text = former->text;
    size_t end = former->raw_len;
    if (len > 0 && (len > text->cap - end || lines > text->entries_cap - former->count ||
                    !atomic_compare_exchange_strong(&text->end, &end, end + len))) {
        return NULL;
    }
    atomic_fetch_add(&text->tables, 1);
    return text;
}

/* A copy with room for that much more, used by one table so far; NULL: no memory. */
static struct keymap_text *keymap_text_copy(const struct keymap_table *former, size_t len,
                                            size_t lines)
{
    const struct keymap_text *old = former->text;
    struct keymap_text *text = keymap_text_new(former->raw_len + len);
    if (text == NULL || !keymap_text_reserve(text, former->count + lines)) {
        keymap_text_release(text);
        return NULL;
    }
    memcpy(text->raw, old->raw, former->raw_len);
    memcpy(text->cut, old->cut, former->raw_len);
    for (size_t i = 0; i < former->count; i++) {
        const struct keymap_entry *entry = &old->entries[i];
        text->entries[i].host = text->cut + (entry->host - old->cut);
        text->entries[i].uri = text->cut + (entry->uri - old->cut);
        text->entries[i].thumbprint = entry->thumbprint;
    }
    return text;
}

/* Merges the entries from `first` on into those before them. Of equal ones the earlier stay
 * first. */
static void keymap_text_insert(struct keymap_table *table, size_t first)
{
    const size_t count = table->count;
    for (table->count = first; table->count < count; table->count++) {
        const struct keymap_entry *entry = &table->text->entries[table->count];
        size_t rank = keymap_table_rank(table, entry, true);
        const struct keymap_entry **place = table->entries + rank;
        memmove(place + 1, place, (table->count - rank) * sizeof *place);
        *place = entry;
    }
}

bool keymap_text_continue(const struct keymap_table *former, const char *bytes, size_t len,
                          struct keymap_table *table)
{
    size_t end = former->raw_len, lines = count_lines(bytes, len);
    bool goes_on = len == 0 || (end > 0 && former->text->raw[end - 1] == '\n');
    if (!goes_on || lines > INSERTED_MAX) {
        return keymap_text_replace(former, &(struct keymap_span){end, 0}, bytes, len, table);
    }
    *table = *former;
    table->text = NULL;
    table->entries = new_order(former->count + lines);
    if (table->entries != NULL) {
        table->text = keymap_text_share(former, len, lines);
    }
    if (table->entries != NULL && table->text == NULL) {
        table->text = keymap_text_copy(former, len, lines);
    }
    if (table->text == NULL) {
        keymap_table_free(table);
        return false;
    }
    for (size_t i = 0; i < former->count; i++) {
        table->entries[i] = table->text->entries + (former->entries[i] - former->text->entries);
    }
    memcpy(table->text->raw + end, bytes, len);
    table->raw_len += len;
    keymap_text_read_lines(table, end);
    keymap_text_insert(table, former->count);
    return true;
}

const struct keymap_entry *keymap_text_find(const struct keymap_table *table,
                                            const struct keymap_entry *wanted,
                                            struct keymap_span *span)
{
    size_t rank = keymap_table_rank(table, wanted, true);
    const struct keymap_entry *found = rank > 0 ? table->entries[rank - 1] : NULL;
    *span = (struct keymap_span){table->raw_len, 0};
    if (found == NULL || keymap_entry_order(found, wanted) != 0) {
        return NULL;
    }
    const char *raw = table->text->raw;
    size_t first = text_mark_len(raw, table->raw_len), at = (size_t)(found->uri - table->text->cut);
    const char *end = memchr(raw + at, '\n', table->raw_len - at);
    while (at > first && raw[at - 1] != '\n') {
        at--;
    }
    span->start = at;
    span->len = (end != NULL ? (size_t)(end - raw) : table->raw_len) - at;
    return found;
}

bool keymap_text_edit(const struct keymap_table *former, const struct keymap_span *span,
                      const struct keymap_entry *entry, struct keymap_table *table)
{
    char line[KEYMAP_LINE_MAX_BYTES], hex[2 * THUMBPRINT_MAX_BYTES + 1];
    size_t start = span->start;
    bool is_added = span->len == 0, is_last = start + span->len == former->raw_len;
    const char *before = is_added && start > 0 && former->text->raw[start - 1] != '\n' ? "\n" : "";
    thumbprint_text(&entry->thumbprint, hex);
    if (!text_format(line, sizeof line, "%s%s\t%s\t%s%s", before, entry->host, hex, entry->uri,
                     is_last ? "\n" : "")) {
        return false;
    }
    return is_added ? keymap_text_continue(former, line, strlen(line), table)
                    : keymap_text_replace(former, span, line, strlen(line), table);
}
