/*
 * The keys of a vault, one a line, and the attributes of a key in words.
 *
 * Owns nothing. One thread.
 */
#ifndef AKVEKM_TOOL_KEYS_H
#define AKVEKM_TOOL_KEYS_H

#include <stddef.h>

#include "vault/key.h"

/* "RSA 2048, enabled, until 2027-01-01, ..." */
void keys_describe(const struct vault_key *key, char *out, size_t cap);

/* "2027-01-31" */
void keys_date(int64_t unix_s, char out[16]);

#endif
