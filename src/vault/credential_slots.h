/*
 * A credential in the table, with the slots of its tokens. Only credential.c, which owns it, and
 * token.c, which fetches the tokens, include this.
 *
 * Hold token_lock when you call a function that takes or returns a slot or a token.
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
    char described[160]; /* the identity, for the log, with the last fetch's facts */
    int64_t expiry_s;    /* of the certificate that signed last; 0: none did */
    struct token_slot slots[TOKEN_SLOTS];
};

extern struct plat_mutex token_lock;

/* Finds or makes the credential of this sign-in. For a form that uses another form's token. */
enum ekm_rc credential_of(struct call *call, const struct sign_in *who,
                          struct credential **out) EKM_MUST_CHECK;
/* Stores what the last fetch learnt: the identity in the call's sign_in, and when its certificate
 * expires (Unix time; 0: there is none). */
void credential_learn(struct call *call, struct credential *credential, int64_t expiry_s);

/* The slot for this challenge. A new one may replace a slot without a fetch. NULL: all slots have a
 * fetch. */
struct token_slot *credential_slot(struct credential *credential, const struct challenge *where);
/* Called when a slot gets this token, so that credential_sweep does not miss its expiry. */
void credential_watch(const struct token *token);

#endif
