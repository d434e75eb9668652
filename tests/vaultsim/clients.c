#include "clients.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "credentials.h"
#include "encode.h"

/* Each client is kept as the JSON that created it: {"client_id","secrets":[],"grants":[{"vault",
 * "permissions":[],"rbac"}]}. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static cJSON *clients; /* array */
static cJSON *tenants; /* array of strings; the first is the vaults' */

static const cJSON *clients_member(const cJSON *json, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(json, name);
}

static const char *clients_text_of(const cJSON *json, const char *name)
{
    const char *text = cJSON_GetStringValue(clients_member(json, name));
    return text != NULL ? text : "";
}

static cJSON *clients_find(const char *client_id)
{
    char guid[37];
    cJSON *client = NULL;
    if (!guid_normalise(client_id, guid)) {
        return NULL;
    }
    cJSON_ArrayForEach(client, clients)
    {
        if (strcmp(clients_text_of(client, "client_id"), guid) == 0) {
            return client;
        }
    }
    return NULL;
}

enum client_check clients_check(const char *client_id, const char *secret)
{
    enum client_check rc = CLIENT_UNKNOWN;
    const cJSON *item = NULL;
    pthread_mutex_lock(&lock);
    const cJSON *client = clients_find(client_id);
    if (client != NULL) {
        rc = CLIENT_WRONG_SECRET;
        cJSON_ArrayForEach(item, clients_member(client, "expired_secrets"))
        {
            rc = strcmp(item->valuestring, secret) == 0 ? CLIENT_EXPIRED_SECRET : rc;
        }
        cJSON_ArrayForEach(item, clients_member(client, "secrets"))
        {
            rc = strcmp(item->valuestring, secret) == 0 ? CLIENT_OK : rc;
        }
    }
    pthread_mutex_unlock(&lock);
    return rc;
}

cJSON *clients_get(const char *client_id)
{
    pthread_mutex_lock(&lock);
    cJSON *copy = cJSON_Duplicate(clients_find(client_id), true);
    pthread_mutex_unlock(&lock);
    return copy;
}

static bool grant_holds(const cJSON *grant, const char *permission)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, clients_member(grant, "permissions"))
    {
        if (strcasecmp(item->valuestring, permission) == 0 ||
            strcasecmp(item->valuestring, "all") == 0) {
            return true;
        }
    }
    return false;
}

/* A grant for this vault takes precedence over one for all vaults. */
bool clients_may(const char *client_id, const char *host, const char *permission, bool *is_rbac)
{
    const cJSON *grant = NULL, *best = NULL;
    pthread_mutex_lock(&lock);
    cJSON_ArrayForEach(grant, clients_member(clients_find(client_id), "grants"))
    {
        const char *vault = clients_text_of(grant, "vault");
        if (strcasecmp(vault, host) == 0 || (vault[0] == '\0' && best == NULL)) {
            best = grant;
        }
    }
    bool is_allowed = grant_holds(best, permission);
    *is_rbac = cJSON_IsTrue(clients_member(best, "rbac"));
    pthread_mutex_unlock(&lock);
    return is_allowed;
}

static bool is_text_list(const cJSON *list)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsString(item) || item->valuestring[0] == '\0') {
            return false;
        }
    }
    return list == NULL || cJSON_IsArray(list);
}

static void put_grant(cJSON *client, const cJSON *json)
{
    const char *vault = clients_text_of(json, "vault");
    cJSON *grants = cJSON_GetObjectItemCaseSensitive(client, "grants");
    int at = 0;
    for (const cJSON *g = grants->child; g != NULL; g = g->next, at++) {
        if (strcasecmp(clients_text_of(g, "vault"), vault) == 0) {
            cJSON_DeleteItemFromArray(grants, at);
            break;
        }
    }
    cJSON *grant = cJSON_CreateObject();
    cJSON_AddStringToObject(grant, "vault", vault);
    const cJSON *permissions = clients_member(json, "permissions");
    cJSON_AddItemToObject(grant, "permissions",
                          permissions != NULL ? cJSON_Duplicate(permissions, true)
                                              : cJSON_CreateArray());
    cJSON_AddBoolToObject(grant, "rbac", cJSON_IsTrue(clients_member(json, "rbac")));
    cJSON_AddItemToArray(grants, grant);
}

static cJSON *add_empty(const char *guid)
{
    cJSON *client = cJSON_CreateObject();
    cJSON_AddStringToObject(client, "client_id", guid);
    cJSON_AddArrayToObject(client, "secrets");
    cJSON_AddArrayToObject(client, "grants");
    cJSON_AddItemToArray(clients, client);
    return client;
}

