/*
 * The durable map (vault, thumbprint) -> versioned KeyUri, and what this process has learnt of
 * keys.
 *
 * Owns the entries in memory and, through keymap_store.h, their durable form (specification.md
 * section 5). Any thread between keymap_start and keymap_stop. Problems with reading are logged
 * once and never fail a lookup.
 */
#ifndef AKVEKM_KEYMAP_KEYMAP_H
#define AKVEKM_KEYMAP_KEYMAP_H

#include "base/call.h"
#include "vault/key.h"

void keymap_start(const struct config *config);
void keymap_stop(void);
size_t keymap_count(void);

/* The entry of this vault, if its KeyUri is https, of this vault and versioned; else
 * EKM_NOT_FOUND. */
enum ekm_rc keymap_find(struct call *call, const char *host, const struct thumbprint *thumbprint,
                        struct key_id *out) EKM_MUST_CHECK;
/* Another vault's entry with this thumbprint (C4); `index` counts from 0. EKM_NOT_FOUND after the
 * last. */
enum ekm_rc keymap_find_elsewhere(struct call *call, const char *host,
                                  const struct thumbprint *thumbprint, size_t index,
                                  struct key_id *out) EKM_MUST_CHECK;
/* The thumbprint under which the map has this versioned key of this vault (an imported map keeps
 * its thumbprints). */
enum ekm_rc keymap_find_key(struct call *call, const char *host, const struct key_id *key,
                            struct thumbprint *out) EKM_MUST_CHECK;
/* EKM_OK: the map has an entry of this vault and name with another thumbprint. EKM_NOT_FOUND: it
 * has none. EKM_MAP_FAILED: the map cannot be read now. */
enum ekm_rc keymap_find_other(struct call *call, const char *host, const char *name,
                              const struct thumbprint *thumbprint) EKM_MUST_CHECK;

/* Adds an entry durably, or replaces the one that names `seen` (NULL: there was no usable one),
 * before it returns EKM_OK. Writes nothing if the entry exists already. EKM_OTHER_KEY: another
 * process wrote a third key meanwhile; that entry stays. Waits for other writers until until_ms
 * (plat_now_ms). EKM_MAP_FAILED. */
enum ekm_rc keymap_put(struct call *call, uint64_t until_ms, const char *host,
                       const struct thumbprint *thumbprint, const struct key_id *key,
                       const struct key_id *seen) EKM_MUST_CHECK;
/* Whether a put for this vault could succeed now, before an action that cannot be undone:
 * EKM_MAP_FAILED. */
enum ekm_rc keymap_probe(struct call *call, uint64_t until_ms, const char *host) EKM_MUST_CHECK;

#endif
