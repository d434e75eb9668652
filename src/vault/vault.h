/*
 * The operations of Key Vault and Managed HSM that the library uses, each with token, retries and a
 * checked response.
 *
 * Owns nothing; a struct vault belongs to a session and is immutable. Any thread. Statuses become
 * codes here (specification.md section 6); the response's kid must name the key that was asked for,
 * else EKM_OTHER_KEY.
 */
#ifndef AKVEKM_VAULT_VAULT_H
#define AKVEKM_VAULT_VAULT_H

#include "vault/key.h"
#include "vault/vault_request.h"

/* Challenge and token, without a request if both are cached. */
enum ekm_rc vault_authenticate(struct call *call, const struct vault *vault) EKM_MUST_CHECK;

/* version "" means the newest. */
enum ekm_rc vault_get_key(struct call *call, const struct vault *vault, const struct key_id *key,
                          struct vault_key *out) EKM_MUST_CHECK;

/* A 400 of unwrap is EKM_UNWRAP_REFUSED. value is cleared first. */
enum ekm_rc vault_wrap(struct call *call, const struct vault *vault, const struct key_id *key,
                       enum rsa_algorithm algorithm, const uint8_t *plain, size_t len,
                       struct buf *value) EKM_MUST_CHECK;
enum ekm_rc vault_unwrap(struct call *call, const struct vault *vault, const struct key_id *key,
                         enum rsa_algorithm algorithm, const uint8_t *wrapped, size_t len,
                         struct buf *value) EKM_MUST_CHECK;

/* Items without public part. More than VAULT_PAGES_MAX pages: EKM_ANSWER_TOO_BIG; a nextLink that
 * leaves the vault: EKM_OTHER_KEY. */
#define VAULT_PAGES_MAX 4000
enum ekm_rc vault_list_keys(struct call *call, const struct vault *vault, vault_key_visitor visit,
                            void *context) EKM_MUST_CHECK;
/* One page: the first while `next` is empty, which then leads to the one after; empty again: that
 * was the last. next is made with BUF_EMPTY(VAULT_LINK_MAX). */
#define VAULT_LINK_MAX 8192
/* Whether the link to the page after `page` was followed before: the list goes round. *mark is 0 at
 * the list's start. */
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
/* Soft delete of the key with all its versions. Never repeated likewise. */
enum ekm_rc vault_delete_key(struct call *call, const struct vault *vault,
                             const char *name) EKM_MUST_CHECK;

#endif
