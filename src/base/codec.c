#include "base/codec.h"

#include <string.h>

#include "base/text.h"
#include "platform/system.h"

void hex_encode(const uint8_t *data, size_t len, char *out)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < len; i++) {
        *out++ = digits[data[i] >> 4];
        *out++ = digits[data[i] & 15];
    }
    *out = '\0';
}

static int hex_value(char c)
{
    if (text_is_digit(c)) {
        return c - '0';
    }
    char l = (char)(c | 0x20);
    return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

bool hex_decode(const char *text, size_t len, uint8_t *out)
{
    for (size_t i = 0; i < len; i++) {
        int high = hex_value(text[2 * i]);
        int low = high < 0 ? -1 : hex_value(text[2 * i + 1]);
        if (low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

enum ekm_rc base64url_encode(const uint8_t *data, size_t len, struct buf *out)
{
    enum ekm_rc rc = buf_reserve(out, len / 3 * 4 + (len % 3 * 8 + 5) / 6);
    if (rc != EKM_OK) {
        return rc;
    }
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < len; i++) {
        bits = bits << 8 | data[i];
        for (held += 8; held >= 6; held -= 6) {
            out->data[out->len++] = (uint8_t)alphabet[bits >> (held - 6) & 63];
        }
    }
    if (held > 0) {
        out->data[out->len++] = (uint8_t)alphabet[bits << (6 - held) & 63];
    }
    out->data[out->len] = 0;
    return EKM_OK;
}

static int base64_value(char c)
{
    if (c == '+' || c == '-') {
        return 62;
    }
    if (c == '/' || c == '_') {
        return 63;
    }
    const char *at = c != '\0' ? strchr(alphabet, c) : NULL;
    return at != NULL ? (int)(at - alphabet) : -1;
}

enum ekm_rc base64_decode(const char *text, size_t len, struct buf *out)
{
    size_t padding = 0;
    while (padding < 2 && len > 0 && text[len - 1] == '=') {
        len--;
        padding++;
    }
    if (len % 4 == 1 || (padding > 0 && (len + padding) % 4 != 0)) {
        return EKM_INVALID_ARGUMENT;
    }
    enum ekm_rc rc = buf_reserve(out, len / 4 * 3 + len % 4 * 3 / 4);
    if (rc != EKM_OK) {
        return rc;
    }
    size_t start = out->len;
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < len; i++) {
        int value = base64_value(text[i]);
        if (value < 0) {
            out->len = start;
            return EKM_INVALID_ARGUMENT;
        }
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out->data[out->len++] = (uint8_t)(bits >> held);
        }
    }
    out->data[out->len] = 0;
    return EKM_OK;
}

enum ekm_rc url_escape(const char *text, size_t len, struct buf *out)
{
    enum ekm_rc rc = EKM_OK;
    for (size_t i = 0; i < len && rc == EKM_OK; i++) {
        if (text_is_alnum(text[i]) || (text[i] != '\0' && strchr("-._~", text[i]) != NULL)) {
            rc = buf_append(out, &text[i], 1);
        } else {
            char escape[4] = "%";
            hex_encode((const uint8_t *)&text[i], 1, escape + 1);
            rc = buf_append(out, escape, 3);
        }
    }
    return rc;
}

bool uuid_make(char out[37])
{
    uint8_t bytes[16];
    char hex[33];
    if (!plat_random(bytes, sizeof bytes)) {
        return false;
    }
    bytes[6] = (uint8_t)((bytes[6] & 0x0F) | 0x40);
    bytes[8] = (uint8_t)((bytes[8] & 0x3F) | 0x80);
    hex_encode(bytes, sizeof bytes, hex);
    text_lower(hex);
    return text_format(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
                       hex + 20);
}
