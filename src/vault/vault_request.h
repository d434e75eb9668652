/*
 * A request to a vault with the token that the vault's challenge asks for.
 *
 * Owns nothing; a struct vault belongs to a session and is immutable. vault*.c call it; any thread.
 * Rules: specification.md sections 2 and 7 (401), key-vault-wire.md section 4.
 */
#ifndef AKVEKM_VAULT_VAULT_REQUEST_H
#define AKVEKM_VAULT_VAULT_REQUEST_H

#include "vault/token.h"

struct vault {
    struct vault_address address;
    struct credential *credential;
    struct second_vault *spare; /* what stands in for it (second_vault.h); NULL: nothing does */
    bool stands_in;             /* for another: only keys that are proved here are used */
};

#define VAULT_URL_MAX 640 /* the longest host, name, version and api_version fit */

/* Challenge and token, from the caches if they are there: no request then. */
enum ekm_rc vault_request_open(struct call *call, const struct vault *vault) EKM_MUST_CHECK;

/* Sends request->url, and retries after each 401 until the call's deadline: the vault may have
 * moved to another tenant, the token may have been revoked, or the vault may refuse valid tokens
 * for a moment. EKM_OK with any final status except 401. */
enum ekm_rc vault_request_send(struct call *call, const struct vault *vault,
                               struct http_request *request,
                               struct http_response *response) EKM_MUST_CHECK;

/* One try of each request together (see http_retry_try_all), with a token; *tried: there was one.
 * items[i].request is &requests[i]; an item's 401 is for vault_request_send. */
enum ekm_rc vault_request_try_all(struct call *call, const struct vault *vault,
                                  struct http_request *requests, struct http_item *items,
                                  size_t count, bool *tried) EKM_MUST_CHECK;

#endif
