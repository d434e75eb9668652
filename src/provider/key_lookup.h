/*
 * From a key name or a thumbprint to the one version of the one key that is meant.
 *
 * Owns nothing: memory is keymap/keycache.h, durable is keymap/keymap.h. Any thread. Rules:
 * specification.md sections 3, 5 and 11.
 */
#ifndef AKVEKM_PROVIDER_KEY_LOOKUP_H
#define AKVEKM_PROVIDER_KEY_LOOKUP_H

#include "base/call.h"
#include "discovery/discovery.h"
#include "keymap/keycache.h"
#include "provider/session.h"

/* `name` or `name/version`. EKM_NAME_TOO_LONG, EKM_REQUEST_REFUSED for other characters. */
enum ekm_rc key_lookup_parse_name(struct call *call, const char *text,
                                  struct key_id *out) EKM_MUST_CHECK;
/* Whether SQL Server can use the key: EKM_NOT_SUPPORTED, EKM_KEY_DISABLED, EKM_KEY_OPERATION. */
enum ekm_rc key_lookup_check(struct call *call, const struct vault_key *key) EKM_MUST_CHECK;

/* A lookup: the caller fills thumbprint and, for Decrypt, the trial. */
struct key_lookup {
    const struct vault *vault;
    struct thumbprint thumbprint;
    const struct discovery_trial *trial; /* see discovery.h; may be NULL */
    struct known_key key;                /* the key that was found */
    bool misled;                         /* the map led to another */
};
/* From memory, else the map, else discovery: EKM_NOT_FOUND. Where the vault stands in for another:
 * as key_lookup_find_public. */
enum ekm_rc key_lookup_find(struct call *call, struct key_lookup *lookup) EKM_MUST_CHECK;
/* After a 404 for the key that was found, or if it is another key: searches for the right one. */
enum ekm_rc key_lookup_find_again(struct call *call, struct key_lookup *lookup) EKM_MUST_CHECK;
/* Like key_lookup_find, with the public part: from memory, else one GET of the pinned version,
 * whose public part must give the thumbprint (EKM_OTHER_KEY). max_age_ms: what is remembered of its
 * attributes may be this old. */
enum ekm_rc key_lookup_find_public(struct call *call, struct key_lookup *lookup,
                                   uint64_t max_age_ms) EKM_MUST_CHECK;
#define KEY_LOOKUP_ANY_AGE UINT64_MAX
/* Whether the key that was found has another thumbprint, which the map cannot show. Sends one GET,
 * the first time; if it fails, the map is trusted. The call's error does not change. */
bool key_lookup_is_misled(struct call *call, struct key_lookup *lookup);

/* Whether the vault wraps with this key: EKM_KEY_DISABLED, EKM_KEY_EXPIRED, EKM_KEY_OPERATION. */
enum ekm_rc key_lookup_may_wrap(const struct known_key *key);
/* After EKM_FORBIDDEN: the cause, if the key's attributes show one; at most one GET. */
enum ekm_rc key_lookup_explain_refusal(struct call *call, const struct key_lookup *lookup,
                                       bool is_wrap) EKM_MUST_CHECK;
/* Makes durable what discovery found, in a call that is no size query. If it cannot be, the next
 * process searches again. */
void key_lookup_record(struct call *call, const struct key_lookup *lookup);

/* Whether a key may have this thumbprint. One of the old rule is accepted, with a log line. */
bool key_lookup_thumbprint_fits(struct call *call, const struct vault_key *key,
                                const struct thumbprint *thumbprint);
/* The fields of the log line about the key. */
void key_lookup_note(struct call *call, const struct key_id *id,
                     const struct thumbprint *thumbprint);

#endif
