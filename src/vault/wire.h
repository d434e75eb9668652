/*
 * Writes and reads every JSON body. Only wire.c, wire_key.c and json.c use cJSON.
 *
 * It tolerates the deviations that key-vault-wire.md names (unknown fields, either case of kty,
 * quoted numbers) and no others. Strings that held secrets are wiped before they are freed. Pure
 * functions; any thread.
 */
#ifndef AKVEKM_VAULT_WIRE_H
#define AKVEKM_VAULT_WIRE_H

#include "base/buf.h"
#include "base/call.h"
#include "vault/key.h"

/* Call it before anything else, with no other thread running. */
void wire_start(void);

/* Reads error.code, the innermost code and the AKV number of a refusal into call->error. Skips what
 * it cannot read. *is_own: the body has the form of the vault's errors. EKM_OUT_OF_MEMORY is the
 * only error. */
enum ekm_rc wire_read_error(struct call *call, const struct buf *body, bool *is_own);
/* Reads the `error` word of Entra's refusal; "" if the body is not Entra's. Notes the AADSTS number
 * in call->error. EKM_OUT_OF_MEMORY is the only error. */
enum ekm_rc wire_read_token_error(struct call *call, const struct buf *body, char *error,
                                  size_t cap);
struct wire_token {
    uint64_t expires_in_s, refresh_in_s;                 /* 0: absent */
    int64_t expires_on_s;                                /* Unix time; 0: absent */
    char client_id[64], object_id[64], resource_id[512]; /* the identity; "": absent */
};
/* Reads a token from the response of Entra or of a source of managed identities.
 * EKM_TOKEN_NOT_JSON, EKM_TOKEN_MISSING, EKM_OUT_OF_MEMORY; set in the call. */
enum ekm_rc wire_read_token(struct call *call, const struct buf *body, struct buf *token,
                            struct wire_token *facts) EKM_MUST_CHECK;
/* The same for a source of managed identities. */
enum ekm_rc wire_read_identity_error(struct call *call, const struct buf *body, char *error,
                                     size_t cap);

/* Reads the key in the response to a get or create. Its kid must be a key of `host`, otherwise
 * EKM_OTHER_KEY. Other errors: the EKM_KEY_ codes and EKM_OUT_OF_MEMORY; set in the call. */
enum ekm_rc wire_read_key(struct call *call, const char *host, const struct buf *body,
                          struct vault_key *out) EKM_MUST_CHECK;
/* Calls visit for each item of a page; the items have no n and e. `next` gets the whole nextLink or
 * "". A malformed item is skipped, and its error is returned after the last item. If the body is
 * not JSON, `next` is unchanged. */
enum ekm_rc wire_read_page(struct call *call, const char *host, const struct buf *body,
                           vault_key_visitor visit, void *context, struct buf *next) EKM_MUST_CHECK;

enum wire_operation { WIRE_WRAP, WIRE_UNWRAP };
enum ekm_rc wire_write_operation(const char *algorithm, const uint8_t *value, size_t len,
                                 struct buf *out) EKM_MUST_CHECK;
/* Reads the decoded value, and the name and version of the key that did the operation, from kid.
 * EKM_OTHER_KEY: the kid is not a key of `host`. Other errors: the EKM_WRAP_ or EKM_UNWRAP_ codes
 * and EKM_OUT_OF_MEMORY; set in the call. */
enum ekm_rc wire_read_operation(struct call *call, enum wire_operation operation, const char *host,
                                const struct buf *body, struct key_id *worker,
                                struct buf *value) EKM_MUST_CHECK;
enum ekm_rc wire_write_create(uint32_t bits, bool hsm, struct buf *out) EKM_MUST_CHECK;

#endif
