#include "provider/crypt.h"

#include <openssl/crypto.h>

#include "provider/key_end.h"
#include "provider/marshal.h"
#include "vault/second_vault.h"

#define LOCAL_WRAP_MAX_AGE_MS ((uint64_t)5 * 60 * 1000)

/* Reads the arguments that Encrypt and Decrypt have in common. */
static enum ekm_rc crypt_read_arguments(struct call *call, const SqlCpKeyThumbprint *thumbprint,
                                        bool is_final, const SqlCpData *in, const SqlCpData *out,
                                        struct thumbprint *key)
{
    if (in == NULL || in->pb == NULL || out == NULL) {
        return call_fail(call, EKM_INVALID_ARGUMENT, "plain or cipher is NULL");
    }
    if (!is_final) {
        return call_fail(call, EKM_NOT_SUPPORTED, "data in several parts (final = 0)");
    }
    return marshal_thumbprint(call, thumbprint, key);
}

/* Whether a key of this size can wrap it. */
static enum ekm_rc crypt_check_plain(struct call *call, const SqlCpData *plain, uint32_t key_bits,
                                     enum rsa_algorithm algorithm)
{
    if (plain->cb == 0 || plain->cb > rsa_public_max_plain(key_bits, algorithm)) {
        return call_fail(call, EKM_INVALID_ARGUMENT, "plain text of %u bytes", plain->cb);
    }
    return EKM_OK;
}

/* After taking over another provider's keys, wrap as that provider did, so that it can read the
 * result. */
static enum rsa_algorithm wrap_algorithm(const struct call *call, const struct session *session)
{
    const struct config *config = call->config;
    if (!config->wrap_auto) {
        return config->wrap_algorithm;
    }
    return config->foreign_guid ? keycache_last_unwrap(session->vault.address.host, RSA_OAEP_256)
                                : RSA_OAEP_256;
}

/* The vault checks these dates when it wraps. Without the vault the library must check them. */
static enum ekm_rc wrap_here(struct call *call, const struct known_key *key,
                             enum rsa_algorithm algorithm, const SqlCpData *plain,
                             struct buf *value)
{
    enum ekm_rc rc = key_lookup_may_wrap(key);
    if (rc != EKM_OK) {
        return call_fail(call, rc, NULL);
    }
    rc = rsa_public_wrap(&key->public, algorithm, plain->pb, plain->cb, value);
    if (rc != EKM_OK) {
        return call_fail(call, rc, "wrapping on this machine");
    }
    return EKM_OK;
}

static enum ekm_rc crypt_verify_wrap(struct call *call, const struct key_lookup *lookup,
                                     enum rsa_algorithm algorithm, const SqlCpData *plain,
                                     const struct buf *value)
{
    struct buf again = BUF_EMPTY(RSA_MAX_BYTES);
    enum ekm_rc rc = vault_unwrap(call, lookup->vault, &lookup->key.id, algorithm, value->data,
                                  value->len, &again);
    if (rc != EKM_OK) {
        goto out;
    }
    if (again.len != plain->cb || CRYPTO_memcmp(again.data, plain->pb, plain->cb) != 0) {
        rc = call_fail(call, EKM_UNWRAP_REFUSED, "verify_wrap: unwrapping returned other data");
    }
out:
    buf_free(&again);
    return rc;
}

static enum ekm_rc crypt_wrap(struct call *call, struct key_lookup *lookup,
                              enum rsa_algorithm algorithm, const SqlCpData *plain,
                              struct buf *value)
{
    enum ekm_rc rc;
    if (call->config->wrap_locally) {
        rc = wrap_here(call, &lookup->key, algorithm, plain, value);
    } else {
        rc = vault_wrap(call, lookup->vault, &lookup->key.id, algorithm, plain->pb, plain->cb,
                        value);
    }
    if (rc == EKM_FORBIDDEN) {
        return key_lookup_explain_refusal(call, lookup, true);
    }
    if (rc != EKM_OK) {
        return rc;
    }
    if (value->len != lookup->key.public.bits / 8) {
        return call_fail(call, EKM_WRAP_BAD_VALUE, "%zu bytes for a key of %u bits", value->len,
                         lookup->key.public.bits);
    }
    if (call->config->verify_wrap) {
        return crypt_verify_wrap(call, lookup, algorithm, plain, value);
    }
    return EKM_OK;
}

