#include "vault/certificate_file.h"

#include <openssl/pkcs12.h>
#include <string.h>

#include "base/codec.h"
#include "base/text.h"
#include "vault/rsa_key.h"

#define BLOCK_MAX 65536
#define CHAIN_MAX 16

/* The keys and certificates that were found so far. */
struct gathering {
    EVP_PKEY *key;
    X509 *chain[CHAIN_MAX];
    size_t count;
    const char *why;
};

static void gathering_free(struct gathering *found)
{
    EVP_PKEY_free(found->key);
    for (size_t i = 0; i < found->count; i++) {
        X509_free(found->chain[i]);
    }
}

static enum ekm_rc gathering_fail(struct gathering *found, const char *why)
{
    found->why = why;
    return EKM_CERTIFICATE_UNUSABLE;
}

static enum ekm_rc gathering_add_key(struct gathering *found, const uint8_t *der, size_t len,
                                     bool is_pkcs8)
{
    if (found->key != NULL) {
        return gathering_fail(found, "there is more than one key");
    }
    enum ekm_rc rc =
        is_pkcs8 ? rsa_key_read_pkcs8(der, len, &found->key) : rsa_key_read(der, len, &found->key);
    switch (rc) {
    case EKM_OK:
    case EKM_OUT_OF_MEMORY:
        return rc;
    case EKM_NOT_SUPPORTED:
        return gathering_fail(found, "the key is not RSA of 2048 to 16384 bits");
    default:
        return gathering_fail(found, "the key cannot be read");
    }
}

/* Takes over the certificate. */
static enum ekm_rc gathering_add_certificate(struct gathering *found, X509 *one)
{
    if (one == NULL || found->count == CHAIN_MAX) {
        X509_free(one);
        return gathering_fail(found, one == NULL ? "a certificate cannot be read"
                                                 : "there are more than 16 certificates");
    }
    found->chain[found->count++] = one;
    return EKM_OK;
}

/* Moves the key and its certificate to `out`. */
static enum ekm_rc gathering_take_pair(struct gathering *found, struct certificate_pair *out)
{
    if (found->key == NULL) {
        return gathering_fail(found, "there is no private key");
    }
    if (found->count == 0) {
        return gathering_fail(found, "there is no certificate");
    }
    for (size_t i = 0; i < found->count; i++) {
        const EVP_PKEY *public_key = X509_get0_pubkey(found->chain[i]);
        if (public_key != NULL && EVP_PKEY_eq(public_key, found->key) == 1) {
            *out = (struct certificate_pair){.key = found->key, .leaf = found->chain[i]};
            found->chain[i] = NULL;
            found->key = NULL;
            return EKM_OK;
        }
    }
    found->why = "no certificate in it belongs to the key";
    return EKM_CERTIFICATE_PAIR;
}

/* One block between BEGIN and END lines. */
struct pem_block {
    const char *label, *body;
    size_t label_len, body_len;
};

/* Finds the next block and moves *at behind it. False: there is none. */
static bool pem_next(const char **at, struct pem_block *out)
{
    static const char begin[] = "-----BEGIN ", dashes[] = "-----", end[] = "-----END ";
    const char *start = strstr(*at, begin);
    if (start == NULL) {
        return false;
    }
    out->label = start + sizeof begin - 1;
    const char *label_end = strstr(out->label, dashes);
    if (label_end == NULL) {
        return false;
    }
    out->label_len = (size_t)(label_end - out->label);
    out->body = label_end + sizeof dashes - 1;
    const char *body_end = strstr(out->body, end);
    if (body_end == NULL) {
        return false;
    }
    out->body_len = (size_t)(body_end - out->body);
    *at = body_end + sizeof end - 1;
    return true;
}

static bool pem_is(const struct pem_block *block, const char *label)
{
    return block->label_len == strlen(label) && memcmp(block->label, label, block->label_len) == 0;
}

static enum ekm_rc pem_decode(const struct pem_block *block, struct buf *out)
{
    struct buf digits = BUF_EMPTY(BLOCK_MAX);
    enum ekm_rc rc = buf_reserve(&digits, block->body_len);
    if (rc != EKM_OK) {
        goto out;
    }
    for (size_t i = 0; i < block->body_len; i++) {
        if (strchr(" \t\r\n", block->body[i]) == NULL) {
            digits.data[digits.len++] = (uint8_t)block->body[i];
        }
    }
    digits.data[digits.len] = 0;
    rc = base64_decode(buf_text(&digits), digits.len, out);
out:
    buf_free(&digits);
    return rc;
}

static enum ekm_rc pem_take(struct gathering *found, const struct pem_block *block)
{
    struct buf der = BUF_EMPTY(BLOCK_MAX);
    bool is_pkcs8 = pem_is(block, "PRIVATE KEY"), is_pkcs1 = pem_is(block, "RSA PRIVATE KEY");
    bool is_certificate = pem_is(block, "CERTIFICATE");
    if (pem_is(block, "ENCRYPTED PRIVATE KEY") ||
        (is_pkcs1 && memchr(block->body, ':', block->body_len) != NULL)) {
        return gathering_fail(found, "the key is encrypted: use a .pfx with a .password file");
    }
    if (pem_is(block, "EC PRIVATE KEY")) {
        return gathering_fail(found, "the key is not RSA");
    }
    if (!is_pkcs8 && !is_pkcs1 && !is_certificate) {
        return EKM_OK;
    }
    enum ekm_rc rc = pem_decode(block, &der);
    if (rc != EKM_OK) {
        rc = rc == EKM_OUT_OF_MEMORY ? rc : gathering_fail(found, "a block is not base64");
    } else if (is_certificate) {
        const uint8_t *at = der.data;
        rc = gathering_add_certificate(found, d2i_X509(NULL, &at, (long)der.len));
    } else {
        rc = gathering_add_key(found, der.data, der.len, is_pkcs8);
    }
    buf_free(&der);
    return rc;
}

