/*
 * Reads the vault's address from IDENTITY, and explains mistakes in IDENTITY and SECRET without
 * revealing a secret.
 *
 * Rules: specification.md sections 2 and 10. Owns nothing. session.c calls it, from any thread.
 */
#ifndef AKVEKM_VAULT_IDENTITY_H
#define AKVEKM_VAULT_IDENTITY_H

#include "base/call.h"
#include "vault/address.h"

/* Ignores invisible characters at both ends. EKM_VAULT_NOT_ALLOWED: the note names the wrong
 * character and quotes the beginning of IDENTITY up to it, at most 24 characters. */
enum ekm_rc identity_read(struct call *call, const char *text, size_t len,
                          struct vault_address *out) EKM_MUST_CHECK;

/* Describes what is wrong with SECRET: invisible characters around it or before the client secret,
 * quotes or braces around it, or another text in the place of the client ID. "": nothing. The
 * description contains no character of SECRET. */
void identity_judge_secret(const char *secret, size_t len, char *out, size_t cap);
/* The same for the end only, for a SECRET that begins with a word instead of a client ID. */
void identity_judge_end(const char *secret, size_t len, char *out, size_t cap);

#endif
