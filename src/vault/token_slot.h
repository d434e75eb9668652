/*
 * A token, and its place in the credential.
 *
 * A token is immutable and reference-counted; the last release wipes it. A slot belongs to its
 * credential and is guarded by token_lock. Any thread.
 */
#ifndef AKVEKM_VAULT_TOKEN_SLOT_H
#define AKVEKM_VAULT_TOKEN_SLOT_H

#include <stdatomic.h>

#include "vault/token_message.h"

struct token {
    atomic_uint references;
    uint64_t renew_ms, expires_ms, made_ms;
    size_t size;   /* size of the whole block in bytes */
    char header[]; /* TOKEN_HEADER and the token, terminated */
};
#define TOKEN_HEADER "Authorization: Bearer "

/* The token of one credential for one (authority, tenant, resource). */
struct token_slot {
    bool used, fetching;
    struct challenge where;
    struct token *current;
    uint64_t next_early_ms;       /* no early renewal before this time */
    uint64_t refused_until_ms;    /* the credential was refused; no new fetch before this time */
    uint64_t refused_proof;       /* identifies the refused proof file; 0: there is none */
    uint64_t flights;             /* number of fetches that ended */
    struct call_error failure;    /* of the last fetch, if it failed */
    uint64_t failure_deadline_ms; /* deadline of the call that made that fetch */
};

/* Makes a token; NULL: no memory. The caller owns the one reference. `issued_ms`: when the token
 * was requested, from which its life counts. */
struct token *token_make(const struct token_value *value, uint64_t issued_ms,
                         enum sign_in_form form);
struct token *token_hold(struct token *token);
void token_release(struct token *token);             /* accepts NULL */
const char *token_header(const struct token *token); /* TOKEN_HEADER and the token */
/* Whether the failure is a refusal, which an immediate new request would not change. */
bool token_is_refusal(enum ekm_rc rc);

#endif
