#include "entra_documents.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clients.h"
#include "cloud.h"
#include "encode.h"
#include "entra_error.h"

enum document { DOCUMENT_NONE, DOCUMENT_CONFIGURATION, DOCUMENT_INSTANCE, DOCUMENT_KEYS };

/* The path after its first segment names the document; that segment names the tenant. */
static enum document document_of(const char *path, char *tenant, size_t cap)
{
    static const struct {
        const char *path;
        enum document document;
    } documents[] = {
        {"/v2.0/.well-known/openid-configuration", DOCUMENT_CONFIGURATION},
        {"/.well-known/openid-configuration", DOCUMENT_CONFIGURATION},
        {"/discovery/instance", DOCUMENT_INSTANCE},
        {"/discovery/v2.0/keys", DOCUMENT_KEYS},
        {"/discovery/keys", DOCUMENT_KEYS},
    };
    size_t len = path[0] == '/' ? strcspn(path + 1, "/") : 0;
    if (len == 0 || len >= cap) {
        return DOCUMENT_NONE;
    }
    snprintf(tenant, cap, "%.*s", (int)len, path + 1);
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        if (strcasecmp(path + 1 + len, documents[i].path) == 0) {
            return documents[i].document;
        }
    }
    return DOCUMENT_NONE;
}

bool entra_documents_has(const struct request *request)
{
    char tenant[80];
    return strcmp(request->method, "GET") == 0 &&
           document_of(request->path, tenant, sizeof tenant) != DOCUMENT_NONE;
}

static void add_url(cJSON *json, const char *name, const char *host, const char *tenant,
                    const char *rest)
{
    char *url = format_text("https://%s/%s%s", host, tenant, rest);
    cJSON_AddStringToObject(json, name, url);
    free(url);
}

static void add_list(cJSON *json, const char *name, const char *words)
{
    cJSON *list = cJSON_AddArrayToObject(json, name);
    while (words[0] != '\0') {
        size_t len = strcspn(words, " ");
        char *word = must(strndup(words, len));
        cJSON_AddItemToArray(list, cJSON_CreateString(word));
        free(word);
        words += len + strspn(words + len, " ");
    }
}

static bool is_common(const char *tenant)
{
    return strcasecmp(tenant, "common") == 0 || strcasecmp(tenant, "organizations") == 0;
}

static void entra_documents_give_configuration(const struct request *request, const char *tenant,
                                               struct answer *answer)
{
    const char *host = request->host;
    cJSON *json = cJSON_CreateObject();
    add_url(json, "token_endpoint", host, tenant, "/oauth2/v2.0/token");
    add_list(json, "token_endpoint_auth_methods_supported",
             "client_secret_post private_key_jwt client_secret_basic");
    add_url(json, "jwks_uri", host, tenant, "/discovery/v2.0/keys");
    add_list(json, "response_modes_supported", "query fragment form_post");
    add_list(json, "subject_types_supported", "pairwise");
    add_list(json, "id_token_signing_alg_values_supported", "RS256");
    add_list(json, "response_types_supported", "code id_token");
    add_list(json, "scopes_supported", "openid profile email offline_access");
    add_url(json, "issuer", host, is_common(tenant) ? "{tenantid}" : tenant, "/v2.0");
    cJSON_AddBoolToObject(json, "request_uri_parameter_supported", false);
    cJSON_AddStringToObject(json, "userinfo_endpoint", "https://graph.microsoft.com/oidc/userinfo");
    add_url(json, "authorization_endpoint", host, tenant, "/oauth2/v2.0/authorize");
    add_url(json, "device_authorization_endpoint", host, tenant, "/oauth2/v2.0/devicecode");
    add_url(json, "end_session_endpoint", host, tenant, "/oauth2/v2.0/logout");
    cJSON_AddStringToObject(json, "tenant_region_scope", "EU");
    cJSON_AddStringToObject(json, "cloud_instance_name", "microsoftonline.com");
    cJSON_AddStringToObject(json, "msgraph_host", "graph.microsoft.com");
    answer_json(answer, 200, json);
}

/* Every cloud with its names. The tenant is the one in the authorization_endpoint of the request.
 */
static void give_instance(const struct request *request, struct answer *answer)
{
    const char *about = request_query(request, "authorization_endpoint");
    const char *names[CLOUD_ENTRA_MAX];
    if (about == NULL || strncasecmp(about, "https://", 8) != 0) {
        entra_refuse(request, answer, ENTRA_INVALID_REQUEST, 900144,
                     "The request must contain the following parameter: 'authorization_endpoint'.");
        return;
    }
    const char *path = about + 8 + strcspn(about + 8, "/");
    char *host = must(strndup(about + 8, strcspn(about + 8, "/")));
    char *tenant = must(strndup(path + 1, path[0] == '/' ? strcspn(path + 1, "/") : 0));
    if (!cloud_is_entra(host)) {
        entra_refuse(request, answer, ENTRA_INVALID_REQUEST, 50049, "Unknown or invalid instance.");
    } else {
        cJSON *json = cJSON_CreateObject();
        add_url(json, "tenant_discovery_endpoint", host, tenant,
                "/v2.0/.well-known/openid-configuration");
        cJSON_AddStringToObject(json, "api-version", "1.1");
        cJSON *list = cJSON_AddArrayToObject(json, "metadata");
        for (size_t i = 0, count = 0; (count = cloud_entra_hosts(i, names)) > 0; i++) {
            cJSON *item = cJSON_CreateObject();
            cJSON_AddStringToObject(item, "preferred_network", names[0]);
            cJSON_AddStringToObject(item, "preferred_cache", names[count > 2 ? 1 : 0]);
            cJSON_AddItemToObject(item, "aliases", cJSON_CreateStringArray(names, (int)count));
            cJSON_AddItemToArray(list, item);
        }
        answer_json(answer, 200, json);
    }
    free(tenant);
    free(host);
}

/* Access tokens are opaque here, so there is no key to verify them with. */
static void entra_documents_give_keys(struct answer *answer)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddArrayToObject(json, "keys");
    answer_json(answer, 200, json);
}

void entra_documents_serve(const struct request *request, struct answer *answer)
{
    char tenant[80];
    switch (document_of(request->path, tenant, sizeof tenant)) {
    case DOCUMENT_INSTANCE:
        give_instance(request, answer);
        return;
    case DOCUMENT_KEYS:
        entra_documents_give_keys(answer);
        return;
    case DOCUMENT_CONFIGURATION:
    case DOCUMENT_NONE:
        break;
    }
    if (!is_common(tenant) && !clients_knows_tenant(tenant)) {
        entra_refuse(request, answer, ENTRA_INVALID_REQUEST, 90002,
                     "Tenant '%s' not found. Check to make sure you have the correct tenant ID and "
                     "are signing into the correct cloud.",
                     tenant);
    } else {
        entra_documents_give_configuration(request, tenant, answer);
    }
}
