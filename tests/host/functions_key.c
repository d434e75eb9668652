#include "functions_key.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "access.h"
#include "connection.h"
#include "connection_state.h"
#include "memory.h"
#include "provider_calls.h"

enum { GUID_LEN = 16, IV_LEN = 16, HEAD_LEN = GUID_LEN + 4 + IV_LEN };

static const cJSON *key_by_name(const struct function_call *call, const char *list)
{
    return catalog_find_key(connection_catalog(call->connection), list,
                            call->connection->database_id, function_text(call, 0));
}

bool function_asymkey_id(const struct function_call *call)
{
    const cJSON *key = key_by_name(call, "asymmetric_keys");
    if (key)
        *call->out = value_number(catalog_id(key));
    return true;
}

bool function_key_id(const struct function_call *call)
{
    const cJSON *key = key_by_name(call, "symmetric_keys");
    if (key)
        *call->out = value_number(catalog_id(key));
    return true;
}

bool function_key_guid(const struct function_call *call)
{
    const cJSON *key = key_by_name(call, "symmetric_keys");
    if (key)
        *call->out = value_text(catalog_text(key, "guid"));
    return true;
}

/* One Encrypt or Decrypt by the connection's session; NULL for an unknown key or NULL data. */
static bool by_asymkey(const struct function_call *call, bool encrypt)
{
    struct catalog *catalog = connection_catalog(call->connection);
    const cJSON *key =
        catalog_find_number(catalog, "asymmetric_keys", "id", (int)call->arguments[0].number);
    struct provider_session *session = NULL;
    if (!key || call->arguments[1].kind == VALUE_NULL ||
        catalog_number(key, "database_id") != call->connection->database_id)
        return true;
    const cJSON *provider =
        catalog_find_number(catalog, "providers", "id", catalog_number(key, "provider_id"));
    if (!access_user(call->connection, provider, &session, call->failure))
        return false;
    struct value thumbprint = value_hex(catalog_text(key, "thumbprint"));
    struct value in = value_as_binary(&call->arguments[1]);
    uint8_t *out = NULL;
    size_t len = 0;
    int code = (encrypt ? provider_encrypt : provider_decrypt)(
        session, (const uint8_t *)thumbprint.data, thumbprint.len, (const uint8_t *)in.data, in.len,
        &out, &len);
    bool good =
        code == SQLCP_SUCCESS || failure_set_provider(call->failure, encrypt ? 15209 : 15466, code);
    if (good)
        *call->out = value_binary(out, len);
    if (out)
        OPENSSL_cleanse(out, len);
    free(out);
    value_free(&in);
    value_free(&thumbprint);
    return good;
}

bool function_encrypt_by_asymkey(const struct function_call *call)
{
    return by_asymkey(call, true);
}

bool function_decrypt_by_asymkey(const struct function_call *call)
{
    return by_asymkey(call, false);
}

static void guid_bytes(const cJSON *key, uint8_t out[GUID_LEN])
{
    char digits[2 * GUID_LEN + 1] = "";
    size_t used = 0;
    size_t len = 0;
    for (const char *at = catalog_text(key, "guid"); *at && used < 2 * GUID_LEN; at++) {
        if (*at != '-')
            digits[used++] = *at;
    }
    uint8_t *bytes = memory_unhex(digits, &len);
    memset(out, 0, GUID_LEN);
    if (bytes && len == GUID_LEN)
        memcpy(out, bytes, GUID_LEN);
    free(bytes);
}

static bool run_cipher(const struct opened_key *key, const uint8_t *iv, const uint8_t *in,
                       size_t len, uint8_t *out, size_t *out_len, bool encrypt)
{
    int used = 0;
    int last = 0;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    bool good = context &&
                EVP_CipherInit_ex2(context, EVP_aes_256_cbc(), key->key, iv, encrypt, NULL) == 1 &&
                EVP_CipherUpdate(context, out, &used, in, (int)len) == 1 &&
                EVP_CipherFinal_ex(context, out + used, &last) == 1;
    EVP_CIPHER_CTX_free(context);
    *out_len = (size_t)(used + last);
    return good;
}

bool function_encrypt_by_key(const struct function_call *call)
{
    const cJSON *key = catalog_find_text(connection_catalog(call->connection), "symmetric_keys",
                                         "guid", function_text(call, 0));
    const struct opened_key *opened =
        key ? connection_opened_key(call->connection, catalog_id(key)) : NULL;
    if (!opened || call->arguments[1].kind == VALUE_NULL)
        return true;
    struct value in = value_as_binary(&call->arguments[1]);
    uint8_t *out = memory_take(HEAD_LEN + in.len + 16);
    size_t len = 0;
    guid_bytes(key, out);
    out[GUID_LEN] = 1;
    uint8_t *iv = out + GUID_LEN + 4;
    if (RAND_bytes(iv, IV_LEN) == 1 &&
        run_cipher(opened, iv, (const uint8_t *)in.data, in.len, out + HEAD_LEN, &len, true))
        *call->out = value_binary(out, HEAD_LEN + len);
    free(out);
    value_free(&in);
    return true;
}

/* The open key whose guid is at the beginning of the cipher text. */
static const struct opened_key *key_of_cipher(const struct connection *connection,
                                              const struct value *cipher)
{
    const cJSON *key = NULL;
    cJSON_ArrayForEach(key, catalog_list(connection_catalog(connection), "symmetric_keys"))
    {
        uint8_t guid[GUID_LEN];
        guid_bytes(key, guid);
        if (memcmp(guid, cipher->data, GUID_LEN) == 0)
            return connection_opened_key(connection, catalog_id(key));
    }
    return NULL;
}

bool function_decrypt_by_key(const struct function_call *call)
{
    const struct value *cipher = &call->arguments[0];
    if (cipher->kind != VALUE_BINARY || cipher->len <= HEAD_LEN)
        return true;
    const struct opened_key *opened = key_of_cipher(call->connection, cipher);
    if (!opened)
        return true;
    const uint8_t *bytes = (const uint8_t *)cipher->data;
    uint8_t *out = memory_take(cipher->len);
    size_t len = 0;
    if (run_cipher(opened, bytes + GUID_LEN + 4, bytes + HEAD_LEN, cipher->len - HEAD_LEN, out,
                   &len, false))
        *call->out = value_binary(out, len);
    OPENSSL_cleanse(out, cipher->len);
    free(out);
    return true;
}
