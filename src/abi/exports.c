/*
 * The 17 exports (cmake/exports.txt). Each begins an entry, makes one call inward and ends the
 * entry. While calls are recorded they go through provider/trace_calls.h.
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
#include "provider/trace.h"
#include "provider/trace_calls.h"

/* Begins no entry: before Initialize and after Free there is no configuration. */
static SqlCpError exports_change_state(enum ekm_rc (*change)(void))
{
    struct entry_engine_state engine;
    enum ekm_rc rc = provider_check_process();
    if (rc != EKM_OK) {
        return ekm_code(rc);
    }
    rc = entry_save_engine_state(&engine);
    if (rc != EKM_OK) {
        return ekm_code(rc);
    }
    SqlCpError code = ekm_code(change());
    rc = entry_restore_engine_state(&engine);
    return rc != EKM_OK ? ekm_code(rc) : code;
}

static SqlCpError exports_initialize(void)
{
    return exports_change_state(provider_initialize);
}

static SqlCpError exports_free_provider(void)
{
    return exports_change_state(provider_free);
}

/* These three work in any state and touch only memory, so the thread's login does not matter. Only
 * a forked child must not take their lock. */
static SqlCpError exports_provider_info(SqlCpProviderInfo *info)
{
    enum ekm_rc rc = provider_check_process();
    if (rc != EKM_OK) {
        return ekm_code(rc);
    }
    return ekm_code(provider_info_read(info));
}

static SqlCpError exports_next_algorithm(SqlCpAlgId *algId)
{
    enum ekm_rc rc = provider_check_process();
    if (rc != EKM_OK) {
        return ekm_code(rc);
    }
    return ekm_code(provider_info_next_algorithm(algId));
}

static SqlCpError exports_algorithm(SqlCpAlgId algId, SqlCpAlgorithmInfo *info)
{
    enum ekm_rc rc = provider_check_process();
    if (rc != EKM_OK) {
        return ekm_code(rc);
    }
    return ekm_code(provider_info_algorithm(algId, info));
}

static SqlCpError exports_open_session(const SqlCpCredential *auth, SqlCpSession *session)
{
    struct entry_point entry;
    if (entry_begin(&entry, "OpenSession")) {
        entry.rc = session_open(&entry.call, auth, session);
    }
    return entry_end(&entry);
}

static SqlCpError exports_close_session(SqlCpSession *session, SqlCpBoolean abort)
{
    struct entry_point entry;
    if (entry_begin(&entry, "CloseSession")) {
        entry.rc = session_close(session, abort != 0);
    }
    return entry_end(&entry);
}

static SqlCpError exports_create_key(const SqlCpSession *session, const SqlCpStr *name,
                                     SqlCpAlgId algId, SqlCpKeyFlags flags,
                                     SqlCpKeyThumbprint *thumb)
{
    struct entry_point entry;
    (void)flags;
    if (entry_begin_session(&entry, "CreateKey", session)) {
        entry.rc = create_key(&entry.call, entry.session, name, algId, thumb);
    }
    return entry_end(&entry);
}

static SqlCpError exports_drop_key(const SqlCpSession *session, const SqlCpKeyThumbprint *thumb)
{
    struct entry_point entry;
    if (entry_begin_session(&entry, "DropKey", session)) {
        entry.rc = create_drop_key(&entry.call, entry.session, thumb);
    }
    return entry_end(&entry);
}

static SqlCpError exports_next_key(const SqlCpSession *session, SqlCpKeyId *keyId)
{
    struct entry_point entry;
    if (entry_begin_session(&entry, "GetNextKeyId", session)) {
        entry.rc = key_enum_next(&entry.call, entry.session, keyId);
    }
    return entry_end(&entry);
}

static SqlCpError exports_key_by_id(const SqlCpSession *session, SqlCpKeyId keyId,
                                    SqlCpKeyInfo *info)
{
    struct entry_point entry;
    if (entry_begin_session(&entry, "GetKeyInfoByKeyId", session)) {
        entry.rc = key_enum_info(&entry.call, entry.session, keyId, info);
    }
    return entry_end(&entry);
}

