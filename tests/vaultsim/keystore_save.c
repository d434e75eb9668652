#include "keystore_save.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "keystore.h"
#include "material.h"

static cJSON *key_to_json(const struct key_view *view, const char *pem)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "vault", view->host);
    cJSON_AddStringToObject(json, "name", view->name);
    cJSON_AddStringToObject(json, "version", view->version);
    cJSON_AddStringToObject(json, "kty", view->kty);
    cJSON_AddBoolToObject(json, "enabled", view->enabled);
    cJSON_AddBoolToObject(json, "managed", view->managed);
    cJSON_AddBoolToObject(json, "purgeable", view->is_purgeable);
    cJSON_AddNumberToObject(json, "ops", view->ops);
    if (view->tags != NULL) {
        cJSON_AddStringToObject(json, "tags", view->tags);
    }
    cJSON_AddNumberToObject(json, "nbf", (double)view->nbf);
    cJSON_AddNumberToObject(json, "exp", (double)view->exp);
    cJSON_AddNumberToObject(json, "created", (double)view->created);
    cJSON_AddNumberToObject(json, "updated", (double)view->updated);
    cJSON_AddNumberToObject(json, "deleted", (double)view->deleted);
    if (pem != NULL) {
        cJSON_AddStringToObject(json, "pem", pem);
    }
    return json;
}

static void keystore_save_add_key(const struct key_view *view, const char *pem, void *list)
{
    cJSON_AddItemToArray(list, key_to_json(view, pem));
}

struct one_key {
    const char *host, *name;
    cJSON *list;
};

static void add_if_it(const struct key_view *view, const char *pem, void *context)
{
    const struct one_key *key = context;
    if (strcasecmp(view->host, key->host) == 0 && strcasecmp(view->name, key->name) == 0) {
        cJSON_AddItemToArray(key->list, key_to_json(view, pem));
    }
}

cJSON *keystore_key_to_json(const char *host, const char *name)
{
    struct one_key key = {host, name, cJSON_CreateArray()};
    store_visit(add_if_it, &key);
    return key.list;
}

cJSON *keystore_to_json(void)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddItemToObject(json, "vaults", store_vault_list());
    store_visit(keystore_save_add_key, cJSON_AddArrayToObject(json, "keys"));
    return json;
}

static void keystore_save_take_text(const cJSON *json, const char *name, char *out, size_t cap)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
    snprintf(out, cap, "%s", text != NULL ? text : "");
}

static int64_t keystore_save_take_number(const cJSON *json, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
    return cJSON_IsNumber(item) ? (int64_t)item->valuedouble : 0;
}

/* host NULL: the one in the JSON. */
static bool key_from_json(const char *host, const cJSON *json)
{
    struct key_view view = {.host = ""};
    keystore_save_take_text(json, "vault", view.host, sizeof view.host);
    if (host != NULL) {
        snprintf(view.host, sizeof view.host, "%s", host);
    }
    keystore_save_take_text(json, "name", view.name, sizeof view.name);
    keystore_save_take_text(json, "version", view.version, sizeof view.version);
    keystore_save_take_text(json, "kty", view.kty, sizeof view.kty);
    view.enabled = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "enabled"));
    view.managed = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "managed"));
    view.is_purgeable = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "purgeable"));
    view.ops = (unsigned)keystore_save_take_number(json, "ops");
    view.nbf = keystore_save_take_number(json, "nbf");
    view.exp = keystore_save_take_number(json, "exp");
    view.created = keystore_save_take_number(json, "created");
    view.updated = keystore_save_take_number(json, "updated");
    view.deleted = keystore_save_take_number(json, "deleted");
    const char *pem = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "pem"));
    view.pkey = pem == NULL                               ? NULL
                : strstr(pem, "BEGIN PUBLIC KEY") != NULL ? material_public_from_pem(pem)
                                                          : material_from_pem(pem);
    const char *tags = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "tags"));
    view.tags = tags != NULL ? strdup(tags) : NULL;
    bool is_good =
        view.name[0] != '\0' && view.version[0] != '\0' && (pem == NULL || view.pkey != NULL);
    if (is_good) {
        store_restore(&view, pem);
    }
    key_view_free(&view);
    return is_good;
}

bool keystore_key_from_json(const char *host, const cJSON *versions)
{
    const cJSON *item = NULL;
    bool is_good = cJSON_IsArray(versions);
    cJSON_ArrayForEach(item, versions)
    {
        is_good = is_good && key_from_json(host, item);
    }
    return is_good;
}

void keystore_from_json(const cJSON *json)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(json, "vaults"))
    {
        char host[256], word[16];
        keystore_save_take_text(item, "host", host, sizeof host);
        keystore_save_take_text(item, "deny", word, sizeof word);
        store_vault_add(host);
        store_vault_deny(host, word[0] == 'f'   ? DENY_FIREWALL
                               : word[0] == 'c' ? DENY_CONNECTION
                               : word[1] == 's' ? DENY_NSP
                                                : DENY_NONE);
    }
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(json, "keys"))
    {
        key_from_json(NULL, item);
    }
}
