#include "entra.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "assertion.h"
#include "clients.h"
#include "cloud.h"
#include "counters.h"
#include "encode.h"
#include "entra_documents.h"
#include "entra_error.h"
#include "keystore.h"
#include "settings.h"
#include "tokens.h"

/* The decoded form and the parts of the path. */
struct grant {
    char *client_id, *client_secret, *scope, *grant_type, *assertion, *assertion_type, *claims;
    char tenant[80];
};

static void grant_free(struct grant *grant)
{
    free(grant->client_id);
    free(grant->client_secret);
    free(grant->scope);
    free(grant->grant_type);
    free(grant->assertion);
    free(grant->assertion_type);
    free(grant->claims);
}

/* /{tenant}/oauth2/v2.0/token */
static bool take_tenant(const struct request *request, struct grant *grant)
{
    size_t len = strcspn(request->path + 1, "/");
    if (request->path[0] != '/' || len == 0 || len >= sizeof grant->tenant ||
        strcasecmp(request->path + 1 + len, "/oauth2/v2.0/token") != 0) {
        return false;
    }
    snprintf(grant->tenant, sizeof grant->tenant, "%.*s", (int)len, request->path + 1);
    return true;
}

static bool check_tenant(const struct request *request, struct answer *answer,
                         const struct grant *grant)
{
    char guid[37];
    if (clients_knows_tenant(grant->tenant)) {
        return true;
    }
    if (!guid_normalise(grant->tenant, guid) && strchr(grant->tenant, '.') == NULL) {
        entra_refuse(request, answer, ENTRA_INVALID_REQUEST, 900023,
                     "Specified tenant identifier '%s' is neither a valid DNS name, nor a valid "
                     "external domain.",
                     grant->tenant);
    } else {
        entra_refuse(request, answer, ENTRA_INVALID_REQUEST, 90002,
                     "Tenant '%s' not found. Check to make sure you have the correct tenant ID and "
                     "are signing into the correct cloud.",
                     grant->tenant);
    }
    return false;
}

static bool check_form(const struct request *request, struct answer *answer,
                       const struct grant *grant)
{
    const char *type = request_header(request, "Content-Type");
    bool is_form = type != NULL && strncasecmp(type, "application/x-www-form-urlencoded", 33) == 0;
    const char *missing = !is_form || grant->grant_type == NULL ? "grant_type"
                          : grant->client_id == NULL            ? "client_id"
                          : grant->scope == NULL                ? "scope"
                                                                : NULL;
    if (missing != NULL) {
        entra_refuse(request, answer, ENTRA_INVALID_REQUEST, 900144,
                     "The request body must contain the following parameter: '%s'.", missing);
        return false;
    }
    if (strcmp(grant->grant_type, "client_credentials") != 0) {
        entra_refuse(request, answer, ENTRA_UNSUPPORTED_GRANT, 70003,
                     "The app requested an unsupported grant type '%s'.", grant->grant_type);
        return false;
    }
    return true;
}

/* A vault under a suffix of the user's own (--vault) belongs to the public cloud. */
static bool is_made_up_resource(const char *entra_host, const char *scope)
{
    char resource[300];
    const cJSON *vault = NULL;
    bool is_found = false;
    cJSON *vaults = store_vault_list();
    cJSON_ArrayForEach(vault, vaults)
    {
        const char *host = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(vault, "host"));
        cloud_resource_of(host, resource, sizeof resource);
        is_found = is_found || (!cloud_covers(host) && strcasecmp(resource, scope) == 0 &&
                                strcasecmp(entra_host, cloud_authority_of(host)) == 0);
    }
    cJSON_Delete(vaults);
    return is_found;
}

