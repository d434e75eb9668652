/*
 * A request to a vault with the token that the vault's challenge asks for.
 *
 * Owns nothing. vault.c and vault_batch.c call it, from any thread. Rules: specification.md
 * sections 2 and 7 (401), key-vault-wire.md section 4.
 */
#ifndef AKVEKM_VAULT_VAULT_REQUEST_H
#define AKVEKM_VAULT_VAULT_REQUEST_H

#include "vault/vault_auth.h"

/* Gets challenge and token. If both are cached, it sends no request. */
enum ekm_rc vault_request_open(struct call *call, const struct vault *vault) EKM_MUST_CHECK;

/* Sends request->url with a token, and retries after each 401 until the call's deadline: the vault
 * may have moved to another tenant, the token may have been revoked, or the vault may refuse valid
 * tokens for a moment. EKM_OK: a response of any final status except 401. */
enum ekm_rc vault_request_send(struct call *call, const struct vault *vault,
                               struct http_request *request,
                               struct http_response *response) EKM_MUST_CHECK;

/* Makes one try of each request, all together and with a token (see http_retry_try_all). *tried:
 * the requests were sent. items[i].request must be &requests[i]. After an item's 401 the caller
 * uses vault_request_send. */
enum ekm_rc vault_request_try_all(struct call *call, const struct vault *vault,
                                  struct http_request *requests, struct http_item *items,
                                  size_t count, bool *tried) EKM_MUST_CHECK;

#endif
