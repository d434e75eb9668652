/*
 * The spelling, order and memory of entries, which are the same in every kind of map.
 *
 * Owns only the texts that it makes. The stores of the map call it; any thread.
 */
#ifndef AKVEKM_KEYMAP_KEYMAP_ENTRY_H
#define AKVEKM_KEYMAP_KEYMAP_ENTRY_H

#include <stdatomic.h>

#include "keymap/keymap_table.h"

/* The memory of tables. A table and those that extend it share it. It only grows at its end, and no
 * table reads beyond its own part. */
struct keymap_text {
    atomic_uint tables; /* the number of tables that use it; the last one frees it */
    atomic_size_t end;  /* the used part; the thread whose compare-and-swap advances it may write
                         * the bytes it passed */
    size_t cap, entries_cap;
    char *raw;                    /* a file's own bytes; only for a file, like the field before */
    char *cut;                    /* the strings; for a file each at its place in the file */
    struct keymap_entry *entries; /* in the order of the text */
};
void keymap_text_release(struct keymap_text *text); /* accepts NULL */

/* Reads a host in place, with or without scheme, :443 or final slash, in any case. NULL: nothing is
 * left. */
const char *keymap_read_host(char *text);
/* Reads a thumbprint with or without 0x, in any case. */
bool keymap_read_thumbprint(const char *text, struct thumbprint *out);
/* How the KeyUri that the store has for vault and thumbprint compares with what the caller saw
 * (`seen`; NULL: no usable one). */
enum keymap_standing {
    KEYMAP_YIELDS, /* what the caller saw, or no usable KeyUri: replace it */
    KEYMAP_SAME,   /* the wanted key: nothing to write, if it is durable */
    KEYMAP_THIRD   /* a key that the caller does not know: it stays */
};
enum keymap_standing keymap_entry_standing(const char *uri, const struct keymap_entry *wanted,
                                           const struct key_id *seen);
/* Sorts the text's entries by keymap_entry_order; equal ones keep their order. */
void keymap_table_sort(struct keymap_table *table);

#endif
