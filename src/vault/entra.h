/*
 * Entra's token endpoint: makes the form that is posted to it, and reads its response.
 *
 * Owns nothing. The forms of sign-in call it, from any thread. Facts: key-vault-wire.md section 5,
 * identity-wire.md section 8.
 */
#ifndef AKVEKM_VAULT_ENTRA_H
#define AKVEKM_VAULT_ENTRA_H

#include "vault/token_message.h"

/* How an application proves its identity. */
struct entra_proof {
    bool is_assertion; /* else a client secret */
    const char *text;
    size_t len;
};

/* The address of the endpoint, which is also an assertion's audience. */
enum ekm_rc entra_endpoint(const struct challenge *where, struct buf *out) EKM_MUST_CHECK;
/* Makes request->http for request->where. EKM_OUT_OF_MEMORY, EKM_ANSWER_TOO_BIG; set in the
 * call. */
enum ekm_rc entra_request(struct call *call, struct token_request *request, const char *client_id,
                          const struct entra_proof *proof) EKM_MUST_CHECK;
/* Writes only the form of such a request. EKM_OUT_OF_MEMORY, EKM_ANSWER_TOO_BIG; not set in a
 * call. */
enum ekm_rc entra_write_form(const struct token_request *request, const char *client_id,
                             const struct entra_proof *proof, struct buf *form) EKM_MUST_CHECK;
/* Reads the response. The errors of token_refusal.h and of a token's JSON; set in the call. */
enum ekm_rc entra_read(struct call *call, const struct http_response *response,
                       struct token_value *out) EKM_MUST_CHECK;

#endif
