/*
 * Credentials and their Entra tokens: one fetch at a time, renewed early, refusals remembered.
 *
 * Owns client secrets and tokens, which live nowhere else. Any thread between token_start and
 * token_stop. Rules: specification.md section 2, key-vault-wire.md section 5.
 */
#ifndef AKVEKM_VAULT_TOKEN_H
#define AKVEKM_VAULT_TOKEN_H

#include "vault/token_request.h"

struct credential; /* a client ID with its secret; counted */
struct token;      /* one access token; counted, immutable */
/* Reads SECRET (UTF-8) and finds or makes the credential. As sign_in_parse, and EKM_OUT_OF_MEMORY.
 * The call gets client ID and form for its log line. */
enum ekm_rc credential_open(struct call *call, const char *secret, size_t len,
                            struct credential **out) EKM_MUST_CHECK;
/* The same for IDENTITY `Managed Identity`. */
enum ekm_rc credential_open_managed(struct call *call, struct credential **out) EKM_MUST_CHECK;
void credential_release(struct credential *credential);
void credential_sweep(uint64_t now_ms); /* wipes the tokens that expired; each call begins so */
const char *credential_client_id(const struct credential *credential); /* GUID form */
/* False: tokens for a resource can be had before the vault has named a tenant. */
bool credential_needs_tenant(const struct credential *credential);

/* For the challenge's resource: cached, or fetched by this call or another. The caller releases it.
 */
enum ekm_rc token_get(struct call *call, struct credential *credential,
                      const struct challenge *challenge, struct token **out) EKM_MUST_CHECK;
const char *token_header(const struct token *token); /* "Authorization: Bearer <token>" */
void token_release(struct token *token);             /* NULL allowed */
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

/* Wipes and frees everything that no one holds; at Free, after all sessions are gone. */
void token_forget_all(void);

#endif
