/*
 * What the entries of a map have in common, whatever keeps them: spelling, order and memory.
 *
 * Owns nothing beyond the texts it makes. Called by the stores of the map; any thread.
 */
#ifndef AKVEKM_KEYMAP_KEYMAP_ENTRY_H
#define AKVEKM_KEYMAP_KEYMAP_ENTRY_H

#include <stdatomic.h>

#include "keymap/keymap_store.h"

/* What tables are made of. Those that continue one another share it: it grows at its end alone, and
 * none of them looks beyond its own. */
struct keymap_text {
    atomic_uint tables; /* that use it: the last one frees it */
    atomic_size_t end;  /* up to which it is taken: who moves it on may write what that passed */
    size_t cap, entries_cap;
    char *raw;                    /* a file's own bytes; like what stands before, of a file alone */
    char *cut;                    /* strings, each where it is in a file's bytes */
    struct keymap_entry *entries; /* in the order of the text */
};
void keymap_text_release(struct keymap_text *text); /* takes NULL */

/* In place: with or without scheme, :443 or final slash, any case; NULL if nothing is left. */
const char *keymap_read_host(char *text);
/* With or without 0x, any case. */
bool keymap_read_thumbprint(const char *text, struct thumbprint *out);
/* What the KeyUri that stands for the entry's vault and thumbprint is to the caller, who saw `seen`
 * (NULL: none that is usable). */
enum keymap_standing {
    KEYMAP_YIELDS, /* what the caller saw, or no usable KeyUri: to be replaced */
    KEYMAP_SAME,   /* the very key that is wanted: nothing to write, if it is durable */
    KEYMAP_THIRD   /* a key that the caller does not know of: it stays */
};
enum keymap_standing keymap_entry_standing(const char *uri, const struct keymap_entry *wanted,
                                           const struct key_id *seen);
/* The text's entries by keymap_entry_order; equal ones as they stand there. */
void keymap_table_sort(struct keymap_table *table);

#endif
