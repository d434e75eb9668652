#include "memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "platform.h"

static void *memory_checked(void *memory)
{
    if (!memory) {
        fputs("ekmhost: out of memory\n", stderr);
        exit(3);
    }
    return memory;
}

void *memory_take(size_t len)
{
    return memory_checked(calloc(1, len ? len : 1));
}

void *memory_grow(void *old, size_t len)
{
    return memory_checked(realloc(old, len ? len : 1));
}

char *memory_text(const char *text)
{
    return text ? memory_text_n(text, strlen(text)) : NULL;
}

char *memory_text_n(const char *text, size_t len)
{
    const char *end = memchr(text, 0, len);
    size_t used = end ? (size_t)(end - text) : len;
    char *copy = memory_take(used + 1);
    memcpy(copy, text, used);
    return copy;
}

char *memory_format(const char *format, ...)
{
    va_list arguments;
    va_list again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int len = vsnprintf(NULL, 0, format, arguments);
    char *text = memory_checked(len < 0 ? NULL : memory_take((size_t)len + 1));
    vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    va_end(arguments);
    return text;
}

void memory_append(struct memory_text *text, const char *bytes, size_t len)
{
    if (text->cap - text->len <= len) {
        size_t cap = 2 * text->cap + len + 64;
        char *grown = memory_take(cap);
        if (text->data) {
            memcpy(grown, text->data, text->len);
            OPENSSL_cleanse(text->data, text->len); /* a script may hold a secret */
        }
        free(text->data);
        text->data = grown;
        text->cap = cap;
    }
    memcpy(text->data + text->len, bytes, len);
    text->len += len;
    text->data[text->len] = 0;
}

char *memory_hex(const uint8_t *bytes, size_t len)
{
    static const char digits[] = "0123456789ABCDEF";
    char *text = memory_take(2 * len + 1);
    for (size_t i = 0; i < len; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    return text;
}

static int memory_nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

uint8_t *memory_unhex(const char *text, size_t *len)
{
    size_t digits = strlen(text);
    size_t odd = digits % 2; /* 0xABC means 0x0ABC, as in T-SQL */
    uint8_t *bytes = memory_take(digits / 2 + 1);
    for (size_t i = 0; i < digits; i++) {
        int nibble = memory_nibble(text[i]);
        if (nibble < 0) {
            free(bytes);
            return NULL;
        }
        uint8_t *byte = &bytes[(i + odd) / 2];
        *byte = (uint8_t)(*byte << 4 | nibble);
    }
    *len = (digits + odd) / 2;
    return bytes;
}

void memory_wipe_text(char *text)
{
    if (text)
        OPENSSL_cleanse(text, strlen(text));
    free(text);
}

static size_t utf8_decode(const uint8_t *in, size_t len, uint32_t *point)
{
    static const uint8_t leads[] = {0x00, 0xC0, 0xE0, 0xF0};
    static const uint8_t masks[] = {0x80, 0xE0, 0xF0, 0xF8};
    for (size_t more = 0; more < 4; more++) {
        if ((in[0] & masks[more]) != leads[more])
            continue;
        if (more >= len)
            break;
        *point = in[0] & (uint8_t)~masks[more];
        for (size_t i = 1; i <= more; i++) {
            if ((in[i] & 0xC0) != 0x80)
                goto broken;
            *point = *point << 6 | (in[i] & 0x3F);
        }
        return more + 1;
    }
broken:
    *point = 0xFFFD;
    return 1;
}

uint8_t *memory_to_utf16(const char *text, size_t text_len, size_t *len)
{
    uint8_t *out = memory_take(2 * text_len + 2);
    size_t used = 0;
    for (size_t at = 0; at < text_len;) {
        uint32_t point = 0;
        at += utf8_decode((const uint8_t *)text + at, text_len - at, &point);
        uint32_t units[2] = {point, 0};
        size_t count = 1;
        if (point > 0xFFFF) {
            units[0] = 0xD800 + ((point - 0x10000) >> 10);
            units[1] = 0xDC00 + ((point - 0x10000) & 0x3FF);
            count = 2;
        }
        for (size_t i = 0; i < count; i++) {
            out[used++] = (uint8_t)(units[i] & 0xFF);
            out[used++] = (uint8_t)(units[i] >> 8);
        }
    }
    *len = used;
    return out;
}

static size_t utf8_encode(uint32_t point, char *out)
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    size_t more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    static const uint8_t leads[] = {0, 0xC0, 0xE0, 0xF0};
    out[0] = (char)(leads[more] | point >> (6 * more));
    for (size_t i = 1; i <= more; i++)
        out[i] = (char)(0x80 | (point >> (6 * (more - i)) & 0x3F));
    return more + 1;
}

char *memory_from_utf16(const uint8_t *bytes, size_t len, size_t *text_len)
{
    char *out = memory_take(2 * len + 1);
    size_t used = 0;
    for (size_t at = 0; at + 1 < len; at += 2) {
        uint32_t point = (uint32_t)bytes[at] | (uint32_t)bytes[at + 1] << 8;
        if (point >= 0xD800 && point < 0xDC00 && at + 3 < len) {
            uint32_t low = (uint32_t)bytes[at + 2] | (uint32_t)bytes[at + 3] << 8;
            point = 0x10000 + ((point - 0xD800) << 10) + (low & 0x3FF);
            at += 2;
        } else if (point >= 0xD800 && point < 0xE000) {
            point = 0xFFFD;
        }
        used += utf8_encode(point, out + used);
    }
    if (text_len)
        *text_len = used;
    return out;
}

char *memory_read_stream(FILE *file, size_t *len)
{
    char *data = NULL;
    size_t used = 0;
    size_t cap = 0;
    size_t got = 0;
    do {
        used += got;
        if (cap - used < 4096)
            data = memory_grow(data, cap = cap * 2 + 8192);
        got = fread(data + used, 1, cap - used - 1, file);
    } while (got > 0);
    data[used] = 0;
    if (ferror(file)) {
        free(data);
        return NULL;
    }
    if (len)
        *len = used;
    return data;
}

char *memory_read_file(const char *path, size_t *len)
{
    FILE *file = platform_stream_open(path, "r");
    if (!file)
        return NULL;
    char *data = memory_read_stream(file, len);
    fclose(file);
    return data;
}

bool memory_write_file(const char *path, const void *data, size_t len)
{
    char *aside = memory_format("%s.tmp", path);
    struct platform_file *file = platform_file_open(aside, PLATFORM_REPLACE);
    bool good = platform_file_write(file, data, len, 0) && platform_file_flush(file);
    good = platform_file_close(file) && good && platform_path_replace(aside, path);
    free(aside);
    return good;
}
