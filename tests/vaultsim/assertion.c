#include "assertion.h"

#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "cloud.h"
#include "encode.h"
#include "entra_error.h"
#include "federation.h"
#include "leaks.h"
#include "settings.h"

#define GRACE_S  300
#define JTI_KEPT 4096

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *used[JTI_KEPT]; /* a ring of "client ID jti" */
static size_t used_count;

static bool jti_is_fresh(const char *client_id, const char *jti)
{
    char *text = format_text("%s %s", client_id, jti);
    bool is_fresh = true;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < JTI_KEPT && used[i] != NULL && is_fresh; i++) {
        is_fresh = strcmp(used[i], text) != 0;
    }
    if (is_fresh) {
        free(used[used_count % JTI_KEPT]);
        used[used_count++ % JTI_KEPT] = text;
    }
    pthread_mutex_unlock(&lock);
    if (!is_fresh) {
        free(text);
    }
    return is_fresh;
}

static bool refuse_jwt(const struct assertion *assertion, struct answer *answer, const char *why)
{
    entra_refuse(assertion->request, answer, ENTRA_INVALID_CLIENT, 50027, "Invalid JWT token. %s",
                 why);
    return false;
}

static void time_text(int64_t seconds, char out[32])
{
    time_t time = (time_t)seconds;
    struct tm utc;
    strftime(out, 32, "%Y-%m-%dT%H:%M:%S.0000000Z", gmtime_r(&time, &utc));
}

bool assertion_check_times(const struct assertion *assertion, const struct jwt *jwt,
                           struct answer *answer)
{
    int64_t nbf = 0, exp = 0, now = clock_service();
    char now_text[32], nbf_text[32], exp_text[32];
    if (!jwt_time(jwt, "exp", &exp)) {
        return refuse_jwt(assertion, answer, "The token has no expiry time.");
    }
    jwt_time(jwt, "nbf", &nbf);
    if (nbf <= now + GRACE_S && exp > now - GRACE_S) {
        return true;
    }
    time_text(now, now_text);
    time_text(nbf, nbf_text);
    time_text(exp, exp_text);
    entra_refuse(assertion->request, answer, ENTRA_INVALID_CLIENT, 700024,
                 "Client assertion is not within its valid time range. Current time: %s, assertion "
                 "valid from %s, expiry time of assertion %s.",
                 now_text, nbf_text, exp_text);
    return false;
}

/* Without a jti: true, and nothing is counted. */
static bool thumbprint_fits(const struct jwt *jwt, const char *name, const uint8_t *digest,
                            size_t digest_len, int *count)
{
    size_t len = 0;
    const char *text = jwt_header(jwt, name);
    if (text[0] == '\0') {
        return true;
    }
    uint8_t *bytes = base64_decode_any(text, &len);
    bool is_same = bytes != NULL && len == digest_len && memcmp(bytes, digest, len) == 0;
    free(bytes);
    ++*count;
    return is_same;
}

static bool certificate_fits(const struct jwt *jwt, X509 *certificate)
{
    uint8_t sha1[SHA_DIGEST_LENGTH], sha256[SHA256_DIGEST_LENGTH];
    unsigned len = 0;
    int count = 0;
    X509_digest(certificate, EVP_sha1(), sha1, &len);
    X509_digest(certificate, EVP_sha256(), sha256, &len);
    return thumbprint_fits(jwt, "x5t", sha1, sizeof sha1, &count) &&
           thumbprint_fits(jwt, "x5t#S256", sha256, sizeof sha256, &count) && count > 0;
}

static X509 *parse_certificate(const char *pem)
{
    BIO *bio = must(BIO_new_mem_buf(pem, -1));
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return certificate;
}

static X509 *find_certificate(const struct assertion *assertion, const struct jwt *jwt)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(assertion->client, "certificates"))
    {
        X509 *certificate = parse_certificate(item->valuestring);
        if (certificate != NULL && certificate_fits(jwt, certificate)) {
            return certificate;
        }
        X509_free(certificate);
    }
    return NULL;
}

static bool refuse_key(const struct assertion *assertion, const struct jwt *jwt,
                       struct answer *answer, const char *reason)
{
    const char *x5t = jwt_header(jwt, "x5t");
    size_t len = 0;
    char hex[2 * SHA256_DIGEST_LENGTH + 1] = "";
    uint8_t *bytes = base64_decode_any(x5t[0] != '\0' ? x5t : jwt_header(jwt, "x5t#S256"), &len);
    for (size_t i = 0; bytes != NULL && i < len && i < SHA256_DIGEST_LENGTH; i++) {
        snprintf(hex + 2 * i, 3, "%02X", bytes[i]);
    }
    free(bytes);
    entra_refuse(assertion->request, answer, ENTRA_INVALID_CLIENT, 700027,
                 "The certificate with identifier used to sign the client assertion is not "
                 "registered on application. [Reason - %s, Thumbprint of key used by client: '%s', "
                 "Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see "
                 "configured keys for app Id '%s'.]",
                 reason, hex, assertion->client_id);
    return false;
}

