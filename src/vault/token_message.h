/*
 * A token request and the value of its response, which the forms of sign-in and token_request.c
 * share.
 *
 * A request owns its buffers, which are all secret; it belongs to one thread.
 */
#ifndef AKVEKM_VAULT_TOKEN_MESSAGE_H
#define AKVEKM_VAULT_TOKEN_MESSAGE_H

#include "net/http.h"
#include "vault/challenge.h"
#include "vault/sign_in.h"

struct token;
/* Gets a token of another identity, for the form of sign-in that needs one. The caller releases
 * it. */
typedef enum ekm_rc token_getter(struct call *call, const struct sign_in *who,
                                 const struct challenge *where, struct token **out);

struct token_request {
    const struct sign_in *who; /* `who` and `secret` outlive the request */
    const struct buf *secret;
    token_getter *get_token;
    struct challenge where;
    uint64_t asked_ms;
    enum identity_source source; /* of a managed identity */
    int64_t expiry_s;            /* of the certificate that signed; 0: none did */
    uint64_t proof;              /* identifies the content of the proof file; 0: no file */
    char host[TEXT_HOST_CAP];
    struct buf url, header, form, way, authorities;
    struct http_detour detour; /* uses `way` and `authorities` */
    struct http_request http;  /* points into the members above, so the struct must not move */
};

struct token_value {
    struct buf text;
    uint64_t life_s, refresh_s; /* 0: the response does not say */
};

#endif
