/* Thumbprints against the known answers, CNG blobs byte by byte, wrapping opened with the private
 * key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/codec.h"
#include "base/rsa_public.h"

static const uint8_t aqab[] = {1, 0, 1};

/* thumbprint.md: from public recordings of the Azure service; e = AQAB. */
static const char *const known[][2] = {
    {"EA4D88DB3ABB940193A920780D6689C517DCCD06",
     "-6bm4CLkE8mu3Qt8rRoADmCFJrzFHgL7hA6Lf2StwHcyl8HxJmX2CjK8xPJlMK47VcZhWJZAM09glVSYmVbcCQrGYqd"
     "Wd1CgTahtRrIiVaTDGCjYycAruV0Dx8k1Bb4PHYpP1h8yZnRzE6VgV9h7sgCkTIt8vAaRn_OxkxlsLnKj31HRIuMv6Y"
     "oiRNbcWoxynD1mgnbWawLsG4ePCiH7Te3vOIEXlYBR0tgwrIRPHkLaD93qhuXVValn4FthAuwnlfGx1Y8NYfNq6vSXi"
     "cuRbMCGlBYqN8nVIhMs2ZDikEln5-evk4HxO6jpzx4JiHuYHiBJg-5kFacDpnM4zEuqKQ"},
    {"A1FF69BC41A2CA73D8C82C435BB70F6F8FD7C80C",
     "zy1_nUWeWC-5CjmTAw9BmG0lJ7ZuiAvFGzft8f0QdgptgXqBQGcI0JuybIcROZw5w82zoOrbvS-wVtHj8b0SRtlkHJ3"
     "awNYqhs_pBashSXb_vK7KjQtKnCysGZiXwkWFJjsj2AnLrFsq9unlJiGYld2XuaGOvtOWA8Usga5k0FA6Umw19AjRRh"
     "NJV4lue-D3cwMz5cWUpY4nMdHIr3rLJnLxRshG1Rze0eNJ7AmVqygC-CKQiNa2PGylhJI41WAdnBF0lkuq2ORh5vigh"
     "852rXtSKvAMUEVeTyzKZE5yHFKu57B4IkwlAQ7hNWAatWreKxo8Xze4TAdp33cmnaVLPw"},
};

static void read_known(size_t i, struct rsa_public *key)
{
    /* With a leading zero byte, as some services send it. */
    struct buf n = BUF_EMPTY(1000);
    assert_int_equal(buf_append(&n, "\0", 1), EKM_OK);
    assert_int_equal(base64_decode(known[i][1], strlen(known[i][1]), &n), EKM_OK);
    assert_int_equal(rsa_public_set(key, n.data, n.len, aqab, sizeof aqab), EKM_OK);
    struct rsa_public again;
    static const uint8_t padded[] = {0, 0, 1, 0, 1};
    assert_int_equal(rsa_public_set(&again, n.data + 1, n.len - 1, padded, sizeof padded), EKM_OK);
    assert_memory_equal(&again, key, sizeof again);
    buf_free(&n);
}

static void test_known_thumbprints(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct rsa_public key;
        struct thumbprint thumbprint;
        char text[2 * THUMBPRINT_MAX_BYTES + 1];
        read_known(i, &key);
        assert_int_equal(key.bits, 2048);
        assert_int_equal(key.exponent, 65537);
        assert_int_equal(rsa_public_thumbprint(&key, &thumbprint), EKM_OK);
        thumbprint_text(&thumbprint, text);
        assert_string_equal(text, known[i][0]);
    }
}

static void test_either_byte_order_is_recognised(void **state)
{
    (void)state;
    struct rsa_public key, other;
    struct thumbprint ours, reversed;
    read_known(0, &key);
    read_known(1, &other);
    assert_int_equal(rsa_public_thumbprint(&key, &ours), EKM_OK);
    reversed = ours;
    for (size_t i = 0; i < ours.len; i++) {
        reversed.bytes[i] = ours.bytes[ours.len - 1 - i];
    }
    assert_true(rsa_public_matches(&key, &ours));
    assert_true(rsa_public_matches(&key, &reversed));
    assert_false(rsa_public_matches(&other, &ours));
    assert_false(rsa_public_matches(&other, &reversed));
    ours.bytes[7] ^= 1;
    assert_false(rsa_public_matches(&key, &ours));
    reversed.len = 9; /* an old connector's */
    assert_false(rsa_public_matches(&key, &reversed));
}

