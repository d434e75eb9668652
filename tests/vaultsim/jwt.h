/*
 * JSON Web Tokens: read, sign, verify. Only RS256 and PS256, as Entra accepts them.
 *
 * A struct jwt owns its members; jwt_free accepts an empty one. Any thread.
 */
#ifndef VAULTSIM_JWT_H
#define VAULTSIM_JWT_H

#include <cjson/cJSON.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

struct jwt {
    cJSON *header, *claims;
    char *signed_part; /* header.claims as they came */
    uint8_t *signature;
    size_t signature_len;
};

/* False: not three parts of base64url with two JSON objects. */
bool jwt_parse(const char *text, struct jwt *jwt);
void jwt_free(struct jwt *jwt);
/* "" where the member is absent or no string. */
const char *jwt_header(const struct jwt *jwt, const char *name);
const char *jwt_claim(const struct jwt *jwt, const char *name);
/* A number, or a string of digits, which one Microsoft library sends. */
bool jwt_time(const struct jwt *jwt, const char *name, int64_t *value);
/* Whether aud, a string or a list, names this audience. */
bool jwt_is_for(const struct jwt *jwt, const char *audience);
bool jwt_is_known_alg(const struct jwt *jwt);
bool jwt_verify(const struct jwt *jwt, EVP_PKEY *pkey);
/* The header must have alg. Takes ownership of both objects. */
char *jwt_sign(cJSON *header, cJSON *claims, EVP_PKEY *pkey);

#endif
