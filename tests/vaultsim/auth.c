#include "auth.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clients.h"
#include "cloud.h"
#include "counters.h"
#include "encode.h"
#include "settings.h"
#include "tokens.h"

static const char *bearer_of(const struct request *request)
{
    const char *value = request_header(request, "Authorization");
    if (value == NULL || strncasecmp(value, "Bearer ", 7) != 0) {
        return NULL;
    }
    value += 7 + strspn(value + 7, " ");
    return value[0] != '\0' ? value : NULL;
}

bool auth_is_bare(const struct request *request)
{
    return bearer_of(request) == NULL;
}

/* error: the error member of the challenge, or "". A Managed HSM sends the body "OK" to a GET,
 * otherwise no body. */
static void auth_refuse(const struct request *request, struct answer *answer, const char *error,
                        const char *message)
{
    char tenant[80], resource[300];
    struct settings settings = settings_get();
    clients_tenant(tenant, sizeof tenant);
    cloud_resource_of(request->host, resource, sizeof resource);
    counters_add(COUNT_CHALLENGES);
    if (settings.challenge[0] != '\0') {
        answer_field(answer, "WWW-Authenticate", "%s", settings.challenge);
    } else {
        answer_field(answer, "WWW-Authenticate",
                     "Bearer authorization=\"https://%s/%s\", resource=\"%s\"%s%s%s",
                     cloud_authority_of(request->host), tenant, resource,
                     error[0] != '\0' ? ", error=\"" : "", error, error[0] != '\0' ? "\"" : "");
    }
    if (cloud_is_hsm(request->host) && strncmp(message, "Found", 5) != 0) {
        answer_text(answer, 401, "application/json; charset=utf-8",
                    strcmp(request->method, "GET") == 0 ? "OK" : "");
    } else {
        answer_error(answer, 401, "Unauthorized", NULL, "%s", message);
    }
}

void auth_refuse_expired(const struct request *request, struct answer *answer)
{
    auth_refuse(request, answer, "invalid_token",
                "[TokenExpired] Error validating token: 'S2S12086'.");
}

void auth_refuse_unresolved(const struct request *request, struct answer *answer)
{
    auth_refuse(request, answer, "invalid_token",
                "AKV10046: Unable to resolve the key used for signature validation.");
}

/* The claims a new token must have: issued from now on. */
static void challenge_claims(const struct request *request, struct answer *answer)
{
    char *claims =
        format_text("{\"access_token\":{\"nbf\":{\"essential\":true,\"value\":\"%lld\"}}}",
                    (long long)clock_service());
    char *encoded = base64_encode((const uint8_t *)claims, strlen(claims));
    counters_add(COUNT_CHALLENGES);
    answer_error(answer, 401, "Unauthorized", NULL,
                 "AKV10140: Continuous access evaluation resulted in a claims challenge.");
    answer_field(answer, "WWW-Authenticate",
                 "Bearer realm=\"\", authorization_uri=\"https://%s/common/oauth2/authorize\", "
                 "error=\"insufficient_claims\", claims=\"%s\"",
                 cloud_authority_of(request->host), encoded);
    free(encoded);
    free(claims);
}

static void refuse_audience(const struct request *request, struct answer *answer,
                            const char *audience, const char *resource)
{
    char *message =
        cloud_is_hsm(request->host)
            ? format_text("Found token with aud=%s, but expected aud=%s", audience, resource)
            : format_text("AKV10022: Invalid audience. Expected %s, found: %s.", resource,
                          audience);
    auth_refuse(request, answer, "invalid_token", message);
    free(message);
}

bool auth_check(const struct request *request, struct answer *answer, char client_id[37])
{
    struct token_claims claims;
    char tenant[80], resource[300];
    const char *bearer = bearer_of(request);
    if (bearer == NULL) {
        auth_refuse(request, answer, "", "AKV10000: Request is missing a Bearer or PoP token.");
        return false;
    }
    if (!tokens_find(bearer, &claims)) {
        auth_refuse(request, answer, "invalid_token",
                    "[BearerReadAccessTokenFailed] Error validating token: 'S2S10001'.");
        return false;
    }
    clients_tenant(tenant, sizeof tenant);
    cloud_resource_of(request->host, resource, sizeof resource);
    if (strcasecmp(claims.audience, resource) != 0) {
        refuse_audience(request, answer, claims.audience, resource);
        return false;
    }
    if (strcasecmp(claims.tenant, tenant) != 0) {
        char *message = format_text("AKV10032: Invalid issuer. Expected one of "
                                    "https://sts.windows.net/%s/, found "
                                    "https://sts.windows.net/%s/.",
                                    tenant, claims.tenant);
        auth_refuse(request, answer, "invalid_token", message);
        free(message);
        return false;
    }
    if (claims.revoked == TOKEN_CHALLENGED) {
        challenge_claims(request, answer);
        return false;
    }
    if (clock_ms() >= claims.end_ms || claims.revoked == TOKEN_REVOKED) {
        auth_refuse_expired(request, answer);
        return false;
    }
    memcpy(client_id, claims.client_id, sizeof claims.client_id);
    return true;
}

/* A token may be only in the Authorization header of a host under its audience. */
bool auth_is_at_home(const struct request *request)
{
    struct token_claims claims;
    const char *bearer = bearer_of(request);
    if (bearer == NULL || !tokens_find(bearer, &claims)) {
        return true;
    }
    const char *audience = claims.audience + (strncmp(claims.audience, "https://", 8) == 0 ? 8 : 0);
    size_t host_len = strlen(request->host), len = strcspn(audience, "/");
    bool is_same = host_len == len && strncasecmp(request->host, audience, len) == 0;
    bool is_under = host_len > len && request->host[host_len - len - 1] == '.' &&
                    strncasecmp(request->host + host_len - len, audience, len) == 0;
    return is_same || is_under;
}
