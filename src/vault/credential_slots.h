/*
 * A credential as it lies in the table, with the slots of its tokens: for token.c, which fetches
 * them, and credential.c, whose they are.
 *
 * Every function that has a slot or a token is called with token_lock held.
 */
#ifndef AKVEKM_VAULT_CREDENTIAL_SLOTS_H
#define AKVEKM_VAULT_CREDENTIAL_SLOTS_H

#include "platform/thread.h"
#include "vault/credential.h"
#include "vault/token_slot.h"

#define TOKEN_SLOTS           8
#define CREDENTIAL_HASH_BYTES 32

struct credential {
    struct credential *next;
    unsigned references;
    uint64_t used_ms, replaced_ms; /* replaced_ms: when a refused token was dropped; 0: never */
    struct sign_in who;            /* without the secret */
    uint8_t hash[CREDENTIAL_HASH_BYTES]; /* SHA-256 of the secret */
    struct buf secret;                   /* empty while no session needs it, and in other forms */
    char described[160];                 /* who, for the log, with what the last fetch learnt */
    int64_t expiry_s;                    /* of the certificate that signed last; 0: none did */
    struct token_slot slots[TOKEN_SLOTS];
};

extern struct plat_mutex token_lock;

/* The credential of one that signs in so, made if need be: for forms that are made of others. */
enum ekm_rc credential_of(struct call *call, const struct sign_in *who,
                          struct credential **out) EKM_MUST_CHECK;
/* What the last fetch learnt of who signs in, and until when the certificate is good. */
void credential_learn(struct call *call, struct credential *credential, int64_t expiry_s);

/* The slot for this challenge, made if need be in the place of one that nobody fetches for; NULL:
 * all are fetching. */
struct token_slot *credential_slot(struct credential *credential, const struct challenge *where);
/* The slot got this token: credential_sweep must not miss its end. */
void credential_watch(const struct token *token);

#endif
