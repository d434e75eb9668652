/*
 * The challenge and the token for the requests of a call to a vault.
 *
 * Owns nothing; a struct vault belongs to a session and is immutable. vault_request.c calls it,
 * from any thread. Rules: specification.md section 2, key-vault-wire.md section 4.
 */
#ifndef AKVEKM_VAULT_VAULT_AUTH_H
#define AKVEKM_VAULT_VAULT_AUTH_H

#include "vault/token.h"

struct vault {
    struct vault_address address;
    struct credential *credential;
    struct second_vault *spare; /* the vault that stands in for it (second_vault.h), or NULL */
    bool stands_in; /* it stands in for another one: only keys that are proved here are used */
};

#define VAULT_URL_MAX 640 /* the longest host, name, version and api_version fit */

/* The challenge that a call uses. */
struct vault_auth {
    struct challenge challenge;
    bool guessed;            /* the vault has not sent it since the start */
    struct call_error fetch; /* the error of the first try to fetch a token; EKM_OK: none */
};

/* Finds the challenge: the remembered one, or the vault's response to a request without a token.
 * Confirms a guess while a token is fetched for it. Errors are set in the call. */
enum ekm_rc vault_auth_find_challenge(struct call *call, const struct vault *vault,
                                      struct vault_auth *auth) EKM_MUST_CHECK;
/* Gets a token for the challenge. A refusal for a guessed challenge is not final: the vault may
 * have moved to another tenant since. The caller releases the token. Errors are set in the call. */
enum ekm_rc vault_auth_find_token(struct call *call, const struct vault *vault,
                                  struct vault_auth *auth, struct token **token) EKM_MUST_CHECK;
bool vault_auth_same_tenant(const struct challenge *a, const struct challenge *b);

#endif
