/*
 * Key material: makes, imports and describes RSA and EC keys with OpenSSL.
 *
 * Pure functions over EVP_PKEY, which the caller owns and frees; any thread. Only material_to_pem
 * returns private parts.
 */
#ifndef VAULTSIM_MATERIAL_H
#define VAULTSIM_MATERIAL_H

#include <cjson/cJSON.h>
#include <openssl/evp.h>
#include <stdbool.h>

/* NULL when the size is not 2048, 3072 or 4096. Slow: seconds for 4096 bits. */
EVP_PKEY *material_generate_rsa(int bits);
/* The same with a given public exponent: 3, 5, 17, 257 or 65537. */
EVP_PKEY *material_generate_rsa_by(int bits, int exponent);
EVP_PKEY *material_generate_ec(void); /* P-256 */
/* NULL: not a private key of a kind known here. */
EVP_PKEY *material_from_pem(const char *pem);
EVP_PKEY *material_from_jwk(const cJSON *jwk);
/* The public half of something like an RSA key: fast, because there is no private half. */
EVP_PKEY *material_make_public(int bits);
EVP_PKEY *material_public_from_pem(const char *pem);
char *material_to_pem(EVP_PKEY *pkey); /* the public half of a key that has no other */
bool material_is_rsa(const EVP_PKEY *pkey);
/* Adds n and e, or crv, x and y. */
void material_describe(EVP_PKEY *pkey, cJSON *jwk);

#endif
