/*
 * A provider that breaks one rule, which the environment variable ROGUE names, and obeys all
 * others. With it tests see that the host notices the breach.
 *
 * It has one key, "K". Its cipher text is the plain text with every bit inverted.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <akvekm/sqlcrypt.h>

#include "platform.h"

enum { THUMB_LEN = 20, RESERVED_CODE = 99 };

static bool rogue_breaks(const char *rule)
{
    const char *named = getenv("ROGUE");
    return named && strcmp(named, rule) == 0;
}

static bool rogue_put(uint32_t *cb, void *out, const void *bytes, uint32_t len)
{
    bool room = out && *cb >= len;
    if (room)
        memcpy(out, bytes, len);
    *cb = len;
    return room;
}

PLATFORM_EXPORT SqlCpError SqlCryptInitializeProvider(void)
{
    return SQLCP_SUCCESS;
}

PLATFORM_EXPORT SqlCpError SqlCryptFreeProvider(void)
{
    return SQLCP_SUCCESS;
}

PLATFORM_EXPORT SqlCpError SqlCryptOpenSession(const SqlCpCredential *auth, SqlCpSession *session)
{
    static char place;
    (void)auth;
    *session = &place;
    return SQLCP_SUCCESS;
}

PLATFORM_EXPORT SqlCpError SqlCryptCloseSession(SqlCpSession *session, SqlCpBoolean abort_calls)
{
    (void)session;
    (void)abort_calls;
    return SQLCP_SUCCESS;
}

PLATFORM_EXPORT SqlCpError SqlCryptGetProviderInfo(SqlCpProviderInfo *info)
{
    static const uint16_t name[] = {'R', 'o', 'g', 'u', 'e'};
    if (!rogue_put(&info->name.cb, info->name.ws, name, sizeof name))
        return SQLCP_INSUFFICIENT_BUFFER;
    info->guid.Data1 = 1;
    info->version.major = 1;
    info->scpVersion = (SqlCpVersion){1, 1, 0, 0};
    info->authType = SQLCP_AUTH_BASIC;
    info->asymmKeySupport = SQLCP_KEY_FLAG_SUPPORTED;
    info->cbKeyThumbLen = rogue_breaks("thumbprint length") ? 64 : THUMB_LEN;
    info->fAcceptsKeyName = 1;
    if (rogue_breaks("padding"))
        memset((char *)info + sizeof *info - 1, 1, 1);
    return SQLCP_SUCCESS;
}

PLATFORM_EXPORT SqlCpError SqlCryptGetNextAlgorithmId(SqlCpAlgId *algId)
{
    if (*algId > 0 && !rogue_breaks("enumeration"))
        return SQLCP_NOT_FOUND;
    *algId = 1;
    return SQLCP_SUCCESS;
}

PLATFORM_EXPORT SqlCpError SqlCryptGetAlgorithmInfo(SqlCpAlgId algId, SqlCpAlgorithmInfo *info)
{
    static const uint16_t tag[] = {'R', 'S', 'A', '_', '2', '0', '4', '8'};
    if (!rogue_put(&info->algTag.cb, info->algTag.ws, tag, sizeof tag))
        return SQLCP_INSUFFICIENT_BUFFER;
    info->algId = algId;
    info->type = SQLCP_KEY_ASYMMETRIC;
    info->bitLen = rogue_breaks("algorithm tag") ? 3072 : 2048;
    return SQLCP_SUCCESS;
}

PLATFORM_EXPORT SqlCpError SqlCryptCreateKey(const SqlCpSession *session, const SqlCpStr *name,
                                             SqlCpAlgId algId, SqlCpKeyFlags flags,
                                             SqlCpKeyThumbprint *thumb)
{
    (void)session;
    (void)name;
    (void)algId;
    (void)flags;
    memset(thumb->pb, 0x11, rogue_breaks("thumbprint room") ? thumb->cb + 1 : thumb->cb);
    return SQLCP_SUCCESS;
}

PLATFORM_EXPORT SqlCpError SqlCryptDropKey(const SqlCpSession *session,
                                           const SqlCpKeyThumbprint *thumb)
{
    (void)session;
    (void)thumb;
    return rogue_breaks("reserved code") ? RESERVED_CODE : SQLCP_NOT_SUPPORTED;
}

PLATFORM_EXPORT SqlCpError SqlCryptGetNextKeyId(const SqlCpSession *session, SqlCpKeyId *keyId)
{
    (void)session;
    *keyId += 1;
    return *keyId == 1 ? SQLCP_SUCCESS : SQLCP_NOT_FOUND;
}

static SqlCpError give_key(SqlCpKeyInfo *info)
{
    static const uint16_t name[] = {'K'};
    uint8_t thumb[THUMB_LEN];
    memset(thumb, 0x11, sizeof thumb);
    bool room = rogue_put(&info->name.cb, info->name.ws, name, sizeof name);
    room = rogue_put(&info->thumb.cb, info->thumb.pb, thumb, sizeof thumb) && room;
    if (room || rogue_breaks("eager key info")) {
        info->algId = 1;
        info->flags = SQLCP_KEY_FLAG_SUPPORTED;
    }
    return room ? SQLCP_SUCCESS : SQLCP_INSUFFICIENT_BUFFER;
}

PLATFORM_EXPORT SqlCpError SqlCryptGetKeyInfoByKeyId(const SqlCpSession *session, SqlCpKeyId keyId,
                                                     SqlCpKeyInfo *info)
{
    (void)session;
    return keyId == 1 ? give_key(info) : SQLCP_NOT_FOUND;
}

PLATFORM_EXPORT SqlCpError SqlCryptGetKeyInfoByThumb(const SqlCpSession *session,
                                                     const SqlCpKeyThumbprint *thumb,
                                                     SqlCpKeyInfo *info)
{
    (void)session;
    return thumb->cb == THUMB_LEN ? give_key(info) : SQLCP_NOT_FOUND;
}

PLATFORM_EXPORT SqlCpError SqlCryptGetKeyInfoByName(const SqlCpSession *session,
                                                    const SqlCpStr *name, SqlCpKeyInfo *info)
{
    (void)session;
    return name->cb == 2 && name->ws[0] == 'K' ? give_key(info) : SQLCP_NOT_FOUND;
}

PLATFORM_EXPORT SqlCpError SqlCryptExportKey(const SqlCpSession *session,
                                             const SqlCpKeyThumbprint *thumb,
                                             const SqlCpKeyThumbprint *encryptor,
                                             SqlCpKeyBlobType type, SqlCpKeyBlob *blob)
{
    static uint8_t own[8] = "public";
    (void)session;
    (void)thumb;
    (void)encryptor;
    (void)type;
    if (!rogue_put(&blob->cb, blob->pb, own, sizeof own))
        return SQLCP_INSUFFICIENT_BUFFER;
    if (rogue_breaks("own pointer"))
        blob->pb = own;
    return SQLCP_SUCCESS;
}

PLATFORM_EXPORT SqlCpError SqlCryptImportKey(const SqlCpSession *session, const SqlCpStr *name,
                                             const SqlCpKeyThumbprint *decryptor,
                                             SqlCpKeyBlobType type, SqlCpKeyFlags flags,
                                             const SqlCpKeyBlob *blob)
{
    (void)session;
    (void)name;
    (void)decryptor;
    (void)type;
    (void)flags;
    (void)blob;
    return SQLCP_NOT_SUPPORTED;
}

static SqlCpError rogue_turn(const SqlCpData *in, SqlCpData *out)
{
    if (!out->pb && rogue_breaks("success without buffer")) {
        out->cb = in->cb;
        return SQLCP_SUCCESS;
    }
    bool room = out->pb && out->cb >= in->cb && !rogue_breaks("never enough");
    for (uint32_t i = 0; room && i < in->cb; i++)
        out->pb[i] = (uint8_t)~in->pb[i];
    if (room && rogue_breaks("past the end"))
        out->pb[in->cb] = 0;
    out->cb = room && rogue_breaks("grown size") ? in->cb + 1 : in->cb;
    return room ? SQLCP_SUCCESS : SQLCP_INSUFFICIENT_BUFFER;
}

PLATFORM_EXPORT SqlCpError SqlCryptEncrypt(const SqlCpSession *session,
                                           const SqlCpKeyThumbprint *thumb, SqlCpBoolean final,
                                           const SqlCpEncryptionParam *params, uint32_t nParams,
                                           const SqlCpData *plain, SqlCpData *cipher)
{
    (void)session;
    (void)thumb;
    (void)params;
    (void)nParams;
    return final ? rogue_turn(plain, cipher) : SQLCP_NOT_SUPPORTED;
}

PLATFORM_EXPORT SqlCpError SqlCryptDecrypt(const SqlCpSession *session,
                                           const SqlCpKeyThumbprint *thumb, SqlCpBoolean final,
                                           const SqlCpEncryptionParam *params, uint32_t nParams,
                                           const SqlCpData *cipher, SqlCpData *plain)
{
    (void)session;
    (void)thumb;
    (void)params;
    (void)nParams;
    if (rogue_breaks("exception"))
        raise(SIGSEGV);
    return final ? rogue_turn(cipher, plain) : SQLCP_NOT_SUPPORTED;
}
