#include "control_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cloud.h"
#include "keyadmin.h"
#include "keyjson.h"
#include "keystore.h"
#include "material.h"
#include "state.h"

static const char *control_keys_text_of(const cJSON *json, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
    return text != NULL ? text : "";
}

static void control_keys_refuse(struct answer *answer, unsigned status, const char *problem)
{
    answer_error(answer, status, "BadRequest", NULL, "%s", problem);
}

static void refuse_store(enum store_rc rc, struct answer *answer)
{
    switch (rc) {
    case STORE_NO_VAULT:
        control_keys_refuse(answer, 404, "no such vault");
        return;
    case STORE_DELETED:
        control_keys_refuse(answer, 409, "the key is deleted but recoverable");
        return;
    case STORE_FULL:
        control_keys_refuse(answer, 400, "the key has the maximum number of versions");
        return;
    case STORE_EXISTS:
        control_keys_refuse(answer, 409, "the version exists already");
        return;
    case STORE_OK:
    case STORE_NO_KEY:
        break;
    }
    control_keys_refuse(answer, 404, "no such key");
}

/* The members of one version. Here the attributes are members of the object itself. */
static const char *take_attributes(const cJSON *json, struct key_view *view)
{
    const cJSON *managed = cJSON_GetObjectItemCaseSensitive(json, "managed");
    const cJSON *purge = cJSON_GetObjectItemCaseSensitive(json, "purge_protection");
    if (managed != NULL) {
        view->managed = cJSON_IsTrue(managed);
    }
    if (purge != NULL) {
        view->is_purgeable = cJSON_IsFalse(purge);
    }
    return keyjson_take(json, json, cJSON_GetObjectItemCaseSensitive(json, "tags"), view);
}

static const char *take_material(const cJSON *json, struct key_view *view)
{
    const char *kty = control_keys_text_of(json, "kty"), *pem = control_keys_text_of(json, "pem");
    const cJSON *jwk = cJSON_GetObjectItemCaseSensitive(json, "jwk");
    const cJSON *size = cJSON_GetObjectItemCaseSensitive(json, "key_size");
    if (kty[0] == '\0') {
        kty = cloud_is_hsm(view->host) ? "RSA-HSM" : "RSA";
    }
    if (pem[0] == '\0' && jwk == NULL) {
        return keyadmin_generate(kty, cJSON_IsNumber(size) ? size->valueint : 0, 0, view);
    }
    view->pkey = pem[0] != '\0' ? material_from_pem(pem) : material_from_jwk(jwk);
    if (view->pkey == NULL) {
        return "pem or jwk is not a private RSA or EC key";
    }
    if (!material_is_rsa(view->pkey) && strncasecmp(kty, "RSA", 3) == 0) {
        kty = strcasecmp(kty, "RSA") == 0 ? "EC" : "EC-HSM";
    }
    snprintf(view->kty, sizeof view->kty, "%s", kty);
    return NULL;
}

void control_keys_add(const cJSON *json, struct answer *answer)
{
    struct key_view view;
    char kid[700];
    keyadmin_prepare(control_keys_text_of(json, "vault"), control_keys_text_of(json, "name"),
                     &view);
    snprintf(view.version, sizeof view.version, "%s", control_keys_text_of(json, "version"));
    const char *problem =
        view.name[0] == '\0' || strlen(view.name) > 127 ? "name is missing or too long" : NULL;
    problem = problem != NULL ? problem : take_attributes(json, &view);
    problem = problem != NULL ? problem : take_material(json, &view);
    if (problem != NULL) {
        control_keys_refuse(answer, 400, problem);
    } else {
        enum store_rc rc = store_add(&view);
        if (rc == STORE_OK) {
            state_save();
            keyjson_kid(&view, true, kid, sizeof kid);
            cJSON *result = cJSON_CreateObject();
            cJSON_AddStringToObject(result, "kid", kid);
            answer_json(answer, 200, result);
        } else {
            refuse_store(rc, answer);
        }
    }
    key_view_free(&view);
}

