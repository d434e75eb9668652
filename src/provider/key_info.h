/*
 * What the host asks about one key: by name, by thumbprint, and its public part.
 *
 * Owns nothing; the size query by name leaves its answer with the session. Any thread, with a
 * session. Rules: specification.md section 3.
 */
#ifndef AKVEKM_PROVIDER_KEY_INFO_H
#define AKVEKM_PROVIDER_KEY_INFO_H

#include "provider/session.h"

/* One GET for both calls of the two-call dance. Before EKM_OK the thumbprint's entry in the map is
 * durable. */
enum ekm_rc key_info_by_name(struct call *call, struct session *session, const SqlCpStr *name,
                             SqlCpKeyInfo *out) EKM_MUST_CHECK;
enum ekm_rc key_info_by_thumbprint(struct call *call, const struct session *session,
                                   const SqlCpKeyThumbprint *thumbprint,
                                   SqlCpKeyInfo *out) EKM_MUST_CHECK;
/* The CNG form of the public key; EKM_NOT_SUPPORTED for everything else. */
enum ekm_rc key_info_export(struct call *call, const struct session *session,
                            const SqlCpKeyThumbprint *thumbprint,
                            const SqlCpKeyThumbprint *encryptor, SqlCpKeyBlobType type,
                            SqlCpKeyBlob *out) EKM_MUST_CHECK;

/* The thumbprint under which this key is or will be known: the map's, if it knows the KeyUri, else
 * computed. */
enum ekm_rc key_info_thumbprint(struct call *call, const struct vault *vault,
                                const struct vault_key *key, struct thumbprint *out) EKM_MUST_CHECK;

#endif
