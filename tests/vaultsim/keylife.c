#include "keylife.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "encode.h"
#include "keyadmin.h"
#include "keyjson.h"
#include "keystore_save.h"
#include "settings.h"
#include "state.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static cJSON *policies; /* by "host/name"; NULL: none */

bool keylife_has(enum operation operation)
{
    return operation >= OP_BACKUP && operation <= OP_SET_POLICY;
}

/* Every version with its private half. The real service encrypts it; here it is in clear. */
static void keylife_backup(const struct service_call *call, struct answer *answer)
{
    const struct request *request = call->request;
    struct key_view view;
    if (!service_find(call, &view, answer)) {
        return;
    }
    if (service_admits(call, &view, answer)) {
        cJSON *versions = keystore_key_to_json(request->host, request->key_name);
        char *text = must(cJSON_PrintUnformatted(versions));
        char *value = base64url_encode((const uint8_t *)text, strlen(text));
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "value", value);
        answer_json(answer, 200, json);
        free(value);
        free(text);
        cJSON_Delete(versions);
    }
    key_view_free(&view);
}

static cJSON *versions_of(const cJSON *body)
{
    size_t len = 0;
    const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(body, "value"));
    uint8_t *bytes = value != NULL ? base64url_decode_padded(value, &len) : NULL;
    cJSON *versions = bytes != NULL ? cJSON_ParseWithLength((const char *)bytes, len) : NULL;
    free(bytes);
    return versions;
}

static void keylife_restore(const struct service_call *call, struct answer *answer)
{
    const struct request *request = call->request;
    struct key_view view;
    cJSON *versions = versions_of(call->body);
    const char *name = cJSON_GetStringValue(
        cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(versions, 0), "name"));
    if (name == NULL) {
        answer_error(answer, 400, "BadParameter", NULL, "Backup blob is corrupted.");
        cJSON_Delete(versions);
        return;
    }
    enum store_rc rc = store_find(request->host, name, NULL, &view);
    if (rc == STORE_OK) {
        answer_error(answer, 409, "Conflict", NULL, "Restore: a key with the name %s exists.",
                     name);
    } else if (rc == STORE_DELETED) {
        service_refuse(call, rc, answer);
    } else if (!keystore_key_from_json(request->host, versions)) {
        answer_error(answer, 400, "BadParameter", NULL, "Backup blob is corrupted.");
    } else {
        state_save();
        store_find(request->host, name, NULL, &view);
        answer_json(answer, 200, keyjson_bundle(&view, call->api_version));
    }
    key_view_free(&view);
    cJSON_Delete(versions);
}

static void keylife_rotate(const struct service_call *call, struct answer *answer)
{
    struct key_view former, view;
    if (!service_find(call, &former, answer)) {
        return;
    }
    keyadmin_prepare(former.host, former.name, &view);
    view.ops = former.ops;
    view.is_purgeable = former.is_purgeable;
    view.tags = former.tags != NULL ? must(strdup(former.tags)) : NULL;
    const char *problem = keyadmin_generate(
        former.kty, former.pkey != NULL ? EVP_PKEY_get_bits(former.pkey) : 0, 0, &view);
    if (problem != NULL) {
        answer_error(answer, 400, "BadParameter", NULL, "%s", problem);
    } else if (service_admits(call, &view, answer)) {
        enum store_rc rc = store_add(&view);
        if (rc == STORE_OK) {
            state_save();
            answer_json(answer, 200, keyjson_bundle(&view, call->api_version));
        } else {
            service_refuse(call, rc, answer);
        }
    }
    key_view_free(&view);
    key_view_free(&former);
}

