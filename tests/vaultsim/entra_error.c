#include "entra_error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "encode.h"
#include "settings.h"

static const struct {
    unsigned status;
    const char *error;
} words[] = {
    [ENTRA_INVALID_REQUEST] = {400, "invalid_request"},
    [ENTRA_INVALID_CLIENT] = {401, "invalid_client"},
    [ENTRA_UNAUTHORIZED_CLIENT] = {400, "unauthorized_client"},
    [ENTRA_INVALID_SCOPE] = {400, "invalid_scope"},
    [ENTRA_INVALID_RESOURCE] = {400, "invalid_resource"},
    [ENTRA_UNSUPPORTED_GRANT] = {400, "unsupported_grant_type"},
};

void entra_refuse_by(const struct request *request, struct answer *answer,
                     const struct entra_fault *fault)
{
    char stamp[32], trace[37];
    time_t now = (time_t)clock_service();
    struct tm utc;
    strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%SZ", gmtime_r(&now, &utc));
    guid_random(trace);
    const char *correlation = request_header(request, "client-request-id");
    correlation = correlation != NULL ? correlation : request->id;
    char *description =
        format_text("AADSTS%d: %s\r\nTrace ID: %s\r\nCorrelation ID: %s\r\nTimestamp: %s",
                    fault->number, fault->text, trace, correlation, stamp);
    char *uri = format_text("https://%s/error?code=%d", request->host, fault->number);
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "error", fault->error);
    cJSON_AddStringToObject(json, "error_description", description);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(json, "error_codes"),
                         cJSON_CreateNumber(fault->number));
    cJSON_AddStringToObject(json, "timestamp", stamp);
    cJSON_AddStringToObject(json, "trace_id", trace);
    cJSON_AddStringToObject(json, "correlation_id", correlation);
    cJSON_AddStringToObject(json, "error_uri", uri);
    if (fault->suberror != NULL) {
        cJSON_AddStringToObject(json, "suberror", fault->suberror);
    }
    if (fault->claims != NULL) {
        cJSON_AddStringToObject(json, "claims", fault->claims);
    }
    free(description);
    free(uri);
    answer_json(answer, fault->status, json);
}

void entra_refuse(const struct request *request, struct answer *answer, enum entra_word word,
                  int number, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int len = vasprintf(&text, format, args);
    va_end(args);
    must(len >= 0 ? text : NULL);
    struct entra_fault fault = {words[word].status, number, words[word].error, text, NULL, NULL};
    entra_refuse_by(request, answer, &fault);
    free(text);
}
