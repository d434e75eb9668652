#include "vault/rsa_key.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <string.h>

#include "platform/system.h"

#define TAG_INTEGER  0x02
#define TAG_OCTETS   0x04
#define TAG_OBJECT   0x06
#define TAG_SEQUENCE 0x30
#define BYTES_MIN    256
#define BYTES_MAX    2048

struct der_span {
    const uint8_t *at;
    size_t len;
};

/* Reads the next element of `rest` and returns its content. */
static bool der_next(struct der_span *rest, uint8_t tag, struct der_span *out)
{
    if (rest->len < 2 || rest->at[0] != tag) {
        return false;
    }
    size_t len = rest->at[1], head = 2;
    if (len >= 0x80) {
        size_t count = len & 0x7F;
        if (count < 1 || count > 3 || rest->len < 2 + count) {
            return false;
        }
        len = 0;
        for (size_t i = 0; i < count; i++) {
            len = len << 8 | rest->at[2 + i];
        }
        head += count;
    }
    if (len > rest->len - head) {
        return false;
    }
    *out = (struct der_span){rest->at + head, len};
    rest->at += head + len;
    rest->len -= head + len;
    return true;
}

/* Reads a number without leading zeros. False: none, or negative. */
static bool der_next_number(struct der_span *rest, struct der_span *out)
{
    if (!der_next(rest, TAG_INTEGER, out) || out->len == 0 || (out->at[0] & 0x80) != 0) {
        return false;
    }
    while (out->len > 1 && out->at[0] == 0) {
        out->at++;
        out->len--;
    }
    return true;
}

static bool der_is_zero(const struct der_span *number)
{
    return number->len == 1 && number->at[0] == 0;
}

/* The names are in the order of RSAPrivateKey, after its version. */
static const char *const rsa_key_parts[] = {
    OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,
    OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
    OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
    OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
};
#define PARTS (sizeof rsa_key_parts / sizeof rsa_key_parts[0])

/* Copies the number in the machine's byte order, as OSSL_PARAM needs it. */
static OSSL_PARAM rsa_key_param(const char *name, const struct der_span *number, struct buf *bytes)
{
    static const uint16_t probe = 1;
    bool is_little = *(const uint8_t *)&probe == 1;
    uint8_t *start = bytes->data + bytes->len;
    for (size_t i = 0; i < number->len; i++) {
        start[i] = number->at[is_little ? number->len - 1 - i : i];
    }
    bytes->len += number->len;
    return OSSL_PARAM_construct_BN(name, start, number->len);
}

static enum ekm_rc rsa_key_make(const struct der_span numbers[PARTS], EVP_PKEY **out)
{
    struct buf bytes = BUF_EMPTY(PARTS * BYTES_MAX);
    OSSL_PARAM params[PARTS + 1];
    size_t total = 0;
    for (size_t i = 0; i < PARTS; i++) {
        total += numbers[i].len;
    }
    enum ekm_rc rc = buf_reserve(&bytes, total);
    if (rc != EKM_OK) {
        return rc == EKM_OUT_OF_MEMORY ? rc : EKM_NOT_SUPPORTED;
    }
    for (size_t i = 0; i < PARTS; i++) {
        params[i] = rsa_key_param(rsa_key_parts[i], &numbers[i], &bytes);
    }
    params[PARTS] = OSSL_PARAM_construct_end();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    if (context == NULL || EVP_PKEY_fromdata_init(context) != 1) {
        rc = EKM_OUT_OF_MEMORY;
    } else if (EVP_PKEY_fromdata(context, out, EVP_PKEY_KEYPAIR, params) != 1) {
        rc = EKM_INVALID_ARGUMENT;
    }
    EVP_PKEY_CTX_free(context);
    buf_free(&bytes);
    return rc;
}

enum ekm_rc rsa_key_read(const uint8_t *der, size_t len, EVP_PKEY **out)
{
    struct der_span rest = {der, len}, inner, version, numbers[PARTS];
    *out = NULL;
    if (!der_next(&rest, TAG_SEQUENCE, &inner) || rest.len != 0 ||
        !der_next_number(&inner, &version) || !der_is_zero(&version)) {
        return EKM_INVALID_ARGUMENT;
    }
    for (size_t i = 0; i < PARTS; i++) {
        if (!der_next_number(&inner, &numbers[i]) || der_is_zero(&numbers[i])) {
            return EKM_INVALID_ARGUMENT;
        }
        if (numbers[i].len > BYTES_MAX) {
            return EKM_NOT_SUPPORTED;
        }
    }
    if (inner.len != 0) {
        return EKM_INVALID_ARGUMENT;
    }
    return numbers[0].len >= BYTES_MIN ? rsa_key_make(numbers, out) : EKM_NOT_SUPPORTED;
}

enum ekm_rc rsa_key_read_pkcs8(const uint8_t *der, size_t len, EVP_PKEY **out)
{
    static const uint8_t rsa[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01};
    struct der_span rest = {der, len}, inner, version, algorithm, object, key;
    *out = NULL;
    if (!der_next(&rest, TAG_SEQUENCE, &inner) || !der_next_number(&inner, &version) ||
        !der_next(&inner, TAG_SEQUENCE, &algorithm) || !der_next(&algorithm, TAG_OBJECT, &object) ||
        !der_next(&inner, TAG_OCTETS, &key)) {
        return EKM_INVALID_ARGUMENT;
    }
    if (object.len != sizeof rsa || memcmp(object.at, rsa, sizeof rsa) != 0) {
        return EKM_NOT_SUPPORTED;
    }
    return rsa_key_read(key.at, key.len, out);
}
