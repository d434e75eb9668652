#include "imds.h"

#include <stdio.h>
#include <string.h>

#include "machine_token.h"

void imds_refuse(struct answer *answer, unsigned status, const char *error, const char *text)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "error", error);
    cJSON_AddStringToObject(json, "error_description", text);
    answer_json(answer, status, json);
}

bool imds_check_request(const struct request *request, struct answer *answer)
{
    static const char *const of_proxies[] = {"X-Forwarded-For", "Via", "Forwarded",
                                             "Proxy-Connection", "Proxy-Authorization"};
    const char *metadata = request_header(request, "Metadata");
    if (metadata == NULL || strcmp(metadata, "true") != 0) {
        imds_refuse(answer, 400, "bad_request_102", "Required metadata header not specified");
        return false;
    }
    for (size_t i = 0; i < sizeof of_proxies / sizeof of_proxies[0]; i++) {
        if (request_header(request, of_proxies[i]) != NULL) {
            imds_refuse(answer, 400, "invalid_request",
                        "The request came through a proxy, which is not supported");
            return false;
        }
    }
    if (request->uri[0] != '/') {
        imds_refuse(answer, 400, "invalid_request", "The request was sent to a proxy");
        return false;
    }
    return true;
}

/* The newest API versions, as IMDS names them in this refusal. */
static bool check_version(const struct request *request, struct answer *answer)
{
    static const char *const newest[] = {"2021-12-13", "2021-11-15", "2021-11-01"};
    const char *version = request_query(request, "api-version");
    if (version != NULL && strlen(version) == 10 && strspn(version, "0123456789-") == 10 &&
        strcmp(version, "2018-02-01") >= 0) {
        return true;
    }
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "error",
                            "Bad request. api-version is invalid or was not specified in the "
                            "request. For more information refer to aka.ms/azureimds");
    cJSON_AddItemToObject(json, "newest-versions", cJSON_CreateStringArray(newest, 3));
    answer_json(answer, 400, json);
    return false;
}

static void imds_give_token(const struct request *request, struct answer *answer)
{
    struct identity_selector selector = {request_query(request, "client_id"),
                                         request_query(request, "object_id"),
                                         request_query(request, "msi_res_id")};
    struct identity identity;
    cJSON *json = NULL;
    enum machine_error error = machine_token(request, &selector, &identity, &json);
    if (error == MACHINE_OK) {
        cJSON_AddStringToObject(json, "client_id", identity.client_id);
        answer_json(answer, 200, json);
    } else {
        imds_refuse(answer, 400,
                    error == MACHINE_UNKNOWN_RESOURCE ? "invalid_resource" : "invalid_request",
                    machine_error_text(error));
    }
}

static void give_compute(struct answer *answer)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "location", "westeurope");
    cJSON_AddStringToObject(json, "name", "sql-vm");
    cJSON_AddStringToObject(json, "azEnvironment", "AzurePublicCloud");
    answer_json(answer, 200, json);
}

void imds_serve(const struct request *request, struct answer *answer)
{
    bool is_token = request_is_at(request, MACHINE_TOKEN_PATH);
    bool is_compute = request_is_at(request, "/metadata/instance/compute");
    answer_field(answer, "Server", "IMDS/150.870.65.1854");
    answer_field(answer, "x-ms-request-id", "%s", request->id);
    if (!imds_check_request(request, answer) || !check_version(request, answer)) {
        return;
    }
    if (!is_token && !is_compute) {
        imds_refuse(answer, 404, "Not found", "The requested resource was not found");
    } else if (strcmp(request->method, "GET") != 0) {
        imds_refuse(answer, 405, "Method not allowed", "Only GET is supported");
    } else if (is_token) {
        imds_give_token(request, answer);
    } else {
        give_compute(answer);
    }
}
