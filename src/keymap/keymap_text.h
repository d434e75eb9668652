/*
 * The text of the map's file: its lines as entries, and the change of one line.
 *
 * Owns only the tables that it fills. keymap_file.c calls it, from any thread.
 */
#ifndef AKVEKM_KEYMAP_KEYMAP_TEXT_H
#define AKVEKM_KEYMAP_KEYMAP_TEXT_H

#include "keymap/keymap_entry.h"

#define KEYMAP_LINE_MAX_BYTES 1024

/* A text for one table, with room for this many bytes and some more, but for no entries yet. NULL:
 * no memory. */
struct keymap_text *keymap_text_new(size_t len);
/* Fills an empty table with the entries in the first bytes of the text. Takes the text over, also
 * on failure. False: no memory. */
bool keymap_text_table(struct keymap_text *text, size_t len, struct keymap_table *table);
/* The same for the content of `former` and these bytes after it. If they are few, only they are
 * parsed. They are added to the text of `former` if it ends there and has room; otherwise it is
 * copied. */
bool keymap_text_continue(const struct keymap_table *former, const char *bytes, size_t len,
                          struct keymap_table *table);

struct keymap_span {
    size_t start, len; /* without the line break; len 0: no such line, the end of the text */
};
/* The last line of this vault and thumbprint, and its entry; NULL if there is none. */
const struct keymap_entry *keymap_text_find(const struct keymap_table *table,
                                            const struct keymap_entry *wanted,
                                            struct keymap_span *span);
/* Fills an empty table with the content of `former`, with the entry in place of that line or at the
 * end. Everything else stays byte for byte. False: no memory, or too long for a line. */
bool keymap_text_edit(const struct keymap_table *former, const struct keymap_span *span,
                      const struct keymap_entry *entry, struct keymap_table *table);

#endif
