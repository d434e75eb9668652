/*
 * Tokens of a credential: one fetch at a time, renewed early; refusals are remembered.
 *
 * Owns no token: stored tokens belong to the credential (credential.h), and a fetch in progress
 * holds its own. Any thread. Rules: specification.md section 2, key-vault-wire.md section 5.
 */
#ifndef AKVEKM_VAULT_TOKEN_H
#define AKVEKM_VAULT_TOKEN_H

#include "vault/credential.h"
#include "vault/token_request.h"
#include "vault/token_slot.h"

/* A token for the challenge's resource: cached, or fetched by this call or another. The caller
 * releases it. */
enum ekm_rc token_get(struct call *call, struct credential *credential,
                      const struct challenge *challenge, struct token **out) EKM_MUST_CHECK;
#define TOKEN_AGAIN_MS 1000
/* The vault refused it. True: the next token_get gives another. False: it stays, as it is younger
 * than age_ms, or the credential lost one less than TOKEN_AGAIN_MS ago: one new token a second. */
bool token_reject(struct credential *credential, const struct challenge *challenge,
                  const struct token *token, uint64_t age_ms);
/* A fetch whose request the caller sends along with another one. */
struct token_fetch {
    struct credential *credential;
    struct token_slot *slot;
    struct challenge where;
    struct token_request request;
};
/* Whose the fetch is: nobody's, as a token is there or cannot be had now (token_get tells); under
 * way by another caller; or this one's, and token_fetch_end must follow in any case. */
enum token_flight { TOKEN_FLIGHT_NONE, TOKEN_FLIGHT_OTHERS, TOKEN_FLIGHT_OWN };
enum token_flight token_fetch_begin(struct call *call, struct credential *credential,
                                    const struct challenge *challenge,
                                    struct token_fetch *out) EKM_MUST_CHECK;
/* The outcome of the one try becomes everybody's if it is a token (true) or a refusal. `response`
 * NULL: nothing was sent. The call's error stays as it is. */
bool token_fetch_end(struct call *call, struct token_fetch *fetch,
                     const struct http_response *response);

#endif
