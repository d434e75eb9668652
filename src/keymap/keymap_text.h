/*
 * The text of the map's file: its lines as entries, and the change of one line.
 *
 * Owns nothing beyond the tables it fills. Called by keymap_file.c, any thread.
 */
#ifndef AKVEKM_KEYMAP_KEYMAP_TEXT_H
#define AKVEKM_KEYMAP_KEYMAP_TEXT_H

#include "keymap/keymap_store.h"

#define KEYMAP_LINE_MAX_BYTES 1024

/* Fills an empty table with the entries of these bytes and takes them over (*raw is NULL then);
 * false: no memory. What they have in common with `former`, which may be NULL, is not read again. */
bool keymap_text_table(const struct keymap_table *former, char **raw, size_t len,
                       struct keymap_table *table);

struct keymap_span {
    size_t start, len; /* without the line break; len 0: no such line */
};
/* The last line of this vault and thumbprint, and its entry; NULL if there is none. */
const struct keymap_entry *keymap_text_find(const struct keymap_table *table,
                                            const struct keymap_entry *wanted,
                                            struct keymap_span *span);
/* Puts the entry in that line's place, or behind all, everything else byte for byte; raw has room
 * for KEYMAP_LINE_MAX_BYTES more. The new length; 0 if the entry is too long for a line. */
size_t keymap_text_edit(char *raw, size_t len, const struct keymap_span *span,
                        const struct keymap_entry *entry);

#endif