/* Some libraries always add the scopes of OpenID Connect. They are ignored here. */
static void drop_reserved(char *scope)
{
    static const char *const reserved[] = {"openid", "profile", "offline_access", "email"};
    char *copy = must(strdup(scope)), *rest = copy, *word = NULL, *out = scope;
    out[0] = '\0';
    while ((word = strsep(&rest, " ")) != NULL) {
        bool counts = word[0] != '\0';
        for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
            counts = counts && strcasecmp(word, reserved[i]) != 0;
        }
        if (counts) {
            out += sprintf(out, "%s%s", out == scope ? "" : " ", word);
        }
    }
    free(copy);
}

/* Removes /.default from the scope. */
static bool check_scope(const struct request *request, struct answer *answer, struct grant *grant)
{
    drop_reserved(grant->scope);
    size_t len = strlen(grant->scope), tail_len = strlen("/.default");
    if (len <= tail_len || strcmp(grant->scope + len - tail_len, "/.default") != 0 ||
        strchr(grant->scope, ' ') != NULL) {
        entra_refuse(request, answer, ENTRA_INVALID_SCOPE, 1002012,
                     "The provided value for scope %s is not valid. Client credential flows must "
                     "have a scope value with /.default suffixed to the resource identifier "
                     "(application ID URI).",
                     grant->scope);
        return false;
    }
    grant->scope[len - tail_len] = '\0';
    bool is_known = cloud_issues(request->host, grant->scope) ||
                    is_made_up_resource(request->host, grant->scope);
    if (!is_known || len - tail_len >= 256) {
        entra_refuse(request, answer, ENTRA_INVALID_RESOURCE, 500011,
                     "The resource principal named %s was not found in the tenant. This can happen "
                     "if the application has not been installed by the administrator of the tenant "
                     "or consented to by any user in the tenant.",
                     grant->scope);
        return false;
    }
    return true;
}

/* Checks of the application itself, for every form of signing in. */
static bool check_application(const struct request *request, struct answer *answer,
                              const struct grant *grant, const cJSON *client)
{
    if (client == NULL) {
        entra_refuse(request, answer, ENTRA_UNAUTHORIZED_CLIENT, 700016,
                     "Application with identifier '%s' was not found in the directory 'Contoso'.",
                     grant->client_id);
        return false;
    }
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(client, "disabled"))) {
        entra_refuse(request, answer, ENTRA_UNAUTHORIZED_CLIENT, 7000112,
                     "Application '%s' is disabled.", grant->client_id);
        return false;
    }
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(client, "public"))) {
        entra_refuse(request, answer, ENTRA_INVALID_CLIENT, 700025,
                     "Client is public so neither 'client_assertion' nor 'client_secret' should be "
                     "presented.");
        return false;
    }
    return true;
}

static bool entra_check_secret(const struct request *request, struct answer *answer,
                               const struct grant *grant)
{
    switch (clients_check(grant->client_id, grant->client_secret)) {
    case CLIENT_OK:
        return true;
    case CLIENT_EXPIRED_SECRET:
        entra_refuse(request, answer, ENTRA_INVALID_CLIENT, 7000222,
                     "The provided client secret keys for app '%s' are expired. Visit the Azure "
                     "portal to create new keys for your app, or consider using certificate "
                     "credentials for added security.",
                     grant->client_id);
        return false;
    case CLIENT_UNKNOWN:
    case CLIENT_WRONG_SECRET:
        break;
    }
    entra_refuse(request, answer, ENTRA_INVALID_CLIENT, 7000215,
                 "Invalid client secret provided. Ensure the secret being sent in the request is "
                 "the client secret value, not the client secret ID, for a secret added to app "
                 "'%s'.",
                 grant->client_id);
    return false;
}

static bool check_assertion(const struct request *request, struct answer *answer,
                            const struct grant *grant, const cJSON *client)
{
    static const char type[] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    struct assertion assertion = {request, grant->client_id, grant->tenant, grant->assertion,
                                  client};
    if (grant->assertion_type == NULL || strcmp(grant->assertion_type, type) != 0) {
        entra_refuse(request, answer, ENTRA_INVALID_REQUEST, 900144,
                     "The request body must contain the following parameter: "
                     "'client_assertion_type'.");
        return false;
    }
    return assertion_check(&assertion, answer);
}

