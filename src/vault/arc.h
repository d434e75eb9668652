/*
 * The agent of Azure Arc: it proves that it may read a file of root's, and asks its callers for the
 * same.
 *
 * Its challenge names a key file, whose content goes back to it. Only a file of the agent's own
 * folder is read: whoever else answers on its port must not learn what other files hold. Facts:
 * identity-wire.md section 6. Any thread.
 */
#ifndef AKVEKM_VAULT_ARC_H
#define AKVEKM_VAULT_ARC_H

#include "vault/token_message.h"

/* Answers the challenge in `response`, and reads what comes then. EKM_ARC_ATTACK,
 * EKM_ARC_KEY_UNREADABLE, and as managed_identity_read. */
enum ekm_rc arc_read(struct call *call, struct token_request *request,
                     const struct http_response *response, struct token_value *out) EKM_MUST_CHECK;

/* The path of the key file in a WWW-Authenticate value, if it is one that may be read: directly in
 * the folder `keys`. False: an attack. */
bool arc_key_path(const char *authenticate, const char *keys, char *out, size_t cap);

#endif
