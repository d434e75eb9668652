/*
 * IDENTITY and SECRET as people wrote them: IDENTITY to a vault's address, and what is wrong with
 * either in words that give no secret away.
 *
 * Rules: specification.md sections 2 and 10. Called by session.c; any thread.
 */
#ifndef AKVEKM_VAULT_IDENTITY_H
#define AKVEKM_VAULT_IDENTITY_H

#include "base/call.h"
#include "vault/address.h"

/* Unseen characters at both ends do not count. EKM_VAULT_NOT_ALLOWED names what stands in the way,
 * with the beginning of IDENTITY up to there. */
enum ekm_rc identity_read(struct call *call, const char *text, size_t len,
                          struct vault_address *out) EKM_MUST_CHECK;

/* What is odd about SECRET: unseen characters around it or before the client secret, quotes or
 * braces around it, or what stands where the client ID must be. "" if nothing is. Holds no
 * character of it. */
void identity_judge_secret(const char *secret, size_t len, char *out, size_t cap);
/* The same of its end alone, where it begins with a word instead of a client ID. */
void identity_judge_end(const char *secret, size_t len, char *out, size_t cap);

#endif
