/*
 * Gets the tokens of a credential. One call fetches a token for all, tokens are renewed early, and
 * refusals are remembered.
 *
 * Owns no token: stored tokens belong to the credential (credential.h), and a fetch in progress
 * holds its own. Any thread. Rules: specification.md section 2, key-vault-wire.md section 5.
 */
#ifndef AKVEKM_VAULT_TOKEN_H
#define AKVEKM_VAULT_TOKEN_H

#include "vault/credential.h"
#include "vault/token_request.h"
#include "vault/token_slot.h"

/* Gets a token for the challenge's resource: a cached one, or one that this call or another one
 * fetches. Waits until the call's deadline. The caller releases the token. Errors are set in the
 * call. */
enum ekm_rc token_get(struct call *call, struct credential *credential,
                      const struct challenge *challenge, struct token **out) EKM_MUST_CHECK;
#define TOKEN_AGAIN_MS 1000
/* The vault refused this token. True: the next token_get gives another one. False: it remains,
 * because it is younger than age_ms, or because the credential lost a token less than
 * TOKEN_AGAIN_MS ago: at most one new token a second. */
bool token_reject(struct credential *credential, const struct challenge *challenge,
                  const struct token *token, uint64_t age_ms);
/* A fetch whose request the caller sends together with another request. */
struct token_fetch {
    struct credential *credential;
    struct token_slot *slot;
    struct challenge where;
    struct token_request request;
};
/* NONE: no fetch is needed or possible now; token_get gives the token or the error. OTHERS: another
 * call fetches. OWN: this call fetches, and token_fetch_end must follow in any case. */
enum token_flight { TOKEN_FLIGHT_NONE, TOKEN_FLIGHT_OTHERS, TOKEN_FLIGHT_OWN };
enum token_flight token_fetch_begin(struct call *call, struct credential *credential,
                                    const struct challenge *challenge,
                                    struct token_fetch *out) EKM_MUST_CHECK;
/* Ends an own fetch. A token (true) or a refusal becomes the outcome for all callers; any other
 * failure of the one try is dropped. `response` is NULL if there was none. The call's error is
 * unchanged. */
bool token_fetch_end(struct call *call, struct token_fetch *fetch,
                     const struct http_response *response);

#endif
