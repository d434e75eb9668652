/*
 * Functions that vault.c and vault_batch.c share: URLs of keys, and reading responses.
 *
 * Owns nothing. Any thread.
 */
#ifndef AKVEKM_VAULT_VAULT_PARTS_H
#define AKVEKM_VAULT_VAULT_PARTS_H

#include "net/http.h"
#include "vault/vault.h"

/* Writes the URL of `path` at the vault, with the API version. The path must end in ? or &. */
void vault_url(char *out, size_t cap, const struct call *call, const struct vault *vault,
               const char *path);
void vault_key_path(char *out, size_t cap, const struct key_id *key, const char *action);
void vault_versions_path(char *out, size_t cap, const char *name);

/* Reads the response to a GET of `key`. It may have any status; not 200 is an error. */
enum ekm_rc vault_read_key(struct call *call, const struct vault *vault, const struct key_id *key,
                           const struct http_response *response,
                           struct vault_key *out) EKM_MUST_CHECK;
/* Visits all pages, beginning with the link `next`, or with `path` if the link is empty. */
enum ekm_rc vault_list_from(struct call *call, const struct vault *vault, const char *path,
                            vault_key_visitor visit, void *context,
                            struct buf *next) EKM_MUST_CHECK;

#endif