const char *clients_change(const cJSON *json)
{
    char guid[37];
    const cJSON *secrets = clients_member(json, "secrets"),
                *permissions = clients_member(json, "permissions");
    if (!guid_normalise(clients_text_of(json, "client_id"), guid)) {
        return "client_id is not a GUID";
    }
    if (!is_text_list(secrets) || !is_text_list(permissions)) {
        return "secrets and permissions are lists of strings";
    }
    cJSON *credentials = NULL;
    const char *problem = credentials_take(json, &credentials);
    if (problem != NULL) {
        return problem;
    }
    pthread_mutex_lock(&lock);
    cJSON *client = clients_find(guid);
    if (client == NULL) {
        client = add_empty(guid);
    }
    if (secrets != NULL) {
        cJSON_ReplaceItemInObjectCaseSensitive(client, "secrets", cJSON_Duplicate(secrets, true));
    }
    for (cJSON *item = NULL; (item = credentials->child) != NULL;) {
        cJSON_DetachItemViaPointer(credentials, item);
        cJSON_DeleteItemFromObjectCaseSensitive(client, item->string);
        cJSON_AddItemToObject(client, item->string, item);
    }
    if (clients_member(json, "vault") == NULL && permissions != NULL) {
        cJSON_ReplaceItemInObjectCaseSensitive(client, "grants", cJSON_CreateArray());
    }
    if (permissions != NULL) {
        put_grant(client, json);
    }
    pthread_mutex_unlock(&lock);
    cJSON_Delete(credentials);
    return NULL;
}

bool clients_remove(const char *client_id)
{
    pthread_mutex_lock(&lock);
    cJSON *client = clients_find(client_id);
    if (client != NULL) {
        cJSON_Delete(cJSON_DetachItemViaPointer(clients, client));
    }
    pthread_mutex_unlock(&lock);
    return client != NULL;
}

bool clients_secret_in(const char *text)
{
    const cJSON *client = NULL, *secret = NULL;
    bool is_there = false;
    char *decoded = form_decode(text, strlen(text));
    pthread_mutex_lock(&lock);
    cJSON_ArrayForEach(client, clients)
    {
        for (int i = 0; i < 2; i++) {
            cJSON_ArrayForEach(secret,
                               clients_member(client, i == 0 ? "secrets" : "expired_secrets"))
            {
                is_there = is_there || strstr(text, secret->valuestring) != NULL ||
                           strstr(decoded, secret->valuestring) != NULL;
            }
        }
    }
    pthread_mutex_unlock(&lock);
    free(decoded);
    return is_there;
}

static int find_tenant(const char *tenant)
{
    for (int i = 0; i < cJSON_GetArraySize(tenants); i++) {
        if (strcasecmp(cJSON_GetArrayItem(tenants, i)->valuestring, tenant) == 0) {
            return i;
        }
    }
    return -1;
}

void clients_set_tenant(const char *tenant)
{
    pthread_mutex_lock(&lock);
    int at = find_tenant(tenant);
    if (at >= 0) {
        cJSON_DeleteItemFromArray(tenants, at);
    }
    cJSON_InsertItemInArray(tenants, 0, cJSON_CreateString(tenant));
    pthread_mutex_unlock(&lock);
}

void clients_tenant(char *out, size_t cap)
{
    pthread_mutex_lock(&lock);
    const char *tenant = cJSON_GetStringValue(cJSON_GetArrayItem(tenants, 0));
    snprintf(out, cap, "%s", tenant != NULL ? tenant : "");
    pthread_mutex_unlock(&lock);
}

bool clients_knows_tenant(const char *tenant)
{
    pthread_mutex_lock(&lock);
    bool is_known = find_tenant(tenant) >= 0;
    pthread_mutex_unlock(&lock);
    return is_known;
}

cJSON *clients_to_json(bool with_secrets)
{
    cJSON *json = cJSON_CreateObject();
    cJSON *client = NULL;
    pthread_mutex_lock(&lock);
    cJSON_AddItemToObject(json, "tenants", cJSON_Duplicate(tenants, true));
    cJSON *copy = cJSON_Duplicate(clients, true);
    pthread_mutex_unlock(&lock);
    cJSON_AddItemToObject(json, "clients", copy);
    if (!with_secrets) {
        cJSON_ArrayForEach(client, copy)
        {
            cJSON_DeleteItemFromObjectCaseSensitive(client, "secrets");
            cJSON_DeleteItemFromObjectCaseSensitive(client, "expired_secrets");
        }
    }
    return json;
}

void clients_from_json(const cJSON *json)
{
    const cJSON *known = clients_member(json, "clients"), *names = clients_member(json, "tenants");
    pthread_mutex_lock(&lock);
    clients = cJSON_IsArray(known) ? cJSON_Duplicate(known, true) : cJSON_CreateArray();
    tenants = cJSON_IsArray(names) ? cJSON_Duplicate(names, true) : cJSON_CreateArray();
    pthread_mutex_unlock(&lock);
}