static char *policy_name(const struct request *request)
{
    char *name = format_text("%s/%s", request->host, request->key_name);
    for (char *c = name; *c != '\0'; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
    return name;
}

/* The default policy: to notify the owner thirty days before the end. */
static cJSON *default_policy(void)
{
    return cJSON_Parse("{\"lifetimeActions\":[{\"trigger\":{\"timeBeforeExpiry\":\"P30D\"},"
                       "\"action\":{\"type\":\"Notify\"}}],\"attributes\":{}}");
}

static void give_policy(const struct request *request, cJSON *policy, struct answer *answer)
{
    char *id = format_text("https://%s/keys/%s/rotationpolicy", request->host, request->key_name);
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "id", id);
    free(id);
    while (policy->child != NULL) {
        cJSON *item = cJSON_DetachItemViaPointer(policy, policy->child);
        cJSON_AddItemToObject(json, item->string, item);
    }
    cJSON_Delete(policy);
    answer_json(answer, 200, json);
}

static void get_policy(const struct service_call *call, struct answer *answer)
{
    char *name = policy_name(call->request);
    pthread_mutex_lock(&lock);
    cJSON *policy = cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(policies, name), true);
    pthread_mutex_unlock(&lock);
    free(name);
    give_policy(call->request, policy != NULL ? policy : default_policy(), answer);
}

static void set_policy(const struct service_call *call, struct answer *answer)
{
    const cJSON *actions = cJSON_GetObjectItemCaseSensitive(call->body, "lifetimeActions");
    const cJSON *attributes = cJSON_GetObjectItemCaseSensitive(call->body, "attributes");
    if ((actions != NULL && !cJSON_IsArray(actions)) ||
        (attributes != NULL && !cJSON_IsObject(attributes))) {
        answer_error(answer, 400, "BadParameter", NULL, "The rotation policy is invalid.");
        return;
    }
    cJSON *policy = cJSON_CreateObject();
    cJSON_AddItemToObject(policy, "lifetimeActions",
                          actions != NULL ? cJSON_Duplicate(actions, true) : cJSON_CreateArray());
    cJSON *kept = attributes != NULL ? cJSON_Duplicate(attributes, true) : cJSON_CreateObject();
    cJSON_AddItemToObject(policy, "attributes", kept);
    cJSON_DeleteItemFromObjectCaseSensitive(kept, "created");
    cJSON_DeleteItemFromObjectCaseSensitive(kept, "updated");
    cJSON_AddNumberToObject(kept, "created", (double)clock_service());
    cJSON_AddNumberToObject(kept, "updated", (double)clock_service());
    char *name = policy_name(call->request);
    pthread_mutex_lock(&lock);
    policies = policies != NULL ? policies : cJSON_CreateObject();
    cJSON_DeleteItemFromObjectCaseSensitive(policies, name);
    cJSON_AddItemToObject(policies, name, cJSON_Duplicate(policy, true));
    pthread_mutex_unlock(&lock);
    free(name);
    state_save();
    give_policy(call->request, policy, answer);
}

/* Policies exist only beside a key. */
static void serve_policy(const struct service_call *call, struct answer *answer)
{
    struct key_view view;
    if (!service_find(call, &view, answer)) {
        return;
    }
    key_view_free(&view);
    if (call->request->operation == OP_GET_POLICY) {
        get_policy(call, answer);
    } else {
        set_policy(call, answer);
    }
}

void keylife_serve(const struct service_call *call, struct answer *answer)
{
    switch (call->request->operation) {
    case OP_BACKUP:
        keylife_backup(call, answer);
        return;
    case OP_RESTORE:
        keylife_restore(call, answer);
        return;
    case OP_ROTATE:
        keylife_rotate(call, answer);
        return;
    default:
        serve_policy(call, answer);
        return;
    }
}

cJSON *keylife_to_json(void)
{
    pthread_mutex_lock(&lock);
    cJSON *json = policies != NULL ? cJSON_Duplicate(policies, true) : cJSON_CreateObject();
    pthread_mutex_unlock(&lock);
    return json;
}

void keylife_from_json(const cJSON *json)
{
    pthread_mutex_lock(&lock);
    policies = cJSON_IsObject(json) ? cJSON_Duplicate(json, true) : NULL;
    pthread_mutex_unlock(&lock);
}
