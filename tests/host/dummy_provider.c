/*
 * A provider for ekmhost's own tests: RSA keys in PEM files, behaviour turned by the environment.
 *
 * DUMMY_FOLDER   keys as <name>.<version>.pem (the highest version is the newest);
 * <name>.<version>.disabled beside it: code 5004 DUMMY_FAIL     <function>=<code>[@<nth call>],
 * several with commas: that call (without @: each) returns the code DUMMY_GUID     last byte of the
 * guid, DUMMY_VERSION major version, DUMMY_API major version of the interface DUMMY_OVERWRITE
 * GetProviderInfo puts its own pointer into the caller's name, as no provider may DUMMY_LOG      a
 * file that gets a line a call, with the identity of the session
 */
#include <dirent.h>
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
#include <openssl/sha.h>

#include <akvekm/sqlcrypt.h>

#define EXPORT __attribute__((visibility("default")))

enum { DISABLED = 5004, BROKEN = 5010, THUMB_LEN = 20 };

struct session {
    char identity[64];
};

struct key {
    char name[64];
    int version;
    EVP_PKEY *key;
    uint8_t thumb[THUMB_LEN];
    bool disabled;
};

static atomic_int calls[18];
static atomic_int initialized;

/* Logs the call and gives the code DUMMY_FAIL has for it, or 0. */
static int enter(int index, const char *function, const SqlCpSession *session)
{
    int nth = atomic_fetch_add(&calls[index], 1) + 1;
    const char *log_path = getenv("DUMMY_LOG");
    FILE *log = log_path ? fopen(log_path, "ae") : NULL;
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

static unsigned setting(const char *name, unsigned otherwise)
{
    const char *text = getenv(name);
    return text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

static bool read_key(const char *folder, const char *file, struct key *key)
{
    char path[1024];
    const char *dot = strchr(file, '.');
    size_t len = strlen(file);
    if (!dot || len < 4 || strcmp(file + len - 4, ".pem") != 0 || dot - file >= 64)
        return false;
    memset(key, 0, sizeof *key);
    memcpy(key->name, file, (size_t)(dot - file));
    key->version = (int)strtol(dot + 1, NULL, 10);
    snprintf(path, sizeof path, "%s/%s", folder, file);
    FILE *pem = fopen(path, "re");
    key->key = pem ? PEM_read_PrivateKey(pem, NULL, NULL, NULL) : NULL;
    if (pem)
        fclose(pem);
    snprintf(path, sizeof path, "%s/%.*s.disabled", folder, (int)(len - 4), file);
    FILE *disabled = fopen(path, "re");
    key->disabled = disabled != NULL;
    if (disabled)
        fclose(disabled);
    BIGNUM *modulus = NULL;
    if (!key->key || EVP_PKEY_get_bn_param(key->key, OSSL_PKEY_PARAM_RSA_N, &modulus) != 1)
        return false;
    uint8_t bytes[1024];
    int count = BN_bn2bin(modulus, bytes);
    SHA1(bytes, (size_t)count, key->thumb);
    BN_free(modulus);
    return true;
}

static bool fits(const struct key *key, const char *name, int version, const SqlCpData *thumb,
                 int nth)
{
    if (thumb)
        return thumb->cb == THUMB_LEN && memcmp(thumb->pb, key->thumb, THUMB_LEN) == 0;
    return name ? strcmp(key->name, name) == 0 && (version == 0 || key->version == version)
                : nth == 0;
}

/* By thumbprint, by name (the newest, unless "name/version"), or the nth of all. */
static bool find_key(const char *name_and_version, const SqlCpData *thumb, int nth,
                     struct key *found)
{
    const char *folder = getenv("DUMMY_FOLDER");
    DIR *open = folder ? opendir(folder) : NULL;
    char name[64] = "";
    int version = 0;
    if (name_and_version)
        sscanf(name_and_version, "%63[^/]/%d", name, &version);
    memset(found, 0, sizeof *found);
    for (struct dirent *entry = open ? readdir(open) : NULL; entry; entry = readdir(open)) {
        struct key key = {0};
        bool good = read_key(folder, entry->d_name, &key);
        if (good && fits(&key, name_and_version ? name : NULL, version, thumb, nth) &&
            key.version > found->version) {
            EVP_PKEY_free(found->key);
            *found = key;
        } else {
            EVP_PKEY_free(key.key);
        }
        nth -= good;
    }
    if (open)
        closedir(open);
    return found->key != NULL;
}

static uint32_t bits(const struct key *key)
{
    return (uint32_t)EVP_PKEY_get_bits(key->key);
}

/* The two-call dance for one text. */
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

EXPORT SqlCpError SqlCryptInitializeProvider(void)
{
    atomic_fetch_add(&initialized, 1);
    return enter(1, "SqlCryptInitializeProvider", NULL);
}

EXPORT SqlCpError SqlCryptFreeProvider(void)
{
    atomic_fetch_sub(&initialized, 1);
    return enter(2, "SqlCryptFreeProvider", NULL);
}

EXPORT SqlCpError SqlCryptOpenSession(const SqlCpCredential *auth, SqlCpSession *session)
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
    int code = enter(3, "SqlCryptOpenSession", session);
    if (!code && strcmp(secret, "wrong") == 0)
        code = SQLCP_AUTH_FAILURE;
    if (code) {
        *session = NULL;
        free(own);
    }
    return code;
}

EXPORT SqlCpError SqlCryptCloseSession(SqlCpSession *session, SqlCpBoolean abort_calls)
{
    (void)abort_calls;
    int code = enter(4, "SqlCryptCloseSession", session);
    free(*session);
    *session = NULL;
    return code;
}

EXPORT SqlCpError SqlCryptGetProviderInfo(SqlCpProviderInfo *info)
{
    static uint16_t own_name[] = {'o', 'w', 'n'};
    int code = enter(5, "SqlCryptGetProviderInfo", NULL);
    if (code)
        return code;
    bool overwrite = getenv("DUMMY_OVERWRITE") != NULL;
    if (!overwrite && !put_text(&info->name, "Dummy Provider"))
        return SQLCP_INSUFFICIENT_BUFFER;
    info->guid = (SqlCpGuid){0x0D0D0D0D, 1, 2, {3, 4, 5, 6, 7, 8, 9, 0}};
    info->guid.Data4[7] = (uint8_t)setting("DUMMY_GUID", 0);
    info->version = (SqlCpVersion){(uint8_t)setting("DUMMY_VERSION", 1), 0, 0, 0};
    info->scpVersion = (SqlCpVersion){(uint8_t)setting("DUMMY_API", 1), 1, 0, 0};
    info->authType = SQLCP_AUTH_BASIC;
    info->symmKeySupport = 0;
    info->asymmKeySupport = SQLCP_KEY_FLAG_SUPPORTED;
    info->cbKeyThumbLen = THUMB_LEN;
    info->fAcceptsKeyName = 1;
    if (overwrite)
        info->name = (SqlCpStr){sizeof own_name, own_name};
    return SQLCP_SUCCESS;
}

EXPORT SqlCpError SqlCryptGetNextAlgorithmId(SqlCpAlgId *algId)
{
    int code = enter(6, "SqlCryptGetNextAlgorithmId", NULL);
    if (!code && *algId >= 2)
        return SQLCP_NOT_FOUND;
    ++*algId;
    return code;
}

EXPORT SqlCpError SqlCryptGetAlgorithmInfo(SqlCpAlgId algId, SqlCpAlgorithmInfo *info)
{
    int code = enter(7, "SqlCryptGetAlgorithmInfo", NULL);
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

EXPORT SqlCpError SqlCryptCreateKey(const SqlCpSession *session, const SqlCpStr *name,
                                    SqlCpAlgId algId, SqlCpKeyFlags flags,
                                    SqlCpKeyThumbprint *thumb)
{
    (void)flags;
    int code = enter(8, "SqlCryptCreateKey", session);
    if (code)
        return code;
    char text[64];
    char path[1024];
    struct key key;
    take_text(name, text, sizeof text);
    if (find_key(text, NULL, 0, &key)) {
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
    if (!good || !find_key(text, NULL, 0, &key))
        return SQLCP_FAILURE;
    good = put_bytes(thumb, key.thumb, THUMB_LEN);
    EVP_PKEY_free(key.key);
    return good ? SQLCP_SUCCESS : SQLCP_INSUFFICIENT_BUFFER;
}

EXPORT SqlCpError SqlCryptDropKey(const SqlCpSession *session, const SqlCpKeyThumbprint *thumb)
{
    int code = enter(9, "SqlCryptDropKey", session);
    if (code)
        return code;
    struct key key;
    if (!find_key(NULL, thumb, 0, &key))
        return SQLCP_NOT_FOUND;
    char path[1024];
    snprintf(path, sizeof path, "%s/%s.%d.pem", getenv("DUMMY_FOLDER"), key.name, key.version);
    EVP_PKEY_free(key.key);
    return remove(path) == 0 ? SQLCP_SUCCESS : SQLCP_FAILURE;
}

/* Takes the key away from its finder. */
static SqlCpError give_info(struct key *key, SqlCpKeyInfo *info)
{
    bool room = put_text(&info->name, key->name);
    room = put_bytes(&info->thumb, key->thumb, THUMB_LEN) && room;
    if (room && !key->disabled) {
        info->algId = bits(key) == 2048 ? 1 : 2;
        info->flags = SQLCP_KEY_FLAG_SUPPORTED;
    }
    int code = key->disabled ? DISABLED : room ? SQLCP_SUCCESS : SQLCP_INSUFFICIENT_BUFFER;
    EVP_PKEY_free(key->key);
    return code;
}

EXPORT SqlCpError SqlCryptGetNextKeyId(const SqlCpSession *session, SqlCpKeyId *keyId)
{
    int code = enter(10, "SqlCryptGetNextKeyId", session);
    struct key key;
    if (code)
        return code;
    if (!find_key(NULL, NULL, (int)*keyId, &key))
        return SQLCP_NOT_FOUND;
    EVP_PKEY_free(key.key);
    ++*keyId;
    return SQLCP_SUCCESS;
}

EXPORT SqlCpError SqlCryptGetKeyInfoByKeyId(const SqlCpSession *session, SqlCpKeyId keyId,
                                            SqlCpKeyInfo *info)
{
    int code = enter(11, "SqlCryptGetKeyInfoByKeyId", session);
    struct key key;
    if (code)
        return code;
    return find_key(NULL, NULL, (int)keyId - 1, &key) ? give_info(&key, info) : SQLCP_NOT_FOUND;
}

EXPORT SqlCpError SqlCryptGetKeyInfoByThumb(const SqlCpSession *session,
                                            const SqlCpKeyThumbprint *thumb, SqlCpKeyInfo *info)
{
    int code = enter(12, "SqlCryptGetKeyInfoByThumb", session);
    struct key key;
    if (code)
        return code;
    return find_key(NULL, thumb, 0, &key) ? give_info(&key, info) : SQLCP_NOT_FOUND;
}

EXPORT SqlCpError SqlCryptGetKeyInfoByName(const SqlCpSession *session, const SqlCpStr *name,
                                           SqlCpKeyInfo *info)
{
    int code = enter(13, "SqlCryptGetKeyInfoByName", session);
    struct key key;
    char text[64];
    if (code)
        return code;
    take_text(name, text, sizeof text);
    return find_key(text, NULL, 0, &key) ? give_info(&key, info) : SQLCP_NOT_FOUND;
}

EXPORT SqlCpError SqlCryptExportKey(const SqlCpSession *session, const SqlCpKeyThumbprint *thumb,
                                    const SqlCpKeyThumbprint *encryptor, SqlCpKeyBlobType type,
                                    SqlCpKeyBlob *blob)
{
    (void)encryptor;
    int code = enter(14, "SqlCryptExportKey", session);
    struct key key;
    if (code || type != SQLCP_PUBLIC_KEY_BLOB)
        return code ? code : SQLCP_NOT_SUPPORTED;
    if (!find_key(NULL, thumb, 0, &key))
        return SQLCP_NOT_FOUND;
    uint32_t head[6] = {0x31415352, bits(&key), 3, bits(&key) / 8, 0, 0};
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
EXPORT SqlCpError SqlCryptImportKey(const SqlCpSession *session, const SqlCpStr *name,
                                    const SqlCpKeyThumbprint *decryptor, SqlCpKeyBlobType type,
                                    SqlCpKeyFlags flags, const SqlCpKeyBlob *blob)
{
    (void)name;
    (void)decryptor;
    (void)type;
    (void)flags;
    (void)blob;
    int code = enter(15, "SqlCryptImportKey", session);
    return code ? code : SQLCP_NOT_SUPPORTED;
}
#endif

/* RSA-OAEP in either direction, with the dance. */
static SqlCpError crypt(const SqlCpKeyThumbprint *thumb, const SqlCpData *in, SqlCpData *out,
                        bool encrypt)
{
    struct key key;
    if (!find_key(NULL, thumb, 0, &key))
        return SQLCP_NOT_FOUND;
    uint8_t bytes[1024];
    size_t len = sizeof bytes;
    int code = BROKEN;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key.key, NULL);
    if (key.disabled)
        code = DISABLED;
    else if (!out->pb)
        code = (out->cb = bits(&key) / 8, SQLCP_INSUFFICIENT_BUFFER);
    else if ((encrypt ? EVP_PKEY_encrypt_init(context) : EVP_PKEY_decrypt_init(context)) == 1 &&
             EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
             (encrypt ? EVP_PKEY_encrypt(context, bytes, &len, in->pb, in->cb)
                      : EVP_PKEY_decrypt(context, bytes, &len, in->pb, in->cb)) == 1)
        code = put_bytes(out, bytes, (uint32_t)len) ? SQLCP_SUCCESS : SQLCP_INSUFFICIENT_BUFFER;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key.key);
    return code;
}

EXPORT SqlCpError SqlCryptEncrypt(const SqlCpSession *session, const SqlCpKeyThumbprint *thumb,
                                  SqlCpBoolean final, const SqlCpEncryptionParam *params,
                                  uint32_t nParams, const SqlCpData *plain, SqlCpData *cipher)
{
    (void)params;
    (void)nParams;
    int code = enter(16, "SqlCryptEncrypt", session);
    return code ? code : final ? crypt(thumb, plain, cipher, true) : SQLCP_NOT_SUPPORTED;
}

EXPORT SqlCpError SqlCryptDecrypt(const SqlCpSession *session, const SqlCpKeyThumbprint *thumb,
                                  SqlCpBoolean final, const SqlCpEncryptionParam *params,
                                  uint32_t nParams, const SqlCpData *cipher, SqlCpData *plain)
{
    (void)params;
    (void)nParams;
    int code = enter(17, "SqlCryptDecrypt", session);
    return code ? code : final ? crypt(thumb, cipher, plain, false) : SQLCP_NOT_SUPPORTED;
}
