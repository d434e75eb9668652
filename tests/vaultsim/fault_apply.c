#include "fault_apply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app_service.h"
#include "arc.h"
#include "cloud.h"
#include "encode.h"
#include "entra_error.h"
#include "imds.h"

#define OVERSIZED_DEFAULT (8 << 20)

static const char *usual_code(int status)
{
    return status == 400   ? "BadParameter"
           : status == 401 ? "Unauthorized"
           : status == 403 ? "Forbidden"
           : status == 404 ? "KeyNotFound"
           : status == 409 ? "Conflict"
           : status == 429 ? "Throttled"
           : status >= 500 ? "InternalServerError"
                           : "Unexpected";
}

static void word_as_entra(const struct fault_plan *plan, const struct request *request,
                          unsigned status, const char *message, struct answer *answer)
{
    bool passes = status >= 500 || status == 429;
    int number = status == 429   ? 90055
                 : passes        ? 90033
                 : status == 401 ? 50012
                 : status == 403 ? 53003
                                 : 90014;
    const char *error = fault_text(plan, "error");
    error = error != NULL ? error : fault_text(plan, "code");
    struct entra_fault fault = {
        .status = status,
        .number = fault_number(plan, "aadsts", number),
        .error = error != NULL   ? error
                 : passes        ? "temporarily_unavailable"
                 : status == 401 ? "invalid_client"
                                 : "invalid_request",
        .text = message,
        .suberror = fault_text(plan, "suberror"),
        .claims = fault_text(plan, "claims"),
    };
    entra_refuse_by(request, answer, &fault);
}

static void word_as_service(const struct fault_plan *plan, const struct request *request,
                            unsigned status, struct answer *answer)
{
    const char *message = fault_text(plan, "message"), *code = fault_text(plan, "code");
    const char *error = fault_text(plan, "error");
    message = message != NULL ? message : "This answer was asked for by a fault.";
    if (request->site == SITE_IMDS) {
        imds_refuse(answer, status, error != NULL ? error : "invalid_request", message);
    } else if (request->site == SITE_ARC) {
        arc_refuse(answer, status, code != NULL ? code : "Unexpected", message);
    } else if (request->site == SITE_APP_SERVICE) {
        app_service_refuse(request, answer, status, message);
    } else if (cloud_is_entra(request->host)) {
        word_as_entra(plan, request, status, message, answer);
    } else {
        answer_error(answer, status, code != NULL ? code : usual_code((int)status),
                     fault_text(plan, "inner"), "%s", message);
    }
}

static void replace_by_status(const struct fault_plan *plan, const struct request *request,
                              struct answer *answer)
{
    int status = fault_number(plan, "status", 500);
    const char *body = fault_text(plan, "body");
    const char *retry_after = fault_text(plan, "retry_after");
    const char *challenge = fault_text(plan, "www_authenticate");
    const char *location = fault_text(plan, "location");
    if (body != NULL) {
        answer_text(answer, (unsigned)status, "application/json; charset=utf-8", body);
    } else {
        word_as_service(plan, request, (unsigned)status, answer);
    }
    if (retry_after != NULL) {
        answer_field(answer, "Retry-After", "%s", retry_after);
    } else if (fault_number(plan, "retry_after", -1) >= 0) {
        answer_field(answer, "Retry-After", "%d", fault_number(plan, "retry_after", 0));
    }
    if (challenge != NULL) {
        answer_field(answer, "WWW-Authenticate", "%s", challenge);
    }
    if (location != NULL) {
        answer_field(answer, "Location", "%s", location);
    }
}

/* A page of a front end, which answers before the service. */
static void replace_by_page(const struct fault_plan *plan, struct answer *answer)
{
    int status = fault_number(plan, "status", 502);
    const char *title = status == 400   ? "400 Bad Request"
                        : status == 403 ? "403 Forbidden"
                        : status == 404 ? "404 Not Found"
                        : status == 503 ? "503 Service Unavailable"
                        : status == 504 ? "504 Gateway Time-out"
                                        : "502 Bad Gateway";
    char *page = format_text("<html>\r\n<head><title>%s</title></head>\r\n<body>\r\n<center><h1>%s"
                             "</h1></center>\r\n<hr><center>Microsoft-Azure-Application-Gateway/v2"
                             "</center>\r\n</body>\r\n</html>\r\n",
                             title, title);
    answer_text(answer, (unsigned)status, "text/html", page);
    free(page);
}

static void replace_by_size(const struct fault_plan *plan, struct answer *answer)
{
    int asked = fault_number(plan, "body_bytes", OVERSIZED_DEFAULT);
    size_t len = asked > 0 ? (size_t)asked : OVERSIZED_DEFAULT;
    free(answer->body);
    answer->body = must(malloc(len));
    memset(answer->body, ' ', len);
    answer->body_len = len;
    answer->status = 200;
    answer->content_type = "application/json; charset=utf-8";
}

bool fault_replace(const struct fault_plan *plan, const struct request *request,
                   struct answer *answer)
{
    const char *body = fault_text(plan, "body");
    switch (plan->action) {
    case FAULT_STATUS:
        replace_by_status(plan, request, answer);
        return true;
    case FAULT_GARBAGE:
        answer_text(answer, 200, "text/html", "<html><body>Welcome to the network</body></html>");
        return true;
    case FAULT_HTML:
        replace_by_page(plan, answer);
        return true;
    case FAULT_OVERSIZED:
        replace_by_size(plan, answer);
        return true;
    case FAULT_NO_CHALLENGE:
        answer_error(answer, 401, "Unauthorized", NULL,
                     "AKV10000: Request is missing a Bearer or PoP token.");
        return true;
    case FAULT_BODY:
        answer_text(answer, 200, "application/json; charset=utf-8", body != NULL ? body : "");
        return true;
    default:
        return false;
    }
}

