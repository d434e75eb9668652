/*
 * The keys of a vault by name, as they were when the list was made: a session's snapshot.
 *
 * The session owns it. List items have neither type nor size, so each key is fetched when its turn
 * comes, and kept. Any thread, once it is made.
 */
#ifndef AKVEKM_PROVIDER_KEY_LIST_H
#define AKVEKM_PROVIDER_KEY_LIST_H

#include "vault/vault.h"

struct key_list;

/* Names that are enabled and fit SQL Server. The caller owns it. */
enum ekm_rc key_list_make(struct call *call, const struct vault *vault,
                          struct key_list **out) EKM_MUST_CHECK;
size_t key_list_count(const struct key_list *list);
/* The key at `index` in full, or NULL if SQL Server could not use it. */
enum ekm_rc key_list_resolve(struct call *call, const struct vault *vault, struct key_list *list,
                             size_t index, const struct vault_key **out) EKM_MUST_CHECK;
void key_list_free(struct key_list *list); /* NULL allowed */

#endif
