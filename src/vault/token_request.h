/*
 * How a token is asked for: the request that each form of signing in makes, and what its answer
 * means.
 *
 * Knows no cache: token.c does. A request owns what it is made of, all of it secret; it belongs to
 * one thread.
 */
#ifndef AKVEKM_VAULT_TOKEN_REQUEST_H
#define AKVEKM_VAULT_TOKEN_REQUEST_H

#include "net/http.h"
#include "vault/challenge.h"
#include "vault/sign_in.h"

struct token_request {
    const struct sign_in *who; /* these two outlive the request */
    const struct buf *secret;
    struct challenge where;
    uint64_t asked_ms;
    enum identity_source source; /* of a managed identity */
    int64_t expiry_s;            /* of the certificate that signed; 0: none did */
    uint64_t proof; /* tells the file that proves who signs in from another one; 0: no file does */
    char host[254];
    struct buf url, header, form, way, authorities;
    struct http_detour detour; /* by `way`, trusting `authorities` */
    struct http_request http;  /* points into the above */
};

struct token_value {
    struct buf text;
    uint64_t life_s, refresh_s; /* 0: the answer does not say */
};

/* The first request, ready to be sent; the call's sign_in says what is known of the identity by
 * now. token_request_free must follow in any case. Set in the call on failure. */
enum ekm_rc token_request_make(struct call *call, const struct sign_in *who,
                               const struct buf *secret, const struct challenge *where,
                               struct token_request *out) EKM_MUST_CHECK;
/* What the file of a form that has one holds now, as `proof` above; 0: no file, or none to be used.
 * The call's error stays as it is. */
uint64_t token_request_proof(struct call *call, const struct sign_in *who);
/* Reads the response to it, and sends what must follow. */
enum ekm_rc token_request_read(struct call *call, struct token_request *request,
                               const struct http_response *response,
                               struct token_value *out) EKM_MUST_CHECK;
/* Sends it with repeats, and reads the response. */
enum ekm_rc token_request_perform(struct call *call, struct token_request *request,
                                  struct token_value *out) EKM_MUST_CHECK;
void token_request_free(struct token_request *request);

void token_value_init(struct token_value *value);
void token_value_free(struct token_value *value);

#endif
