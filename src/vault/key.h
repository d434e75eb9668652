/*
 * A key with the properties that the vault describes: name, version, public part, attributes.
 *
 * Plain values that may be copied; any thread. Limits: key-vault-wire.md section 2.1.
 */
#ifndef AKVEKM_VAULT_KEY_H
#define AKVEKM_VAULT_KEY_H

#include "base/rsa_public.h"
#include "base/text.h"

#define KEY_NAME_MAX    127
#define KEY_VERSION_MAX 64
#define KEY_URI_MAX     (8 + TEXT_HOST_CAP - 1 + 6 + KEY_NAME_MAX + 1 + KEY_VERSION_MAX)

struct key_id {
    char name[KEY_NAME_MAX + 1];
    char version[KEY_VERSION_MAX + 1]; /* "" for the newest */
};

struct vault_key {
    struct key_id id;
    bool is_rsa;      /* RSA or RSA-HSM */
    bool usable_size; /* 2048, 3072 or 4096 bits: public is filled in */
    struct rsa_public public;
    bool enabled, managed, purge_protected;
    bool can_wrap, can_unwrap;                  /* from key_ops; true if key_ops is absent */
    int64_t not_before_s, expires_s, created_s; /* Unix time, 0 for none */
};

/* Return false to end the listing. */
typedef bool (*vault_key_visitor)(void *context, const struct vault_key *key);

/* Reads `https://host[:443]/keys/name[/version]`, with scheme and host in any case. False if the
 * text is anything else or of another host than `host`. */
bool key_uri_parse(const char *uri, const char *host, struct key_id *out);
/* The same for any host, which it copies to `host` in lower case. */
bool key_uri_split(const char *uri, char *host, size_t host_cap, struct key_id *out);
bool key_uri_format(char *out, size_t cap, const char *host, const struct key_id *key);
/* Names are compared without case, like the service does. */
bool key_id_equal(const struct key_id *a, const struct key_id *b);

#endif
