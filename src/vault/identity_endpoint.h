/*
 * Chooses the source of tokens for this machine's identities, and makes the request to it.
 *
 * Facts: identity-wire.md sections 0, 1, 2 and 6. Reads the process's environment at each request,
 * because headers in it are rotated. Owns nothing; any thread.
 */
#ifndef AKVEKM_VAULT_IDENTITY_ENDPOINT_H
#define AKVEKM_VAULT_IDENTITY_ENDPOINT_H

#include "vault/token_message.h"

/* Fills source, url, header, host and http of the request for a token for `resource`. request->who
 * selects the identity. EKM_IDENTITY_NO_SOURCE, EKM_OUT_OF_MEMORY; set in the call. */
enum ekm_rc identity_endpoint_request(struct call *call, const char *resource,
                                      struct token_request *request) EKM_MUST_CHECK;

/* Whether the URL has the form http[s]://HOST[:PORT][/PATH], without user, query or fragment. */
bool identity_endpoint_is_valid(const char *url);
bool identity_endpoint_is_loopback(const char *url);

#endif