/* The pinned version is gone. The same key may have another name, or may be in this vault only
 * now. */
static enum ekm_rc crypt_wrap_elsewhere(struct call *call, struct key_lookup *lookup,
                                        enum rsa_algorithm algorithm, const SqlCpData *plain,
                                        struct buf *value)
{
    enum ekm_rc rc = key_lookup_find_again(call, lookup);
    if (rc != EKM_OK) {
        return rc;
    }
    rc = key_lookup_find_public(call, lookup, LOCAL_WRAP_MAX_AGE_MS);
    if (rc != EKM_OK) {
        return rc;
    }
    return crypt_wrap(call, lookup, algorithm, plain, value);
}

enum ekm_rc crypt_encrypt(struct call *call, const struct session *session,
                          const SqlCpKeyThumbprint *thumbprint, bool is_final,
                          const SqlCpData *plain, SqlCpData *cipher)
{
    struct key_lookup lookup = {.vault = &session->vault};
    struct buf value = BUF_EMPTY(RSA_MAX_BYTES);
    uint64_t max_age_ms = call->config->wrap_locally ? LOCAL_WRAP_MAX_AGE_MS : KEY_LOOKUP_ANY_AGE;
    enum rsa_algorithm algorithm = wrap_algorithm(call, session);
    call->audited = true;
    enum ekm_rc rc =
        crypt_read_arguments(call, thumbprint, is_final, plain, cipher, &lookup.thumbprint);
    if (rc != EKM_OK) {
        return rc;
    }
    rc = crypt_check_plain(call, plain, 8 * RSA_MAX_BYTES, algorithm);
    if (rc != EKM_OK) {
        return rc;
    }
    rc = key_lookup_find_public(call, &lookup, max_age_ms);
    if (rc != EKM_OK) {
        second_vault_explain(call, &session->vault, rc);
        return rc;
    }
    rc = crypt_check_plain(call, plain, lookup.key.public.bits, algorithm);
    if (rc != EKM_OK) {
        return rc;
    }
    if (marshal_is_short(cipher->pb, cipher->cb, lookup.key.public.bits / 8)) {
        cipher->cb = lookup.key.public.bits / 8;
        return EKM_INSUFFICIENT_BUFFER;
    }
    rc = crypt_wrap(call, &lookup, algorithm, plain, &value);
    if (rc == EKM_KEY_NOT_FOUND) {
        rc = crypt_wrap_elsewhere(call, &lookup, algorithm, plain, &value);
    }
    if (rc != EKM_OK) {
        second_vault_explain(call, &session->vault, rc);
        goto out;
    }
    key_lookup_record(call, &lookup);
    key_end_note_use(call, &lookup);
    rc = marshal_put(cipher, value.data, value.len);
out:
    buf_free(&value);
    return rc;
}

/* First the algorithm that opened this key before, then the configured ones in their order. */
static size_t order_algorithms(const struct config *config, enum rsa_algorithm remembered,
                               enum rsa_algorithm out[RSA_ALGORITHM_COUNT + 1])
{
    size_t count = 0;
    if (remembered != RSA_ALGORITHM_COUNT) {
        out[count++] = remembered;
    }
    for (size_t i = 0; i < config->unwrap_count; i++) {
        if (config->unwrap_algorithms[i] != remembered) {
            out[count++] = config->unwrap_algorithms[i];
        }
    }
    return count;
}

/* A refusal may mean that the map leads to another key, and RSA1_5 "opens" anything with any key.
 * So the key's public part must give the thumbprint before either result counts. */
