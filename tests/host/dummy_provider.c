/*
 * A provider for ekmhost's own tests: RSA keys in PEM files, behaviour turned by the environment.
 *
 * - DUMMY_FOLDER: the keys (dummy_keys.h)
 * - DUMMY_FAIL: <function>=<code>[@<nth call>], several with commas: that call (without @: each)
 *   returns the code
 * - DUMMY_GUID: last byte of the guid, DUMMY_VERSION: major version, DUMMY_API: major version of
 *   the interface
 * - DUMMY_OVERWRITE: GetProviderInfo puts its own pointer into the caller's name, as no provider
 *   may
 * - DUMMY_LOG: a file that gets a line a call, with the identity of the session
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <akvekm/sqlcrypt.h>

#include "dummy_keys.h"
#include "platform.h"

enum { DISABLED = 5004, BROKEN = 5010 };

struct session {
    char identity[64];
};

static atomic_int calls[18];
static atomic_int initialized;

/* Logs the call and gives the code DUMMY_FAIL has for it, or 0. */
static int dummy_provider_enter(int index, const char *function, const SqlCpSession *session)
{
    int nth = atomic_fetch_add(&calls[index], 1) + 1;
    const char *log_path = getenv("DUMMY_LOG");
    FILE *log = log_path ? platform_stream_open(log_path, "a") : NULL;
    if (log) {
        const struct session *own = session ? *session : NULL;
        fprintf(log, "%s %s\n", function, own ? own->identity : "-");
        fclose(log);
    }
    const char *fail = getenv("DUMMY_FAIL");
    for (size_t len = strlen(function); fail; fail = strchr(fail, ',')) {
        fail += *fail == ',';
        if (strncmp(fail, function, len) != 0 || fail[len] != '=')
            continue;
        char *end = NULL;
        int code = (int)strtol(fail + len + 1, &end, 10);
        if (*end != '@' || strtol(end + 1, NULL, 10) == nth)
            return code;
    }
    return 0;
}