/* The certificate must be registered and valid now, and its key must have signed. */
static bool assertion_check_signature(const struct assertion *assertion, const struct jwt *jwt,
                                      struct answer *answer)
{
    const char *reason = NULL;
    X509 *certificate = find_certificate(assertion, jwt);
    if (certificate == NULL) {
        return refuse_key(assertion, jwt, answer, "The key was not found.");
    }
    time_t now = (time_t)clock_service();
    if (X509_cmp_time(X509_get0_notAfter(certificate), &now) < 0) {
        reason = "The key used is expired.";
    } else if (X509_cmp_time(X509_get0_notBefore(certificate), &now) > 0) {
        reason = "The key used is not yet valid.";
    } else if (!jwt_verify(jwt, X509_get0_pubkey(certificate))) {
        reason = "The provided signature value did not match the expected signature value.";
    }
    X509_free(certificate);
    return reason == NULL || refuse_key(assertion, jwt, answer, reason);
}

/* The token endpoint that was called, its v1 form, or the issuer, under any name of this cloud. */
static bool is_audience(const struct assertion *assertion, const struct jwt *jwt)
{
    static const char *const forms[] = {"/oauth2/v2.0/token", "/oauth2/token", "/v2.0", "/", ""};
    const char *names[CLOUD_ENTRA_MAX];
    size_t count = cloud_entra_aliases(assertion->request->host, names);
    bool is_for = false;
    for (size_t i = 0; i < count && !is_for; i++) {
        for (size_t j = 0; j < sizeof forms / sizeof forms[0] && !is_for; j++) {
            char *url = format_text("https://%s/%s%s", names[i], assertion->tenant, forms[j]);
            is_for = jwt_is_for(jwt, url);
            free(url);
        }
    }
    return is_for;
}

static bool check_claims(const struct assertion *assertion, const struct jwt *jwt,
                         struct answer *answer)
{
    const char *jti = jwt_claim(jwt, "jti");
    if (strcasecmp(jwt_claim(jwt, "iss"), assertion->client_id) != 0 ||
        strcasecmp(jwt_claim(jwt, "sub"), assertion->client_id) != 0) {
        entra_refuse(assertion->request, answer, ENTRA_INVALID_CLIENT, 700021,
                     "Client assertion application identifier doesn't match 'client_id' parameter. "
                     "Review the documentation of certificate credentials.");
        return false;
    }
    if (!is_audience(assertion, jwt)) {
        entra_refuse(assertion->request, answer, ENTRA_INVALID_CLIENT, 700023,
                     "Client assertion audience claim does not match Realm issuer. Review the "
                     "documentation of certificate credentials.");
        return false;
    }
    if (!assertion_check_times(assertion, jwt, answer)) {
        return false;
    }
    if (jti[0] != '\0' && !jti_is_fresh(assertion->client_id, jti)) {
        entra_refuse(assertion->request, answer, ENTRA_INVALID_CLIENT, 50012,
                     "Authentication failed. The client assertion with this jti was used before.");
        return false;
    }
    return true;
}

static bool check_certificate(const struct assertion *assertion, const struct jwt *jwt,
                              struct answer *answer)
{
    if (jwt_header(jwt, "x5t")[0] == '\0' && jwt_header(jwt, "x5t#S256")[0] == '\0') {
        return refuse_jwt(assertion, answer,
                          "No certificate thumbprint specified in token header.");
    }
    return assertion_check_signature(assertion, jwt, answer) &&
           check_claims(assertion, jwt, answer);
}

/* Signed by the application itself, not by an issuer it trusts. */
static bool is_own(const struct assertion *assertion, const struct jwt *jwt)
{
    return strcasecmp(jwt_claim(jwt, "iss"), assertion->client_id) == 0 ||
           jwt_header(jwt, "x5t")[0] != '\0' || jwt_header(jwt, "x5t#S256")[0] != '\0';
}

bool assertion_check(const struct assertion *assertion, struct answer *answer)
{
    struct jwt jwt;
    bool is_good = false;
    leaks_watch(LEAK_ASSERTION, assertion->text);
    if (federation_is_entra_token(assertion->text)) {
        return federation_check_token(assertion, answer);
    }
    if (!jwt_parse(assertion->text, &jwt)) {
        return refuse_jwt(assertion, answer, "The token is malformed.");
    }
    if (!jwt_is_known_alg(&jwt)) {
        refuse_jwt(assertion, answer, "The signature algorithm is not supported.");
    } else if (is_own(assertion, &jwt)) {
        is_good = check_certificate(assertion, &jwt, answer);
    } else {
        is_good = federation_check(assertion, &jwt, answer);
    }
    jwt_free(&jwt);
    return is_good;
}
