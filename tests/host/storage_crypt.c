#include "storage_crypt.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "memory.h"

static const EVP_CIPHER *storage_crypt_cbc(size_t key_len)
{
    return key_len == 16   ? EVP_aes_128_cbc()
           : key_len == 24 ? EVP_aes_192_cbc()
                           : EVP_aes_256_cbc();
}

static const EVP_CIPHER *storage_crypt_ctr(size_t key_len)
{
    return key_len == 16   ? EVP_aes_128_ctr()
           : key_len == 24 ? EVP_aes_192_ctr()
                           : EVP_aes_256_ctr();
}

static bool storage_crypt_run(const EVP_CIPHER *cipher, const uint8_t *key, const uint8_t *iv,
                              uint8_t *data, size_t len, bool encrypt)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    uint8_t *out = memory_take(len + 16);
    int used = 0;
    int last = 0;
    bool good = context && EVP_CipherInit_ex2(context, cipher, key, iv, encrypt, NULL) == 1 &&
                EVP_CIPHER_CTX_set_padding(context, 0) == 1 &&
                EVP_CipherUpdate(context, out, &used, data, (int)len) == 1 &&
                EVP_CipherFinal_ex(context, out + used, &last) == 1;
    if (good)
        memcpy(data, out, len);
    EVP_CIPHER_CTX_free(context);
    free(out);
    return good;
}

bool storage_crypt_page(const uint8_t *key, size_t key_len, uint64_t page, uint8_t *data,
                        bool encrypt)
{
    uint8_t iv[16] = {0};
    memcpy(iv, &page, sizeof page);
    return storage_crypt_run(storage_crypt_cbc(key_len), key, iv, data, STORAGE_PAGE_LEN, encrypt);
}

bool storage_crypt_stream(const uint8_t *key, size_t key_len, const uint8_t iv[16], uint8_t *data,
                          size_t len)
{
    return storage_crypt_run(storage_crypt_ctr(key_len), key, iv, data, len, true);
}

void storage_crypt_check(const uint8_t *key, size_t key_len, char out[STORAGE_CHECK_HEX])
{
    static const uint8_t iv[16] = {'e', 'k', 'm', 'h', 'o', 's', 't', ' ',
                                   'c', 'h', 'e', 'c', 'k', ' ', 'o', 'k'};
    uint8_t block[16] = {0};
    bool good = storage_crypt_run(storage_crypt_cbc(key_len), key, iv, block, sizeof block, true);
    char *hex = memory_hex(block, 8);
    memcpy(out, good ? hex : "", good ? STORAGE_CHECK_HEX : 1);
    free(hex);
}

void storage_crypt_digest(const void *data, size_t len, char out[STORAGE_DIGEST_HEX])
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256(data, len, digest);
    char *hex = memory_hex(digest, sizeof digest);
    memcpy(out, hex, STORAGE_DIGEST_HEX);
    free(hex);
}
