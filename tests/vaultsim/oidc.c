#include "oidc.h"

#include <openssl/sha.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "encode.h"
#include "leaks.h"
#include "material.h"
#include "settings.h"
#include "state.h"

#define KEY_FILE "oidc.key"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static EVP_PKEY *key; /* NULL: not needed yet */

bool oidc_is_host(const char *host)
{
    return strcasecmp(host, OIDC_HOST) == 0;
}

static EVP_PKEY *oidc_key(void)
{
    pthread_mutex_lock(&lock);
    if (key == NULL) {
        char *pem = state_read_file(KEY_FILE);
        key = pem != NULL ? material_from_pem(pem) : NULL;
        if (key == NULL) {
            key = must(material_generate_rsa(2048));
            char *made = material_to_pem(key);
            state_write_file(KEY_FILE, made);
            free(made);
        }
        free(pem);
    }
    pthread_mutex_unlock(&lock);
    return key;
}

/* The key's identifier: the SHA-256 of its public half. */
static char *oidc_kid(EVP_PKEY *pkey)
{
    uint8_t *der = NULL, digest[SHA256_DIGEST_LENGTH];
    int len = i2d_PUBKEY(pkey, &der);
    SHA256(must(der), len > 0 ? (size_t)len : 0, digest);
    OPENSSL_free(der);
    return base64url_encode(digest, sizeof digest);
}

static void oidc_give_configuration(struct answer *answer)
{
    static const char *const types[] = {"id_token"}, *const subjects[] = {"public"},
                             *const algs[] = {"RS256"};
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "issuer", OIDC_ISSUER);
    cJSON_AddStringToObject(json, "jwks_uri", OIDC_ISSUER "openid/v1/jwks");
    cJSON_AddItemToObject(json, "response_types_supported", cJSON_CreateStringArray(types, 1));
    cJSON_AddItemToObject(json, "subject_types_supported", cJSON_CreateStringArray(subjects, 1));
    cJSON_AddItemToObject(json, "id_token_signing_alg_values_supported",
                          cJSON_CreateStringArray(algs, 1));
    answer_json(answer, 200, json);
}

static void oidc_give_keys(struct answer *answer)
{
    cJSON *json = cJSON_CreateObject(), *jwk = cJSON_CreateObject();
    char *kid = oidc_kid(oidc_key());
    cJSON_AddItemToArray(cJSON_AddArrayToObject(json, "keys"), jwk);
    cJSON_AddStringToObject(jwk, "use", "sig");
    cJSON_AddStringToObject(jwk, "kty", "RSA");
    cJSON_AddStringToObject(jwk, "kid", kid);
    cJSON_AddStringToObject(jwk, "alg", "RS256");
    material_describe(oidc_key(), jwk);
    free(kid);
    answer_json(answer, 200, json);
}

void oidc_serve(const struct request *request, struct answer *answer)
{
    bool is_get = strcmp(request->method, "GET") == 0;
    if (is_get && strcmp(request->path, "/.well-known/openid-configuration") == 0) {
        oidc_give_configuration(answer);
    } else if (is_get && strcmp(request->path, "/openid/v1/jwks") == 0) {
        oidc_give_keys(answer);
    } else {
        answer_text(answer, 404, "text/plain", "404 page not found\n");
    }
}

static const char *text_or(const cJSON *json, const char *name, const char *otherwise)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
    return text != NULL ? text : otherwise;
}

static double number_or(const cJSON *json, const char *name, double otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
    return cJSON_IsNumber(item) ? item->valuedouble : otherwise;
}

/* The form of a service account token. */
static cJSON *claims_of(const cJSON *json)
{
    char jti[37];
    double now = (double)clock_service();
    cJSON *claims = cJSON_CreateObject();
    guid_random(jti);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(claims, "aud"),
                         cJSON_CreateString(text_or(json, "audience", OIDC_AUDIENCE)));
    cJSON_AddNumberToObject(claims, "exp", now + number_or(json, "lifetime_s", 3600));
    cJSON_AddNumberToObject(claims, "iat", now);
    cJSON_AddStringToObject(claims, "iss", text_or(json, "issuer", OIDC_ISSUER));
    cJSON_AddStringToObject(claims, "jti", jti);
    cJSON_AddNumberToObject(claims, "nbf", now + number_or(json, "nbf_s", 0));
    cJSON_AddStringToObject(claims, "sub", text_or(json, "subject", OIDC_SUBJECT));
    return claims;
}

/* "other": a key that the issuer does not publish. "forged": another key under the name of the
 * issuer's key. */
const char *oidc_mint(const cJSON *json, char **path)
{
    const char *which = text_or(json, "key", ""), *alg = text_or(json, "alg", "RS256");
    const char *file = text_or(json, "file", "federated-token");
    bool is_ours = which[0] == '\0';
    if (!is_ours && strcmp(which, "other") != 0 && strcmp(which, "forged") != 0) {
        return "key is other or forged";
    }
    if (strcmp(alg, "RS256") != 0 && strcmp(alg, "PS256") != 0) {
        return "alg is RS256 or PS256";
    }
    EVP_PKEY *pkey = is_ours ? oidc_key() : must(material_generate_rsa(2048));
    char *kid = oidc_kid(strcmp(which, "other") == 0 ? pkey : oidc_key());
    cJSON *header = cJSON_CreateObject();
    cJSON_AddStringToObject(header, "alg", alg);
    cJSON_AddStringToObject(header, "kid", kid);
    char *token = jwt_sign(header, claims_of(json), pkey);
    leaks_watch(LEAK_ASSERTION, token);
    *path = file[0] == '/' ? must(strdup(file)) : format_text("%s/%s", state_folder(), file);
    bool is_done = state_write_path(*path, token);
    free(token);
    free(kid);
    if (!is_ours) {
        EVP_PKEY_free(pkey);
    }
    return is_done ? NULL : "the file cannot be written";
}

bool oidc_knows_key(const struct jwt *jwt)
{
    char *kid = oidc_kid(oidc_key());
    bool is_known = strcmp(kid, jwt_header(jwt, "kid")) == 0;
    free(kid);
    return is_known;
}

bool oidc_verify(const struct jwt *jwt)
{
    return oidc_knows_key(jwt) && jwt_verify(jwt, oidc_key());
}