static void test_thumbprints_of_all_lengths(void **state)
{
    (void)state;
    uint8_t bytes[THUMBPRINT_MAX_BYTES + 1];
    char text[2 * THUMBPRINT_MAX_BYTES + 1];
    struct thumbprint a, b;
    memset(bytes, 0xAB, sizeof bytes);
    assert_false(thumbprint_set(&a, bytes, 0));
    assert_false(thumbprint_set(&a, bytes, sizeof bytes));
    for (size_t len = 1; len <= THUMBPRINT_MAX_BYTES; len++) {
        assert_true(thumbprint_set(&a, bytes, len));
        assert_true(thumbprint_set(&b, bytes, len));
        assert_true(thumbprint_equal(&a, &b));
        thumbprint_text(&a, text);
        assert_int_equal(strlen(text), 2 * len);
        b.bytes[len - 1] ^= 1;
        assert_false(thumbprint_equal(&a, &b));
        assert_true(len == 1 || thumbprint_set(&b, bytes, len - 1));
        assert_false(thumbprint_equal(&a, &b));
    }
}

static void test_unusable_keys_are_refused(void **state)
{
    (void)state;
    static const size_t lens[] = {0, 1, 128, 255, 257, 320, 511, 513};
    uint8_t n[600], e[8] = {1, 0, 0, 0, 0, 0, 0, 1};
    struct rsa_public key;
    memset(n, 0xFF, sizeof n);
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        assert_int_equal(rsa_public_set(&key, n, lens[i], aqab, 3), EKM_NOT_SUPPORTED);
    }
    assert_int_equal(rsa_public_set(&key, n, 256, aqab, 3), EKM_OK);
    n[255] = 0xFE;
    assert_int_equal(rsa_public_set(&key, n, 256, aqab, 3), EKM_NOT_SUPPORTED);
    n[255] = 0xFF;
    n[0] = 0x7F; /* 2047 bits */
    assert_int_equal(rsa_public_set(&key, n, 256, aqab, 3), EKM_NOT_SUPPORTED);
    n[0] = 0xFF;
    static const uint8_t exponents[][2] = {{0, 0}, {0, 1}, {0, 2}, {1, 0}};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(rsa_public_set(&key, n, 256, exponents[i], 2), EKM_NOT_SUPPORTED);
    }
    assert_int_equal(rsa_public_set(&key, n, 256, aqab, 0), EKM_NOT_SUPPORTED);
    assert_int_equal(rsa_public_set(&key, n, 256, e, 5), EKM_NOT_SUPPORTED); /* even, and long */
    assert_int_equal(rsa_public_set(&key, n, 256, e, 8), EKM_NOT_SUPPORTED);
    static const uint8_t three[] = {3}, most[] = {0xFF, 0xFF, 0xFF, 0xFF};
    assert_int_equal(rsa_public_set(&key, n, 256, three, 1), EKM_OK);
    assert_int_equal(key.exponent, 3);
    assert_int_equal(rsa_public_set(&key, n, 256, most, 4), EKM_OK);
    assert_true(key.exponent == UINT32_MAX);
}

static void test_cng_blob_is_exact(void **state)
{
    (void)state;
    static const struct {
        uint32_t bits;
        uint8_t head[24];
    } cases[] = {
        {2048, {'R', 'S', 'A', '1', 0, 8, 0, 0, 3, 0, 0, 0, 0, 1, 0, 0}},
        {3072, {'R', 'S', 'A', '1', 0, 12, 0, 0, 3, 0, 0, 0, 0x80, 1, 0, 0}},
        {4096, {'R', 'S', 'A', '1', 0, 16, 0, 0, 3, 0, 0, 0, 0, 2, 0, 0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t n[512], blob[CNG_BLOB_MAX_BYTES + 1];
        struct rsa_public key;
        size_t n_len = cases[i].bits / 8;
        for (size_t j = 0; j < n_len; j++) {
            n[j] = (uint8_t)(0x81 + j * 2);
        }
        memset(blob, 0xEE, sizeof blob);
        assert_int_equal(rsa_public_set(&key, n, n_len, aqab, sizeof aqab), EKM_OK);
        assert_int_equal(rsa_public_cng_blob(&key, blob), 24 + 3 + n_len);
        assert_memory_equal(blob, cases[i].head, 24);
        assert_memory_equal(blob + 24, aqab, 3);
        assert_memory_equal(blob + 27, n, n_len);
        assert_int_equal(blob[27 + n_len], 0xEE);
    }
}

static void test_cng_blob_of_short_and_long_exponents(void **state)
{
    (void)state;
    static const uint8_t exponents[][4] = {{3}, {1, 1}, {1, 0, 1}, {0xFF, 0xFF, 0xFF, 0xFF}};
    uint8_t n[512], blob[CNG_BLOB_MAX_BYTES];
    memset(n, 0xFF, sizeof n);
    for (uint8_t len = 1; len <= 4; len++) {
        struct rsa_public key;
        assert_int_equal(rsa_public_set(&key, n, sizeof n, exponents[len - 1], len), EKM_OK);
        assert_int_equal(rsa_public_cng_blob(&key, blob), 24 + len + sizeof n);
        assert_int_equal(blob[8], len);
        assert_memory_equal(blob + 24, exponents[len - 1], len);
        assert_memory_equal(blob + 24 + len, n, sizeof n);
    }
}

static EVP_PKEY *make_private(uint32_t bits, struct rsa_public *key)
{
    uint8_t n[512], e[8];
    BIGNUM *big_n = NULL, *big_e = NULL;
    EVP_PKEY *pkey = EVP_RSA_gen(bits);
    assert_non_null(pkey);
    assert_int_equal(EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &big_n), 1);
    assert_int_equal(EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &big_e), 1);
    int n_len = BN_bn2bin(big_n, n), e_len = BN_bn2bin(big_e, e);
    assert_int_equal(rsa_public_set(key, n, (size_t)n_len, e, (size_t)e_len), EKM_OK);
    assert_int_equal(key->bits, bits);
    BN_free(big_n);
    BN_free(big_e);
    return pkey;
}

