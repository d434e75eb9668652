#include "federation.h"

#include <stdlib.h>
#include <string.h>

#include "cloud.h"
#include "encode.h"
#include "entra_error.h"
#include "oidc.h"
#include "tokens.h"

#define HINT                                                                                       \
    "Please check your federated identity credential Subject, Audience and Issuer against the "    \
    "presented assertion. https://learn.microsoft.com/entra/workload-id/"                          \
    "workload-identity-federation"

/* The claims of an assertion. */
struct federation_claims {
    const char *issuer, *subject;
    const char *audience;  /* the first one, for texts */
    const struct jwt *jwt; /* NULL: audience is the only one */
};

static const char *federation_text_of(const cJSON *json, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
    return text != NULL ? text : "";
}

static bool is_for(const struct federation_claims *claims, const char *audience)
{
    return claims->jwt != NULL ? jwt_is_for(claims->jwt, audience)
                               : strcmp(claims->audience, audience) == 0;
}

static bool federation_refuse(const struct assertion *assertion, struct answer *answer, int number,
                              const char *what, const char *value)
{
    entra_refuse(
        assertion->request, answer, ENTRA_INVALID_CLIENT, number,
        "No matching federated identity record found for presented assertion %s '%s'. " HINT, what,
        value);
    return false;
}

/* One credential must match in all three. Otherwise the refusal names the first claim that matches
 * no credential. */
static bool check_credentials(const struct assertion *assertion,
                              const struct federation_claims *claims, struct answer *answer)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(assertion->client, "federated");
    const cJSON *item = NULL;
    bool has_issuer = false, has_subject = false;
    cJSON_ArrayForEach(item, list)
    {
        bool is_issuer = strcmp(federation_text_of(item, "issuer"), claims->issuer) == 0;
        bool is_subject =
            is_issuer && strcmp(federation_text_of(item, "subject"), claims->subject) == 0;
        if (is_subject && is_for(claims, federation_text_of(item, "audience"))) {
            return true;
        }
        has_issuer |= is_issuer;
        has_subject |= is_subject;
    }
    if (cJSON_GetArraySize(list) == 0) {
        entra_refuse(assertion->request, answer, ENTRA_INVALID_REQUEST, 70021,
                     "No matching federated identity record found for presented assertion. "
                     "Assertion Issuer: '%s'. Assertion Subject: '%s'. Assertion Audience: '%s'. "
                     "https://learn.microsoft.com/entra/workload-id/workload-identity-federation",
                     claims->issuer, claims->subject, claims->audience);
        return false;
    }
    return !has_issuer ? federation_refuse(assertion, answer, 700211, "issuer", claims->issuer)
           : !has_subject
               ? federation_refuse(assertion, answer, 700213, "subject", claims->subject)
               : federation_refuse(assertion, answer, 700212, "audience", claims->audience);
}

bool federation_is_entra_token(const char *text)
{
    struct token_claims claims;
    return tokens_find(text, &claims);
}

/* Only tokens of user-assigned managed identities are accepted as assertions of an application. */
static bool check_kind(const struct assertion *assertion, const struct token_claims *token,
                       struct answer *answer)
{
    if (token->object_id[0] == '\0') {
        entra_refuse(assertion->request, answer, ENTRA_INVALID_CLIENT, 700222,
                     "AAD-issued tokens may not be used for federated identity flows.");
        return false;
    }
    if (!token->is_user_assigned) {
        entra_refuse(assertion->request, answer, ENTRA_INVALID_CLIENT, 700227,
                     "The token is of a managed identity that may not be used as a federated "
                     "identity credential.");
        return false;
    }
    return true;
}

bool federation_check_token(const struct assertion *assertion, struct answer *answer)
{
    struct token_claims token;
    if (!tokens_find(assertion->text, &token) || !check_kind(assertion, &token, answer)) {
        return false;
    }
    const char *names[CLOUD_ENTRA_MAX];
    cloud_entra_aliases(assertion->request->host, names);
    char *issuer = format_text("https://%s/%s/v2.0", names[0], token.tenant);
    struct federation_claims claims = {issuer, token.object_id, token.audience, NULL};
    bool is_good = check_credentials(assertion, &claims, answer);
    if (is_good && clock_ms() >= token.end_ms) {
        entra_refuse(assertion->request, answer, ENTRA_INVALID_CLIENT, 700024,
                     "Client assertion is not within its valid time range.");
        is_good = false;
    }
    free(issuer);
    return is_good;
}

static bool federation_check_key(const struct assertion *assertion, const struct jwt *jwt,
                                 struct answer *answer)
{
    const char *issuer = jwt_claim(jwt, "iss");
    if (strcmp(issuer, OIDC_ISSUER) != 0) {
        entra_refuse(assertion->request, answer, ENTRA_INVALID_REQUEST, 90061,
                     "Request to External OIDC endpoint failed.");
        return false;
    }
    if (!oidc_knows_key(jwt)) {
        entra_refuse(assertion->request, answer, ENTRA_INVALID_CLIENT, 7000272,
                     "The certificate with identifier %s used to sign the federated credential "
                     "could not be found in the metadata of identity provider %s. Please validate "
                     "that your Identity Provider's metadata exposes the key used to sign the "
                     "incoming token.",
                     jwt_header(jwt, "kid"), issuer);
        return false;
    }
    if (!oidc_verify(jwt)) {
        entra_refuse(assertion->request, answer, ENTRA_INVALID_CLIENT, 700027,
                     "Client assertion failed signature validation. [Reason - The provided "
                     "signature value did not match the expected signature value.]");
        return false;
    }
    return true;
}

bool federation_check(const struct assertion *assertion, const struct jwt *jwt,
                      struct answer *answer)
{
    const cJSON *aud = cJSON_GetObjectItemCaseSensitive(jwt->claims, "aud");
    const char *first = cJSON_GetStringValue(cJSON_IsArray(aud) ? cJSON_GetArrayItem(aud, 0) : aud);
    struct federation_claims claims = {jwt_claim(jwt, "iss"), jwt_claim(jwt, "sub"),
                                       first != NULL ? first : "", jwt};
    return check_credentials(assertion, &claims, answer) &&
           federation_check_key(assertion, jwt, answer) &&
           assertion_check_times(assertion, jwt, answer);
}
