/*
 * What the entries of a map have in common, whatever keeps them: spelling and order.
 *
 * Owns nothing. Called by the stores of the map; any thread.
 */
#ifndef AKVEKM_KEYMAP_KEYMAP_ENTRY_H
#define AKVEKM_KEYMAP_KEYMAP_ENTRY_H

#include "keymap/keymap_store.h"

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
                                           const struct key_name *seen);
/* By keymap_entry_order; equal ones as they stand in the table's text. */
void keymap_table_sort(struct keymap_table *table);

#endif
