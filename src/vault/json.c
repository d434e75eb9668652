#include "vault/json.h"

#include <math.h>
#include <string.h>

#include "base/codec.h"
#include "base/text.h"
#include "platform/system.h"
#include "platform/wiping_alloc.h"
#include "vault/json_scan.h"

void json_start(void)
{
#ifdef AKVEKM_PRIVATE_LIBRARIES
    cJSON_Hooks hooks = {wiping_malloc, wiping_free};
    cJSON_InitHooks(&hooks);
#endif
}

enum ekm_rc json_parse(const struct buf *body, cJSON **out)
{
    const char *text = buf_text(body);
    *out = NULL;
    if (!json_scan(text, body->len)) {
        return EKM_INVALID_ARGUMENT;
    }
    *out = cJSON_ParseWithLength(text, body->len);
    return *out != NULL ? EKM_OK : EKM_OUT_OF_MEMORY;
}

enum ekm_rc json_demand(struct call *call, const struct buf *body, enum ekm_rc not_json,
                        const char *what, cJSON **out)
{
    enum ekm_rc rc = json_parse(body, out);
    if (rc != EKM_OK) {
        rc = call_fail(call, rc == EKM_OUT_OF_MEMORY ? rc : not_json, "%s", what);
    }
    return rc;
}

/* NOLINTNEXTLINE(misc-no-recursion): the scan limits the depth */
static void json_wipe_tree(cJSON *json)
{
    for (; json != NULL; json = json->next) {
        if (json->valuestring != NULL && (json->type & cJSON_IsReference) == 0) {
            plat_wipe(json->valuestring, strlen(json->valuestring));
        }
        json_wipe_tree(json->child);
    }
}

void json_free(cJSON *json)
{
    json_wipe_tree(json);
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
