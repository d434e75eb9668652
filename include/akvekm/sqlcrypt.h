/*
 * The SQL Crypto API 1.1, as SQL Server's extensible key management calls it.
 *
 * Owns the types and prototypes of the 17 exports. Every width is exact on every system: ULONG is
 * 32 bits, WCHAR one UTF-16LE unit, an enumeration a 32-bit int. Sizes and offsets are asserted
 * below for 64-bit hosts. The caller allocates all output: with a NULL pointer or a short `cb` the
 * needed byte count comes back in `cb` together with SQLCP_INSUFFICIENT_BUFFER. May be included
 * from C and C++ alone.
 */
#ifndef AKVEKM_SQLCRYPT_H
#define AKVEKM_SQLCRYPT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SQLCP_API_VERSION_MAJOR 1
#define SQLCP_API_VERSION_MINOR 1

#define SQLCP_MAX_FRIENDLY_NAME_BYTES 2048
#define SQLCP_MAX_KEY_NAME_BYTES      512
#define SQLCP_MAX_ALGORITHM_TAG_BYTES 120
#define SQLCP_MAX_IV_BYTES            512
#define SQLCP_MAX_KEY_BLOB_BYTES      2048
#define SQLCP_MAX_THUMBPRINT_BYTES    32

/* Where an enumeration starts; no algorithm or key has this id. */
#define SQLCP_INVALID_ID 0

typedef int32_t SqlCpError; /* one of the values below, or a vendor code above 2048 */
enum {
    SQLCP_SUCCESS = 0,
    SQLCP_FAILURE = 1,
    SQLCP_INSUFFICIENT_BUFFER = 2,
    SQLCP_NOT_SUPPORTED = 3,
    SQLCP_NOT_FOUND = 4,
    SQLCP_AUTH_FAILURE = 5,
    SQLCP_INVALID_ARGUMENT = 6,
    SQLCP_PROVIDER_ERROR = 7
};

typedef int32_t SqlCpAuthType;
enum { SQLCP_AUTH_OTHER = 0, SQLCP_AUTH_BASIC = 1 };

typedef int32_t SqlCpKeyType;
enum { SQLCP_KEY_SYMMETRIC = 0, SQLCP_KEY_ASYMMETRIC = 1 };

typedef int32_t SqlCpKeyBlobType;
enum { SQLCP_SIMPLE_BLOB = 0, SQLCP_PUBLIC_KEY_BLOB = 1 };

typedef int32_t SqlCpEncParamType;
enum { SQLCP_PARAM_IV = 0 };

typedef uint8_t SqlCpBoolean;
typedef uint32_t SqlCpAlgId;
typedef uint32_t SqlCpKeyId;
typedef uint32_t SqlCpKeyFlags;
enum {
    SQLCP_KEY_FLAG_SUPPORTED = 1,
    SQLCP_KEY_FLAG_VOLATILE = 2,
    SQLCP_KEY_FLAG_EXPORTABLE = 4,
    SQLCP_KEY_FLAG_IMPORTABLE = 8
};

/* For the support fields of SqlCpProviderInfo: the bits are those of SqlCpKeyFlags. */
typedef void *SqlCpSession; /* opaque to the host; functions take its address */

typedef struct SqlCpData {
    uint32_t cb; /* bytes */
    uint8_t *pb;
} SqlCpData;
typedef SqlCpData SqlCpKeyThumbprint;
typedef SqlCpData SqlCpKeyBlob;

typedef struct SqlCpStr {
    uint32_t cb;  /* bytes, not characters */
    uint16_t *ws; /* UTF-16LE, not terminated */
} SqlCpStr;

typedef struct SqlCpGuid {
    uint32_t Data1;
    uint16_t Data2;
    uint16_t Data3;
    uint8_t Data4[8];
} SqlCpGuid;

typedef struct SqlCpVersion {
    uint8_t major;
    uint8_t minor;
    uint16_t build;
    uint8_t revision;
} SqlCpVersion;

typedef struct SqlCpCredential {
    SqlCpStr name;
    SqlCpStr password;
} SqlCpCredential;

typedef struct SqlCpProviderInfo {
    SqlCpStr name;
    SqlCpGuid guid;
    SqlCpVersion version;
    SqlCpVersion scpVersion;
    SqlCpAuthType authType;
    uint32_t symmKeySupport;
    uint32_t asymmKeySupport;
    uint32_t cbKeyThumbLen;
    SqlCpBoolean fAcceptsKeyName;
} SqlCpProviderInfo;

typedef struct SqlCpAlgorithmInfo {
    SqlCpAlgId algId;
    SqlCpStr algTag;
    SqlCpKeyType type;
    uint32_t bitLen;
    uint32_t ivLen;
} SqlCpAlgorithmInfo;

typedef struct SqlCpKeyInfo {
    SqlCpStr name;
    SqlCpKeyThumbprint thumb;
    SqlCpAlgId algId;
    SqlCpKeyFlags flags;
} SqlCpKeyInfo;

typedef struct SqlCpEncryptionParam {
    SqlCpEncParamType type;
    uint32_t cb;
    uint8_t *pb;
} SqlCpEncryptionParam;

SqlCpError SqlCryptInitializeProvider(void);
SqlCpError SqlCryptFreeProvider(void);
SqlCpError SqlCryptOpenSession(const SqlCpCredential *auth, SqlCpSession *session);
SqlCpError SqlCryptCloseSession(SqlCpSession *session, SqlCpBoolean abort);
SqlCpError SqlCryptGetProviderInfo(SqlCpProviderInfo *info);
SqlCpError SqlCryptGetNextAlgorithmId(SqlCpAlgId *algId);
SqlCpError SqlCryptGetAlgorithmInfo(SqlCpAlgId algId, SqlCpAlgorithmInfo *info);
SqlCpError SqlCryptCreateKey(const SqlCpSession *session, const SqlCpStr *name, SqlCpAlgId algId,
                             SqlCpKeyFlags flags, SqlCpKeyThumbprint *thumb);