enum ekm_rc certificate_file_read_pem(const struct buf *content, struct certificate_pair *out,
                                      const char **why)
{
    struct gathering found = {.why = ""};
    struct pem_block block;
    const char *at = buf_text(content);
    enum ekm_rc rc = EKM_OK;
    *out = (struct certificate_pair){NULL, NULL};
    while (pem_next(&at, &block)) {
        rc = pem_take(&found, &block);
        if (rc != EKM_OK) {
            goto out;
        }
    }
    rc = gathering_take_pair(&found, out);
out:
    *why = found.why;
    gathering_free(&found);
    return rc;
}

static enum ekm_rc pfx_take_key(struct gathering *found, const PKCS8_PRIV_KEY_INFO *info)
{
    const ASN1_OBJECT *algorithm = NULL;
    const unsigned char *der = NULL;
    int len = 0;
    if (info == NULL || PKCS8_pkey_get0(&algorithm, &der, &len, NULL, info) != 1) {
        return gathering_fail(found, "the key cannot be decrypted");
    }
    if (OBJ_obj2nid(algorithm) != NID_rsaEncryption) {
        return gathering_fail(found, "the key is not RSA");
    }
    return gathering_add_key(found, der, (size_t)len, false);
}

static enum ekm_rc pfx_take_bag(struct gathering *found, const PKCS12_SAFEBAG *bag,
                                const char *password, int len)
{
    switch (PKCS12_SAFEBAG_get_nid(bag)) {
    case NID_keyBag:
        return pfx_take_key(found, PKCS12_SAFEBAG_get0_p8inf(bag));
    case NID_pkcs8ShroudedKeyBag: {
        PKCS8_PRIV_KEY_INFO *info = PKCS12_decrypt_skey(bag, password, len);
        enum ekm_rc rc = pfx_take_key(found, info);
        PKCS8_PRIV_KEY_INFO_free(info);
        return rc;
    }
    case NID_certBag:
        return PKCS12_SAFEBAG_get_bag_nid(bag) == NID_x509Certificate
                   ? gathering_add_certificate(found, PKCS12_SAFEBAG_get1_cert(bag))
                   : EKM_OK;
    default:
        return EKM_OK;
    }
}

static enum ekm_rc pfx_take_safe(struct gathering *found, PKCS7 *safe, const char *password,
                                 int len)
{
    STACK_OF(PKCS12_SAFEBAG) *bags = NULL;
    if (PKCS7_type_is_data(safe)) {
        bags = PKCS12_unpack_p7data(safe);
    } else if (PKCS7_type_is_encrypted(safe)) {
        bags = PKCS12_unpack_p7encdata(safe, password, len);
    } else {
        return EKM_OK;
    }
    if (bags == NULL) {
        return gathering_fail(found, "a part cannot be decrypted: an old cipher (RC2)? Export it "
                                     "anew with AES");
    }
    enum ekm_rc rc = EKM_OK;
    for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); i++) {
        rc = pfx_take_bag(found, sk_PKCS12_SAFEBAG_value(bags, i), password, len);
        if (rc != EKM_OK) {
            break;
        }
    }
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
    return rc;
}

/* In PKCS #12 no password and an empty one differ. If no password is right, *password becomes
 * NULL. */
static bool pfx_check_password(PKCS12 *pfx, const char **password, int *len)
{
    *len = (int)strlen(*password);
    if (!PKCS12_mac_present(pfx) || PKCS12_verify_mac(pfx, *password, *len) == 1) {
        return true;
    }
    if (*len == 0 && PKCS12_verify_mac(pfx, NULL, 0) == 1) {
        *password = NULL;
        return true;
    }
    return false;
}

static enum ekm_rc pfx_take_all(struct gathering *found, PKCS12 *pfx, const char *password)
{
    int len;
    if (!pfx_check_password(pfx, &password, &len)) {
        return gathering_fail(found, "the password is wrong");
    }
    STACK_OF(PKCS7) *safes = PKCS12_unpack_authsafes(pfx);
    if (safes == NULL) {
        return gathering_fail(found, "it is not a PKCS #12 file");
    }
    enum ekm_rc rc = EKM_OK;
    for (int i = 0; i < sk_PKCS7_num(safes); i++) {
        rc = pfx_take_safe(found, sk_PKCS7_value(safes, i), password, len);
        if (rc != EKM_OK) {
            break;
        }
    }
    sk_PKCS7_pop_free(safes, PKCS7_free);
    return rc;
}

enum ekm_rc certificate_file_read_pfx(const struct buf *content, const char *password,
                                      struct certificate_pair *out, const char **why)
{
    struct gathering found = {.why = ""};
    const uint8_t *at = content->data;
    PKCS12 *pfx = content->len > 0 ? d2i_PKCS12(NULL, &at, (long)content->len) : NULL;
    *out = (struct certificate_pair){NULL, NULL};
    enum ekm_rc rc = EKM_OK;
    if (pfx == NULL) {
        rc = gathering_fail(&found, "it is not a PKCS #12 file");
        goto out;
    }
    rc = pfx_take_all(&found, pfx, password);
    if (rc != EKM_OK) {
        goto out;
    }
    rc = gathering_take_pair(&found, out);
out:
    PKCS12_free(pfx);
    *why = found.why;
    gathering_free(&found);
    return rc;
}

void certificate_pair_free(struct certificate_pair *pair)
{
    EVP_PKEY_free(pair->key);
    X509_free(pair->leaf);
    *pair = (struct certificate_pair){NULL, NULL};
}
