/*
 * Gets a token from the agent of Azure Arc. A caller must prove that it can read a file that only
 * root and the agent's group can read.
 *
 * The challenge names a key file, whose content is sent back to the agent. Only a file in the
 * agent's own folder is read. Otherwise another process on the agent's port could learn the content
 * of other files. Facts: identity-wire.md section 6. Owns nothing; any thread.
 */
#ifndef AKVEKM_VAULT_ARC_H
#define AKVEKM_VAULT_ARC_H

#include "vault/token_message.h"

/* Answers the challenge in `response`, and reads the token from the next response. EKM_ARC_ATTACK,
 * EKM_ARC_KEY_UNREADABLE, and the errors of managed_identity_read; set in the call. */
enum ekm_rc arc_read(struct call *call, struct token_request *request,
                     const struct http_response *response, struct token_value *out) EKM_MUST_CHECK;

/* Reads the path of the key file from a WWW-Authenticate value. The file must lie directly in the
 * folder `keys`. False: it does not, which is an attack. */
bool arc_key_path(const char *authenticate, const char *keys, char *out, size_t cap);

#endif
