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
#include "provider/door.h"
#include "provider/info.h"
#include "provider/keyinfo.h"
#include "provider/listing.h"
#include "provider/provider.h"
#include "provider/session.h"

SqlCpError SqlCryptInitializeProvider(void)
{
    struct door_host_state host;
    door_keep_host_state(&host);
    enum ekm_rc rc = provider_initialize();
    door_restore_host_state(&host);
    return ekm_code(rc);
}

SqlCpError SqlCryptFreeProvider(void)
{
    struct door_host_state host;
    door_keep_host_state(&host);
    enum ekm_rc rc = provider_free();
    door_restore_host_state(&host);
    return ekm_code(rc);
}

/* These three work in any state; only a forked child may not enter their lock. */
SqlCpError SqlCryptGetProviderInfo(SqlCpProviderInfo *info)
{
    enum ekm_rc rc = provider_check_process();
    return ekm_code(rc == EKM_OK ? info_provider(info) : rc);
}

SqlCpError SqlCryptGetNextAlgorithmId(SqlCpAlgId *algId)
{
    enum ekm_rc rc = provider_check_process();
    return ekm_code(rc == EKM_OK ? info_next_algorithm(algId) : rc);
}

SqlCpError SqlCryptGetAlgorithmInfo(SqlCpAlgId algId, SqlCpAlgorithmInfo *info)
{
    enum ekm_rc rc = provider_check_process();
    return ekm_code(rc == EKM_OK ? info_algorithm(algId, info) : rc);
}

SqlCpError SqlCryptOpenSession(const SqlCpCredential *auth, SqlCpSession *session)
{
    struct door door;
    enum ekm_rc rc = door_enter(&door, "OpenSession");
    if (rc == EKM_OK) {
        rc = session_open(&door.call, auth, session);
    }
    return door_leave(&door, rc);
}

SqlCpError SqlCryptCloseSession(SqlCpSession *session, SqlCpBoolean abort)
{
    struct door door;
    enum ekm_rc rc = door_enter(&door, "CloseSession");
    if (rc == EKM_OK) {
        rc = session_close(session, abort != 0);
    }
    return door_leave(&door, rc);
}

SqlCpError SqlCryptCreateKey(const SqlCpSession *session, const SqlCpStr *name, SqlCpAlgId algId,
                             SqlCpKeyFlags flags, SqlCpKeyThumbprint *thumb)
{
    struct door door;
    enum ekm_rc rc = door_enter_session(&door, "CreateKey", session);
    (void)flags;
    if (rc == EKM_OK) {
        rc = create_key(&door.call, door.session, name, algId, thumb);
    }
    return door_leave(&door, rc);
}

SqlCpError SqlCryptDropKey(const SqlCpSession *session, const SqlCpKeyThumbprint *thumb)
{
    struct door door;
    enum ekm_rc rc = door_enter_session(&door, "DropKey", session);
    if (rc == EKM_OK) {
        rc = create_drop_key(&door.call, door.session, thumb);
    }
    return door_leave(&door, rc);
}

SqlCpError SqlCryptGetNextKeyId(const SqlCpSession *session, SqlCpKeyId *keyId)
{
    struct door door;
    enum ekm_rc rc = door_enter_session(&door, "GetNextKeyId", session);
    if (rc == EKM_OK) {
        rc = listing_next(&door.call, door.session, keyId);
    }
    return door_leave(&door, rc);
}

SqlCpError SqlCryptGetKeyInfoByKeyId(const SqlCpSession *session, SqlCpKeyId keyId,
                                     SqlCpKeyInfo *info)
{
    struct door door;
    enum ekm_rc rc = door_enter_session(&door, "GetKeyInfoByKeyId", session);
    if (rc == EKM_OK) {
        rc = listing_info(&door.call, door.session, keyId, info);
    }
    return door_leave(&door, rc);
}

SqlCpError SqlCryptGetKeyInfoByThumb(const SqlCpSession *session, const SqlCpKeyThumbprint *thumb,
                                     SqlCpKeyInfo *info)
{
    struct door door;
    enum ekm_rc rc = door_enter_session(&door, "GetKeyInfoByThumb", session);
    if (rc == EKM_OK) {
        rc = keyinfo_by_thumbprint(&door.call, door.session, thumb, info);
    }
    return door_leave(&door, rc);
}

SqlCpError SqlCryptGetKeyInfoByName(const SqlCpSession *session, const SqlCpStr *name,
                                    SqlCpKeyInfo *info)
{
    struct door door;
    enum ekm_rc rc = door_enter_session(&door, "GetKeyInfoByName", session);
    if (rc == EKM_OK) {
        rc = keyinfo_by_name(&door.call, door.session, name, info);
    }
    return door_leave(&door, rc);
}

SqlCpError SqlCryptExportKey(const SqlCpSession *session, const SqlCpKeyThumbprint *thumb,
                             const SqlCpKeyThumbprint *encryptor, SqlCpKeyBlobType type,
                             SqlCpKeyBlob *blob)
{
    struct door door;
    enum ekm_rc rc = door_enter_session(&door, "ExportKey", session);
    if (rc == EKM_OK) {
        rc = keyinfo_export(&door.call, door.session, thumb, encryptor, type, blob);
    }
    return door_leave(&door, rc);
}

SqlCpError SqlCryptImportKey(const SqlCpSession *session, const SqlCpStr *name,
                             const SqlCpKeyThumbprint *decryptor, SqlCpKeyBlobType type,
                             SqlCpKeyFlags flags, const SqlCpKeyBlob *blob)
{
    struct door door;
    enum ekm_rc rc = door_enter_session(&door, "ImportKey", session);
    (void)name;
    (void)decryptor;
    (void)type;
    (void)flags;
    (void)blob;
    if (rc == EKM_OK) {
        rc = EKM_NOT_SUPPORTED;
    }
    return door_leave(&door, rc);
}

/* The parameters are initialization vectors, which RSA has no use for. */
SqlCpError SqlCryptEncrypt(const SqlCpSession *session, const SqlCpKeyThumbprint *thumb,
                           SqlCpBoolean final, const SqlCpEncryptionParam *params, uint32_t nParams,
                           const SqlCpData *plain, SqlCpData *cipher)
{
    struct door door;
    enum ekm_rc rc = door_enter_session(&door, "Encrypt", session);
    (void)params;
    (void)nParams;
    if (rc == EKM_OK) {
        rc = crypt_encrypt(&door.call, door.session, thumb, final != 0, plain, cipher);
    }
    return door_leave(&door, rc);
}

SqlCpError SqlCryptDecrypt(const SqlCpSession *session, const SqlCpKeyThumbprint *thumb,
                           SqlCpBoolean final, const SqlCpEncryptionParam *params, uint32_t nParams,
                           const SqlCpData *cipher, SqlCpData *plain)
{
    struct door door;
    enum ekm_rc rc = door_enter_session(&door, "Decrypt", session);
    (void)params;
    (void)nParams;
    if (rc == EKM_OK) {
        rc = crypt_decrypt(&door.call, door.session, thumb, final != 0, cipher, plain);
    }
    return door_leave(&door, rc);
}
