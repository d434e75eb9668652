/*
 * A cache of keys: (vault, thumbprint) -> version, public part, the algorithm that opened it.
 *
 * Owns at most KEYCACHE_MAX entries. When full it forgets old ones; it never fails. A public part
 * in it gives its thumbprint (or the mismatch was allowed and logged). Values are copied out. Any
 * thread.
 */
#ifndef AKVEKM_KEYMAP_KEYCACHE_H
#define AKVEKM_KEYMAP_KEYCACHE_H

#include "vault/key.h"

#define KEYCACHE_MAX 4096

struct known_key {
    struct key_id id; /* with its version */
    bool has_public;
    struct rsa_public public;
    /* With the public part, as it was at fetched_ms (plat_now_ms). */
    bool enabled, can_wrap;
    int64_t not_before_s, expires_s;
    uint64_t fetched_ms;
    /* Found by discovery but not yet in the map, and the entry there that it may replace. */
    bool unrecorded;
    struct key_id replaces;  /* empty: none */
    enum rsa_algorithm oaep; /* the algorithm that opened it; RSA_ALGORITHM_COUNT if none did yet */
};
/* Copies what the vault's response at now_ms says: the public part and the attributes. */
void keycache_set_public(struct known_key *known, const struct vault_key *key, uint64_t now_ms);

/* True for one caller: look at the key's attributes, a while after first use and then daily. */
#define KEYCACHE_LOOK_AFTER_MS 600000
#define KEYCACHE_LOOK_EACH_MS  86400000
bool keycache_take_look(const char *host, const struct thumbprint *thumbprint);

bool keycache_get(const char *host, const struct thumbprint *thumbprint, struct known_key *out);
/* Stores only the version, as the map has it. What is known of the same version stays. */
void keycache_learn_id(const char *host, const struct thumbprint *thumbprint,
                       const struct key_id *id);
/* Stores the vault's response; the caller has compared thumbprints. */
void keycache_learn_key(const char *host, const struct thumbprint *thumbprint,
                        const struct vault_key *key);
/* `replaces` may be NULL. */
void keycache_note_unrecorded(const char *host, const struct thumbprint *thumbprint,
                              const struct key_id *replaces);
/* True for one caller only, which then records this version. */
bool keycache_take_unrecorded(const char *host, const struct thumbprint *thumbprint,
                              const struct key_id *id);
void keycache_forget(const char *host, const struct thumbprint *thumbprint);

/* Notes a successful unwrap. True if it is the first one noted for this key. */
bool keycache_note_unwrap(const char *host, const struct thumbprint *thumbprint,
                          enum rsa_algorithm algorithm);
/* The algorithm that last unwrapped a key in that vault, else `otherwise`. */
enum rsa_algorithm keycache_last_unwrap(const char *host, enum rsa_algorithm otherwise);

size_t keycache_count(void);
void keycache_clear(void);

#endif
