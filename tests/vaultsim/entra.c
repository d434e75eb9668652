#include "entra.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "clients.h"
#include "cloud.h"
#include "counters.h"
#include "encode.h"
#include "keystore.h"
#include "settings.h"
#include "tokens.h"

/* The decoded form, and what the path says. */
struct grant {
    char *client_id, *client_secret, *scope, *grant_type;
    char tenant[80];
};

static void grant_free(struct grant *grant)
{
    free(grant->client_id);
    free(grant->client_secret);
    free(grant->scope);
    free(grant->grant_type);
}

static void refuse(const struct request *request, struct answer *answer, unsigned status,
                   const char *error, int number, const char *text)
{
    char stamp[32], trace[37];
    time_t now = time(NULL);
    struct tm utc;
    strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%SZ", gmtime_r(&now, &utc));
    guid_random(trace);
    const char *correlation = request_header(request, "client-request-id");
    correlation = correlation != NULL ? correlation : request->id;
    char *description = format_text("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s",
                                    number, text, trace, correlation, stamp);
    char *uri = format_text("https://%s/error?code=%d", request->host, number);
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "error", error);
    cJSON_AddStringToObject(json, "error_description", description);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(json, "error_codes"), cJSON_CreateNumber(number));
    cJSON_AddStringToObject(json, "timestamp", stamp);
    cJSON_AddStringToObject(json, "trace_id", trace);
    cJSON_AddStringToObject(json, "correlation_id", correlation);
    cJSON_AddStringToObject(json, "error_uri", uri);
    free(description);
    free(uri);
    answer_json(answer, status, json);
}

/* Texts name what the caller sent, except secrets. */
static void refuse_about(const struct request *request, struct answer *answer, unsigned status,
                         const char *error, int number, const char *format, const char *about)
    __attribute__((format(printf, 6, 0)));
static void refuse_about(const struct request *request, struct answer *answer, unsigned status,
                         const char *error, int number, const char *format, const char *about)
{
    char *text = NULL;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    text = format_text(format, about);
#pragma GCC diagnostic pop
    refuse(request, answer, status, error, number, text);
    free(text);
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
        refuse_about(request, answer, 400, "invalid_request", 900023,
                     "Specified tenant identifier '%s' is neither a valid DNS name, nor a valid "
                     "external domain.",
                     grant->tenant);
    } else {
        refuse_about(request, answer, 400, "invalid_request", 90002,
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
        refuse_about(request, answer, 400, "invalid_request", 900144,
                     "The request body must contain the following parameter: '%s'.", missing);
        return false;
    }
    if (strcmp(grant->grant_type, "client_credentials") != 0) {
        refuse_about(request, answer, 400, "unsupported_grant_type", 70003,
                     "The app requested an unsupported grant type '%s'.", grant->grant_type);
        return false;
    }
    return true;
}

/* A vault under a suffix of one's own (--vault) belongs to the public cloud. */
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

/* Cuts /.default off the scope. */
static bool check_scope(const struct request *request, struct answer *answer, struct grant *grant)
{
    size_t len = strlen(grant->scope), tail_len = strlen("/.default");
    if (len <= tail_len || strcmp(grant->scope + len - tail_len, "/.default") != 0 ||
        strchr(grant->scope, ' ') != NULL) {
        refuse_about(request, answer, 400, "invalid_scope", 1002012,
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
        refuse_about(request, answer, 400, "invalid_resource", 500011,
                     "The resource principal named %s was not found in the tenant. This can happen "
                     "if the application has not been installed by the administrator of the tenant "
                     "or consented to by any user in the tenant.",
                     grant->scope);
        return false;
    }
    return true;
}

static bool check_client(const struct request *request, struct answer *answer,
                         const struct grant *grant)
{
    if (grant->client_secret == NULL || grant->client_secret[0] == '\0') {
        refuse(request, answer, 401, "invalid_client", 7000218,
               "The request body must contain the following parameter: 'client_assertion' or "
               "'client_secret'.");
        return false;
    }
    switch (clients_check(grant->client_id, grant->client_secret)) {
    case CLIENT_OK:
        return true;
    case CLIENT_UNKNOWN:
        refuse_about(request, answer, 400, "unauthorized_client", 700016,
                     "Application with identifier '%s' was not found in the directory 'Contoso'.",
                     grant->client_id);
        return false;
    case CLIENT_WRONG_SECRET:
        break;
    }
    refuse_about(request, answer, 401, "invalid_client", 7000215,
                 "Invalid client secret provided. Ensure the secret being sent in the request is "
                 "the client secret value, not the client secret ID, for a secret added to app "
                 "'%s'.",
                 grant->client_id);
    return false;
}

static void issue(const struct grant *grant, struct answer *answer)
{
    struct settings settings = settings_get();
    struct token_claims claims = {.end_ms = clock_ms() + (int64_t)settings.token_lifetime_s * 1000};
    guid_normalise(grant->client_id, claims.client_id);
    snprintf(claims.audience, sizeof claims.audience, "%s", grant->scope);
    snprintf(claims.tenant, sizeof claims.tenant, "%s", grant->tenant);
    char *token = tokens_issue(&claims);
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "token_type", "Bearer");
    cJSON_AddNumberToObject(json, "expires_in", settings.token_lifetime_s);
    cJSON_AddNumberToObject(json, "ext_expires_in", settings.token_lifetime_s);
    cJSON_AddStringToObject(json, "access_token", token);
    free(token);
    counters_add(COUNT_TOKENS_ISSUED);
    answer_json(answer, 200, json);
}

void entra_serve(const struct request *request, struct answer *answer)
{
    struct grant grant = {
        .client_id = form_field(request->body, "client_id"),
        .client_secret = form_field(request->body, "client_secret"),
        .scope = form_field(request->body, "scope"),
        .grant_type = form_field(request->body, "grant_type"),
    };
    answer_field(answer, "Cache-Control", "no-store, no-cache");
    answer_field(answer, "Pragma", "no-cache");
    answer_field(answer, "x-ms-request-id", "%s", request->id);
    answer_field(answer, "P3P", "CP=\"DSP CUR OTPi IND OTRi ONL FIN\"");
    if (!take_tenant(request, &grant)) {
        answer_text(answer, 404, "text/html", "");
    } else if (strcmp(request->method, "POST") != 0) {
        refuse(request, answer, 400, "invalid_request", 900561,
               "The endpoint only accepts POST requests.");
    } else if (check_tenant(request, answer, &grant) && check_form(request, answer, &grant) &&
               check_client(request, answer, &grant) && check_scope(request, answer, &grant)) {
        issue(&grant, answer);
    }
    grant_free(&grant);
}
