#include "keymap/keymap_entry.h"

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/text.h"
#include "keymap/old_rule.h"

int keymap_entry_order(const struct keymap_entry *a, const struct keymap_entry *b)
{
    if (a->thumbprint.len != b->thumbprint.len) {
        return a->thumbprint.len < b->thumbprint.len ? -1 : 1;
    }
    int order = memcmp(a->thumbprint.bytes, b->thumbprint.bytes, a->thumbprint.len);
    return order != 0 ? order : strcmp(a->host, b->host);
}

/* Equal entries keep the order of their lines. */
static int keymap_entry_compare(const void *left, const void *right)
{
    const struct keymap_entry *const *a = left, *const *b = right;
    int order = keymap_entry_order(*a, *b);
    return order != 0 ? order : (*a > *b) - (*a < *b);
}

void keymap_table_sort(struct keymap_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        table->entries[i] = &table->text->entries[i];
    }
    qsort(table->entries, table->count, sizeof *table->entries, keymap_entry_compare);
}

size_t keymap_table_rank(const struct keymap_table *table, const struct keymap_entry *entry,
                         bool with_equal)
{
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (keymap_entry_order(table->entries[middle], entry) < (with_equal ? 1 : 0)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void keymap_text_release(struct keymap_text *text)
{
    if (text != NULL && atomic_fetch_sub(&text->tables, 1) == 1) {
        free(text->entries);
        free(text);
    }
}

void keymap_table_free(struct keymap_table *table)
{
    keymap_text_release(table->text);
    free(table->entries);
    memset(table, 0, sizeof *table);
}

const char *keymap_read_host(char *text)
{
    static const char scheme[] = "https://";
    if (text_equal_nocase_n(text, scheme, sizeof scheme - 1)) {
        text += sizeof scheme - 1;
    }
    size_t len = strlen(text);
    if (len > 0 && text[len - 1] == '/') {
        text[--len] = '\0';
    }
    if (len > 4 && strcmp(text + len - 4, ":443") == 0) {
        text[len - 4] = '\0';
    }
    text_lower(text);
    return text_is_name(text, ".-", TEXT_HOST_CAP - 1) ? text : NULL;
}

bool keymap_read_thumbprint(const char *text, struct thumbprint *out)
{
    uint8_t bytes[THUMBPRINT_MAX_BYTES];
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        text += 2;
    }
    size_t len = strlen(text) / 2;
    return strlen(text) == 2 * len && len >= 1 && len <= sizeof bytes &&
           hex_decode(text, len, bytes) && thumbprint_set(out, bytes, len);
}

enum keymap_standing keymap_entry_standing(const char *uri, const struct keymap_entry *wanted,
                                           const struct key_id *seen)
{
    struct key_id standing, key;
    if (!key_uri_parse(uri, wanted->host, &standing) || standing.version[0] == '\0' ||
        (old_rule_length(&wanted->thumbprint) &&
         !old_rule_fits(&wanted->thumbprint, standing.name))) {
        return KEYMAP_YIELDS;
    }
    if (key_uri_parse(wanted->uri, wanted->host, &key) && key_id_equal(&key, &standing)) {
        return KEYMAP_SAME;
    }
    return seen != NULL && key_id_equal(seen, &standing) ? KEYMAP_YIELDS : KEYMAP_THIRD;
}
