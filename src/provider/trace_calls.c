#include "provider/trace_calls.h"

#include "base/log.h"
#include "provider/entry.h"
#include "provider/trace.h"

/* The line about a full file is written in an entry of its own: that of the call has ended, and the
 * thread may impersonate a login again. */
static SqlCpError trace_calls_end(struct trace_line *line, SqlCpError result)
{
    struct entry_point entry;
    (void)trace_end(line, result);
    if (trace_has_filled()) {
        if (entry_begin(&entry, "trace")) {
            log_text(LEVEL_ERROR, 0, "trace",
                     "trace_file has reached trace_file_mb: the recording ends");
        }
        (void)entry_end(&entry);
    }
    return result;
}

SqlCpError trace_free_provider(__typeof__(SqlCryptFreeProvider) *call)
{
    struct trace_line line;
    trace_begin(&line, "FreeProvider");
    trace_last(&line);
    return call();
}

SqlCpError trace_initialize(__typeof__(SqlCryptInitializeProvider) *call)
{
    struct trace_line line;
    trace_begin(&line, "InitializeProvider");
    SqlCpError result = call();
    return trace_wanted() ? trace_calls_end(&line, result) : result;
}

static void trace_gives(struct trace_line *line, uint32_t size)
{
    trace_number(line, "gives", size);
}

SqlCpError trace_provider_info(__typeof__(SqlCryptGetProviderInfo) *call, SqlCpProviderInfo *info)
{
    struct trace_line line;
    trace_begin(&line, "GetProviderInfo");
    if (info != NULL) {
        trace_size(&line, "out", info->name.cb, info->name.ws);
    }
    SqlCpError result = call(info);
    if (info != NULL) {
        trace_gives(&line, info->name.cb);
    }
    return trace_calls_end(&line, result);
}

SqlCpError trace_next_algorithm(__typeof__(SqlCryptGetNextAlgorithmId) *call, SqlCpAlgId *id)
{
    struct trace_line line;
    trace_begin(&line, "GetNextAlgorithmId");
    if (id != NULL) {
        trace_number(&line, "alg", *id);
    }
    SqlCpError result = call(id);
    if (id != NULL) {
        trace_gives(&line, *id);
    }
    return trace_calls_end(&line, result);
}

SqlCpError trace_algorithm(__typeof__(SqlCryptGetAlgorithmInfo) *call, SqlCpAlgId id,
                           SqlCpAlgorithmInfo *info)
{
    struct trace_line line;
    trace_begin(&line, "GetAlgorithmInfo");
    trace_number(&line, "alg", id);
    if (info != NULL) {
        trace_size(&line, "out", info->algTag.cb, info->algTag.ws);
    }
    SqlCpError result = call(id, info);
    if (info != NULL) {
        trace_gives(&line, info->algTag.cb);
    }
    return trace_calls_end(&line, result);
}

/* Of a credential only whether it is there. */
SqlCpError trace_open_session(__typeof__(SqlCryptOpenSession) *call, const SqlCpCredential *auth,
                              SqlCpSession *session)
{
    struct trace_line line;
    trace_begin(&line, "OpenSession");
    trace_number(&line, "auth", auth != NULL);
    if (auth != NULL) {
        trace_size(&line, "identity", auth->name.cb, auth->name.ws);
        trace_number(&line, "secret", auth->password.ws != NULL);
    }
    SqlCpError result = call(auth, session);
    if (result == SQLCP_SUCCESS) {
        trace_session(&line, session);
    }
    return trace_calls_end(&line, result);
}

SqlCpError trace_close_session(__typeof__(SqlCryptCloseSession) *call, SqlCpSession *session,
                               SqlCpBoolean abort)
{
    struct trace_line line;
    trace_begin(&line, "CloseSession");
    trace_session(&line, session);
    trace_number(&line, "abort", abort);
    return trace_calls_end(&line, call(session, abort));
}

SqlCpError trace_create_key(__typeof__(SqlCryptCreateKey) *call, const SqlCpSession *session,
                            const SqlCpStr *name, SqlCpAlgId algorithm, SqlCpKeyFlags flags,
                            SqlCpKeyThumbprint *thumb)
{
    struct trace_line line;
    trace_begin(&line, "CreateKey");
    trace_session(&line, session);
    trace_name(&line, name);
    trace_number(&line, "alg", algorithm);
    trace_number(&line, "flags", flags);
    trace_data(&line, "out", thumb);
    SqlCpError result = call(session, name, algorithm, flags, thumb);
    if (thumb != NULL) {
        trace_gives(&line, thumb->cb);
    }
    if (result == SQLCP_SUCCESS) {
        trace_thumbprint(&line, thumb);
    }
    return trace_calls_end(&line, result);
}

SqlCpError trace_drop_key(__typeof__(SqlCryptDropKey) *call, const SqlCpSession *session,
                          const SqlCpKeyThumbprint *thumb)
{
    struct trace_line line;
    trace_begin(&line, "DropKey");
    trace_session(&line, session);
    trace_thumbprint(&line, thumb);
    return trace_calls_end(&line, call(session, thumb));
}

