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
/* Whether the KeyUri that stands for the entry's vault and thumbprint must stay: it names that very
 * key, durably, or one that the caller (who saw `seen`, NULL for none that is usable) does not know
 * of. */
bool keymap_entry_stands(const char *uri, const struct keymap_entry *wanted,
                         const struct key_name *seen);
/* By keymap_entry_order; equal ones as they stand in the table's text. */
void keymap_table_sort(struct keymap_table *table);

#endif
