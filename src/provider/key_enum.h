/*
 * Enumerates a vault's keys: ids 1, 2, 3 ... in the order of names, the same while the session is
 * open.
 *
 * Owns nothing: the names are the session's (key_list.h), listed at the first call. Any thread,
 * with a session.
 */
#ifndef AKVEKM_PROVIDER_KEY_ENUM_H
#define AKVEKM_PROVIDER_KEY_ENUM_H

#include "akvekm/sqlcrypt.h"
#include "base/call.h"

struct session;

/* From SQLCP_INVALID_ID to the first key that SQL Server can use, then to the next ones.
 * EKM_NOT_FOUND after the last. */
enum ekm_rc key_enum_next(struct call *call, struct session *session,
                          SqlCpKeyId *id) EKM_MUST_CHECK;
/* EKM_NOT_FOUND for an id that the enumeration does not have. */
enum ekm_rc key_enum_info(struct call *call, struct session *session, SqlCpKeyId id,
                          SqlCpKeyInfo *out) EKM_MUST_CHECK;

#endif
