#include "material.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "encode.h"

EVP_PKEY *material_generate_rsa(int bits)
{
    return material_generate_rsa_by(bits, 65537);
}

EVP_PKEY *material_generate_rsa_by(int bits, int exponent)
{
    bool is_known =
        exponent == 3 || exponent == 5 || exponent == 17 || exponent == 257 || exponent == 65537;
    if ((bits != 2048 && bits != 3072 && bits != 4096) || !is_known) {
        return NULL;
    }
    EVP_PKEY *pkey = NULL;
    BIGNUM *number = must(BN_new());
    EVP_PKEY_CTX *context = must(EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL));
    if (BN_set_word(number, (BN_ULONG)exponent) != 1 || EVP_PKEY_keygen_init(context) != 1 ||
        EVP_PKEY_CTX_set_rsa_keygen_bits(context, bits) != 1 ||
        EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, number) != 1 ||
        EVP_PKEY_generate(context, &pkey) != 1) {
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(context);
    BN_free(number);
    return pkey;
}

EVP_PKEY *material_generate_ec(void)
{
    return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
}

bool material_is_rsa(const EVP_PKEY *pkey)
{
    return pkey != NULL && EVP_PKEY_is_a(pkey, "RSA");
}

/* Refuses a PEM with a pass phrase, instead of asking for it on the terminal. */
static int no_passphrase(char *buffer, int size, int writing, void *data)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)data;
    return -1;
}

EVP_PKEY *material_from_pem(const char *pem)
{
    BIO *bio = must(BIO_new_mem_buf(pem, -1));
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    BIO_free(bio);
    if (pkey != NULL && !EVP_PKEY_is_a(pkey, "RSA") && !EVP_PKEY_is_a(pkey, "EC")) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    return pkey;
}

EVP_PKEY *material_public_from_pem(const char *pem)
{
    BIO *bio = must(BIO_new_mem_buf(pem, -1));
    EVP_PKEY *pkey = PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);
    BIO_free(bio);
    return pkey;
}

EVP_PKEY *material_make_public(int bits)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = must(EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL));
    OSSL_PARAM_BLD *build = must(OSSL_PARAM_BLD_new());
    BIGNUM *n = must(BN_new()), *e = must(BN_new());
    OSSL_PARAM *params = NULL;
    if (BN_rand(n, bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD) == 1 && BN_set_word(e, 65537) == 1) {
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n);
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e);
        params = must(OSSL_PARAM_BLD_to_param(build));
        if (EVP_PKEY_fromdata_init(ctx) != 1 ||
            EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1) {
            pkey = NULL;
        }
    }
    OSSL_PARAM_free(params);
    BN_free(n);
    BN_free(e);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

static bool is_private(const EVP_PKEY *pkey)
{
    BIGNUM *number = NULL;
    bool has =
        !material_is_rsa(pkey) || EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_D, &number) == 1;
    BN_clear_free(number);
    return has;
}

char *material_to_pem(EVP_PKEY *pkey)
{
    BIO *bio = must(BIO_new(BIO_s_mem()));
    char *text = NULL, *data = NULL;
    if ((is_private(pkey) ? PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL)
                          : PEM_write_bio_PUBKEY(bio, pkey)) == 1) {
        long len = BIO_get_mem_data(bio, &data);
        text = must(strndup(data, (size_t)len));
    }
    BIO_free(bio);
    return must(text);
}

static const struct {
    const char *jwk, *param;
} rsa_parts[] = {
    {"n", OSSL_PKEY_PARAM_RSA_N},          {"e", OSSL_PKEY_PARAM_RSA_E},
    {"d", OSSL_PKEY_PARAM_RSA_D},          {"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
    {"q", OSSL_PKEY_PARAM_RSA_FACTOR2},    {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
    {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2}, {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1},
};
#define RSA_PART_COUNT (sizeof rsa_parts / sizeof rsa_parts[0])

static BIGNUM *material_number_of(const cJSON *jwk, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(jwk, name);
    size_t len = 0;
    uint8_t *bytes = cJSON_IsString(item) ? base64url_decode(item->valuestring, &len) : NULL;
    BIGNUM *number = bytes != NULL ? BN_bin2bn(bytes, (int)len, NULL) : NULL;
    free(bytes);
    return number;
}

EVP_PKEY *material_from_jwk(const cJSON *jwk)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params = NULL;
    BIGNUM *numbers[RSA_PART_COUNT] = {NULL};
    EVP_PKEY_CTX *ctx = must(EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL));
    OSSL_PARAM_BLD *build = must(OSSL_PARAM_BLD_new());
    for (size_t i = 0; i < RSA_PART_COUNT; i++) {
        numbers[i] = material_number_of(jwk, rsa_parts[i].jwk);
        if (numbers[i] != NULL) {
            OSSL_PARAM_BLD_push_BN(build, rsa_parts[i].param, numbers[i]);
        } else if (i < 3) {
            goto out;
        }
    }
    params = must(OSSL_PARAM_BLD_to_param(build));
    if (EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params) != 1) {
        pkey = NULL;
    }
out:
    for (size_t i = 0; i < RSA_PART_COUNT; i++) {
        BN_clear_free(numbers[i]);
    }
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

static void describe_number(EVP_PKEY *pkey, const char *param, int len, cJSON *jwk,
                            const char *name)
{
    BIGNUM *number = NULL;
    uint8_t bytes[512];
    if (EVP_PKEY_get_bn_param(pkey, param, &number) != 1) {
        return;
    }
    int used = len > 0 ? BN_bn2binpad(number, bytes, len) : BN_num_bytes(number);
    if (len == 0 && used <= (int)sizeof bytes) {
        BN_bn2bin(number, bytes);
    }
    if (used > 0 && used <= (int)sizeof bytes) {
        char *text = base64url_encode(bytes, (size_t)used);
        cJSON_AddStringToObject(jwk, name, text);
        free(text);
    }
    BN_free(number);
}

void material_describe(EVP_PKEY *pkey, cJSON *jwk)
{
    if (material_is_rsa(pkey)) {
        describe_number(pkey, OSSL_PKEY_PARAM_RSA_N, 0, jwk, "n");
        describe_number(pkey, OSSL_PKEY_PARAM_RSA_E, 0, jwk, "e");
    } else if (pkey != NULL) {
        cJSON_AddStringToObject(jwk, "crv", "P-256");
        describe_number(pkey, OSSL_PKEY_PARAM_EC_PUB_X, 32, jwk, "x");
        describe_number(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, 32, jwk, "y");
    }
}
