/*
 * The setting second_vault: after an outage of a vault, another one stands in for it.
 *
 * Owns the state of each pair of vaults, which all sessions share: whether the first vault is down.
 * Any thread between second_vault_start and second_vault_stop. Rules: specification.md section 11.
 */
#ifndef AKVEKM_VAULT_SECOND_VAULT_H
#define AKVEKM_VAULT_SECOND_VAULT_H

#include "vault/vault_request.h"

/* Reads the setting. EKM_CONFIGURATION: the reason names file, line and error. EKM_OUT_OF_MEMORY.
 */
enum ekm_rc second_vault_start(const struct config *config, char *reason,
                               size_t reason_cap) EKM_MUST_CHECK;
void second_vault_stop(void); /* no session may be open */

/* The pair whose first vault has this host, for struct vault's `spare`. NULL: there is none. */
struct second_vault *second_vault_find(const char *host);
/* Makes `out` the second vault of `first`, which must have one. It uses the first one's sign-in. */
void second_vault_of(const struct vault *first, struct vault *out);

/* Does a step of a call at the first vault. After an outage of that vault (vault_status.h) it does
 * the step at the second one; if that fails too, at the first one again. A refusal by the first
 * vault is final. may_probe: the step can show whether a vault that is down is back. */
typedef enum ekm_rc (*second_vault_step)(struct call *call, const struct vault *vault,
                                         void *context);
enum ekm_rc second_vault_run(struct call *call, const struct vault *first, bool may_probe,
                             second_vault_step step, void *context) EKM_MUST_CHECK;
/* Does a step at the second vault in addition, for at most most_ms. The call's state does not
 * change, except for the number of tries. A failure is logged. */
void second_vault_ask_too(struct call *call, const struct vault *first, uint64_t most_ms,
                          second_vault_step step, void *context);
/* For operations that never use the second vault: if `rc` is an outage of the first one, adds a
 * note that says so. */
void second_vault_explain(struct call *call, const struct vault *first, enum ekm_rc rc);

#endif
