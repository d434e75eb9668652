/*
 * Credentials: the table of identities that sign in.
 *
 * Owns the client secrets and the cached tokens, which are stored nowhere else. It wipes a secret
 * when the last session that holds the credential closes, and a token when it expires. Any thread.
 * Rules: specification.md section 2.
 */
#ifndef AKVEKM_VAULT_CREDENTIAL_H
#define AKVEKM_VAULT_CREDENTIAL_H

#include "vault/sign_in.h"

struct credential; /* a client ID with its secret; reference-counted */
/* Reads SECRET (UTF-8) and finds or makes its credential. The errors of sign_in_parse, and
 * EKM_OUT_OF_MEMORY. The call gets client ID and form for its log line. */
enum ekm_rc credential_open(struct call *call, const char *secret, size_t len,
                            struct credential **out) EKM_MUST_CHECK;
/* The same for IDENTITY `Managed Identity`. */
enum ekm_rc credential_open_managed(struct call *call, struct credential **out) EKM_MUST_CHECK;
void credential_release(struct credential *credential);
void credential_sweep(uint64_t now_ms); /* wipes expired tokens; called at each call's begin */
const char *credential_client_id(const struct credential *credential); /* GUID form */
/* False: a token can be fetched before the vault has named a tenant. */
bool credential_needs_tenant(const struct credential *credential);
/* Wipes and frees all credentials. Called at Free, after all sessions are closed. */
void credential_forget_all(void);

#endif