SqlCpError SqlCryptDropKey(const SqlCpSession *session, const SqlCpKeyThumbprint *thumb);
SqlCpError SqlCryptGetNextKeyId(const SqlCpSession *session, SqlCpKeyId *keyId);
SqlCpError SqlCryptGetKeyInfoByKeyId(const SqlCpSession *session, SqlCpKeyId keyId,
                                     SqlCpKeyInfo *info);
SqlCpError SqlCryptGetKeyInfoByThumb(const SqlCpSession *session, const SqlCpKeyThumbprint *thumb,
                                     SqlCpKeyInfo *info);
SqlCpError SqlCryptGetKeyInfoByName(const SqlCpSession *session, const SqlCpStr *name,
                                    SqlCpKeyInfo *info);
SqlCpError SqlCryptExportKey(const SqlCpSession *session, const SqlCpKeyThumbprint *thumb,
                             const SqlCpKeyThumbprint *encryptor, SqlCpKeyBlobType type,
                             SqlCpKeyBlob *blob);
SqlCpError SqlCryptImportKey(const SqlCpSession *session, const SqlCpStr *name,
                             const SqlCpKeyThumbprint *decryptor, SqlCpKeyBlobType type,
                             SqlCpKeyFlags flags, const SqlCpKeyBlob *blob);
SqlCpError SqlCryptEncrypt(const SqlCpSession *session, const SqlCpKeyThumbprint *thumb,
                           SqlCpBoolean final, const SqlCpEncryptionParam *params, uint32_t nParams,
                           const SqlCpData *plain, SqlCpData *cipher);
SqlCpError SqlCryptDecrypt(const SqlCpSession *session, const SqlCpKeyThumbprint *thumb,
                           SqlCpBoolean final, const SqlCpEncryptionParam *params, uint32_t nParams,
                           const SqlCpData *cipher, SqlCpData *plain);

#ifdef __cplusplus
#define SQLCP_ASSERT(condition) static_assert(condition, #condition)
#else
#define SQLCP_ASSERT(condition) _Static_assert(condition, #condition)
#endif
#define SQLCP_AT(type, member, offset) SQLCP_ASSERT(offsetof(type, member) == (offset))

SQLCP_ASSERT(sizeof(void *) == 8);
SQLCP_ASSERT(sizeof(SqlCpData) == 16);
SQLCP_AT(SqlCpData, cb, 0);
SQLCP_AT(SqlCpData, pb, 8);
SQLCP_ASSERT(sizeof(SqlCpStr) == 16);
SQLCP_AT(SqlCpStr, cb, 0);
SQLCP_AT(SqlCpStr, ws, 8);
SQLCP_ASSERT(sizeof(SqlCpGuid) == 16);
SQLCP_AT(SqlCpGuid, Data2, 4);
SQLCP_AT(SqlCpGuid, Data3, 6);
SQLCP_AT(SqlCpGuid, Data4, 8);
SQLCP_ASSERT(sizeof(SqlCpVersion) == 6);
SQLCP_AT(SqlCpVersion, minor, 1);
SQLCP_AT(SqlCpVersion, build, 2);
SQLCP_AT(SqlCpVersion, revision, 4);
SQLCP_ASSERT(sizeof(SqlCpCredential) == 32);
SQLCP_AT(SqlCpCredential, name, 0);
SQLCP_AT(SqlCpCredential, password, 16);
SQLCP_ASSERT(sizeof(SqlCpProviderInfo) == 64);
SQLCP_AT(SqlCpProviderInfo, name, 0);
SQLCP_AT(SqlCpProviderInfo, guid, 16);
SQLCP_AT(SqlCpProviderInfo, version, 32);
SQLCP_AT(SqlCpProviderInfo, scpVersion, 38);
SQLCP_AT(SqlCpProviderInfo, authType, 44);
SQLCP_AT(SqlCpProviderInfo, symmKeySupport, 48);
SQLCP_AT(SqlCpProviderInfo, asymmKeySupport, 52);
SQLCP_AT(SqlCpProviderInfo, cbKeyThumbLen, 56);
SQLCP_AT(SqlCpProviderInfo, fAcceptsKeyName, 60);
SQLCP_ASSERT(sizeof(SqlCpAlgorithmInfo) == 40);
SQLCP_AT(SqlCpAlgorithmInfo, algId, 0);
SQLCP_AT(SqlCpAlgorithmInfo, algTag, 8);
SQLCP_AT(SqlCpAlgorithmInfo, type, 24);
SQLCP_AT(SqlCpAlgorithmInfo, bitLen, 28);
SQLCP_AT(SqlCpAlgorithmInfo, ivLen, 32);
SQLCP_ASSERT(sizeof(SqlCpKeyInfo) == 40);
SQLCP_AT(SqlCpKeyInfo, name, 0);
SQLCP_AT(SqlCpKeyInfo, thumb, 16);
SQLCP_AT(SqlCpKeyInfo, algId, 32);
SQLCP_AT(SqlCpKeyInfo, flags, 36);
SQLCP_ASSERT(sizeof(SqlCpEncryptionParam) == 16);
SQLCP_AT(SqlCpEncryptionParam, type, 0);
SQLCP_AT(SqlCpEncryptionParam, cb, 4);
SQLCP_AT(SqlCpEncryptionParam, pb, 8);

#undef SQLCP_AT
#undef SQLCP_ASSERT

#ifdef __cplusplus
}
#endif

#endif