static enum ekm_rc crypt_unwrap(struct call *call, struct key_lookup *lookup,
                                const SqlCpData *cipher, struct buf *value)
{
    enum rsa_algorithm order[RSA_ALGORITHM_COUNT + 1];
    size_t count = order_algorithms(call->config, lookup->key.oaep, order);
    enum ekm_rc rc = EKM_UNWRAP_REFUSED;
    for (size_t i = 0; rc == EKM_UNWRAP_REFUSED && i < count; i++) {
        if ((i > 0 || order[i] == RSA1_5) && key_lookup_is_misled(call, lookup)) {
            return call_fail(call, EKM_OTHER_KEY, "the mapped key has another thumbprint");
        }
        rc = vault_unwrap(call, lookup->vault, &lookup->key.id, order[i], cipher->pb, cipher->cb,
                          value);
        if (rc == EKM_OK &&
            keycache_note_unwrap(lookup->vault->address.host, &lookup->thumbprint, order[i])) {
            call_log(call, LEVEL_INFO, "opened with %s", rsa_algorithm_name(order[i]));
        }
    }
    if (rc == EKM_FORBIDDEN) {
        return key_lookup_explain_refusal(call, lookup, false);
    }
    return rc;
}

/* The pinned version is gone, or the map led to another key. */
static enum ekm_rc crypt_unwrap_elsewhere(struct call *call, struct key_lookup *lookup,
                                          const SqlCpData *cipher, struct buf *value)
{
    enum ekm_rc rc = key_lookup_find_again(call, lookup);
    if (rc != EKM_OK) {
        return rc;
    }
    return crypt_unwrap(call, lookup, cipher, value);
}

struct decryption {
    const SqlCpData *cipher;
    struct thumbprint thumbprint;
    struct buf value;
};

/* A step of second_vault_run. In a vault that stands in for another, only a public part that gives
 * the thumbprint proves the key; a trial does not. */
static enum ekm_rc crypt_decrypt_at(struct call *call, const struct vault *vault, void *context)
{
    struct decryption *work = context;
    const struct discovery_trial trial = {work->cipher->pb, work->cipher->cb};
    struct key_lookup lookup = {
        .vault = vault, .thumbprint = work->thumbprint, .trial = vault->stands_in ? NULL : &trial};
    enum ekm_rc rc = key_lookup_find(call, &lookup);
    if (rc == EKM_OK) {
        rc = crypt_unwrap(call, &lookup, work->cipher, &work->value);
    }
    if (rc == EKM_KEY_NOT_FOUND || lookup.misled) {
        rc = crypt_unwrap_elsewhere(call, &lookup, work->cipher, &work->value);
    }
    if (rc != EKM_OK) {
        return rc;
    }
    key_lookup_record(call, &lookup);
    key_end_note_use(call, &lookup);
    return EKM_OK;
}

static bool is_cipher_length(uint32_t len)
{
    return len == 2048 / 8 || len == 3072 / 8 || len == 4096 / 8;
}

enum ekm_rc crypt_decrypt(struct call *call, const struct session *session,
                          const SqlCpKeyThumbprint *thumbprint, bool is_final,
                          const SqlCpData *cipher, SqlCpData *plain)
{
    struct decryption work = {.cipher = cipher, .value = BUF_EMPTY(RSA_MAX_BYTES)};
    call->audited = true;
    enum ekm_rc rc =
        crypt_read_arguments(call, thumbprint, is_final, cipher, plain, &work.thumbprint);
    if (rc != EKM_OK) {
        return rc;
    }
    if (!is_cipher_length(cipher->cb)) {
        return call_fail(call, EKM_INVALID_ARGUMENT, "cipher of %u bytes", cipher->cb);
    }
    if (plain->pb == NULL || plain->cb == 0) {
        plain->cb = cipher->cb;
        return EKM_INSUFFICIENT_BUFFER;
    }
    rc = second_vault_run(call, &session->vault, true, crypt_decrypt_at, &work);
    if (rc != EKM_OK) {
        goto out;
    }
    rc = marshal_put(plain, work.value.data, work.value.len);
out:
    buf_free(&work.value);
    return rc;
}
