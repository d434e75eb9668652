#include "keyadmin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cloud.h"
#include "encode.h"
#include "keyjson.h"
#include "material.h"
#include "settings.h"
#include "state.h"

#define PAGE_MAX 25

void keyadmin_prepare(const char *host, const char *name, struct key_view *view)
{
    memset(view, 0, sizeof *view);
    snprintf(view->host, sizeof view->host, "%s", host);
    snprintf(view->name, sizeof view->name, "%s", name);
    view->enabled = true;
    view->ops = KEYJSON_OPS_DEFAULT;
    view->is_purgeable = !settings_get().purge_protection;
    view->created = view->updated = clock_service();
}

const char *keyadmin_generate(const char *kty, int bits, int exponent, struct key_view *view)
{
    static const char *const kinds[] = {"RSA", "RSA-HSM", "EC", "EC-HSM", "oct", "oct-HSM"};
    size_t kind = 0, count = sizeof kinds / sizeof kinds[0];
    while (kind < count && strcasecmp(kty, kinds[kind]) != 0) {
        kind++;
    }
    if (kind == count) {
        return "Property 'kty' has an invalid value.";
    }
    if (cloud_is_hsm(view->host) && kind % 2 == 0) {
        return "A Managed HSM takes only HSM-protected key types (RSA-HSM, EC-HSM, oct-HSM).";
    }
    snprintf(view->kty, sizeof view->kty, "%s", kinds[kind]);
    if (kind < 2) {
        view->pkey =
            material_generate_rsa_by(bits == 0 ? 2048 : bits, exponent == 0 ? 65537 : exponent);
    } else if (kind < 4) {
        view->pkey = material_generate_ec();
    }
    return view->pkey == NULL && kind < 4
               ? "Property 'key_size' or 'public_exponent' has an invalid value."
               : NULL;
}

static void get_key(const struct service_call *call, struct answer *answer)
{
    struct key_view view;
    if (!service_find(call, &view, answer)) {
        return;
    }
    if (service_admits(call, &view, answer)) {
        if (!view.enabled && settings_get().disabled_get_403) {
            answer_error(answer, 403, "Forbidden", "KeyDisabled",
                         "Operation get is not allowed on a disabled key.");
        } else {
            answer_json(answer, 200, keyjson_bundle(&view, call->api_version));
        }
    }
    key_view_free(&view);
}

/* maxresults 1..25; 0: refused */
static size_t page_size(const struct service_call *call, struct answer *answer)
{
    const char *text = request_query(call->request, "maxresults");
    char *end = NULL;
    long size = text != NULL ? strtol(text, &end, 10) : PAGE_MAX;
    if (size < 1 || size > PAGE_MAX || (end != NULL && *end != '\0')) {
        answer_error(answer, 400, "BadParameter", NULL,
                     "The value of 'maxresults' must be between 1 and %d.", PAGE_MAX);
        return 0;
    }
    return (size_t)size;
}

/* The position after a page: the number of empty pages to come first, a blank, the last listed
 * name. malloc'd; NULL: not made here. */
static char *skip_token(const struct service_call *call, int *empty_pages)
{
    const char *text = request_query(call->request, "$skiptoken");
    size_t len = 0;
    *empty_pages = settings_get().empty_pages;
    if (text == NULL) {
        return must(strdup(""));
    }
    uint8_t *bytes = base64url_decode(text, &len);
    char *token = bytes != NULL ? must(strndup((const char *)bytes, len)) : NULL, *after = NULL;
    char *blank = token != NULL ? strchr(token, ' ') : NULL;
    if (blank != NULL) {
        *empty_pages = atoi(token);
        after = must(strdup(blank + 1));
    }
    free(token);
    free(bytes);
    return after;
}

/* A vault's link has the port and the api-version, that of a Managed HSM has neither. */
static void add_next_link(const struct service_call *call, const char *last, int empty_pages,
                          size_t page, cJSON *json)
{
    const struct request *request = call->request;
    char *place = format_text("%d %s", empty_pages, last);
    char *token = base64url_encode((const uint8_t *)place, strlen(place));
    char *link = cloud_is_hsm(request->host)
                     ? format_text("https://%s%s?$skiptoken=%s&maxresults=%zu", request->host,
                                   request->path, token, page)
                     : format_text("https://%s:443%s?api-version=%s&$skiptoken=%s&maxresults=%zu",
                                   request->host, request->path, call->api_version, token, page);
    cJSON_AddStringToObject(json, "nextLink", link);
    free(link);
    free(token);
    free(place);
}

