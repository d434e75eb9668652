/*
 * What vault.c lends to vault_batch.c: addresses of keys and the reading of answers.
 *
 * Owns nothing. Any thread.
 */
#ifndef AKVEKM_VAULT_VAULT_PARTS_H
#define AKVEKM_VAULT_VAULT_PARTS_H

#include "net/http.h"
#include "vault/vault.h"

/* A path ends in ? or &. */
void vault_url(char *out, size_t cap, const struct call *call, const struct vault *vault,
               const char *path);
void vault_key_path(char *out, size_t cap, const struct key_id *key, const char *action);
void vault_versions_path(char *out, size_t cap, const char *name);

/* The answer, of any status, to a GET of `key`. */
enum ekm_rc vault_read_key(struct call *call, const struct vault *vault, const struct key_id *key,
                           const struct http_response *response,
                           struct vault_key *out) EKM_MUST_CHECK;
/* All pages from the link `next` on; from `path` if that is empty. */
enum ekm_rc vault_list_from(struct call *call, const struct vault *vault, const char *path,
                            vault_key_visitor visit, void *context,
                            struct buf *next) EKM_MUST_CHECK;

#endif
