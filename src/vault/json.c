#include "vault/json.h"

#include <math.h>
#include <string.h>

#include "base/codec.h"
#include "base/text.h"
#include "platform/system.h"
#include "platform/wiping.h"

void json_start(void)
{
#ifdef AKVEKM_PRIVATE_LIBRARIES
    cJSON_Hooks hooks = {wiping_malloc, wiping_free};
    cJSON_InitHooks(&hooks);
#endif
}

/* A zero character inside a string would cut it short unseen: no answer of the service has one. */
static bool has_escaped_zero(const struct buf *body)
{
    const char *text = buf_text(body);
    return memchr(text, 0, body->len) != NULL || strstr(text, "\\u0000") != NULL;
}

cJSON *json_parse(const struct buf *body)
{
    const char *end = NULL, *text = buf_text(body);
    if (body->len == 0 || has_escaped_zero(body)) {
        return NULL;
    }
    cJSON *json = cJSON_ParseWithLengthOpts(text, body->len, &end, 0);
    if (json == NULL) {
        return NULL;
    }
    while (end < text + body->len && strchr(" \t\r\n", *end) != NULL) {
        end++;
    }
    if (!cJSON_IsObject(json) || end != text + body->len) {
        json_free(json);
        return NULL;
    }
    return json;
}

/* cJSON limits the depth of what it parses, so recursion is bounded. */
static void wipe(cJSON *json)
{
    for (; json != NULL; json = json->next) {
        if (json->valuestring != NULL && (json->type & cJSON_IsReference) == 0) {
            plat_wipe(json->valuestring, strlen(json->valuestring));
        }
        wipe(json->child);
    }
}

void json_free(cJSON *json)
{
    wipe(json);
    cJSON_Delete(json);
}

const char *json_text(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

bool json_integer(const cJSON *object, const char *name, int64_t *out)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    const char *quoted = cJSON_GetStringValue(item);
    uint64_t number = 0;
    if (quoted != NULL && text_to_u64(quoted, INT64_MAX, &number)) {
        *out = (int64_t)number;
        return true;
    }
    if (!cJSON_IsNumber(item) || !(fabs(item->valuedouble) < 9007199254740992.0)) {
        return false;
    }
    *out = (int64_t)item->valuedouble;
    return true;
}

enum ekm_rc json_base64(const cJSON *object, const char *name, struct buf *out)
{
    const char *text = json_text(object, name);
    return text != NULL ? base64_decode(text, strlen(text), out) : EKM_INVALID_ARGUMENT;
}
