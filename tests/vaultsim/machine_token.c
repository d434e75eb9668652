#include "machine_token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients.h"
#include "cloud.h"
#include "counters.h"
#include "encode.h"
#include "settings.h"
#include "tokens.h"

const char *machine_error_text(enum machine_error error)
{
    switch (error) {
    case MACHINE_NO_RESOURCE:
        return "Required query variable 'resource' is missing";
    case MACHINE_UNKNOWN_RESOURCE:
        return "AADSTS500011: The resource principal named in the request was not found in the "
               "tenant. This can happen if the application has not been installed by the "
               "administrator of the tenant.";
    case MACHINE_UNKNOWN_IDENTITY:
        return "Identity not found";
    case MACHINE_AMBIGUOUS:
        return "Multiple user assigned identities exist, please specify the clientId / resourceId "
               "of the identity in the token request";
    case MACHINE_SEVERAL_SELECTORS:
        return "Only one of client_id, object_id and msi_res_id may be specified";
    case MACHINE_OK:
        break;
    }
    return NULL;
}

static bool is_known_resource(const char *resource)
{
    const char *names[CLOUD_ENTRA_MAX];
    bool is_known = strncmp(resource, TOKENS_EXCHANGE, strlen(TOKENS_EXCHANGE)) == 0;
    for (size_t i = 0; !is_known && cloud_entra_hosts(i, names) > 0; i++) {
        is_known = cloud_issues(names[0], resource);
    }
    return is_known;
}

/* The back ends return the same token until little of its life is left. */
static char *take_token(struct token_claims *claims, const struct settings *settings)
{
    char *token = settings->identity_cache ? tokens_reuse(claims) : NULL;
    int64_t lifetime_ms = (int64_t)settings->identity_lifetime_s * 1000;
    if (token != NULL && claims->end_ms - clock_ms() > lifetime_ms / 2) {
        return token;
    }
    free(token);
    claims->end_ms = clock_ms() + lifetime_ms;
    counters_add(COUNT_TOKENS_ISSUED);
    return tokens_issue(claims);
}

static void add_number(cJSON *json, const char *name, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)value);
    cJSON_AddStringToObject(json, name, text);
}

static cJSON *token_json(const struct identity *identity, const char *resource)
{
    struct settings settings = settings_get();
    struct token_claims claims = {.is_user_assigned = identity->resource_id[0] != '\0'};
    memcpy(claims.client_id, identity->client_id, sizeof claims.client_id);
    memcpy(claims.object_id, identity->object_id, sizeof claims.object_id);
    snprintf(claims.audience, sizeof claims.audience, "%s", resource);
    clients_tenant(claims.tenant, sizeof claims.tenant);
    char *token = take_token(&claims, &settings);
    int64_t left_s = (claims.end_ms - clock_ms() + 999) / 1000, now = clock_service();
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "access_token", token);
    add_number(json, "expires_in", left_s);
    add_number(json, "expires_on", now + left_s);
    add_number(json, "ext_expires_in", left_s);
    add_number(json, "not_before", now + left_s - settings.identity_lifetime_s - 300);
    cJSON_AddStringToObject(json, "resource", resource);
    cJSON_AddStringToObject(json, "token_type", "Bearer");
    free(token);
    return json;
}

enum machine_error machine_token(const struct request *request,
                                 const struct identity_selector *selector,
                                 struct identity *identity, cJSON **json)
{
    const char *resource = request_query(request, "resource");
    if (resource == NULL || resource[0] == '\0') {
        return MACHINE_NO_RESOURCE;
    }
    switch (identities_select(selector, identity)) {
    case IDENTITY_UNKNOWN:
        return MACHINE_UNKNOWN_IDENTITY;
    case IDENTITY_AMBIGUOUS:
        return MACHINE_AMBIGUOUS;
    case IDENTITY_SEVERAL_SELECTORS:
        return MACHINE_SEVERAL_SELECTORS;
    case IDENTITY_OK:
        break;
    }
    if (!is_known_resource(resource) || strlen(resource) > 250) {
        return MACHINE_UNKNOWN_RESOURCE;
    }
    *json = token_json(identity, resource);
    return MACHINE_OK;
}
