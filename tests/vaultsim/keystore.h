/*
 * Vaults, keys and versions of the simulated service.
 *
 * One table under one lock. Callers get copies (struct key_view) and do slow work outside the lock.
 * Host and key names compare without case. A caller that changes something calls state_save()
 * afterwards.
 */
#ifndef VAULTSIM_KEYSTORE_H
#define VAULTSIM_KEYSTORE_H

#include <cjson/cJSON.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum store_rc { STORE_OK, STORE_NO_VAULT, STORE_NO_KEY, STORE_DELETED, STORE_FULL, STORE_EXISTS };
enum vault_deny { DENY_NONE, DENY_FIREWALL, DENY_CONNECTION, DENY_NSP };

struct key_view {
    char host[256], name[160], version[160], kty[12];
    EVP_PKEY *pkey; /* a reference of the view's own; NULL for oct */
    char *tags;     /* a JSON object as text, the view's own; NULL: none */
    bool enabled, managed, is_purgeable;
    unsigned ops;             /* bits: keyops_bit */
    int64_t nbf, exp;         /* 0: none */
    int64_t created, updated; /* Unix seconds */
    int64_t deleted;          /* 0: alive */
};
void key_view_free(struct key_view *view);

bool store_vault_add(const char *host); /* false: exists already */
bool store_vault_remove(const char *host);
bool store_vault_deny(const char *host, enum vault_deny deny);
/* Read-only until then (of clock_ms), as after a regional failover; 0: no longer. */
bool store_vault_read_only(const char *host, int64_t until_ms);
bool store_vault_is_read_only(const char *host);
bool store_vault_find(const char *host, enum vault_deny *deny);
cJSON *store_vault_list(void);

/* version NULL or "": the newest. For a deleted key the result is STORE_DELETED; only
 * store_find_deleted finds it. */
enum store_rc store_find(const char *host, const char *name, const char *version,
                         struct key_view *view);
enum store_rc store_find_deleted(const char *host, const char *name, struct key_view *view);
/* Adds a version with host, name, version ("" = random), kty, pkey and attributes of the view, and
 * sets the chosen values in the view. */
enum store_rc store_add(struct key_view *view);
/* Copies enabled, nbf, exp, ops, tags, managed and is_purgeable from the view to its key version.
 */
enum store_rc store_change(struct key_view *view);
enum store_rc store_delete(const char *host, const char *name);
enum store_rc store_recover(const char *host, const char *name);
enum store_rc store_purge(const char *host, const char *name);

enum store_list { LIST_KEYS, LIST_VERSIONS, LIST_DELETED };
/* Up to max views in order of key name or version, those after `after` ("" = from the start);
 * is_more says whether others follow. name is for LIST_VERSIONS. */
enum store_rc store_list(enum store_list what, const char *host, const char *name,
                         const char *after, struct key_view *views, size_t max, size_t *count,
                         bool *is_more);

/* For saving: every version in order of its making, under the lock; and one of them back. */
typedef void store_visitor(const struct key_view *view, const char *pem, void *context);
void store_visit(store_visitor *visit, void *context);
void store_restore(const struct key_view *view, const char *pem);

#endif
