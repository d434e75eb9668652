/*
 * Every JSON body that is sent or read; the only user of cJSON.
 *
 * It tolerates what key-vault-wire.md names (unknown fields, either case of kty, quoted numbers)
 * and nothing else. Strings that held secrets are wiped before they are freed. Pure functions; any
 * thread.
 */
#ifndef AKVEKM_VAULT_WIRE_H
#define AKVEKM_VAULT_WIRE_H

#include "base/buf.h"
#include "base/call.h"
#include "vault/key.h"

/* Call it before anything else, with no other thread running. */
void wire_start(void);

/* error.code, the innermost code and the AKV number of a refusal, into call->error; anything
 * unreadable is skipped. *is_own: the body has the form of the vault's errors. Fails for want of
 * memory alone. */
enum ekm_rc wire_read_error(struct call *call, const struct buf *body, bool *is_own);
/* Entra's `error` word of a refused token request, "" if the body is not Entra's; notes the AADSTS
 * number in call->error. Fails for want of memory alone. */
enum ekm_rc wire_read_token_error(struct call *call, const struct buf *body, char *error,
                                  size_t cap);
struct wire_token {
    uint64_t expires_in_s, refresh_in_s;                 /* 0: not said */
    int64_t expires_on_s;                                /* Unix time; 0: not said */
    char client_id[64], object_id[64], resource_id[512]; /* the identity, if it is said; or "" */
};
/* The answer of Entra, or of a source of managed identities, to a token request. */
enum ekm_rc wire_read_token(struct call *call, const struct buf *body, struct buf *token,
                            struct wire_token *facts) EKM_MUST_CHECK;
/* The word of a source of managed identities that refuses, "" if unreadable. Fails for want of
 * memory alone. */
enum ekm_rc wire_read_identity_error(struct call *call, const struct buf *body, char *error,
                                     size_t cap);

/* A get, create or list item: the key of `bundle`, whose kid must lie on `host`. `with_material`
 * false: no n and e. */
enum ekm_rc wire_read_key(struct call *call, const char *host, const struct buf *body,
                          struct vault_key *out) EKM_MUST_CHECK;
/* Calls visit for each item of a page (n and e absent); next gets the whole nextLink or "". Odd
 * items are passed over and fail the page at its end; what is no page leaves next as it is. */
enum ekm_rc wire_read_page(struct call *call, const char *host, const struct buf *body,
                           vault_key_visitor visit, void *context, struct buf *next) EKM_MUST_CHECK;

enum wire_operation { WIRE_WRAP, WIRE_UNWRAP };
enum ekm_rc wire_write_operation(const char *algorithm, const uint8_t *value, size_t len,
                                 struct buf *out) EKM_MUST_CHECK;
/* The value, decoded, and the key that did the work: name and version as the kid says.
 * EKM_OTHER_KEY for a foreign host. */
enum ekm_rc wire_read_operation(struct call *call, enum wire_operation operation, const char *host,
                                const struct buf *body, struct key_id *worker,
                                struct buf *value) EKM_MUST_CHECK;
enum ekm_rc wire_write_create(uint32_t bits, bool hsm, struct buf *out) EKM_MUST_CHECK;

#endif