static bool check_client(const struct request *request, struct answer *answer,
                         const struct grant *grant)
{
    bool has_secret = grant->client_secret != NULL && grant->client_secret[0] != '\0';
    bool has_assertion = grant->assertion != NULL && grant->assertion[0] != '\0';
    if (!has_secret && !has_assertion) {
        entra_refuse(request, answer, ENTRA_INVALID_CLIENT, 7000218,
                     "The request body must contain the following parameter: 'client_assertion' or "
                     "'client_secret'.");
        return false;
    }
    cJSON *client = clients_get(grant->client_id);
    bool is_good = check_application(request, answer, grant, client) &&
                   (has_assertion ? check_assertion(request, answer, grant, client)
                                  : entra_check_secret(request, answer, grant));
    cJSON_Delete(client);
    return is_good;
}

static void entra_issue(const struct grant *grant, struct answer *answer)
{
    struct settings settings = settings_get();
    struct token_claims claims = {.end_ms = clock_ms() + (int64_t)settings.token_lifetime_s * 1000};
    guid_normalise(grant->client_id, claims.client_id);
    claims.has_cp1 = grant->claims != NULL && strstr(grant->claims, "\"cp1\"") != NULL;
    snprintf(claims.audience, sizeof claims.audience, "%s", grant->scope);
    snprintf(claims.tenant, sizeof claims.tenant, "%s", grant->tenant);
    char *token = tokens_issue(&claims);
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "token_type", "Bearer");
    cJSON_AddNumberToObject(json, "expires_in", settings.token_lifetime_s);
    cJSON_AddNumberToObject(json, "ext_expires_in", settings.token_lifetime_s);
    if (settings.token_lifetime_s > 7200) { /* only long-lived tokens have it */
        cJSON_AddNumberToObject(json, "refresh_in", settings.token_lifetime_s / 2);
    }
    cJSON_AddStringToObject(json, "access_token", token);
    free(token);
    counters_add(COUNT_TOKENS_ISSUED);
    answer_json(answer, 200, json);
}

bool entra_is_token_request(const struct request *request)
{
    return cloud_is_entra(request->host) && !entra_documents_has(request);
}

static void serve_token(const struct request *request, struct answer *answer)
{
    struct grant grant = {
        .client_id = form_field(request->body, "client_id"),
        .client_secret = form_field(request->body, "client_secret"),
        .scope = form_field(request->body, "scope"),
        .grant_type = form_field(request->body, "grant_type"),
        .assertion = form_field(request->body, "client_assertion"),
        .assertion_type = form_field(request->body, "client_assertion_type"),
        .claims = form_field(request->body, "claims"),
    };
    if (!take_tenant(request, &grant)) {
        answer_text(answer, 404, "text/html", "");
    } else if (strcmp(request->method, "POST") != 0) {
        entra_refuse(request, answer, ENTRA_INVALID_REQUEST, 900561,
                     "The endpoint only accepts POST requests.");
    } else if (check_tenant(request, answer, &grant) && check_form(request, answer, &grant) &&
               check_client(request, answer, &grant) && check_scope(request, answer, &grant)) {
        entra_issue(&grant, answer);
    }
    grant_free(&grant);
}

void entra_serve(const struct request *request, struct answer *answer)
{
    answer_field(answer, "Cache-Control", "no-store, no-cache");
    answer_field(answer, "Pragma", "no-cache");
    answer_field(answer, "x-ms-request-id", "%s", request->id);
    answer_field(answer, "P3P", "CP=\"DSP CUR OTPi IND OTRi ONL FIN\"");
    if (entra_documents_has(request)) {
        entra_documents_serve(request, answer);
    } else {
        serve_token(request, answer);
    }
}