static cJSON *list_item(const struct service_call *call, enum store_list what,
                        const struct key_view *view)
{
    return what == LIST_DELETED ? keyjson_deleted(view, call->api_version, true)
                                : keyjson_item(view, what == LIST_VERSIONS, call->api_version);
}

/* An empty page with a link to the next one. */
static void give_empty_page(const struct service_call *call, const char *after, int more,
                            size_t page, struct answer *answer)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddArrayToObject(json, "value");
    add_next_link(call, after, more, page, json);
    answer_json(answer, 200, json);
}

static void give_page(const struct service_call *call, enum store_list what, const char *after,
                      size_t page, struct answer *answer)
{
    struct key_view views[PAGE_MAX];
    size_t count = 0;
    bool is_more = false;
    const struct request *request = call->request;
    store_list(what, request->host, request->key_name, after, views, page, &count, &is_more);
    cJSON *json = cJSON_CreateObject();
    cJSON *items = cJSON_AddArrayToObject(json, "value");
    for (size_t i = 0; i < count; i++) {
        cJSON_AddItemToArray(items, list_item(call, what, &views[i]));
    }
    if (is_more) {
        const struct key_view *last = &views[count - 1];
        add_next_link(call, what == LIST_VERSIONS ? last->version : last->name,
                      settings_get().empty_pages, page, json);
    } else if (!cloud_is_hsm(request->host)) {
        cJSON_AddNullToObject(json, "nextLink");
    }
    for (size_t i = 0; i < count; i++) {
        key_view_free(&views[i]);
    }
    answer_json(answer, 200, json);
}

static void keyadmin_list(const struct service_call *call, enum store_list what,
                          struct answer *answer)
{
    static const struct key_view no_key = {.host = ""};
    size_t page = page_size(call, answer);
    if (page == 0 || !service_admits(call, &no_key, answer)) {
        return;
    }
    int empty_pages = 0;
    char *after = skip_token(call, &empty_pages);
    if (after == NULL) {
        answer_error(answer, 400, "BadParameter", NULL, "The value of '$skiptoken' is invalid.");
        return;
    }
    if (empty_pages > 0) {
        give_empty_page(call, after, empty_pages - 1, page, answer);
    } else {
        give_page(call, what, after, page, answer);
    }
    free(after);
}

static void keyadmin_add_key(const struct service_call *call, struct key_view *view,
                             struct answer *answer)
{
    enum store_rc rc = store_add(view);
    if (rc == STORE_OK) {
        state_save();
        answer_json(answer, 200, keyjson_bundle(view, call->api_version));
    } else {
        service_refuse(call, rc, answer);
    }
}

/* Refuses a name that exists before it makes a key; store_add checks again. */
static bool check_name_free(const struct service_call *call, struct answer *answer)
{
    struct key_view former;
    enum store_rc rc = store_find(call->request->host, call->request->key_name, NULL, &former);
    key_view_free(&former);
    if (rc == STORE_DELETED) {
        service_refuse(call, rc, answer);
    }
    return rc != STORE_DELETED;
}

/* 0: absent; -1: no number. */
static int keyadmin_number_of(const cJSON *item)
{
    return item == NULL ? 0 : cJSON_IsNumber(item) ? item->valueint : -1;
}

static void keyadmin_create(const struct service_call *call, struct answer *answer)
{
    struct key_view view;
    const cJSON *size = cJSON_GetObjectItemCaseSensitive(call->body, "key_size");
    const cJSON *exponent = cJSON_GetObjectItemCaseSensitive(call->body, "public_exponent");
    const char *kty = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(call->body, "kty"));
    keyadmin_prepare(call->request->host, call->request->key_name, &view);
    const char *problem = kty == NULL ? "Property 'kty' is required." : NULL;
    if (problem == NULL) {
        problem =
            keyjson_take(call->body, cJSON_GetObjectItemCaseSensitive(call->body, "attributes"),
                         cJSON_GetObjectItemCaseSensitive(call->body, "tags"), &view);
    }
    if (problem == NULL && !check_name_free(call, answer)) {
        return;
    }
    snprintf(view.kty, sizeof view.kty, "%s", kty != NULL ? kty : "");
    if (problem == NULL && !service_admits(call, &view, answer)) {
        return;
    }
    if (problem == NULL) {
        problem =
            keyadmin_generate(kty, keyadmin_number_of(size), keyadmin_number_of(exponent), &view);
    }
    if (problem != NULL) {
        answer_error(answer, 400, "BadParameter", NULL, "%s", problem);
    } else {
        keyadmin_add_key(call, &view, answer);
    }
    key_view_free(&view);
}

