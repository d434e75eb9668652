/* An answer of get or create key: what is taken from it is a usable key of this vault, or a code
 * that names the field at fault. */
#include "fuzz.h"

// aims: src/vault/json.c src/vault/wire_key.c src/base/rsa_public.c

#include <string.h>

#include "base/text.h"
#include "vault/wire.h"

static void check_name(const struct key_id *id)
{
    char uri[KEY_URI_MAX + 1];
    struct key_id again;
    FUZZ_CHECK(text_is_name(id->name, "-", KEY_NAME_MAX));
    FUZZ_CHECK(id->version[0] == '\0' || text_is_name(id->version, "-", KEY_VERSION_MAX));
    FUZZ_CHECK(key_uri_format(uri, sizeof uri, FUZZ_HOST, id));
    FUZZ_CHECK(key_uri_parse(uri, FUZZ_HOST, &again) && memcmp(&again, id, sizeof again) == 0);
}

/* Both forms in which the key leaves the library hold the numbers that came in. */
static void check_public(const struct rsa_public *key)
{
    uint8_t blob[CNG_BLOB_MAX_BYTES];
    struct thumbprint thumbprint;
    uint32_t head[6];
    size_t n_len = key->bits / 8;
    FUZZ_CHECK(key->bits == 2048 || key->bits == 3072 || key->bits == 4096);
    FUZZ_CHECK(key->modulus[0] >= 0x80 && key->modulus[n_len - 1] % 2 == 1);
    FUZZ_CHECK(key->exponent >= 3 && key->exponent % 2 == 1);
    FUZZ_CHECK(rsa_public_thumbprint(key, &thumbprint) == EKM_OK);
    FUZZ_CHECK(thumbprint.len == THUMBPRINT_BYTES && rsa_public_matches(key, &thumbprint));
    size_t len = rsa_public_cng_blob(key, blob);
    memcpy(head, blob, sizeof head);
    FUZZ_CHECK(head[0] == 0x31415352 && head[1] == key->bits && head[3] == n_len);
    FUZZ_CHECK(head[2] >= 1 && head[2] <= 4 && head[4] == 0 && head[5] == 0);
    FUZZ_CHECK(len == sizeof head + head[2] + n_len);
    uint32_t exponent = 0;
    for (uint32_t i = 0; i < head[2]; i++) {
        exponent = exponent << 8 | blob[sizeof head + i];
    }
    FUZZ_CHECK(exponent == key->exponent);
    FUZZ_CHECK(memcmp(blob + sizeof head + head[2], key->modulus, n_len) == 0);
    struct rsa_public again;
    FUZZ_CHECK(rsa_public_set(&again, blob + sizeof head + head[2], n_len, blob + sizeof head,
                              head[2]) == EKM_OK);
    FUZZ_CHECK(again.bits == key->bits && again.exponent == key->exponent);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct call *call = fuzz_call();
    struct buf body;
    struct vault_key key;
    fuzz_body(&body, data, size);
    enum ekm_rc rc = wire_read_key(call, FUZZ_HOST, &body, &key);
    if (rc == EKM_OK) {
        FUZZ_CHECK(call->error.rc == EKM_OK);
        FUZZ_CHECK(key.is_rsa || !key.usable_size);
        check_name(&key.id);
        if (key.usable_size) {
            check_public(&key.public);
        }
    } else {
        FUZZ_CHECK_ONE_OF(call, rc, EKM_KEY_NOT_JSON, EKM_KEY_NO_NODE, EKM_KEY_NO_ID,
                          EKM_KEY_BAD_ID, EKM_KEY_NO_TYPE, EKM_KEY_NO_N, EKM_KEY_BAD_N,
                          EKM_KEY_NO_E, EKM_KEY_BAD_E, EKM_OTHER_KEY);
    }
    buf_free(&body);
    return 0;
}
