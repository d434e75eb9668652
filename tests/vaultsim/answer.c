#include "answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "encode.h"

void answer_free(struct answer *answer)
{
    for (size_t i = 0; i < answer->field_count; i++) {
        free(answer->fields[i].value);
    }
    free(answer->body);
    memset(answer, 0, sizeof *answer);
}

void answer_text(struct answer *answer, unsigned status, const char *content_type, const char *text)
{
    free(answer->body);
    answer->status = status;
    answer->body = must(strdup(text));
    answer->body_len = strlen(text);
    answer->content_type = content_type;
}

static int by_member_name(const void *a, const void *b)
{
    const cJSON *const *one = a, *const *other = b;
    return strcmp((*one)->string, (*other)->string);
}

static void sort_members(cJSON *json)
{
    size_t count = 0;
    if (cJSON_IsObject(json) && json->child != NULL) {
        cJSON **items = must(calloc((size_t)cJSON_GetArraySize(json), sizeof *items));
        while (json->child != NULL) {
            items[count++] = cJSON_DetachItemViaPointer(json, json->child);
        }
        qsort(items, count, sizeof *items, by_member_name);
        for (size_t i = 0; i < count; i++) {
            cJSON_AddItemToObject(json, items[i]->string, items[i]);
        }
        free(items);
    }
    for (cJSON *item = json->child; item != NULL; item = item->next) {
        sort_members(item);
    }
}

void answer_json(struct answer *answer, unsigned status, cJSON *json)
{
    if (answer->is_hsm) {
        sort_members(json);
    }
    char *text = must(cJSON_PrintUnformatted(json));
    cJSON_Delete(json);
    answer_text(answer, status, "application/json; charset=utf-8", text);
    free(text);
}

void answer_error(struct answer *answer, unsigned status, const char *code, const char *inner,
                  const char *format, ...)
{
    char *message = NULL;
    va_list args;
    va_start(args, format);
    int len = vasprintf(&message, format, args);
    va_end(args);
    must(len >= 0 ? message : NULL);
    if (answer->activity_id != NULL) {
        char *longer = format_text("%s (Activity ID: %s)", message, answer->activity_id);
        free(message);
        message = longer;
    }
    cJSON *json = cJSON_CreateObject();
    cJSON *error = cJSON_AddObjectToObject(json, "error");
    cJSON_AddStringToObject(error, "code", code);
    cJSON_AddStringToObject(error, "message", message);
    if (inner != NULL) {
        cJSON_AddStringToObject(cJSON_AddObjectToObject(error, "innererror"), "code", inner);
    }
    free(message);
    answer_json(answer, status, json);
}

void answer_drop_field(struct answer *answer, const char *name)
{
    for (size_t i = 0; i < answer->field_count; i++) {
        if (strcasecmp(answer->fields[i].name, name) == 0) {
            free(answer->fields[i].value);
            answer->fields[i] = answer->fields[--answer->field_count];
            return;
        }
    }
}

void answer_field(struct answer *answer, const char *name, const char *format, ...)
{
    answer_drop_field(answer, name);
    if (answer->field_count == sizeof answer->fields / sizeof answer->fields[0]) {
        return;
    }
    char *value = NULL;
    va_list args;
    va_start(args, format);
    int len = vasprintf(&value, format, args);
    va_end(args);
    answer->fields[answer->field_count].name = name;
    answer->fields[answer->field_count++].value = must(len >= 0 ? value : NULL);
}
