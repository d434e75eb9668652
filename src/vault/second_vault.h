/*
 * The setting second_vault: which vault stands in for which, and whether it must.
 *
 * Owns for each pair whether the first vault is down, which all sessions share. Any thread between
 * second_vault_start and second_vault_stop. Rules: specification.md section 11.
 */
#ifndef AKVEKM_VAULT_SECOND_VAULT_H
#define AKVEKM_VAULT_SECOND_VAULT_H

#include "vault/vault_request.h"

/* EKM_CONFIGURATION: the reason names file, line and what is wrong. EKM_OUT_OF_MEMORY. */
enum ekm_rc second_vault_start(const struct config *config, char *reason,
                               size_t reason_cap) EKM_MUST_CHECK;
void second_vault_stop(void); /* no session may be open */

/* What stands in for this vault, for struct vault's `spare`; NULL: nothing does. */
struct second_vault *second_vault_find(const char *host);
/* It, as a vault that stands in, with the sign-in of the first; that must have one. */
void second_vault_of(const struct vault *first, struct vault *out);

/* Does a step of a call at the vault; where it is out of reach, fails, or throttles to the end, at
 * the second one; where that is of no help either, at the first again. Never because the first
 * refuses. may_probe: the step shows whether a vault that is down is back. */
typedef enum ekm_rc (*second_vault_step)(struct call *call, const struct vault *vault,
                                         void *context);
enum ekm_rc second_vault_run(struct call *call, const struct vault *first, bool may_probe,
                             second_vault_step step, void *context) EKM_MUST_CHECK;
/* Does a step at the second vault besides, for at most most_ms. Whatever comes of it, the call goes
 * on as it was; a failure gives a line of the log. */
void second_vault_ask_too(struct call *call, const struct vault *first, uint64_t most_ms,
                          second_vault_step step, void *context);
/* For what is never asked of the second vault: says so where an outage of the first was in the way.
 */
void second_vault_explain(struct call *call, const struct vault *first, enum ekm_rc rc);

#endif
