/*
 * IDENTITY and SECRET as people wrote them: from IDENTITY to a vault's address, and what is wrong
 * with either, in words that reveal no secret.
 *
 * Rules: specification.md sections 2 and 10. session.c calls it; any thread.
 */
#ifndef AKVEKM_VAULT_IDENTITY_H
#define AKVEKM_VAULT_IDENTITY_H

#include "base/call.h"
#include "vault/address.h"

/* Invisible characters at both ends are ignored. EKM_VAULT_NOT_ALLOWED names the wrong character,
 * with the beginning of IDENTITY up to it. */
enum ekm_rc identity_read(struct call *call, const char *text, size_t len,
                          struct vault_address *out) EKM_MUST_CHECK;

/* What is odd about SECRET: invisible characters around it or before the client secret, quotes or
 * braces around it, or something else in the place of the client ID. "" if nothing is. Holds no
 * character of SECRET. */
void identity_judge_secret(const char *secret, size_t len, char *out, size_t cap);
/* The same for its end only, if it begins with a word instead of a client ID. */
void identity_judge_end(const char *secret, size_t len, char *out, size_t cap);

#endif