static void keyadmin_import(const struct service_call *call, struct answer *answer)
{
    struct key_view view;
    const cJSON *jwk = cJSON_GetObjectItemCaseSensitive(call->body, "key");
    const char *kty = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(jwk, "kty"));
    bool is_hsm = cloud_is_hsm(call->request->host) ||
                  cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(call->body, "Hsm"));
    keyadmin_prepare(call->request->host, call->request->key_name, &view);
    const char *problem =
        keyjson_take(jwk, cJSON_GetObjectItemCaseSensitive(call->body, "attributes"),
                     cJSON_GetObjectItemCaseSensitive(call->body, "tags"), &view);
    view.pkey = kty != NULL && strncasecmp(kty, "RSA", 3) == 0 ? material_from_jwk(jwk) : NULL;
    snprintf(view.kty, sizeof view.kty, "%s",
             is_hsm || (kty != NULL && strcasecmp(kty, "RSA-HSM") == 0) ? "RSA-HSM" : "RSA");
    if (problem == NULL && view.pkey == NULL) {
        problem = "Property 'key' is not a private RSA key.";
    }
    if (problem != NULL) {
        answer_error(answer, 400, "BadParameter", NULL, "%s", problem);
    } else if (service_admits(call, &view, answer)) {
        keyadmin_add_key(call, &view, answer);
    }
    key_view_free(&view);
}

static void keyadmin_update(const struct service_call *call, struct answer *answer)
{
    struct key_view view;
    if (!service_find(call, &view, answer)) {
        return;
    }
    const char *problem =
        keyjson_take(call->body, cJSON_GetObjectItemCaseSensitive(call->body, "attributes"),
                     cJSON_GetObjectItemCaseSensitive(call->body, "tags"), &view);
    if (problem != NULL) {
        answer_error(answer, 400, "BadParameter", NULL, "%s", problem);
    } else if (service_admits(call, &view, answer)) {
        store_change(&view);
        state_save();
        answer_json(answer, 200, keyjson_bundle(&view, call->api_version));
    }
    key_view_free(&view);
}

static void delete_key(const struct service_call *call, struct answer *answer)
{
    struct key_view view;
    const struct request *request = call->request;
    enum store_rc rc = store_find(request->host, request->key_name, NULL, &view);
    if (rc != STORE_OK) {
        service_refuse(call, rc, answer);
    } else if (service_admits(call, &view, answer)) {
        store_delete(request->host, request->key_name);
        state_save();
        view.deleted = clock_service();
        answer_json(answer, 200, keyjson_deleted(&view, call->api_version, false));
    }
    key_view_free(&view);
}

static void serve_deleted(const struct service_call *call, struct answer *answer)
{
    struct key_view view;
    const struct request *request = call->request;
    enum store_rc rc = store_find_deleted(request->host, request->key_name, &view);
    if (rc != STORE_OK) {
        service_refuse(call, rc, answer);
    } else if (request->operation == OP_GET_DELETED) {
        answer_json(answer, 200, keyjson_deleted(&view, call->api_version, false));
    } else if (request->operation == OP_RECOVER) {
        store_recover(request->host, request->key_name);
        state_save();
        answer_json(answer, 200, keyjson_bundle(&view, call->api_version));
    } else if (!view.is_purgeable) {
        answer_error(answer, 403, "Forbidden", NULL,
                     "Operation \"purge\" is not allowed because purge protection is enabled for "
                     "this vault.");
    } else {
        store_purge(request->host, request->key_name);
        state_save();
        answer_text(answer, 204, NULL, "");
    }
    key_view_free(&view);
}

void keyadmin_serve(const struct service_call *call, struct answer *answer)
{
    switch (call->request->operation) {
    case OP_GET_KEY:
        get_key(call, answer);
        return;
    case OP_LIST_KEYS:
        keyadmin_list(call, LIST_KEYS, answer);
        return;
    case OP_LIST_VERSIONS:
        keyadmin_list(call, LIST_VERSIONS, answer);
        return;
    case OP_LIST_DELETED:
        keyadmin_list(call, LIST_DELETED, answer);
        return;
    case OP_CREATE:
        keyadmin_create(call, answer);
        return;
    case OP_IMPORT:
        keyadmin_import(call, answer);
        return;
    case OP_UPDATE:
        keyadmin_update(call, answer);
        return;
    case OP_DELETE:
        delete_key(call, answer);
        return;
    default:
        serve_deleted(call, answer);
        return;
    }
}
