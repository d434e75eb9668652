/*
 * Sends many requests to one vault at once, for a search through all of its keys.
 *
 * Owns nothing; any thread. A failure of one key (not found, refused, a malformed response) is
 * passed to the visitor. A failure of the vault ends the batch and is returned.
 */
#ifndef AKVEKM_VAULT_VAULT_BATCH_H
#define AKVEKM_VAULT_VAULT_BATCH_H

#include "vault/vault.h"

#define VAULT_BATCH_MAX 32

/* Receives the outcome of names[index]. `key` is NULL without EKM_OK, and at the end of a list of
 * versions. Return false to end the batch. */
typedef bool (*vault_batch_visitor)(void *context, size_t index, enum ekm_rc rc,
                                    const struct vault_key *key);

/* Gets each of at most VAULT_BATCH_MAX keys. EKM_OK: all were visited, or the visitor ended the
 * batch. */
enum ekm_rc vault_get_keys(struct call *call, const struct vault *vault, const struct key_id *names,
                           size_t count, vault_batch_visitor visit, void *context) EKM_MUST_CHECK;
/* Lists the versions of each name; the versions in `names` do not count. Visits each version, and
 * then the outcome of the list. */
enum ekm_rc vault_list_all_versions(struct call *call, const struct vault *vault,
                                    const struct key_id *names, size_t count,
                                    vault_batch_visitor visit, void *context) EKM_MUST_CHECK;

#endif
