/*
 * The durable map (vault, thumbprint) -> versioned KeyUri, and what this process has learnt of
 * keys.
 *
 * Owns the entries in memory and, through keymap_store.h, their durable form (specification.md
 * section 5). Any thread between keymap_start and keymap_stop. Reading problems are reported once
 * in the log and never fail a lookup.
 */
#ifndef AKVEKM_KEYMAP_KEYMAP_H
#define AKVEKM_KEYMAP_KEYMAP_H

#include "base/call.h"
#include "vault/key.h"

void keymap_start(const struct config *config);
void keymap_stop(void);
size_t keymap_count(void);

/* The entry of this vault, only if its KeyUri is https, of this vault and versioned; else
 * EKM_NOT_FOUND. */
enum ekm_rc keymap_find(struct call *call, const char *host, const struct thumbprint *thumbprint,
                        struct key_id *out) EKM_MUST_CHECK;
/* Another vault's entry with this thumbprint (C4); `index` counts from 0. EKM_NOT_FOUND past the
 * last. */
enum ekm_rc keymap_find_elsewhere(struct call *call, const char *host,
                                  const struct thumbprint *thumbprint, size_t index,
                                  struct key_id *out) EKM_MUST_CHECK;
/* The thumbprint under which this versioned key of this vault is known (an imported map keeps its
 * thumbprints). */
enum ekm_rc keymap_find_key(struct call *call, const char *host, const struct key_id *key,
                            struct thumbprint *out) EKM_MUST_CHECK;
/* EKM_OK: the map holds an entry of this vault and name with another thumbprint. EKM_NOT_FOUND: it
 * does not. EKM_MAP_FAILED: nobody can tell, as the map cannot be read now. */
enum ekm_rc keymap_find_other(struct call *call, const char *host, const char *name,
                              const struct thumbprint *thumbprint) EKM_MUST_CHECK;

/* Adds durably, or replaces the entry that names `seen` (NULL: there was none that is usable),
 * before it returns EKM_OK; nothing is written if the entry stands already. EKM_OTHER_KEY: by now
 * it names a third key, as another process wrote it; it stays. Waits for other writers until
 * until_ms (plat_now_ms). EKM_MAP_FAILED. */
enum ekm_rc keymap_put(struct call *call, uint64_t until_ms, const char *host,
                       const struct thumbprint *thumbprint, const struct key_id *key,
                       const struct key_id *seen) EKM_MUST_CHECK;
/* Whether a put for this vault could succeed now, for what must not be begun in vain:
 * EKM_MAP_FAILED. */
enum ekm_rc keymap_probe(struct call *call, uint64_t until_ms, const char *host) EKM_MUST_CHECK;

#endif