/* Names another version of another key at the same host. */
static void alter_kid(cJSON *object)
{
    const char *kid = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, "kid"));
    const char *end = kid != NULL ? strstr(kid, "/keys/") : NULL;
    if (end == NULL) {
        return;
    }
    char *other = format_text("%.*s/keys/another-key/00000000000000000000000000000bad",
                              (int)(end - kid), kid);
    cJSON_ReplaceItemInObjectCaseSensitive(object, "kid", cJSON_CreateString(other));
    free(other);
}

static void set_member(cJSON *object, const char *name, const cJSON *value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(object, name);
    if (value != NULL && !cJSON_IsNull(value)) {
        cJSON_AddItemToObject(object, name, cJSON_Duplicate(value, true));
    }
}

static void alter_member(cJSON *json, const char *path, const cJSON *value)
{
    char part[64];
    for (cJSON *object = json; object != NULL;) {
        size_t len = strcspn(path, ".");
        snprintf(part, sizeof part, "%.*s", (int)len, path);
        if (path[len] == '\0') {
            set_member(object, part, value);
            return;
        }
        path += len + 1;
        object = cJSON_IsArray(object) ? cJSON_GetArrayItem(object, atoi(part))
                                       : cJSON_GetObjectItemCaseSensitive(object, part);
    }
}

/* Puts `len` bytes into the body at `at`. */
static void fault_apply_insert(struct answer *answer, size_t at, const char *bytes, size_t len)
{
    char *body = must(malloc(answer->body_len + len + 1));
    memcpy(body, answer->body, at);
    memcpy(body + at, bytes, len);
    memcpy(body + at + len, answer->body + at, answer->body_len - at);
    body[answer->body_len + len] = '\0';
    free(answer->body);
    answer->body = body;
    answer->body_len += len;
}

static void fault_apply_splice(const struct fault_plan *plan, struct answer *answer)
{
    const char *after = fault_text(plan, "after"), *hex = fault_text(plan, "bytes");
    const char *found = strstr(answer->body, after);
    size_t len = strlen(hex) / 2;
    char *bytes = must(malloc(len + 1));
    for (size_t i = 0; i < len; i++) {
        sscanf(hex + 2 * i, "%2hhx", (unsigned char *)&bytes[i]);
    }
    if (found != NULL) {
        fault_apply_insert(answer, (size_t)(found - answer->body) + strlen(after), bytes, len);
    }
    free(bytes);
}

/* Adds a first member: an array in an array in an array ... */
static void fault_apply_nest(const struct fault_plan *plan, struct answer *answer)
{
    static const char name[] = "\"nested\":";
    int asked = fault_number(plan, "depth", 100000);
    size_t depth = asked > 0 && asked <= OVERSIZED_DEFAULT ? (size_t)asked : 1;
    size_t name_len = sizeof name - 1, len = name_len + 2 * depth + 1;
    char *text = must(malloc(len));
    memcpy(text, name, name_len);
    memset(text + name_len, '[', depth);
    memset(text + name_len + depth, ']', depth);
    text[len - 1] = ',';
    if (answer->body[0] == '{') {
        fault_apply_insert(answer, 1, text, len);
    }
    free(text);
}

static void lengthen_token(const struct fault_plan *plan, cJSON *json)
{
    int asked = fault_number(plan, "body_bytes", OVERSIZED_DEFAULT);
    size_t len = asked > 0 ? (size_t)asked : OVERSIZED_DEFAULT;
    char *text = must(malloc(len + 1));
    memset(text, 'A', len);
    text[len] = '\0';
    cJSON_DeleteItemFromObjectCaseSensitive(json, "access_token");
    cJSON_AddStringToObject(json, "access_token", text);
    free(text);
}

static void alter_json(const struct fault_plan *plan, struct answer *answer)
{
    cJSON *json = cJSON_Parse(answer->body);
    if (json == NULL) {
        return;
    }
    if (plan->action == FAULT_WRONG_KID) {
        alter_kid(json);
        alter_kid(cJSON_GetObjectItemCaseSensitive(json, "key"));
    } else if (plan->action == FAULT_LONG_TOKEN) {
        lengthen_token(plan, json);
    } else {
        alter_member(json, fault_text(plan, "path_in_body"),
                     cJSON_GetObjectItemCaseSensitive(plan->spec, "value"));
    }
    answer_json(answer, answer->status, json);
}

void fault_alter(const struct fault_plan *plan, struct answer *answer)
{
    if (answer->body == NULL) {
        return;
    }
    switch (plan->action) {
    case FAULT_WRONG_KID:
    case FAULT_EDIT:
    case FAULT_LONG_TOKEN:
        alter_json(plan, answer);
        return;
    case FAULT_TRUNCATE:
        answer->body_len /= 2;
        return;
    case FAULT_NEST:
        fault_apply_nest(plan, answer);
        return;
    case FAULT_SPLICE:
        fault_apply_splice(plan, answer);
        return;
    default:
        return;
    }
}
