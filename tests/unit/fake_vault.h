/*
 * A vault in memory for the provider's tests: takes the place of vault_* and http_start/stop by the
 * linker's --wrap.
 *
 * Wrapping is a reversible pattern that only the same key version and algorithm opens. Set up by
 * one thread before others run; the counts may be read any time. A test that uses it lists the
 * functions in its `// wrap:` lines.
 */
#ifndef AKVEKM_UNIT_FAKE_VAULT_H
#define AKVEKM_UNIT_FAKE_VAULT_H

#include <stdatomic.h>

#include "vault/vault.h"

#define FAKE_HOST   "contoso-vault.vault.azure.net"
#define FAKE_OTHER  "fabrikam-vault.vault.azure.net"
#define FAKE_SECRET "11111111222243338444555555555555fake~secret"

struct fake_key {
    const char *host, *name, *version;
    uint32_t bits;
    uint8_t seed; /* equal seeds and bits: equal public keys */
    bool disabled, managed, not_rsa, no_wrap, gone, purge_protected;
    int64_t not_before_s, expires_s, created_s;
};

struct fake_counts {
    atomic_uint get, wrap, unwrap, list, list_versions, create, delete, authenticate;
};

extern struct fake_key fake_keys[64]; /* the newest version of a name is last */
extern size_t fake_key_count;
extern struct fake_counts fake_counts;
extern atomic_int fake_get_fails, fake_unwrap_fails, fake_wrap_fails, fake_list_fails,
    fake_versions_fail;       /* an ekm_rc, EKM_OK for none */
extern size_t fake_page_size; /* of the list of keys; 0: all on one */
/* A function for events elsewhere: called before each "get", "list" and "versions". */
extern void (*fake_before_request)(const char *what, const struct key_id *key);
extern bool fake_implicit_rejection; /* RSA1_5 opens anything */
extern atomic_uint fake_delay_ms;    /* each request takes this long, or until aborted */
extern atomic_bool fake_stubborn;    /* delays that no abort ends */
extern enum ekm_rc fake_http_start_rc;
extern atomic_int fake_http_running;

void fake_reset(void);
struct fake_key *fake_add(const char *name, const char *version, uint8_t seed);
void fake_public(const struct fake_key *key, struct rsa_public *out);
void fake_thumbprint(const struct fake_key *key, struct thumbprint *out);
/* The result of wrapping. */
void fake_wrapped(const struct fake_key *key, enum rsa_algorithm algorithm, const void *plain,
                  size_t len, uint8_t out[RSA_MAX_BYTES]);
/* All requests since the last reset of the counts. */
unsigned fake_requests(void);
void fake_reset_counts(void);

#endif
