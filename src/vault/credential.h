/*
 * The table of credentials and the token slots that hang on each: plain storage for token.c, which
 * holds its lock.
 *
 * Owns client secrets and cached tokens; wipes them. Every function but those that
 * token.h declares is called with token_lock held.
 */
#ifndef AKVEKM_VAULT_CREDENTIAL_H
#define AKVEKM_VAULT_CREDENTIAL_H

#include <stdatomic.h>

#include "platform/thread.h"
#include "vault/token.h"

struct token {
    atomic_uint references;
    uint64_t renew_ms, expires_ms, made_ms;
    size_t size;   /* of all of it, in bytes */
    char header[]; /* TOKEN_HEADER and the token, terminated */
};
#define TOKEN_HEADER "Authorization: Bearer "

/* The token of one credential for one (authority, tenant, resource). */
struct token_slot {
    bool used, fetching;
    struct challenge where;
    struct token *current;
    uint64_t next_early_ms;       /* no early renewal before */
    uint64_t refused_until_ms;    /* the credential was refused; do not ask again before */
    uint64_t flights;             /* fetches that ended */
    struct call_error failure;    /* of the last one that failed */
    uint64_t failure_deadline_ms; /* of the call that met it */
};

#define TOKEN_SLOTS           8
#define CREDENTIAL_HASH_BYTES 32

struct credential {
    struct credential *next;
    unsigned references;
    uint64_t used_ms,
        replaced_ms; /* replaced_ms: when a refused token was dropped last; 0: never */
    char client_id[37];
    uint8_t hash[CREDENTIAL_HASH_BYTES]; /* SHA-256 of the secret */
    struct buf secret;                   /* empty while no session needs it */
    struct token_slot slots[TOKEN_SLOTS];
};

extern struct plat_mutex token_lock;

/* The slot for this challenge, made if need be in the place of one that nobody fetches for; NULL:
 * all are fetching. */
struct token_slot *credential_slot(struct credential *credential, const struct challenge *where);
/* The slot got this token: credential_sweep must not miss its end. */
void credential_watch(const struct token *token);

#endif
