/*
 * The source of tokens for this machine's identities: which one, its address, and what the request
 * must carry.
 *
 * Facts: identity-wire.md sections 0, 1, 2 and 6. The environment of the process is read at each
 * request, because headers in it are rotated. Owns nothing; any thread.
 */
#ifndef AKVEKM_VAULT_IDENTITY_ENDPOINT_H
#define AKVEKM_VAULT_IDENTITY_ENDPOINT_H

#include "vault/token_message.h"

/* Fills source, url, header, host and http of the request for `resource`, as request->who selects.
 * EKM_IDENTITY_NO_SOURCE, EKM_OUT_OF_MEMORY; set in the call. */
enum ekm_rc identity_endpoint_request(struct call *call, const char *resource,
                                      struct token_request *request) EKM_MUST_CHECK;

/* Whether it is http[s]://HOST[:PORT][/PATH] without user, query or fragment. */
bool identity_endpoint_is_valid(const char *url);
bool identity_endpoint_is_loopback(const char *url);

#endif
