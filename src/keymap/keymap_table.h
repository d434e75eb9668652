/*
 * The map as it was read: sorted entries, and the state of the store that they come from.
 *
 * Entries point into the text, which tables share. The functions are keymap_entry.c's. Any thread.
 */
#ifndef AKVEKM_KEYMAP_KEYMAP_TABLE_H
#define AKVEKM_KEYMAP_KEYMAP_TABLE_H

#include "platform/io.h"
#include "vault/key.h"

struct keymap_entry {
    const char *host; /* lower case, without scheme, port or slash */
    const char *uri;  /* as the store spells it */
    struct thumbprint thumbprint;
};

/* One state of the store; it does not change once it is filled. */
struct keymap_table {
    struct keymap_text *text;            /* the memory of the entries; other tables may share it */
    const struct keymap_entry **entries; /* sorted by keymap_entry_order */
    size_t count;
    size_t broken, broken_lines[8]; /* number of lines that are not entries; the first of them,
                                     * counted from 1 */
    size_t raw_len, lines;          /* for a file */
    bool young;                     /* so new that `state` might not show a further change */
    struct plat_file_state state;
};

/* Sorted by thumbprint, then host. Of entries with both equal the last one counts. */
int keymap_entry_order(const struct keymap_entry *a, const struct keymap_entry *b);
/* The number of entries before this one; with equal ones, if those count. */
size_t keymap_table_rank(const struct keymap_table *table, const struct keymap_entry *entry,
                         bool with_equal);
void keymap_table_free(struct keymap_table *table); /* accepts an empty one */

#endif
