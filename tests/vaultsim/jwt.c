#include "jwt.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "crypt.h"
#include "encode.h"

static cJSON *jwt_part(const char *text, size_t text_len)
{
    size_t len = 0;
    char *part = must(strndup(text, text_len));
    uint8_t *bytes = base64url_decode(part, &len);
    cJSON *json = bytes != NULL ? cJSON_ParseWithLength((const char *)bytes, len) : NULL;
    free(part);
    free(bytes);
    if (!cJSON_IsObject(json)) {
        cJSON_Delete(json);
        return NULL;
    }
    return json;
}

bool jwt_parse(const char *text, struct jwt *jwt)
{
    memset(jwt, 0, sizeof *jwt);
    const char *first = strchr(text, '.'), *second = first != NULL ? strchr(first + 1, '.') : NULL;
    if (second == NULL) {
        return false;
    }
    jwt->header = jwt_part(text, (size_t)(first - text));
    jwt->claims = jwt_part(first + 1, (size_t)(second - first - 1));
    jwt->signed_part = must(strndup(text, (size_t)(second - text)));
    jwt->signature = base64url_decode(second + 1, &jwt->signature_len);
    if (jwt->header == NULL || jwt->claims == NULL || jwt->signature == NULL) {
        jwt_free(jwt);
        return false;
    }
    return true;
}

void jwt_free(struct jwt *jwt)
{
    cJSON_Delete(jwt->header);
    cJSON_Delete(jwt->claims);
    free(jwt->signed_part);
    free(jwt->signature);
    memset(jwt, 0, sizeof *jwt);
}

static const char *jwt_text(const cJSON *json, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
    return text != NULL ? text : "";
}

const char *jwt_header(const struct jwt *jwt, const char *name)
{
    return jwt_text(jwt->header, name);
}

const char *jwt_claim(const struct jwt *jwt, const char *name)
{
    return jwt_text(jwt->claims, name);
}

bool jwt_time(const struct jwt *jwt, const char *name, int64_t *value)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(jwt->claims, name);
    const char *text = cJSON_GetStringValue(item);
    char *end = NULL;
    if (cJSON_IsNumber(item)) {
        *value = (int64_t)item->valuedouble;
        return true;
    }
    if (text == NULL) {
        return false;
    }
    *value = strtoll(text, &end, 10);
    return end != text && *end == '\0';
}

bool jwt_is_for(const struct jwt *jwt, const char *audience)
{
    const cJSON *aud = cJSON_GetObjectItemCaseSensitive(jwt->claims, "aud"), *item = NULL;
    if (cJSON_IsString(aud)) {
        return strcmp(aud->valuestring, audience) == 0;
    }
    cJSON_ArrayForEach(item, aud)
    {
        if (cJSON_IsString(item) && strcmp(item->valuestring, audience) == 0) {
            return true;
        }
    }
    return false;
}

bool jwt_is_known_alg(const struct jwt *jwt)
{
    const char *alg = jwt_header(jwt, "alg");
    return strcmp(alg, "RS256") == 0 || strcmp(alg, "PS256") == 0;
}

static struct crypt_bytes jwt_digest(const char *text, uint8_t digest[SHA256_DIGEST_LENGTH])
{
    SHA256((const unsigned char *)text, strlen(text), digest);
    return (struct crypt_bytes){digest, SHA256_DIGEST_LENGTH};
}

bool jwt_verify(const struct jwt *jwt, EVP_PKEY *pkey)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    bool is_valid = false;
    struct crypt_bytes signature = {jwt->signature, jwt->signature_len};
    return jwt_is_known_alg(jwt) && EVP_PKEY_is_a(pkey, "RSA") &&
           crypt_verify(pkey, jwt_header(jwt, "alg"), jwt_digest(jwt->signed_part, digest),
                        signature, &is_valid) == CRYPT_OK &&
           is_valid;
}

static char *jwt_encode(cJSON *json)
{
    char *text = must(cJSON_PrintUnformatted(json));
    char *encoded = base64url_encode((const uint8_t *)text, strlen(text));
    free(text);
    return encoded;
}

char *jwt_sign(cJSON *header, cJSON *claims, EVP_PKEY *pkey)
{
    uint8_t digest[SHA256_DIGEST_LENGTH], out[CRYPT_MAX];
    size_t out_len = 0;
    char *head = jwt_encode(header), *body = jwt_encode(claims);
    char *signed_part = format_text("%s.%s", head, body);
    const char *alg = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(header, "alg"));
    if (crypt_sign(pkey, alg, jwt_digest(signed_part, digest), out, &out_len) != CRYPT_OK) {
        out_len = 0;
    }
    char *signature = base64url_encode(out, out_len);
    char *text = format_text("%s.%s", signed_part, signature);
    free(signature);
    free(signed_part);
    free(head);
    free(body);
    cJSON_Delete(header);
    cJSON_Delete(claims);
    return text;
}
