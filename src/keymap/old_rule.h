/*
 * Thumbprints of connectors before 1.0.5.0, which were made from the key's name alone
 * (thumbprint.md).
 *
 * No public key proves such a thumbprint. So an entry of the map with one counts only if the rule
 * gives it for that key's name; otherwise a forged line could have new data wrapped under another
 * key. Pure functions; any thread.
 */
#ifndef AKVEKM_KEYMAP_OLD_RULE_H
#define AKVEKM_KEYMAP_OLD_RULE_H

#include "vault/key.h"

/* The key names from which the rule may have made this thumbprint; returns their number. */
#define OLD_RULE_NAMES_MAX 4
size_t old_rule_names(const struct thumbprint *thumbprint,
                      char names[OLD_RULE_NAMES_MAX][KEY_NAME_MAX + 1]);
/* By its length, which no thumbprint of the current rule has. */
bool old_rule_length(const struct thumbprint *thumbprint);
/* Whether the rule gives this thumbprint for this name, in any case of its letters. */
bool old_rule_fits(const struct thumbprint *thumbprint, const char *name);

#endif
