/*
 * Information about one key: by name, by thumbprint, and its public part.
 *
 * Owns nothing; the size query by name stores its response in the session. Any thread, with a
 * session. Rules: specification.md section 3.
 */
#ifndef AKVEKM_PROVIDER_KEY_INFO_H
#define AKVEKM_PROVIDER_KEY_INFO_H

#include "provider/session.h"

/* Sends one GET for both calls of the two-call dance. Before EKM_OK the thumbprint's entry in the
 * map is durable. */
enum ekm_rc key_info_by_name(struct call *call, struct session *session, const SqlCpStr *name,
                             SqlCpKeyInfo *out) EKM_MUST_CHECK;
enum ekm_rc key_info_by_thumbprint(struct call *call, const struct session *session,
                                   const SqlCpKeyThumbprint *thumbprint,
                                   SqlCpKeyInfo *out) EKM_MUST_CHECK;
/* The public key in CNG form; EKM_NOT_SUPPORTED for every other form. */
enum ekm_rc key_info_export(struct call *call, const struct session *session,
                            const SqlCpKeyThumbprint *thumbprint,
                            const SqlCpKeyThumbprint *encryptor, SqlCpKeyBlobType type,
                            SqlCpKeyBlob *out) EKM_MUST_CHECK;

/* The thumbprint of this key: the map's, if the map has the KeyUri, otherwise computed. */
enum ekm_rc key_info_thumbprint(struct call *call, const struct vault *vault,
                                const struct vault_key *key, struct thumbprint *out) EKM_MUST_CHECK;

#endif
