#include "encode.h"

#include <ctype.h>
#include <openssl/rand.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void *must(void *pointer)
{
    if (pointer == NULL) {
        fputs("vaultsim: out of memory\n", stderr);
        abort();
    }
    return pointer;
}

char *format_text(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = NULL;
    int len = vasprintf(&text, format, args);
    va_end(args);
    return must(len >= 0 ? text : NULL);
}

char *base64url_encode(const uint8_t *bytes, size_t len)
{
    char *text = must(malloc((len + 2) / 3 * 4 + 1)), *out = text;
    uint32_t bits = 0;
    unsigned count = 0;
    for (size_t i = 0; i < len; i++) {
        bits = bits << 8 | bytes[i];
        for (count += 8; count >= 6; count -= 6) {
            *out++ = alphabet[bits >> (count - 6) & 63];
        }
    }
    if (count > 0) {
        *out++ = alphabet[bits << (6 - count) & 63];
    }
    *out = '\0';
    return text;
}

char *base64_encode(const uint8_t *bytes, size_t len)
{
    static const char padding[][3] = {"", "", "==", "="};
    char *bare = base64url_encode(bytes, len);
    for (char *c = bare; *c != '\0'; c++) {
        *c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
    }
    char *text = format_text("%s%s", bare, padding[strlen(bare) % 4]);
    free(bare);
    return text;
}

uint8_t *base64url_decode(const char *text, size_t *len)
{
    size_t text_len = strlen(text);
    uint8_t *bytes = must(malloc(text_len / 4 * 3 + 3));
    uint32_t bits = 0;
    unsigned count = 0;
    *len = 0;
    for (const char *c = text; *c != '\0'; c++) {
        const char *at = strchr(alphabet, *c);
        if (at == NULL) {
            free(bytes);
            return NULL;
        }
        bits = bits << 6 | (uint32_t)(at - alphabet);
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes[(*len)++] = (uint8_t)(bits >> count);
        }
    }
    if (text_len % 4 == 1) {
        free(bytes);
        return NULL;
    }
    return bytes;
}

uint8_t *base64url_decode_padded(const char *text, size_t *len)
{
    size_t text_len = strlen(text), bare_len = strcspn(text, "=");
    size_t padding = text_len - bare_len;
    if (strspn(text + bare_len, "=") != padding || (padding > 0 && text_len % 4 != 0) ||
        padding > 2) {
        return NULL;
    }
    char *bare = must(strndup(text, bare_len));
    uint8_t *bytes = base64url_decode(bare, len);
    free(bare);
    return bytes;
}

uint8_t *base64_decode_any(const char *text, size_t *len)
{
    char *copy = must(strdup(text));
    for (char *c = copy; *c != '\0'; c++) {
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
    }
    copy[strcspn(copy, "=")] = '\0';
    uint8_t *bytes = base64url_decode(copy, len);
    free(copy);
    return bytes;
}

static int hex_digit(char c)
{
    return isdigit((unsigned char)c)    ? c - '0'
           : isxdigit((unsigned char)c) ? (c | 0x20) - 'a' + 10
                                        : -1;
}

char *form_decode(const char *text, size_t len)
{
    char *out = must(malloc(len + 1)), *to = out;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '%' && i + 2 < len && hex_digit(text[i + 1]) >= 0 &&
            hex_digit(text[i + 2]) >= 0) {
            *to++ = (char)(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
            i += 2;
        } else {
            *to++ = text[i] == '+' ? ' ' : text[i];
        }
    }
    *to = '\0';
    return out;
}

char *form_field(const char *body, const char *name)
{
    size_t name_len = strlen(name);
    for (const char *at = body; *at != '\0';) {
        size_t len = strcspn(at, "&");
        if (len > name_len && strncmp(at, name, name_len) == 0 && at[name_len] == '=') {
            return form_decode(at + name_len + 1, len - name_len - 1);
        }
        at += len + (at[len] == '&' ? 1 : 0);
    }
    return NULL;
}

void hex_random(char *out, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        unsigned char byte = 0;
        if (RAND_bytes(&byte, 1) != 1) {
            must(NULL);
        }
        sprintf(out + 2 * i, "%02x", byte);
    }
}

void guid_random(char out[37])
{
    char hex[33];
    hex_random(hex, 16);
    hex[12] = '4';
    hex[16] = '8';
    guid_normalise(hex, out);
}

bool guid_normalise(const char *text, char out[37])
{
    char hex[33];
    size_t count = 0, len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        bool is_dash = len == 36 && (i == 8 || i == 13 || i == 18 || i == 23);
        if (is_dash ? text[i] != '-' : (hex_digit(text[i]) < 0 || count == 32)) {
            return false;
        }
        if (!is_dash) {
            hex[count++] = (char)tolower((unsigned char)text[i]);
        }
    }
    hex[count] = '\0';
    if (count == 32) {
        snprintf(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
    }
    return count == 32;
}

int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_unix(void)
{
    return (int64_t)time(NULL);
}
