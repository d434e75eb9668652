/*
 * The operations of Key Vault and Managed HSM that the library uses. Each gets a token, retries and
 * checks the response.
 *
 * Owns nothing; a struct vault belongs to a session and is immutable. Any thread. Statuses become
 * errors here (specification.md section 6). The response's kid must name the requested key,
 * otherwise EKM_OTHER_KEY. Errors are set in the call.
 */
#ifndef AKVEKM_VAULT_VAULT_H
#define AKVEKM_VAULT_VAULT_H

#include "vault/key.h"
#include "vault/vault_request.h"

/* Gets challenge and token. If both are cached, it sends no request. */
enum ekm_rc vault_authenticate(struct call *call, const struct vault *vault) EKM_MUST_CHECK;

/* Gets a key. The version "" means the newest. */
enum ekm_rc vault_get_key(struct call *call, const struct vault *vault, const struct key_id *key,
                          struct vault_key *out) EKM_MUST_CHECK;

/* Wraps or unwraps `len` bytes into `value`, which is cleared first. A 400 to unwrap is
 * EKM_UNWRAP_REFUSED. */
enum ekm_rc vault_wrap(struct call *call, const struct vault *vault, const struct key_id *key,
                       enum rsa_algorithm algorithm, const uint8_t *plain, size_t len,
                       struct buf *value) EKM_MUST_CHECK;
enum ekm_rc vault_unwrap(struct call *call, const struct vault *vault, const struct key_id *key,
                         enum rsa_algorithm algorithm, const uint8_t *wrapped, size_t len,
                         struct buf *value) EKM_MUST_CHECK;

/* Visits all keys; the items have no public part. EKM_ANSWER_TOO_BIG: there are more than
 * VAULT_PAGES_MAX pages, or the pages repeat. EKM_OTHER_KEY: a nextLink leads to another host. */
#define VAULT_PAGES_MAX 4000
enum ekm_rc vault_list_keys(struct call *call, const struct vault *vault, vault_key_visitor visit,
                            void *context) EKM_MUST_CHECK;
/* vault_list_keys_page visits one page: the first one if `next` is empty, otherwise the page at
 * that link. Afterwards next is the link to the following page; empty: there is none. Declare next
 * with BUF_EMPTY(VAULT_LINK_MAX). */
#define VAULT_LINK_MAX 8192
/* Whether the link to the page after `page` was followed before, so that the pages repeat. *mark is
 * 0 at the list's start. */
bool vault_link_repeats(const struct buf *next, unsigned page, uint64_t *mark);
enum ekm_rc vault_list_keys_page(struct call *call, const struct vault *vault,
                                 vault_key_visitor visit, void *context,
                                 struct buf *next) EKM_MUST_CHECK;
enum ekm_rc vault_list_versions(struct call *call, const struct vault *vault, const char *name,
                                vault_key_visitor visit, void *context) EKM_MUST_CHECK;

/* Creates an RSA key (RSA-HSM on a Managed HSM). Never retried once the request may have been sent.
 * The caller makes sure that the name is free, because Azure would add a version to an existing
 * one. */
enum ekm_rc vault_create_key(struct call *call, const struct vault *vault, const char *name,
                             uint32_t bits, struct vault_key *out) EKM_MUST_CHECK;
/* Soft-deletes the key with all its versions. Never retried, like vault_create_key. */
enum ekm_rc vault_delete_key(struct call *call, const struct vault *vault,
                             const char *name) EKM_MUST_CHECK;

#endif
