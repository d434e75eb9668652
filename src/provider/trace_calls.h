/*
 * Records each call of the engine: the arguments, the call itself, the result.
 *
 * The exports call these while trace_wanted(). The call is passed as a function with the export's
 * own arguments. Only sizes, names and thumbprints are read, within the sizes that SQL Server
 * states. Any thread.
 */
#ifndef AKVEKM_PROVIDER_TRACE_CALLS_H
#define AKVEKM_PROVIDER_TRACE_CALLS_H

#include "akvekm/sqlcrypt.h"

/* Without a result if it is the last Free, after which there is no file. */
SqlCpError trace_free_provider(__typeof__(SqlCryptFreeProvider) *call);
SqlCpError trace_initialize(__typeof__(SqlCryptInitializeProvider) *call);
SqlCpError trace_provider_info(__typeof__(SqlCryptGetProviderInfo) *call, SqlCpProviderInfo *info);
SqlCpError trace_next_algorithm(__typeof__(SqlCryptGetNextAlgorithmId) *call, SqlCpAlgId *id);
SqlCpError trace_algorithm(__typeof__(SqlCryptGetAlgorithmInfo) *call, SqlCpAlgId id,
                           SqlCpAlgorithmInfo *info);
SqlCpError trace_open_session(__typeof__(SqlCryptOpenSession) *call, const SqlCpCredential *auth,
                              SqlCpSession *session);
SqlCpError trace_close_session(__typeof__(SqlCryptCloseSession) *call, SqlCpSession *session,
                               SqlCpBoolean abort);
SqlCpError trace_create_key(__typeof__(SqlCryptCreateKey) *call, const SqlCpSession *session,
                            const SqlCpStr *name, SqlCpAlgId algorithm, SqlCpKeyFlags flags,
                            SqlCpKeyThumbprint *thumb);
SqlCpError trace_drop_key(__typeof__(SqlCryptDropKey) *call, const SqlCpSession *session,
                          const SqlCpKeyThumbprint *thumb);
SqlCpError trace_next_key(__typeof__(SqlCryptGetNextKeyId) *call, const SqlCpSession *session,
                          SqlCpKeyId *id);
SqlCpError trace_key_by_id(__typeof__(SqlCryptGetKeyInfoByKeyId) *call, const SqlCpSession *session,
                           SqlCpKeyId id, SqlCpKeyInfo *info);
SqlCpError trace_key_by_thumb(__typeof__(SqlCryptGetKeyInfoByThumb) *call,
                              const SqlCpSession *session, const SqlCpKeyThumbprint *thumb,
                              SqlCpKeyInfo *info);
SqlCpError trace_key_by_name(__typeof__(SqlCryptGetKeyInfoByName) *call,
                             const SqlCpSession *session, const SqlCpStr *name, SqlCpKeyInfo *info);
SqlCpError trace_export_key(__typeof__(SqlCryptExportKey) *call, const SqlCpSession *session,
                            const SqlCpKeyThumbprint *thumb, const SqlCpKeyThumbprint *encryptor,
                            SqlCpKeyBlobType type, SqlCpKeyBlob *blob);
SqlCpError trace_import_key(__typeof__(SqlCryptImportKey) *call, const SqlCpSession *session,
                            const SqlCpStr *name, const SqlCpKeyThumbprint *decryptor,
                            SqlCpKeyBlobType type, SqlCpKeyFlags flags, const SqlCpKeyBlob *blob);
/* Encrypt or Decrypt. */
SqlCpError trace_crypt(__typeof__(SqlCryptEncrypt) *call, const char *function,
                       const SqlCpSession *session, const SqlCpKeyThumbprint *thumb,
                       SqlCpBoolean final, const SqlCpEncryptionParam *params, uint32_t n_params,
                       const SqlCpData *in, SqlCpData *out);

#endif