static SqlCpError exports_key_by_thumb(const SqlCpSession *session, const SqlCpKeyThumbprint *thumb,
                                       SqlCpKeyInfo *info)
{
    struct entry_point entry;
    if (entry_begin_session(&entry, "GetKeyInfoByThumb", session)) {
        entry.rc = key_info_by_thumbprint(&entry.call, entry.session, thumb, info);
    }
    return entry_end(&entry);
}

static SqlCpError exports_key_by_name(const SqlCpSession *session, const SqlCpStr *name,
                                      SqlCpKeyInfo *info)
{
    struct entry_point entry;
    if (entry_begin_session(&entry, "GetKeyInfoByName", session)) {
        entry.rc = key_info_by_name(&entry.call, entry.session, name, info);
    }
    return entry_end(&entry);
}

static SqlCpError exports_export_key(const SqlCpSession *session, const SqlCpKeyThumbprint *thumb,
                                     const SqlCpKeyThumbprint *encryptor, SqlCpKeyBlobType type,
                                     SqlCpKeyBlob *blob)
{
    struct entry_point entry;
    if (entry_begin_session(&entry, "ExportKey", session)) {
        entry.rc = key_info_export(&entry.call, entry.session, thumb, encryptor, type, blob);
    }
    return entry_end(&entry);
}

static SqlCpError exports_import_key(const SqlCpSession *session, const SqlCpStr *name,
                                     const SqlCpKeyThumbprint *decryptor, SqlCpKeyBlobType type,
                                     SqlCpKeyFlags flags, const SqlCpKeyBlob *blob)
{
    struct entry_point entry;
    (void)name;
    (void)decryptor;
    (void)type;
    (void)flags;
    (void)blob;
    if (entry_begin_session(&entry, "ImportKey", session)) {
        entry.rc = EKM_NOT_SUPPORTED;
    }
    return entry_end(&entry);
}

/* The parameters are initialization vectors, which RSA does not use. */
static SqlCpError exports_encrypt(const SqlCpSession *session, const SqlCpKeyThumbprint *thumb,
                                  SqlCpBoolean final, const SqlCpEncryptionParam *params,
                                  uint32_t nParams, const SqlCpData *plain, SqlCpData *cipher)
{
    struct entry_point entry;
    (void)params;
    (void)nParams;
    if (entry_begin_session(&entry, "Encrypt", session)) {
        entry.rc = crypt_encrypt(&entry.call, entry.session, thumb, final != 0, plain, cipher);
    }
    return entry_end(&entry);
}

static SqlCpError exports_decrypt(const SqlCpSession *session, const SqlCpKeyThumbprint *thumb,
                                  SqlCpBoolean final, const SqlCpEncryptionParam *params,
                                  uint32_t nParams, const SqlCpData *cipher, SqlCpData *plain)
{
    struct entry_point entry;
    (void)params;
    (void)nParams;
    if (entry_begin_session(&entry, "Decrypt", session)) {
        entry.rc = crypt_decrypt(&entry.call, entry.session, thumb, final != 0, cipher, plain);
    }
    return entry_end(&entry);
}

/* The recording begins in Initialize. */
SqlCpError SqlCryptInitializeProvider(void)
{
    return trace_initialize(exports_initialize);
}

SqlCpError SqlCryptFreeProvider(void)
{
    return trace_wanted() ? trace_free_provider(exports_free_provider) : exports_free_provider();
}

SqlCpError SqlCryptGetProviderInfo(SqlCpProviderInfo *info)
{
    return trace_wanted() ? trace_provider_info(exports_provider_info, info)
                          : exports_provider_info(info);
}

SqlCpError SqlCryptGetNextAlgorithmId(SqlCpAlgId *algId)
{
    return trace_wanted() ? trace_next_algorithm(exports_next_algorithm, algId)
                          : exports_next_algorithm(algId);
}

SqlCpError SqlCryptGetAlgorithmInfo(SqlCpAlgId algId, SqlCpAlgorithmInfo *info)
{
    return trace_wanted() ? trace_algorithm(exports_algorithm, algId, info)
                          : exports_algorithm(algId, info);
}

SqlCpError SqlCryptOpenSession(const SqlCpCredential *auth, SqlCpSession *session)
{
    return trace_wanted() ? trace_open_session(exports_open_session, auth, session)
                          : exports_open_session(auth, session);
}

