/*
 * Encrypt and Decrypt: wrapkey and unwrapkey with the pinned version.
 *
 * Owns nothing. Plain text is only in buffers that are wiped and in the engine's memory. Any
 * thread, with a session. Rules: specification.md section 4. Sizes are checked before anything is
 * sent; a size query never wraps or unwraps.
 */
#ifndef AKVEKM_PROVIDER_CRYPT_H
#define AKVEKM_PROVIDER_CRYPT_H

#include "provider/session.h"

enum ekm_rc crypt_encrypt(struct call *call, const struct session *session,
                          const SqlCpKeyThumbprint *thumbprint, bool is_final,
                          const SqlCpData *plain, SqlCpData *cipher) EKM_MUST_CHECK;
enum ekm_rc crypt_decrypt(struct call *call, const struct session *session,
                          const SqlCpKeyThumbprint *thumbprint, bool is_final,
                          const SqlCpData *cipher, SqlCpData *plain) EKM_MUST_CHECK;

#endif
