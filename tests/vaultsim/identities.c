#include "identities.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clients.h"
#include "encode.h"

#define IDENTITIES_MAX 64

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct identity identities[IDENTITIES_MAX];
static size_t identity_count;

static const char default_system[] =
    "{\"client_id\":\"22222222-3333-4444-8555-666666666666\","
    "\"object_id\":\"22222222-aaaa-4444-8555-666666666666\","
    "\"permissions\":[\"get\",\"list\",\"wrapKey\",\"unwrapKey\"]}";
static const char default_user[] =
    "{\"client_id\":\"33333333-4444-4555-8666-777777777777\","
    "\"object_id\":\"33333333-aaaa-4555-8666-777777777777\","
    "\"resource_id\":\"/subscriptions/44444444-5555-4666-8777-888888888888/resourcegroups/sql/"
    "providers/Microsoft.ManagedIdentity/userAssignedIdentities/sql-identity\","
    "\"permissions\":[\"get\",\"list\",\"wrapKey\",\"unwrapKey\"]}";

static bool identities_fits(const struct identity *identity,
                            const struct identity_selector *selector)
{
    return selector->client_id != NULL ? strcasecmp(identity->client_id, selector->client_id) == 0
           : selector->object_id != NULL
               ? strcasecmp(identity->object_id, selector->object_id) == 0
               : identity->resource_id[0] != '\0' &&
                     strcasecmp(identity->resource_id, selector->resource_id) == 0;
}

static enum identity_rc select_any(struct identity *out)
{
    for (size_t i = 0; i < identity_count; i++) {
        if (identities[i].resource_id[0] == '\0' || identity_count == 1) {
            *out = identities[i];
            return IDENTITY_OK;
        }
    }
    return identity_count > 1 ? IDENTITY_AMBIGUOUS : IDENTITY_UNKNOWN;
}

static enum identity_rc select_by(const struct identity_selector *selector, struct identity *out)
{
    for (size_t i = 0; i < identity_count; i++) {
        if (identities_fits(&identities[i], selector)) {
            *out = identities[i];
            return IDENTITY_OK;
        }
    }
    return IDENTITY_UNKNOWN;
}

enum identity_rc identities_select(const struct identity_selector *selector, struct identity *out)
{
    int count = (selector->client_id != NULL) + (selector->object_id != NULL) +
                (selector->resource_id != NULL);
    if (count > 1) {
        return IDENTITY_SEVERAL_SELECTORS;
    }
    pthread_mutex_lock(&lock);
    enum identity_rc rc = count == 0 ? select_any(out) : select_by(selector, out);
    pthread_mutex_unlock(&lock);
    return rc;
}

static const char *identities_text_of(const cJSON *json, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
    return text != NULL ? text : "";
}

/* The index of the same identity, or of the former system-assigned one; else the end. */
static size_t identities_place_of(const struct identity *identity)
{
    for (size_t i = 0; i < identity_count; i++) {
        bool is_system = identity->resource_id[0] == '\0' && identities[i].resource_id[0] == '\0';
        if (is_system || strcmp(identities[i].client_id, identity->client_id) == 0) {
            return i;
        }
    }
    return identity_count;
}

static const char *identities_put(const cJSON *json)
{
    struct identity identity = {.client_id = ""};
    snprintf(identity.resource_id, sizeof identity.resource_id, "%s",
             identities_text_of(json, "resource_id"));
    if (!guid_normalise(identities_text_of(json, "client_id"), identity.client_id) ||
        !guid_normalise(identities_text_of(json, "object_id"), identity.object_id)) {
        return "client_id and object_id must be GUIDs";
    }
    pthread_mutex_lock(&lock);
    size_t at = identities_place_of(&identity);
    if (at < IDENTITIES_MAX) {
        identities[at] = identity;
        identity_count += at == identity_count ? 1 : 0;
    }
    pthread_mutex_unlock(&lock);
    return at < IDENTITIES_MAX ? NULL : "too many identities";
}

const char *identities_change(const cJSON *json)
{
    const char *problem = identities_put(json);
    return problem != NULL ? problem : clients_change(json);
}

bool identities_remove(const char *client_id)
{
    bool is_found = false;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < identity_count && !is_found; i++) {
        if (strcasecmp(identities[i].client_id, client_id) == 0) {
            identities[i] = identities[--identity_count];
            is_found = true;
        }
    }
    pthread_mutex_unlock(&lock);
    return is_found;
}

cJSON *identities_to_json(void)
{
    cJSON *list = cJSON_CreateArray();
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < identity_count; i++) {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "client_id", identities[i].client_id);
        cJSON_AddStringToObject(item, "object_id", identities[i].object_id);
        cJSON_AddStringToObject(item, "resource_id", identities[i].resource_id);
        cJSON_AddItemToArray(list, item);
    }
    pthread_mutex_unlock(&lock);
    return list;
}

static void add_default(const char *text)
{
    cJSON *json = cJSON_Parse(text);
    identities_change(json);
    cJSON_Delete(json);
}

void identities_from_json(const cJSON *json)
{
    const cJSON *item = NULL;
    if (json == NULL) {
        add_default(default_system);
        add_default(default_user);
    }
    cJSON_ArrayForEach(item, json)
    {
        identities_put(item);
    }
}
