#include "dummy_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include "platform.h"

/* The file beside <stem>.pem, NULL if there is none. */
static FILE *keys_beside(const char *folder, const char *file, const char *suffix)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%.*s.%s", folder, (int)(strlen(file) - 4), file, suffix);
    return platform_stream_open(path, "r");
}

static bool is_beside(const char *folder, const char *file, const char *suffix)
{
    FILE *marker = keys_beside(folder, file, suffix);
    if (marker)
        fclose(marker);
    return marker != NULL;
}

static void read_thumbprint(const char *folder, const char *file, struct dummy_key *key)
{
    unsigned byte = 0;
    FILE *hex = keys_beside(folder, file, "thumb");
    while (hex && key->thumb_len < sizeof key->thumb && fscanf(hex, "%2x", &byte) == 1)
        key->thumb[key->thumb_len++] = (uint8_t)byte;
    if (hex)
        fclose(hex);
}

static bool compute_thumbprint(struct dummy_key *key)
{
    BIGNUM *modulus = NULL;
    uint8_t bytes[1024];
    if (EVP_PKEY_get_bn_param(key->key, OSSL_PKEY_PARAM_RSA_N, &modulus) != 1)
        return false;
    SHA1(bytes, (size_t)BN_bn2bin(modulus, bytes), key->thumb);
    key->thumb_len = DUMMY_THUMB_LEN;
    BN_free(modulus);
    return true;
}

static bool read_key(const char *folder, const char *file, struct dummy_key *key)
{
    const char *dot = strchr(file, '.');
    size_t len = strlen(file);
    memset(key, 0, sizeof *key);
    if (!dot || len < 4 || strcmp(file + len - 4, ".pem") != 0 ||
        (size_t)(dot - file) >= sizeof key->name)
        return false;
    memcpy(key->name, file, (size_t)(dot - file));
    key->version = (int)strtol(dot + 1, NULL, 10);
    FILE *pem = keys_beside(folder, file, "pem");
    key->key = pem ? PEM_read_PrivateKey(pem, NULL, NULL, NULL) : NULL;
    if (pem)
        fclose(pem);
    key->disabled = is_beside(folder, file, "disabled");
    key->pkcs1 = is_beside(folder, file, "pkcs1");
    read_thumbprint(folder, file, key);
    return key->key && (key->thumb_len > 0 || compute_thumbprint(key));
}

static bool keys_fits(const struct dummy_key *key, const char *name, int version,
                      const SqlCpData *thumb, int nth)
{
    if (thumb)
        return thumb->cb == key->thumb_len && memcmp(thumb->pb, key->thumb, thumb->cb) == 0;
    return name ? strcmp(key->name, name) == 0 && (version == 0 || key->version == version)
                : nth == 0;
}

bool dummy_keys_find(const char *name_and_version, const SqlCpData *thumb, int nth,
                     struct dummy_key *found)
{
    char *folder = platform_environment("DUMMY_FOLDER");
    char **files = folder ? platform_folder_list(folder) : NULL;
    char name[64] = "";
    int version = 0;
    if (name_and_version)
        sscanf(name_and_version, "%63[^/]/%d", name, &version);
    memset(found, 0, sizeof *found);
    for (char **file = files; file && *file; file++) {
        struct dummy_key key = {0};
        bool good = read_key(folder, *file, &key);
        if (good && keys_fits(&key, name_and_version ? name : NULL, version, thumb, nth) &&
            key.version > found->version) {
            EVP_PKEY_free(found->key);
            *found = key;
        } else {
            EVP_PKEY_free(key.key);
        }
        nth -= good;
    }
    platform_folder_list_free(files);
    free(folder);
    return found->key != NULL;
}

uint32_t dummy_keys_bits(const struct dummy_key *key)
{
    return (uint32_t)EVP_PKEY_get_bits(key->key);
}

static bool crypt_padded(const struct dummy_key *key, const SqlCpData *in, uint8_t *out,
                         size_t *len, bool encrypt, int padding)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key->key, NULL);
    bool good = context &&
                (encrypt ? EVP_PKEY_encrypt_init(context) : EVP_PKEY_decrypt_init(context)) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(context, padding) == 1;
    /* OpenSSL 3.2 and newer would decrypt anything to random bytes; older versions have no such
     * option. */
    if (good && !encrypt && padding == RSA_PKCS1_PADDING)
        (void)EVP_PKEY_CTX_ctrl_str(context, "rsa_pkcs1_implicit_rejection", "0");
    good = good && (encrypt ? EVP_PKEY_encrypt(context, out, len, in->pb, in->cb)
                            : EVP_PKEY_decrypt(context, out, len, in->pb, in->cb)) == 1;
    EVP_PKEY_CTX_free(context);
    return good;
}

bool dummy_keys_crypt(const struct dummy_key *key, const SqlCpData *in, uint8_t *out, size_t *len,
                      bool encrypt)
{
    const size_t room = *len;
    if (encrypt)
        return crypt_padded(key, in, out, len, true,
                            key->pkcs1 ? RSA_PKCS1_PADDING : RSA_PKCS1_OAEP_PADDING);
    if (crypt_padded(key, in, out, len, false, RSA_PKCS1_OAEP_PADDING))
        return true;
    *len = room;
    return crypt_padded(key, in, out, len, false, RSA_PKCS1_PADDING);
}