SqlCpError trace_next_key(__typeof__(SqlCryptGetNextKeyId) *call, const SqlCpSession *session,
                          SqlCpKeyId *id)
{
    struct trace_line line;
    trace_begin(&line, "GetNextKeyId");
    trace_session(&line, session);
    if (id != NULL) {
        trace_number(&line, "key", *id);
    }
    SqlCpError result = call(session, id);
    if (id != NULL) {
        trace_gives(&line, *id);
    }
    return trace_calls_end(&line, result);
}

/* The buffers for name and thumbprint. */
static void trace_offered_key(struct trace_line *line, const SqlCpKeyInfo *info)
{
    if (info != NULL) {
        trace_size(line, "out", info->name.cb, info->name.ws);
        trace_size(line, "out2", info->thumb.cb, info->thumb.pb);
    }
}

static SqlCpError trace_given_key(struct trace_line *line, const SqlCpKeyInfo *info,
                                  SqlCpError result)
{
    if (info != NULL) {
        trace_gives(line, info->name.cb);
        trace_number(line, "gives2", info->thumb.cb);
    }
    return trace_calls_end(line, result);
}

SqlCpError trace_key_by_id(__typeof__(SqlCryptGetKeyInfoByKeyId) *call, const SqlCpSession *session,
                           SqlCpKeyId id, SqlCpKeyInfo *info)
{
    struct trace_line line;
    trace_begin(&line, "GetKeyInfoByKeyId");
    trace_session(&line, session);
    trace_number(&line, "key", id);
    trace_offered_key(&line, info);
    return trace_given_key(&line, info, call(session, id, info));
}

SqlCpError trace_key_by_thumb(__typeof__(SqlCryptGetKeyInfoByThumb) *call,
                              const SqlCpSession *session, const SqlCpKeyThumbprint *thumb,
                              SqlCpKeyInfo *info)
{
    struct trace_line line;
    trace_begin(&line, "GetKeyInfoByThumb");
    trace_session(&line, session);
    trace_thumbprint(&line, thumb);
    trace_offered_key(&line, info);
    return trace_given_key(&line, info, call(session, thumb, info));
}

SqlCpError trace_key_by_name(__typeof__(SqlCryptGetKeyInfoByName) *call,
                             const SqlCpSession *session, const SqlCpStr *name, SqlCpKeyInfo *info)
{
    struct trace_line line;
    trace_begin(&line, "GetKeyInfoByName");
    trace_session(&line, session);
    trace_name(&line, name);
    trace_offered_key(&line, info);
    return trace_given_key(&line, info, call(session, name, info));
}

SqlCpError trace_export_key(__typeof__(SqlCryptExportKey) *call, const SqlCpSession *session,
                            const SqlCpKeyThumbprint *thumb, const SqlCpKeyThumbprint *encryptor,
                            SqlCpKeyBlobType type, SqlCpKeyBlob *blob)
{
    struct trace_line line;
    trace_begin(&line, "ExportKey");
    trace_session(&line, session);
    trace_thumbprint(&line, thumb);
    trace_number(&line, "encryptor", encryptor != NULL);
    trace_number(&line, "type", (uint32_t)type);
    trace_data(&line, "out", blob);
    SqlCpError result = call(session, thumb, encryptor, type, blob);
    if (blob != NULL) {
        trace_gives(&line, blob->cb);
    }
    return trace_calls_end(&line, result);
}

SqlCpError trace_import_key(__typeof__(SqlCryptImportKey) *call, const SqlCpSession *session,
                            const SqlCpStr *name, const SqlCpKeyThumbprint *decryptor,
                            SqlCpKeyBlobType type, SqlCpKeyFlags flags, const SqlCpKeyBlob *blob)
{
    struct trace_line line;
    trace_begin(&line, "ImportKey");
    trace_session(&line, session);
    trace_name(&line, name);
    trace_number(&line, "decryptor", decryptor != NULL);
    trace_number(&line, "type", (uint32_t)type);
    trace_number(&line, "flags", flags);
    trace_data(&line, "in", blob);
    return trace_calls_end(&line, call(session, name, decryptor, type, flags, blob));
}

SqlCpError trace_crypt(__typeof__(SqlCryptEncrypt) *call, const char *function,
                       const SqlCpSession *session, const SqlCpKeyThumbprint *thumb,
                       SqlCpBoolean final, const SqlCpEncryptionParam *params, uint32_t n_params,
                       const SqlCpData *in, SqlCpData *out)
{
    struct trace_line line;
    trace_begin(&line, function);
    trace_session(&line, session);
    trace_thumbprint(&line, thumb);
    trace_number(&line, "final", final);
    trace_size(&line, "params", n_params, params);
    trace_data(&line, "in", in);
    trace_data(&line, "out", out);
    SqlCpError result = call(session, thumb, final, params, n_params, in, out);
    if (out != NULL) {
        trace_gives(&line, out->cb);
    }
    return trace_calls_end(&line, result);
}