static unsigned provider_setting(const char *name, unsigned otherwise)
{
    const char *text = getenv(name);
    return text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

/* One text output, by the two calls for size and content. */
static bool put_text(SqlCpStr *out, const char *text)
{
    uint32_t need = (uint32_t)(2 * strlen(text));
    bool room = out->ws && out->cb >= need;
    for (uint32_t i = 0; room && i < need / 2; i++)
        out->ws[i] = (uint8_t)text[i];
    out->cb = need;
    return room;
}

static bool put_bytes(SqlCpData *out, const void *bytes, uint32_t len)
{
    bool room = out->pb && out->cb >= len;
    if (room)
        memcpy(out->pb, bytes, len);
    out->cb = len;
    return room;
}

static void take_text(const SqlCpStr *in, char *out, size_t cap)
{
    size_t len = in->cb / 2 < cap - 1 ? in->cb / 2 : cap - 1;
    for (size_t i = 0; i < len; i++)
        out[i] = (char)in->ws[i];
    out[len] = 0;
}

PLATFORM_EXPORT SqlCpError SqlCryptInitializeProvider(void)
{
    atomic_fetch_add(&initialized, 1);
    return dummy_provider_enter(1, "SqlCryptInitializeProvider", NULL);
}

PLATFORM_EXPORT SqlCpError SqlCryptFreeProvider(void)
{
    atomic_fetch_sub(&initialized, 1);
    return dummy_provider_enter(2, "SqlCryptFreeProvider", NULL);
}

PLATFORM_EXPORT SqlCpError SqlCryptOpenSession(const SqlCpCredential *auth, SqlCpSession *session)
{
    struct session *own = calloc(1, sizeof *own);
    if (!own || !auth || atomic_load(&initialized) == 0) {
        free(own);
        return SQLCP_FAILURE;
    }
    take_text(&auth->name, own->identity, sizeof own->identity);
    char secret[64];
    take_text(&auth->password, secret, sizeof secret);
    *session = own;
    int code = dummy_provider_enter(3, "SqlCryptOpenSession", session);
    if (!code && strcmp(secret, "wrong") == 0)
        code = SQLCP_AUTH_FAILURE;
    if (code) {
        *session = NULL;
        free(own);
    }
    return code;
}

PLATFORM_EXPORT SqlCpError SqlCryptCloseSession(SqlCpSession *session, SqlCpBoolean abort_calls)
{
    (void)abort_calls;
    int code = dummy_provider_enter(4, "SqlCryptCloseSession", session);
    free(*session);
    *session = NULL;
    return code;
}

PLATFORM_EXPORT SqlCpError SqlCryptGetProviderInfo(SqlCpProviderInfo *info)
{
    static uint16_t own_name[] = {'o', 'w', 'n'};
    int code = dummy_provider_enter(5, "SqlCryptGetProviderInfo", NULL);
    if (code)
        return code;
    bool overwrite = getenv("DUMMY_OVERWRITE") != NULL;
    if (!overwrite && !put_text(&info->name, "Dummy Provider"))
        return SQLCP_INSUFFICIENT_BUFFER;
    info->guid = (SqlCpGuid){0x0D0D0D0D, 1, 2, {3, 4, 5, 6, 7, 8, 9, 0}};
    info->guid.Data4[7] = (uint8_t)provider_setting("DUMMY_GUID", 0);
    info->version = (SqlCpVersion){(uint8_t)provider_setting("DUMMY_VERSION", 1), 0, 0, 0};
    info->scpVersion = (SqlCpVersion){(uint8_t)provider_setting("DUMMY_API", 1), 1, 0, 0};
    info->authType = SQLCP_AUTH_BASIC;
    info->symmKeySupport = 0;
    info->asymmKeySupport = SQLCP_KEY_FLAG_SUPPORTED;
    info->cbKeyThumbLen = DUMMY_THUMB_LEN;
    info->fAcceptsKeyName = 1;
    if (overwrite)
        info->name = (SqlCpStr){sizeof own_name, own_name};
    return SQLCP_SUCCESS;
}

PLATFORM_EXPORT SqlCpError SqlCryptGetNextAlgorithmId(SqlCpAlgId *algId)
{
    int code = dummy_provider_enter(6, "SqlCryptGetNextAlgorithmId", NULL);
    if (!code && *algId >= 2)
        return SQLCP_NOT_FOUND;
    ++*algId;
    return code;
}

PLATFORM_EXPORT SqlCpError SqlCryptGetAlgorithmInfo(SqlCpAlgId algId, SqlCpAlgorithmInfo *info)
{
    int code = dummy_provider_enter(7, "SqlCryptGetAlgorithmInfo", NULL);
    if (code)
        return code;
    if (algId < 1 || algId > 2)
        return SQLCP_NOT_FOUND;
    if (!put_text(&info->algTag, algId == 1 ? "RSA_2048" : "RSA_3072"))
        return SQLCP_INSUFFICIENT_BUFFER;
    info->algId = algId;
    info->type = SQLCP_KEY_ASYMMETRIC;
    info->bitLen = algId == 1 ? 2048 : 3072;
    info->ivLen = 0;
    return put_text(&info->algTag, algId == 1 ? "RSA_2048" : "RSA_3072")
               ? SQLCP_SUCCESS
               : SQLCP_INSUFFICIENT_BUFFER;
}

PLATFORM_EXPORT SqlCpError SqlCryptCreateKey(const SqlCpSession *session, const SqlCpStr *name,
                                             SqlCpAlgId algId, SqlCpKeyFlags flags,
                                             SqlCpKeyThumbprint *thumb)
{
    (void)flags;
    int code = dummy_provider_enter(8, "SqlCryptCreateKey", session);
    if (code)
        return code;
    char text[64];
    char path[1024];
    struct dummy_key key;
    take_text(name, text, sizeof text);
    if (dummy_keys_find(text, NULL, 0, &key)) {
        EVP_PKEY_free(key.key);
        return SQLCP_FAILURE;
    }
    EVP_PKEY *made = EVP_RSA_gen(algId == 1 ? 2048U : 3072U);
    snprintf(path, sizeof path, "%s/%s.1.pem", getenv("DUMMY_FOLDER"), text);
    FILE *pem = fopen(path, "we");
    bool good = made && pem && PEM_write_PrivateKey(pem, made, NULL, NULL, 0, NULL, NULL) == 1;
    if (pem)
        fclose(pem);
    EVP_PKEY_free(made);
    if (!good || !dummy_keys_find(text, NULL, 0, &key))
        return SQLCP_FAILURE;
    good = put_bytes(thumb, key.thumb, key.thumb_len);
    EVP_PKEY_free(key.key);
    return good ? SQLCP_SUCCESS : SQLCP_INSUFFICIENT_BUFFER;
}

PLATFORM_EXPORT SqlCpError SqlCryptDropKey(const SqlCpSession *session,
                                           const SqlCpKeyThumbprint *thumb)
{
    int code = dummy_provider_enter(9, "SqlCryptDropKey", session);
    if (code)
        return code;
    struct dummy_key key;
    if (!dummy_keys_find(NULL, thumb, 0, &key))
        return SQLCP_NOT_FOUND;
    char path[1024];
    snprintf(path, sizeof path, "%s/%s.%d.pem", getenv("DUMMY_FOLDER"), key.name, key.version);
    EVP_PKEY_free(key.key);
    return remove(path) == 0 ? SQLCP_SUCCESS : SQLCP_FAILURE;
}

/* Takes the key from its finder. */
static SqlCpError give_info(struct dummy_key *key, SqlCpKeyInfo *info)
{
    bool room = put_text(&info->name, key->name);
    room = put_bytes(&info->thumb, key->thumb, key->thumb_len) && room;
    if (room && !key->disabled) {
        info->algId = dummy_keys_bits(key) == 2048 ? 1 : 2;
        info->flags = SQLCP_KEY_FLAG_SUPPORTED;
    }
    int code = key->disabled ? DISABLED : room ? SQLCP_SUCCESS : SQLCP_INSUFFICIENT_BUFFER;
    EVP_PKEY_free(key->key);
    return code;
}

PLATFORM_EXPORT SqlCpError SqlCryptGetNextKeyId(const SqlCpSession *session, SqlCpKeyId *keyId)
{
    int code = dummy_provider_enter(10, "SqlCryptGetNextKeyId", session);
    struct dummy_key key;
    if (code)
        return code;
    if (!dummy_keys_find(NULL, NULL, (int)*keyId, &key))
        return SQLCP_NOT_FOUND;
    EVP_PKEY_free(key.key);
    ++*keyId;
    return SQLCP_SUCCESS;
}

PLATFORM_EXPORT SqlCpError SqlCryptGetKeyInfoByKeyId(const SqlCpSession *session, SqlCpKeyId keyId,
                                                     SqlCpKeyInfo *info)
{
    int code = dummy_provider_enter(11, "SqlCryptGetKeyInfoByKeyId", session);
    struct dummy_key key;
    if (code)
        return code;
    return dummy_keys_find(NULL, NULL, (int)keyId - 1, &key) ? give_info(&key, info)
                                                             : SQLCP_NOT_FOUND;
}

PLATFORM_EXPORT SqlCpError SqlCryptGetKeyInfoByThumb(const SqlCpSession *session,
                                                     const SqlCpKeyThumbprint *thumb,
                                                     SqlCpKeyInfo *info)
{
    int code = dummy_provider_enter(12, "SqlCryptGetKeyInfoByThumb", session);
    struct dummy_key key;
    if (code)
        return code;
    return dummy_keys_find(NULL, thumb, 0, &key) ? give_info(&key, info) : SQLCP_NOT_FOUND;
}

PLATFORM_EXPORT SqlCpError SqlCryptGetKeyInfoByName(const SqlCpSession *session,
                                                    const SqlCpStr *name, SqlCpKeyInfo *info)
{
    int code = dummy_provider_enter(13, "SqlCryptGetKeyInfoByName", session);
    struct dummy_key key;
    char text[64];
    if (code)
        return code;
    take_text(name, text, sizeof text);
    return dummy_keys_find(text, NULL, 0, &key) ? give_info(&key, info) : SQLCP_NOT_FOUND;
}

PLATFORM_EXPORT SqlCpError SqlCryptExportKey(const SqlCpSession *session,
                                             const SqlCpKeyThumbprint *thumb,
                                             const SqlCpKeyThumbprint *encryptor,
                                             SqlCpKeyBlobType type, SqlCpKeyBlob *blob)
{
    (void)encryptor;
    int code = dummy_provider_enter(14, "SqlCryptExportKey", session);
    struct dummy_key key;
    if (code || type != SQLCP_PUBLIC_KEY_BLOB)
        return code ? code : SQLCP_NOT_SUPPORTED;
    if (!dummy_keys_find(NULL, thumb, 0, &key))
        return SQLCP_NOT_FOUND;
    uint32_t head[6] = {0x31415352, dummy_keys_bits(&key), 3, dummy_keys_bits(&key) / 8, 0, 0};
    uint8_t out[sizeof head + 3 + 1024] = {0};
    memcpy(out, head, sizeof head);
    memcpy(out + sizeof head, "\x01\x00\x01", 3);
    BIGNUM *modulus = NULL;
    EVP_PKEY_get_bn_param(key.key, OSSL_PKEY_PARAM_RSA_N, &modulus);
    BN_bn2binpad(modulus, out + sizeof head + 3, (int)head[3]);
    BN_free(modulus);
    EVP_PKEY_free(key.key);
    return put_bytes(blob, out, (uint32_t)sizeof head + 3 + head[3]) ? SQLCP_SUCCESS
                                                                     : SQLCP_INSUFFICIENT_BUFFER;
}

#ifndef DUMMY_INCOMPLETE
PLATFORM_EXPORT SqlCpError SqlCryptImportKey(const SqlCpSession *session, const SqlCpStr *name,
                                             const SqlCpKeyThumbprint *decryptor,
                                             SqlCpKeyBlobType type, SqlCpKeyFlags flags,
                                             const SqlCpKeyBlob *blob)
{
    (void)name;
    (void)decryptor;
    (void)type;
    (void)flags;
    (void)blob;
    int code = dummy_provider_enter(15, "SqlCryptImportKey", session);
    return code ? code : SQLCP_NOT_SUPPORTED;
}
#endif

/* Encrypts or decrypts, by the two calls for size and content. */
static SqlCpError provider_crypt(const SqlCpKeyThumbprint *thumb, const SqlCpData *in,
                                 SqlCpData *out, bool encrypt)
{
    struct dummy_key key;
    uint8_t bytes[1024];
    size_t len = sizeof bytes;
    int code = BROKEN;
    if (!dummy_keys_find(NULL, thumb, 0, &key))
        return SQLCP_NOT_FOUND;
    if (key.disabled)
        code = DISABLED;
    else if (!out->pb)
        code = (out->cb = dummy_keys_bits(&key) / 8, SQLCP_INSUFFICIENT_BUFFER);
    else if (dummy_keys_crypt(&key, in, bytes, &len, encrypt))
        code = put_bytes(out, bytes, (uint32_t)len) ? SQLCP_SUCCESS : SQLCP_INSUFFICIENT_BUFFER;
    EVP_PKEY_free(key.key);
    return code;
}

PLATFORM_EXPORT SqlCpError SqlCryptEncrypt(const SqlCpSession *session,
                                           const SqlCpKeyThumbprint *thumb, SqlCpBoolean final,
                                           const SqlCpEncryptionParam *params, uint32_t nParams,
                                           const SqlCpData *plain, SqlCpData *cipher)
{
    (void)params;
    (void)nParams;
    int code = dummy_provider_enter(16, "SqlCryptEncrypt", session);
    return code ? code : final ? provider_crypt(thumb, plain, cipher, true) : SQLCP_NOT_SUPPORTED;
}

PLATFORM_EXPORT SqlCpError SqlCryptDecrypt(const SqlCpSession *session,
                                           const SqlCpKeyThumbprint *thumb, SqlCpBoolean final,
                                           const SqlCpEncryptionParam *params, uint32_t nParams,
                                           const SqlCpData *cipher, SqlCpData *plain)
{
    (void)params;
    (void)nParams;
    int code = dummy_provider_enter(17, "SqlCryptDecrypt", session);
    return code ? code : final ? provider_crypt(thumb, cipher, plain, false) : SQLCP_NOT_SUPPORTED;
}
