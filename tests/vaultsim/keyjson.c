#include "keyjson.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cloud.h"
#include "encode.h"
#include "material.h"

#define TAGS_MAX 15

static const char *const op_words[] = {"encrypt", "decrypt",   "sign",   "verify",
                                       "wrapKey", "unwrapKey", "import", "export"};
#define OP_WORD_COUNT (sizeof op_words / sizeof op_words[0])

unsigned keyjson_op(const char *word)
{
    for (unsigned i = 0; i < OP_WORD_COUNT; i++) {
        if (strcmp(word, op_words[i]) == 0) {
            return 1u << i;
        }
    }
    return 0;
}

void keyjson_kid(const struct key_view *view, bool with_version, char *out, size_t cap)
{
    snprintf(out, cap, "https://%s/keys/%s%s%s", view->host, view->name, with_version ? "/" : "",
             with_version ? view->version : "");
}

static bool is_before_7_5(const char *api_version)
{
    static const char *const older[] = {"2016-10-01", "7.0", "7.1", "7.2", "7.3", "7.4"};
    for (size_t i = 0; api_version != NULL && i < sizeof older / sizeof older[0]; i++) {
        if (strcmp(api_version, older[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Seen in recordings of Managed HSMs, and of vaults with a retention of seven days. 90 days is
 * usual. */
static void add_recovery(const struct key_view *view, cJSON *attributes)
{
    bool is_hsm = cloud_is_hsm(view->host);
    char level[40];
    snprintf(level, sizeof level, "%sRecoverable%s", is_hsm ? "Customized" : "",
             view->is_purgeable ? "+Purgeable" : "");
    cJSON_AddStringToObject(attributes, "recoveryLevel", level);
    cJSON_AddNumberToObject(attributes, "recoverableDays", keyjson_days(view));
}

int keyjson_days(const struct key_view *view)
{
    return cloud_is_hsm(view->host) ? 7 : 90;
}

static void add_attributes(const struct key_view *view, const char *api_version, cJSON *json)
{
    cJSON *attributes = cJSON_AddObjectToObject(json, "attributes");
    bool is_hsm = strcasestr(view->kty, "-HSM") != NULL;
    cJSON_AddBoolToObject(attributes, "enabled", view->enabled);
    if (view->nbf != 0) {
        cJSON_AddNumberToObject(attributes, "nbf", (double)view->nbf);
    }
    if (view->exp != 0) {
        cJSON_AddNumberToObject(attributes, "exp", (double)view->exp);
    }
    cJSON_AddNumberToObject(attributes, "created", (double)view->created);
    cJSON_AddNumberToObject(attributes, "updated", (double)view->updated);
    add_recovery(view, attributes);
    cJSON_AddBoolToObject(attributes, "exportable", false);
    if (!is_before_7_5(api_version)) {
        cJSON_AddStringToObject(attributes, "hsmPlatform",
                                cloud_is_hsm(view->host) ? "2"
                                : is_hsm                 ? "1"
                                                         : "0");
    }
}

/* Adds no member if there are no tags. */
static void add_tags(const struct key_view *view, cJSON *json)
{
    cJSON *tags = view->tags != NULL ? cJSON_Parse(view->tags) : NULL;
    if (tags != NULL) {
        cJSON_AddItemToObject(json, "tags", tags);
    }
}

/* A Managed HSM has no fixed order of key_ops: here each second of creation gives another one. */
static void add_ops(const struct key_view *view, cJSON *key)
{
    cJSON *ops = cJSON_AddArrayToObject(key, "key_ops");
    unsigned start = cloud_is_hsm(view->host) ? (unsigned)view->created % OP_WORD_COUNT : 0;
    for (unsigned i = 0; i < OP_WORD_COUNT; i++) {
        unsigned word = (start + i) % OP_WORD_COUNT;
        if ((view->ops & 1u << word) != 0) {
            cJSON_AddItemToArray(ops, cJSON_CreateString(op_words[word]));
        }
    }
}

cJSON *keyjson_bundle(const struct key_view *view, const char *api_version)
{
    char kid[700];
    cJSON *json = cJSON_CreateObject();
    cJSON *key = cJSON_AddObjectToObject(json, "key");
    keyjson_kid(view, true, kid, sizeof kid);
    cJSON_AddStringToObject(key, "kid", kid);
    cJSON_AddStringToObject(key, "kty", view->kty);
    add_ops(view, key);
    material_describe(view->pkey, key);
    add_attributes(view, api_version, json);
    add_tags(view, json);
    if (view->managed) {
        cJSON_AddBoolToObject(json, "managed", true);
    }
    return json;
}

cJSON *keyjson_item(const struct key_view *view, bool with_version, const char *api_version)
{
    char kid[700];
    cJSON *json = cJSON_CreateObject();
    keyjson_kid(view, with_version, kid, sizeof kid);
    cJSON_AddStringToObject(json, "kid", kid);
    add_attributes(view, api_version, json);
    add_tags(view, json);
    if (view->managed) {
        cJSON_AddBoolToObject(json, "managed", true);
    }
    return json;
}

/* The members about the deletion come first. */
cJSON *keyjson_deleted(const struct key_view *view, const char *api_version, bool is_item)
{
    char recovery_id[700];
    cJSON *json = cJSON_CreateObject();
    cJSON *rest =
        is_item ? keyjson_item(view, false, api_version) : keyjson_bundle(view, api_version);
    snprintf(recovery_id, sizeof recovery_id, "https://%s/deletedkeys/%s", view->host, view->name);
    cJSON_AddStringToObject(json, "recoveryId", recovery_id);
    cJSON_AddNumberToObject(json, "deletedDate", (double)view->deleted);
    cJSON_AddNumberToObject(json, "scheduledPurgeDate",
                            (double)(view->deleted + (int64_t)keyjson_days(view) * 86400));
    while (rest->child != NULL) {
        cJSON *item = cJSON_DetachItemViaPointer(rest, rest->child);
        cJSON_AddItemToObject(json, item->string, item);
    }
    cJSON_Delete(rest);
    return json;
}

static bool take_time(const cJSON *attributes, const char *name, int64_t *value)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(attributes, name);
    if (cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < 1e15) {
        *value = (int64_t)item->valuedouble;
        return true;
    }
    if (cJSON_IsNull(item)) {
        *value = 0;
    }
    return item == NULL || cJSON_IsNull(item);
}

static bool take_ops(const cJSON *list, unsigned *ops)
{
    const cJSON *item = NULL;
    unsigned bits = 0;
    cJSON_ArrayForEach(item, list)
    {
        unsigned bit = cJSON_IsString(item) ? keyjson_op(item->valuestring) : 0;
        if (bit == 0) {
            return false;
        }
        bits |= bit;
    }
    *ops = bits != 0 ? bits : *ops; /* an empty list changes nothing */
    return cJSON_IsArray(list);
}

static bool take_tags(const cJSON *tags, char **kept)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, tags)
    {
        if (!cJSON_IsString(item) || strlen(item->valuestring) > 256 ||
            strlen(item->string) > 256) {
            return false;
        }
    }
    int count = cJSON_GetArraySize(tags);
    if (!cJSON_IsObject(tags) || count > TAGS_MAX) {
        return cJSON_IsNull(tags);
    }
    free(*kept);
    *kept = count > 0 ? must(cJSON_PrintUnformatted(tags)) : NULL;
    return true;
}

const char *keyjson_take(const cJSON *json, const cJSON *attributes, const cJSON *tags,
                         struct key_view *view)
{
    const cJSON *enabled = cJSON_GetObjectItemCaseSensitive(attributes, "enabled");
    const cJSON *ops = cJSON_GetObjectItemCaseSensitive(json, "key_ops");
    if (enabled != NULL && !cJSON_IsBool(enabled)) {
        return "Property 'enabled' is invalid.";
    }
    view->enabled = enabled != NULL ? cJSON_IsTrue(enabled) : view->enabled;
    if (!take_time(attributes, "nbf", &view->nbf) || !take_time(attributes, "exp", &view->exp)) {
        return "Property 'nbf' or 'exp' is invalid.";
    }
    if (ops != NULL && !take_ops(ops, &view->ops)) {
        return "Property 'key_ops' is invalid.";
    }
    if (tags != NULL && !take_tags(tags, &view->tags)) {
        return "Property 'tags' is invalid.";
    }
    return NULL;
}
