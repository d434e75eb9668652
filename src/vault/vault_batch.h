/*
 * Many requests to one vault at once, for a search through all of its keys.
 *
 * Owns nothing; the thread rule is that of vault.h. A failure of one key (not found, refused, a
 * malformed response) is passed to the visitor. A failure of the vault ends the batch and is
 * returned.
 */
#ifndef AKVEKM_VAULT_VAULT_BATCH_H
#define AKVEKM_VAULT_VAULT_BATCH_H

#include "vault/vault.h"

#define VAULT_BATCH_MAX 32

/* What came of names[index]; `key` only with EKM_OK, and NULL for the end of a list of versions.
 * Return false to end the batch. */
typedef bool (*vault_batch_visitor)(void *context, size_t index, enum ekm_rc rc,
                                    const struct vault_key *key);

/* GET of each; at most VAULT_BATCH_MAX. EKM_OK: all were visited, or the visitor has seen enough.
 */
enum ekm_rc vault_get_keys(struct call *call, const struct vault *vault, const struct key_id *names,
                           size_t count, vault_batch_visitor visit, void *context) EKM_MUST_CHECK;
/* Each version of each name (their versions are not looked at), then the outcome of its list. */
enum ekm_rc vault_list_all_versions(struct call *call, const struct vault *vault,
                                    const struct key_id *names, size_t count,
                                    vault_batch_visitor visit, void *context) EKM_MUST_CHECK;

#endif
