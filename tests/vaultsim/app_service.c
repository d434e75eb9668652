#include "app_service.h"

#include <pthread.h>
#include <string.h>

#include "encode.h"
#include "leaks.h"
#include "machine_token.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char secret[33];

void app_service_rotate(void)
{
    char fresh[33];
    hex_random(fresh, 16);
    leaks_watch(LEAK_APP_HEADER, fresh);
    pthread_mutex_lock(&lock);
    memcpy(secret, fresh, sizeof fresh);
    pthread_mutex_unlock(&lock);
}

void app_service_secret(char out[33])
{
    pthread_mutex_lock(&lock);
    memcpy(out, secret, sizeof secret);
    pthread_mutex_unlock(&lock);
}

void app_service_refuse(const struct request *request, struct answer *answer, unsigned status,
                        const char *text)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "statusCode", status);
    cJSON_AddStringToObject(json, "message", text);
    cJSON_AddStringToObject(json, "correlationId", request->id);
    answer_json(answer, status, json);
}

static bool app_service_check_secret(const struct request *request, struct answer *answer,
                                     const char *header)
{
    char expected[33];
    const char *value = request_header(request, header);
    app_service_secret(expected);
    if (value != NULL && strcmp(value, expected) == 0) {
        return true;
    }
    app_service_refuse(request, answer, 401,
                       value == NULL ? "The identity header is missing."
                                     : "The identity header is not valid.");
    return false;
}

/* object_id means the same as principal_id. */
static struct identity_selector selector_of(const struct request *request, bool is_aci)
{
    struct identity_selector selector = {NULL, NULL, NULL};
    if (is_aci) {
        selector.object_id = request_query(request, "principalId");
        return selector;
    }
    selector.client_id = request_query(request, "client_id");
    selector.object_id = request_query(request, "principal_id");
    if (selector.object_id == NULL) {
        selector.object_id = request_query(request, "object_id");
    }
    selector.resource_id = request_query(request, "mi_res_id");
    return selector;
}

static void app_service_give_token(const struct request *request, struct answer *answer,
                                   bool is_aci)
{
    struct identity_selector selector = selector_of(request, is_aci);
    struct identity identity;
    cJSON *json = NULL;
    enum machine_error error = machine_token(request, &selector, &identity, &json);
    if (error != MACHINE_OK) {
        app_service_refuse(request, answer, 400, machine_error_text(error));
        return;
    }
    cJSON_DeleteItemFromObjectCaseSensitive(json, "expires_in");
    cJSON_DeleteItemFromObjectCaseSensitive(json, "ext_expires_in");
    cJSON_DeleteItemFromObjectCaseSensitive(json, "not_before");
    cJSON_AddStringToObject(json, "client_id", identity.client_id);
    answer_json(answer, 200, json);
}

void app_service_serve(const struct request *request, struct answer *answer)
{
    bool is_aci = request_is_at(request, APP_SERVICE_ACI);
    const char *version = request_query(request, "api-version");
    if (!is_aci && !request_is_at(request, APP_SERVICE_PATH)) {
        app_service_refuse(request, answer, 404, "Not found.");
    } else if (strcmp(request->method, "GET") != 0) {
        app_service_refuse(request, answer, 405, "Only GET is supported.");
    } else if (!is_aci && (version == NULL || strcmp(version, "2019-08-01") != 0)) {
        app_service_refuse(request, answer, 400, "The api-version is not supported.");
    } else if (app_service_check_secret(request, answer, is_aci ? "secret" : "X-IDENTITY-HEADER")) {
        app_service_give_token(request, answer, is_aci);
    }
}
