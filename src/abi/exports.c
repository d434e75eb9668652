/*
 * The 17 doors: enter, one call inward, leave. All exports there are (cmake/exports.txt).
 */
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif
#include "akvekm/sqlcrypt.h"
#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#include "provider/create.h"
#include "provider/crypt.h"
#include "provider/entry.h"
#include "provider/key_enum.h"
#include "provider/key_info.h"
#include "provider/provider.h"
#include "provider/provider_info.h"
#include "provider/session.h"

SqlCpError SqlCryptInitializeProvider(void)
{
    struct entry_engine_state host;
    if (provider_check_process() != EKM_OK) {
        return ekm_code(EKM_CLOSING);
    }
    entry_save_engine_state(&host);
    enum ekm_rc rc = provider_initialize();
    entry_restore_engine_state(&host);
    return ekm_code(rc);
}

SqlCpError SqlCryptFreeProvider(void)
{
    struct entry_engine_state host;
    if (provider_check_process() != EKM_OK) {
        return ekm_code(EKM_CLOSING);
    }
    entry_save_engine_state(&host);
    enum ekm_rc rc = provider_free();
    entry_restore_engine_state(&host);
    return ekm_code(rc);
}

/* These three work in any state; only a forked child may not enter their lock. */
SqlCpError SqlCryptGetProviderInfo(SqlCpProviderInfo *info)
{
    enum ekm_rc rc = provider_check_process();
    return ekm_code(rc == EKM_OK ? provider_info_read(info) : rc);
}

SqlCpError SqlCryptGetNextAlgorithmId(SqlCpAlgId *algId)
{
    enum ekm_rc rc = provider_check_process();
    return ekm_code(rc == EKM_OK ? provider_info_next_algorithm(algId) : rc);
}

SqlCpError SqlCryptGetAlgorithmInfo(SqlCpAlgId algId, SqlCpAlgorithmInfo *info)
{
    enum ekm_rc rc = provider_check_process();
    return ekm_code(rc == EKM_OK ? provider_info_algorithm(algId, info) : rc);
}

SqlCpError SqlCryptOpenSession(const SqlCpCredential *auth, SqlCpSession *session)
{
    struct entry_point door;
    enum ekm_rc rc = entry_begin(&door, "OpenSession");
    if (rc == EKM_OK) {
        rc = session_open(&door.call, auth, session);
    }
    return entry_end(&door, rc);
}

SqlCpError SqlCryptCloseSession(SqlCpSession *session, SqlCpBoolean abort)
{
    struct entry_point door;
    enum ekm_rc rc = entry_begin(&door, "CloseSession");
    if (rc == EKM_OK) {
        rc = session_close(session, abort != 0);
    }
    return entry_end(&door, rc);
}

SqlCpError SqlCryptCreateKey(const SqlCpSession *session, const SqlCpStr *name, SqlCpAlgId algId,
                             SqlCpKeyFlags flags, SqlCpKeyThumbprint *thumb)
{
    struct entry_point door;
    enum ekm_rc rc = entry_begin_session(&door, "CreateKey", session);
    (void)flags;
    if (rc == EKM_OK) {
        rc = create_key(&door.call, door.session, name, algId, thumb);
    }
    return entry_end(&door, rc);
}

SqlCpError SqlCryptDropKey(const SqlCpSession *session, const SqlCpKeyThumbprint *thumb)
{
    struct entry_point door;
    enum ekm_rc rc = entry_begin_session(&door, "DropKey", session);
    if (rc == EKM_OK) {
        rc = create_drop_key(&door.call, door.session, thumb);
    }
    return entry_end(&door, rc);
}

SqlCpError SqlCryptGetNextKeyId(const SqlCpSession *session, SqlCpKeyId *keyId)
{
    struct entry_point door;
    enum ekm_rc rc = entry_begin_session(&door, "GetNextKeyId", session);
    if (rc == EKM_OK) {
        rc = key_enum_next(&door.call, door.session, keyId);
    }
    return entry_end(&door, rc);
}

