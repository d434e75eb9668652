/*
 * A request for a token as it goes out, and what its answer gives: what the forms of signing in and
 * token_request.c have in common.
 *
 * A request owns what it is made of, all of it secret; it belongs to one thread.
 */
#ifndef AKVEKM_VAULT_TOKEN_MESSAGE_H
#define AKVEKM_VAULT_TOKEN_MESSAGE_H

#include "net/http.h"
#include "vault/challenge.h"
#include "vault/sign_in.h"

struct token;
/* A token of another identity, for the form that signs in by one. The caller releases it. */
typedef enum ekm_rc token_getter(struct call *call, const struct sign_in *who,
                                 const struct challenge *where, struct token **out);

struct token_request {
    const struct sign_in *who; /* these two outlive the request */
    const struct buf *secret;
    token_getter *get_token;
    struct challenge where;
    uint64_t asked_ms;
    enum identity_source source; /* of a managed identity */
    int64_t expiry_s;            /* of the certificate that signed; 0: none did */
    uint64_t proof; /* tells the file that proves who signs in from another one; 0: no file does */
    char host[254];
    struct buf url, header, form, way, authorities;
    struct http_detour detour; /* by `way`, trusting `authorities` */
    struct http_request http;  /* points into the above, so this stays where it is */
};

struct token_value {
    struct buf text;
    uint64_t life_s, refresh_s; /* 0: the answer does not say */
};

#endif