/* The work of a vault: RFC 8017 with one hash for label and mask. */
static size_t open_wrapped(EVP_PKEY *pkey, enum rsa_algorithm algorithm, const struct buf *wrapped,
                           uint8_t out[512])
{
    size_t len = 512;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(pkey, NULL);
    assert_int_equal(EVP_PKEY_decrypt_init(context), 1);
    if (algorithm == RSA1_5) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING), 1);
    } else {
        const EVP_MD *hash = algorithm == RSA_OAEP_256 ? EVP_sha256() : EVP_sha1();
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md(context, hash), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md(context, hash), 1);
    }
    assert_int_equal(EVP_PKEY_decrypt(context, out, &len, wrapped->data, wrapped->len), 1);
    EVP_PKEY_CTX_free(context);
    return len;
}

static void wrap_and_open(uint32_t bits)
{
    struct rsa_public key;
    uint8_t plain[512], opened[512];
    EVP_PKEY *pkey = make_private(bits, &key);
    for (size_t i = 0; i < sizeof plain; i++) {
        plain[i] = (uint8_t)i;
    }
    for (int i = 0; i < RSA_ALGORITHM_COUNT; i++) {
        enum rsa_algorithm algorithm = (enum rsa_algorithm)i;
        size_t most = rsa_public_max_plain(bits, algorithm);
        const size_t lens[] = {0, 1, 32, most};
        for (size_t j = 0; j < sizeof lens / sizeof lens[0]; j++) {
            struct buf first = BUF_EMPTY(512), second = BUF_EMPTY(512);
            assert_int_equal(rsa_public_wrap(&key, algorithm, plain, lens[j], &first), EKM_OK);
            assert_int_equal(rsa_public_wrap(&key, algorithm, plain, lens[j], &second), EKM_OK);
            assert_int_equal(first.len, bits / 8);
            assert_memory_not_equal(first.data, second.data, first.len);
            assert_int_equal(open_wrapped(pkey, algorithm, &first, opened), lens[j]);
            assert_int_equal(memcmp(opened, plain, lens[j]), 0);
            buf_free(&first);
            buf_free(&second);
        }
        struct buf none = BUF_EMPTY(512);
        assert_int_equal(rsa_public_wrap(&key, algorithm, plain, most + 1, &none),
                         EKM_INVALID_ARGUMENT);
        assert_int_equal(none.len, 0);
        buf_free(&none);
    }
    EVP_PKEY_free(pkey);
}

static void test_the_private_key_opens_what_was_wrapped(void **state)
{
    (void)state;
    wrap_and_open(2048);
    wrap_and_open(3072);
}

static void test_sizes_are_those_of_rfc_8017(void **state)
{
    (void)state;
    assert_int_equal(rsa_public_max_plain(2048, RSA_OAEP_256), 190);
    assert_int_equal(rsa_public_max_plain(2048, RSA_OAEP), 214);
    assert_int_equal(rsa_public_max_plain(2048, RSA1_5), 245);
    assert_int_equal(rsa_public_max_plain(3072, RSA_OAEP_256), 318);
    assert_int_equal(rsa_public_max_plain(4096, RSA_OAEP_256), 446);
    assert_string_equal(rsa_algorithm_name(RSA_OAEP_256), "RSA-OAEP-256");
    assert_string_equal(rsa_algorithm_name(RSA_OAEP), "RSA-OAEP");
    assert_string_equal(rsa_algorithm_name(RSA1_5), "RSA1_5");
    assert_string_equal(rsa_algorithm_name(RSA_ALGORITHM_COUNT), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_thumbprints),
        cmocka_unit_test(test_either_byte_order_is_recognised),
        cmocka_unit_test(test_thumbprints_of_all_lengths),
        cmocka_unit_test(test_unusable_keys_are_refused),
        cmocka_unit_test(test_cng_blob_is_exact),
        cmocka_unit_test(test_cng_blob_of_short_and_long_exponents),
        cmocka_unit_test(test_the_private_key_opens_what_was_wrapped),
        cmocka_unit_test(test_sizes_are_those_of_rfc_8017),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