SqlCpError SqlCryptGetKeyInfoByKeyId(const SqlCpSession *session, SqlCpKeyId keyId,
                                     SqlCpKeyInfo *info)
{
    struct entry_point door;
    enum ekm_rc rc = entry_begin_session(&door, "GetKeyInfoByKeyId", session);
    if (rc == EKM_OK) {
        rc = key_enum_info(&door.call, door.session, keyId, info);
    }
    return entry_end(&door, rc);
}

SqlCpError SqlCryptGetKeyInfoByThumb(const SqlCpSession *session, const SqlCpKeyThumbprint *thumb,
                                     SqlCpKeyInfo *info)
{
    struct entry_point door;
    enum ekm_rc rc = entry_begin_session(&door, "GetKeyInfoByThumb", session);
    if (rc == EKM_OK) {
        rc = key_info_by_thumbprint(&door.call, door.session, thumb, info);
    }
    return entry_end(&door, rc);
}

SqlCpError SqlCryptGetKeyInfoByName(const SqlCpSession *session, const SqlCpStr *name,
                                    SqlCpKeyInfo *info)
{
    struct entry_point door;
    enum ekm_rc rc = entry_begin_session(&door, "GetKeyInfoByName", session);
    if (rc == EKM_OK) {
        rc = key_info_by_name(&door.call, door.session, name, info);
    }
    return entry_end(&door, rc);
}

SqlCpError SqlCryptExportKey(const SqlCpSession *session, const SqlCpKeyThumbprint *thumb,
                             const SqlCpKeyThumbprint *encryptor, SqlCpKeyBlobType type,
                             SqlCpKeyBlob *blob)
{
    struct entry_point door;
    enum ekm_rc rc = entry_begin_session(&door, "ExportKey", session);
    if (rc == EKM_OK) {
        rc = key_info_export(&door.call, door.session, thumb, encryptor, type, blob);
    }
    return entry_end(&door, rc);
}

SqlCpError SqlCryptImportKey(const SqlCpSession *session, const SqlCpStr *name,
                             const SqlCpKeyThumbprint *decryptor, SqlCpKeyBlobType type,
                             SqlCpKeyFlags flags, const SqlCpKeyBlob *blob)
{
    struct entry_point door;
    enum ekm_rc rc = entry_begin_session(&door, "ImportKey", session);
    (void)name;
    (void)decryptor;
    (void)type;
    (void)flags;
    (void)blob;
    if (rc == EKM_OK) {
        rc = EKM_NOT_SUPPORTED;
    }
    return entry_end(&door, rc);
}

/* The parameters are initialization vectors, which RSA has no use for. */
SqlCpError SqlCryptEncrypt(const SqlCpSession *session, const SqlCpKeyThumbprint *thumb,
                           SqlCpBoolean final, const SqlCpEncryptionParam *params, uint32_t nParams,
                           const SqlCpData *plain, SqlCpData *cipher)
{
    struct entry_point door;
    enum ekm_rc rc = entry_begin_session(&door, "Encrypt", session);
    (void)params;
    (void)nParams;
    if (rc == EKM_OK) {
        rc = crypt_encrypt(&door.call, door.session, thumb, final != 0, plain, cipher);
    }
    return entry_end(&door, rc);
}

SqlCpError SqlCryptDecrypt(const SqlCpSession *session, const SqlCpKeyThumbprint *thumb,
                           SqlCpBoolean final, const SqlCpEncryptionParam *params, uint32_t nParams,
                           const SqlCpData *cipher, SqlCpData *plain)
{
    struct entry_point door;
    enum ekm_rc rc = entry_begin_session(&door, "Decrypt", session);
    (void)params;
    (void)nParams;
    if (rc == EKM_OK) {
        rc = crypt_decrypt(&door.call, door.session, thumb, final != 0, cipher, plain);
    }
    return entry_end(&door, rc);
}
