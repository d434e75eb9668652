/*
 * The agent of Azure Arc. Its callers must prove that they may read a file that only root and its
 * group can read.
 *
 * The challenge names a key file, whose content is sent back to the agent. Only a file in the
 * agent's own folder is read, so that no other process on its port learns the content of other
 * files. Facts: identity-wire.md section 6. Any thread.
 */
#ifndef AKVEKM_VAULT_ARC_H
#define AKVEKM_VAULT_ARC_H

#include "vault/token_message.h"

/* Answers the challenge in `response`, and reads what comes then. EKM_ARC_ATTACK,
 * EKM_ARC_KEY_UNREADABLE, and as managed_identity_read. */
enum ekm_rc arc_read(struct call *call, struct token_request *request,
                     const struct http_response *response, struct token_value *out) EKM_MUST_CHECK;

/* The path of the key file in a WWW-Authenticate value, if it may be read: directly in the folder
 * `keys`. False: an attack. */
bool arc_key_path(const char *authenticate, const char *keys, char *out, size_t cap);

#endif