SqlCpError SqlCryptCloseSession(SqlCpSession *session, SqlCpBoolean abort)
{
    return trace_wanted() ? trace_close_session(exports_close_session, session, abort)
                          : exports_close_session(session, abort);
}

SqlCpError SqlCryptCreateKey(const SqlCpSession *session, const SqlCpStr *name, SqlCpAlgId algId,
                             SqlCpKeyFlags flags, SqlCpKeyThumbprint *thumb)
{
    return trace_wanted() ? trace_create_key(exports_create_key, session, name, algId, flags, thumb)
                          : exports_create_key(session, name, algId, flags, thumb);
}

SqlCpError SqlCryptDropKey(const SqlCpSession *session, const SqlCpKeyThumbprint *thumb)
{
    return trace_wanted() ? trace_drop_key(exports_drop_key, session, thumb)
                          : exports_drop_key(session, thumb);
}

SqlCpError SqlCryptGetNextKeyId(const SqlCpSession *session, SqlCpKeyId *keyId)
{
    return trace_wanted() ? trace_next_key(exports_next_key, session, keyId)
                          : exports_next_key(session, keyId);
}

SqlCpError SqlCryptGetKeyInfoByKeyId(const SqlCpSession *session, SqlCpKeyId keyId,
                                     SqlCpKeyInfo *info)
{
    return trace_wanted() ? trace_key_by_id(exports_key_by_id, session, keyId, info)
                          : exports_key_by_id(session, keyId, info);
}

SqlCpError SqlCryptGetKeyInfoByThumb(const SqlCpSession *session, const SqlCpKeyThumbprint *thumb,
                                     SqlCpKeyInfo *info)
{
    return trace_wanted() ? trace_key_by_thumb(exports_key_by_thumb, session, thumb, info)
                          : exports_key_by_thumb(session, thumb, info);
}

SqlCpError SqlCryptGetKeyInfoByName(const SqlCpSession *session, const SqlCpStr *name,
                                    SqlCpKeyInfo *info)
{
    return trace_wanted() ? trace_key_by_name(exports_key_by_name, session, name, info)
                          : exports_key_by_name(session, name, info);
}

SqlCpError SqlCryptExportKey(const SqlCpSession *session, const SqlCpKeyThumbprint *thumb,
                             const SqlCpKeyThumbprint *encryptor, SqlCpKeyBlobType type,
                             SqlCpKeyBlob *blob)
{
    return trace_wanted()
               ? trace_export_key(exports_export_key, session, thumb, encryptor, type, blob)
               : exports_export_key(session, thumb, encryptor, type, blob);
}

SqlCpError SqlCryptImportKey(const SqlCpSession *session, const SqlCpStr *name,
                             const SqlCpKeyThumbprint *decryptor, SqlCpKeyBlobType type,
                             SqlCpKeyFlags flags, const SqlCpKeyBlob *blob)
{
    return trace_wanted()
               ? trace_import_key(exports_import_key, session, name, decryptor, type, flags, blob)
               : exports_import_key(session, name, decryptor, type, flags, blob);
}

SqlCpError SqlCryptEncrypt(const SqlCpSession *session, const SqlCpKeyThumbprint *thumb,
                           SqlCpBoolean final, const SqlCpEncryptionParam *params, uint32_t nParams,
                           const SqlCpData *plain, SqlCpData *cipher)
{
    return trace_wanted() ? trace_crypt(exports_encrypt, "Encrypt", session, thumb, final, params,
                                        nParams, plain, cipher)
                          : exports_encrypt(session, thumb, final, params, nParams, plain, cipher);
}

SqlCpError SqlCryptDecrypt(const SqlCpSession *session, const SqlCpKeyThumbprint *thumb,
                           SqlCpBoolean final, const SqlCpEncryptionParam *params, uint32_t nParams,
                           const SqlCpData *cipher, SqlCpData *plain)
{
    return trace_wanted() ? trace_crypt(exports_decrypt, "Decrypt", session, thumb, final, params,
                                        nParams, cipher, plain)
                          : exports_decrypt(session, thumb, final, params, nParams, cipher, plain);
}
