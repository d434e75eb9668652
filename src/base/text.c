#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool text_copy_n(char *dst, size_t cap, const char *src, size_t len)
{
    if (cap == 0) {
        return false;
    }
    size_t fits = len < cap ? len : cap - 1;
    if (fits > 0) {
        memcpy(dst, src, fits);
    }
    dst[fits] = '\0';
    return fits == len;
}

bool text_copy(char *dst, size_t cap, const char *src)
{
    return text_copy_n(dst, cap, src, strlen(src));
}

bool text_format(char *dst, size_t cap, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(dst, cap, format, arguments);
    va_end(arguments);
    return len >= 0 && (size_t)len < cap;
}

bool text_join(char *dst, size_t cap, const char *const *parts)
{
    for (; *parts != NULL; parts++) {
        size_t len = strlen(*parts);
        if (len >= cap) {
            return text_copy_n(dst, cap, *parts, len);
        }
        memcpy(dst, *parts, len);
        dst += len;
        cap -= len;
    }
    *dst = '\0';
    return true;
}

size_t text_from_u64(uint64_t value, size_t width, char out[TEXT_U64_MAX + 1])
{
    char digits[TEXT_U64_MAX];
    size_t len = 0;
    do {
        digits[len++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0 || (len < width && len < sizeof digits));
    for (size_t i = 0; i < len; i++) {
        out[i] = digits[len - 1 - i];
    }
    out[len] = '\0';
    return len;
}

static inline char text_lower_char(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool text_equal_nocase_n(const char *a, const char *b, size_t len)
{
    if (strncmp(a, b, len) == 0) { /* most texts differ here already */
        return true;
    }
    for (size_t i = 0; i < len; i++) {
        if (text_lower_char(a[i]) != text_lower_char(b[i])) {
            return false;
        }
        if (a[i] == '\0') {
            return true;
        }
    }
    return true;
}

bool text_equal_nocase(const char *a, const char *b)
{
    return text_equal_nocase_n(a, b, strlen(a) + 1);
}

bool text_ends_nocase(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);
    return end_len <= len && text_equal_nocase(text + len - end_len, end);
}

void text_lower(char *text)
{
    for (; *text != '\0'; text++) {
        *text = text_lower_char(*text);
    }
}

bool text_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool text_is_alnum(char c)
{
    char l = (char)(c | 0x20);
    return (c >= '0' && c <= '9') || (l >= 'a' && l <= 'z');
}

size_t text_name_len(const char *text, const char *extra, size_t max_len)
{
    size_t len = 0;
    while (len < max_len && text[len] != '\0' &&
           (text_is_alnum(text[len]) || strchr(extra, text[len]) != NULL)) {
        len++;
    }
    return len;
}

bool text_is_name(const char *text, const char *extra, size_t max_len)
{
    size_t len = text_name_len(text, extra, max_len);
    return len > 0 && text[len] == '\0';
}

size_t text_mark_len(const char *text, size_t len)
{
    return len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
}

bool text_to_u64(const char *text, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        uint64_t digit = (uint64_t)(unsigned char)*text - '0';
        if (!text_is_digit(*text) || digit > max || value > (max - digit) / 10) {
            return false;
        }
        value = 10 * value + digit;
    }
    *out = value;
    return true;
}

static size_t utf8_len(uint32_t point)
{
    return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}

/* Writes one code point; the caller has ruled out surrogates. */
static size_t put_code_point(uint32_t point, uint8_t *out)
{
    static const uint8_t lead[] = {0, 0x00, 0xC0, 0xE0, 0xF0};
    size_t len = utf8_len(point);
    for (size_t i = len; i-- > 1; point >>= 6) {
        out[i] = (uint8_t)(0x80 | (point & 0x3F));
    }
    out[0] = (uint8_t)(lead[len] | point);
    return len;
}

/* Reads the code point at *at and advances. 0: a zero, or half of a surrogate pair. */
static uint32_t take_code_point(const uint16_t *units, size_t count, size_t *at)
{
    uint32_t point = units[(*at)++];
    if (point < 0xD800 || point >= 0xE000) {
        return point;
    }
    if (point >= 0xDC00 || *at == count || units[*at] < 0xDC00 || units[*at] >= 0xE000) {
        return 0;
    }
    return 0x10000 + ((point - 0xD800) << 10) + (units[(*at)++] - 0xDC00u);
}

enum ekm_rc text_from_utf16(const uint16_t *units, size_t count, struct buf *out)
{
    size_t needed = 0;
    for (size_t at = 0; at < count;) {
        uint32_t point = take_code_point(units, count, &at);
        if (point == 0) {
            return EKM_INVALID_ARGUMENT;
        }
        needed += utf8_len(point);
    }
    enum ekm_rc rc = count > 0 ? buf_reserve(out, needed) : EKM_OK;
    if (rc != EKM_OK || count == 0) {
        return rc;
    }
    for (size_t at = 0; at < count;) {
        out->len += put_code_point(take_code_point(units, count, &at), out->data + out->len);
    }
    out->data[out->len] = 0;
    return EKM_OK;
}

/* The next code point of valid UTF-8. */
static uint32_t next_code_point(const unsigned char **text)
{
    const unsigned char *at = *text;
    uint32_t point = *at;
    size_t more = point < 0xC0 ? 0 : point < 0xE0 ? 1 : point < 0xF0 ? 2 : 3;
    static const uint32_t masks[] = {0xFF, 0x1F, 0x0F, 0x07};
    point &= masks[more];
    for (at++; more > 0 && (*at & 0xC0) == 0x80; at++, more--) {
        point = (point << 6) | (*at & 0x3F);
    }
    *text = at;
    return point;
}

size_t text_to_utf16(const char *text, uint16_t *dst, size_t cap_units)
{
    size_t needed = 0;
    for (int pass = 0; pass < 2; pass++) {
        const unsigned char *at = (const unsigned char *)text;
        size_t units = 0;
        while (*at != '\0') {
            uint32_t point = next_code_point(&at);
            bool pair = point >= 0x10000;
            if (pass == 1) {
                dst[units] = (uint16_t)(pair ? 0xD800 + ((point - 0x10000) >> 10) : point);
                if (pair) {
                    dst[units + 1] = (uint16_t)(0xDC00 + ((point - 0x10000) & 0x3FF));
                }
            }
            units += pair ? 2 : 1;
        }
        needed = units;
        if (needed > cap_units || dst == NULL) {
            break;
        }
    }
    return needed;
}
