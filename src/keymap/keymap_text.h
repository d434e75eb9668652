/*
 * The text of the map's file: its lines as entries, and the change of one line.
 *
 * Owns nothing beyond the tables it fills. Called by keymap_file.c, any thread.
 */
#ifndef AKVEKM_KEYMAP_KEYMAP_TEXT_H
#define AKVEKM_KEYMAP_KEYMAP_TEXT_H

#include "keymap/keymap_entry.h"

#define KEYMAP_LINE_MAX_BYTES 1024

/* For one table, with room for so many bytes and more, but for no entries yet; NULL: no memory. */
struct keymap_text *keymap_text_new(size_t len);
/* Fills an empty table with the entries of so many bytes that the text holds as a file's, and takes
 * it over, also on failure; false: no memory. */
bool keymap_text_table(struct keymap_text *text, size_t len, struct keymap_table *table);
/* The same for what `former` holds and these bytes behind it: they alone are read, if they are few,
 * and added to the text of `former` if that ends there and has room; else it is copied. */
bool keymap_text_continue(const struct keymap_table *former, const char *bytes, size_t len,
                          struct keymap_table *table);

struct keymap_span {
    size_t start, len; /* without the line break; len 0: no such line, but the end */
};
/* The last line of this vault and thumbprint, and its entry; NULL if there is none. */
const struct keymap_entry *keymap_text_find(const struct keymap_table *table,
                                            const struct keymap_entry *wanted,
                                            struct keymap_span *span);
/* Fills an empty table with what `former` holds, but for the entry in that line's place, or behind
 * all; everything else stays byte for byte. false: no memory, or too long for a line. */
bool keymap_text_edit(const struct keymap_table *former, const struct keymap_span *span,
                      const struct keymap_entry *entry, struct keymap_table *table);

#endif
