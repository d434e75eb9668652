/*
 * Finds a key by its thumbprint when neither memory nor map knows where it is (specification.md
 * section 5).
 *
 * Owns the turns (one search at a time for each vault), and the searches that found nothing within
 * the last minute. Any thread. A found key goes into the key cache, marked as unrecorded;
 * key_lookup_record writes it into the map.
 */
#ifndef AKVEKM_DISCOVERY_DISCOVERY_H
#define AKVEKM_DISCOVERY_DISCOVERY_H

#include "base/call.h"
#include "vault/vault.h"

#define DISCOVERY_FRUITLESS_MS 60000

/* A wrapped key that the right candidate must open. It is the only proof if the thumbprint follows
 * the old rule. */
struct discovery_trial {
    const uint8_t *wrapped;
    size_t len;
};

/* EKM_OK: the key cache holds the key with its public part, and *out names it. EKM_NOT_FOUND with a
 * reason; otherwise the error that kept the vault from answering. `missing`: the version that
 * answered 404, or NULL. `trial` may be NULL. */
enum ekm_rc discovery_find(struct call *call, const struct vault *vault,
                           const struct thumbprint *thumbprint, const struct key_id *missing,
                           const struct discovery_trial *trial, struct key_id *out) EKM_MUST_CHECK;

void discovery_clear(void);

#endif
