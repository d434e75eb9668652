#include "provider/marshal.h"

#include <string.h>

#include "base/text.h"
#include "platform/system.h"

#define KEY_NAME_UNITS (SQLCP_MAX_KEY_NAME_BYTES / 2)

const struct marshal_argument marshal_key_name = {"key name", SQLCP_MAX_KEY_NAME_BYTES,
                                                  EKM_NAME_TOO_LONG, EKM_REQUEST_REFUSED};

enum ekm_rc marshal_text(struct call *call, const struct marshal_argument *argument,
                         const SqlCpStr *text, struct buf *out)
{
    if (text == NULL || (text->ws == NULL && text->cb != 0) || text->cb % 2 != 0) {
        return call_fail(call, EKM_INVALID_ARGUMENT, "%s is NULL or ends in half a character",
                         argument->name);
    }
    if (text->cb > argument->max_bytes) {
        return call_fail(call, argument->too_long, "%s has %u bytes; %u is the limit",
                         argument->name, text->cb, argument->max_bytes);
    }
    enum ekm_rc rc = text_from_utf16(text->ws, text->cb / 2, out);
    if (rc == EKM_INVALID_ARGUMENT) {
        return call_fail(call, argument->broken,
                         "%s is not valid UTF-16: it contains a zero or half a character",
                         argument->name);
    }
    if (rc != EKM_OK) {
        return call_fail(call, rc, "%s", argument->name);
    }
    return EKM_OK;
}

enum ekm_rc marshal_thumbprint(struct call *call, const SqlCpKeyThumbprint *thumbprint,
                               struct thumbprint *out)
{
    if (thumbprint == NULL || thumbprint->pb == NULL || thumbprint->cb == 0 ||
        thumbprint->cb > THUMBPRINT_MAX_BYTES ||
        !thumbprint_set(out, thumbprint->pb, thumbprint->cb)) {
        return call_fail(call, EKM_INVALID_ARGUMENT, "thumbprint is NULL or not 1 to 32 bytes");
    }
    thumbprint_text(out, call->thumbprint);
    return EKM_OK;
}

bool marshal_is_short(const void *pointer, uint32_t room_bytes, size_t len)
{
    return pointer == NULL || room_bytes < len;
}

enum ekm_rc marshal_put(SqlCpData *out, const void *bytes, size_t len)
{
    bool is_short = marshal_is_short(out->pb, out->cb, len);
    if (!is_short) {
        memcpy(out->pb, bytes, len);
    }
    out->cb = (uint32_t)len;
    return is_short ? EKM_INSUFFICIENT_BUFFER : EKM_OK;
}

enum ekm_rc marshal_put_key(SqlCpKeyInfo *out, const char *name,
                            const struct thumbprint *thumbprint, SqlCpAlgId algorithm)
{
    uint16_t units[KEY_NAME_UNITS];
    size_t count = text_to_utf16(name, units, KEY_NAME_UNITS);
    if (count > KEY_NAME_UNITS) {
        return EKM_INTERNAL;
    }
    if (marshal_is_short(out->name.ws, out->name.cb, 2 * count) ||
        marshal_is_short(out->thumb.pb, out->thumb.cb, thumbprint->len)) {
        out->name.cb = (uint32_t)(2 * count);
        out->thumb.cb = (uint32_t)thumbprint->len;
        return EKM_INSUFFICIENT_BUFFER;
    }
    SqlCpKeyInfo info;
    memset(&info, 0, sizeof info);
    info.name.ws = out->name.ws;
    info.name.cb = (uint32_t)(2 * count);
    info.thumb.pb = out->thumb.pb;
    info.thumb.cb = (uint32_t)thumbprint->len;
    info.algId = algorithm;
    info.flags = SQLCP_KEY_FLAG_SUPPORTED;
    memcpy(info.name.ws, units, 2 * count);
    memcpy(info.thumb.pb, thumbprint->bytes, thumbprint->len);
    memcpy(out, &info, sizeof info);
    return EKM_OK;
}