static int control_keys_number_of(const cJSON *json, const char *name, int otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
    return cJSON_IsNumber(item) ? item->valueint : otherwise;
}

/* One version, created one second after the former one. No operation is allowed with it. */
static enum store_rc fill_one(const cJSON *json, int key, int version, int versions)
{
    struct key_view view;
    char name[64];
    snprintf(name, sizeof name, "filler-%05d", key);
    keyadmin_prepare(control_keys_text_of(json, "vault"), name, &view);
    view.created += (int64_t)key * versions + version;
    view.ops = 0;
    snprintf(view.kty, sizeof view.kty, cloud_is_hsm(view.host) ? "RSA-HSM" : "RSA");
    view.pkey = material_make_public(2048);
    enum store_rc rc = store_add(&view);
    key_view_free(&view);
    return rc;
}

void control_keys_fill(const cJSON *json, struct answer *answer)
{
    int keys = control_keys_number_of(json, "count", 0),
        versions = control_keys_number_of(json, "versions", 1);
    enum store_rc rc = STORE_OK;
    if (keys < 1 || keys > 10000 || versions < 1 || versions > 100) {
        control_keys_refuse(answer, 400, "count is 1 to 10000, versions 1 to 100");
        return;
    }
    for (int i = 0; rc == STORE_OK && i < keys * versions; i++) {
        rc = fill_one(json, i / versions, i % versions, versions);
    }
    state_save();
    if (rc == STORE_OK) {
        answer_json(answer, 200, cJSON_CreateObject());
    } else {
        refuse_store(rc, answer);
    }
}

void control_keys_change(const cJSON *json, struct answer *answer)
{
    struct key_view view;
    enum store_rc rc =
        store_find(control_keys_text_of(json, "vault"), control_keys_text_of(json, "name"),
                   control_keys_text_of(json, "version"), &view);
    if (rc != STORE_OK) {
        refuse_store(rc, answer);
        return;
    }
    const char *problem = take_attributes(json, &view);
    if (problem != NULL) {
        control_keys_refuse(answer, 400, problem);
    } else {
        store_change(&view);
        state_save();
        answer_json(answer, 200, keyjson_bundle(&view, NULL));
    }
    key_view_free(&view);
}

void control_keys_delete(const cJSON *json, struct answer *answer)
{
    enum store_rc rc =
        store_delete(control_keys_text_of(json, "vault"), control_keys_text_of(json, "name"));
    if (rc != STORE_OK) {
        refuse_store(rc, answer);
        return;
    }
    state_save();
    answer_json(answer, 200, cJSON_CreateObject());
}

struct listing {
    const char *vault;
    cJSON *list;
};

static void add_to_listing(const struct key_view *view, const char *pem, void *context)
{
    const struct listing *listing = context;
    (void)pem;
    if (view->deleted == 0 && strcasecmp(view->host, listing->vault) == 0) {
        cJSON_AddItemToArray(listing->list, keyjson_bundle(view, NULL));
    }
}

void control_keys_list(const char *vault, struct answer *answer)
{
    enum vault_deny deny = DENY_NONE;
    if (vault == NULL || !store_vault_find(vault, &deny)) {
        refuse_store(STORE_NO_VAULT, answer);
        return;
    }
    cJSON *result = cJSON_CreateObject();
    struct listing listing = {vault, cJSON_AddArrayToObject(result, "keys")};
    store_visit(add_to_listing, &listing);
    answer_json(answer, 200, result);
}

void control_keys_pem(const char *vault, const char *name, const char *version,
                      struct answer *answer)
{
    struct key_view view;
    enum store_rc rc =
        store_find(vault != NULL ? vault : "", name != NULL ? name : "", version, &view);
    if (rc != STORE_OK) {
        refuse_store(rc, answer);
        return;
    }
    if (view.pkey == NULL) {
        control_keys_refuse(answer, 400, "the key has no PEM form");
    } else {
        char *pem = material_to_pem(view.pkey);
        answer_text(answer, 200, "application/x-pem-file", pem);
        free(pem);
    }
    key_view_free(&view);
}
