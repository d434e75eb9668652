#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/system.h"

#define FIRST_CAPACITY 256

enum ekm_rc buf_reserve(struct buf *buf, size_t len)
{
    if (len > buf->max || buf->len > buf->max - len) {
        return EKM_ANSWER_TOO_BIG;
    }
    size_t needed = buf->len + len + 1;
    if (needed <= buf->cap) {
        return EKM_OK;
    }
    size_t cap = buf->cap < FIRST_CAPACITY ? FIRST_CAPACITY : buf->cap;
    while (cap < needed) {
        cap = cap <= SIZE_MAX / 2 ? 2 * cap : needed;
    }
    uint8_t *grown = malloc(cap);
    if (grown == NULL) {
        return EKM_OUT_OF_MEMORY;
    }
    if (buf->len > 0) {
        memcpy(grown, buf->data, buf->len);
    }
    grown[buf->len] = 0;
    plat_wipe(buf->data, buf->cap);
    free(buf->data);
    buf->data = grown;
    buf->cap = cap;
    return EKM_OK;
}

enum ekm_rc buf_append(struct buf *buf, const void *data, size_t len)
{
    enum ekm_rc rc = buf_reserve(buf, len);
    if (rc != EKM_OK) {
        return rc;
    }
    if (len > 0) {
        memcpy(buf->data + buf->len, data, len);
    }
    buf->len += len;
    buf->data[buf->len] = 0;
    return EKM_OK;
}

enum ekm_rc buf_append_text(struct buf *buf, const char *text)
{
    return buf_append(buf, text, strlen(text));
}

enum ekm_rc buf_append_format(struct buf *buf, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int len = vsnprintf(NULL, 0, format, arguments);
    enum ekm_rc rc = len < 0 ? EKM_INTERNAL : buf_reserve(buf, (size_t)len);
    if (rc != EKM_OK) {
        goto out;
    }
    (void)vsnprintf((char *)buf->data + buf->len, (size_t)len + 1, format, again);
    buf->len += (size_t)len;
out:
    va_end(again);
    va_end(arguments);
    return rc;
}

const char *buf_text(const struct buf *buf)
{
    return buf->data != NULL ? (const char *)buf->data : "";
}

void buf_clear(struct buf *buf)
{
    plat_wipe(buf->data, buf->data != NULL ? buf->cap : 0);
    buf->len = 0;
}

void buf_free(struct buf *buf)
{
    buf_clear(buf);
    free(buf->data);
    buf->data = NULL;
    buf->cap = 0;
}
