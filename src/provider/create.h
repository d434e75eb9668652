/*
 * Creates and deletes keys in the vault. Both need a setting of the administrator.
 *
 * Owns nothing. Any thread, with a session. Rules: specification.md section 3. Everything that can
 * be checked is checked before the one request that cannot be undone.
 */
#ifndef AKVEKM_PROVIDER_CREATE_H
#define AKVEKM_PROVIDER_CREATE_H

#include "provider/session.h"

/* EKM_NOT_SUPPORTED without allow_create; EKM_FAILURE if the name exists. */
enum ekm_rc create_key(struct call *call, const struct session *session, const SqlCpStr *name,
                       SqlCpAlgId algorithm, SqlCpKeyThumbprint *out) EKM_MUST_CHECK;
/* EKM_NOT_SUPPORTED without allow_drop; EKM_FAILURE if deleting the whole key would delete more
 * than was asked for. */
enum ekm_rc create_drop_key(struct call *call, const struct session *session,
                            const SqlCpKeyThumbprint *thumbprint) EKM_MUST_CHECK;

#endif
