/*
 * Thumbprints of connectors before 1.0.5.0: made from the key's name alone (thumbprint.md).
 *
 * No public key proves one, so an entry of the map with such a thumbprint counts only if the rule
 * makes it of that key's name: a forged line must not have new data wrapped under another key. Pure
 * functions; any thread.
 */
#ifndef AKVEKM_KEYMAP_OLD_RULE_H
#define AKVEKM_KEYMAP_OLD_RULE_H

#include "vault/key.h"

/* The key names that the rule may have turned into this thumbprint; returns how many. */
#define OLD_RULE_NAMES_MAX 4
size_t old_rule_names(const struct thumbprint *thumbprint,
                      char names[OLD_RULE_NAMES_MAX][KEY_NAME_MAX + 1]);
/* By its length, which no thumbprint of the current rule has. */
bool old_rule_length(const struct thumbprint *thumbprint);
/* Whether the rule makes this thumbprint of this name, in any case of its letters. */
bool old_rule_fits(const struct thumbprint *thumbprint, const char *name);

#endif
