#include "base/codec.h"

#include <string.h>

#include "base/text.h"
#include "platform/system.h"
#include "platform/thread.h"

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

/* The first six of eight available bytes, with one load and no loop. */
static void encode_six(const uint8_t *data, uint8_t *out)
{
    uint64_t bits = (uint64_t)data[0] << 56 | (uint64_t)data[1] << 48 | (uint64_t)data[2] << 40 |
                    (uint64_t)data[3] << 32 | (uint64_t)data[4] << 24 | (uint64_t)data[5] << 16 |
                    (uint64_t)data[6] << 8 | data[7];
    out[0] = (uint8_t)alphabet[bits >> 58];
    out[1] = (uint8_t)alphabet[bits >> 52 & 63];
    out[2] = (uint8_t)alphabet[bits >> 46 & 63];
    out[3] = (uint8_t)alphabet[bits >> 40 & 63];
    out[4] = (uint8_t)alphabet[bits >> 34 & 63];
    out[5] = (uint8_t)alphabet[bits >> 28 & 63];
    out[6] = (uint8_t)alphabet[bits >> 22 & 63];
    out[7] = (uint8_t)alphabet[bits >> 16 & 63];
}

enum ekm_rc base64url_encode(const uint8_t *data, size_t len, struct buf *out)
{
    enum ekm_rc rc = buf_reserve(out, len / 3 * 4 + (len % 3 * 8 + 5) / 6);
    if (rc != EKM_OK) {
        return rc;
    }
    uint8_t *at = out->data + out->len;
    for (; len >= 8; len -= 6, data += 6, at += 8) {
        encode_six(data, at);
    }
    for (; len >= 3; len -= 3, data += 3) {
        uint32_t bits = (uint32_t)data[0] << 16 | (uint32_t)data[1] << 8 | data[2];
        at[0] = (uint8_t)alphabet[bits >> 18];
        at[1] = (uint8_t)alphabet[bits >> 12 & 63];
        at[2] = (uint8_t)alphabet[bits >> 6 & 63];
        at[3] = (uint8_t)alphabet[bits & 63];
        at += 4;
    }
    if (len > 0) {
        uint32_t bits = (uint32_t)data[0] << 16 | (len > 1 ? (uint32_t)data[1] << 8 : 0);
        *at++ = (uint8_t)alphabet[bits >> 18];
        *at++ = (uint8_t)alphabet[bits >> 12 & 63];
        if (len > 1) {
            *at++ = (uint8_t)alphabet[bits >> 6 & 63];
        }
    }
    *at = 0;
    out->len = (size_t)(at - out->data);
    return EKM_OK;
}

/* Indexed by character, from the blank on; both alphabets. */
static int base64_value(char c)
{
    static const int8_t values[] = {
        -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 62, -1, 62, -1, 63, 52, 53, 54, 55,
        56, 57, 58, 59, 60, 61, -1, -1, -1, -1, -1, -1, -1, 0,  1,  2,  3,  4,  5,  6,
        7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, -1,
        -1, -1, -1, 63, -1, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
        41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, -1, -1, -1, -1, -1,
    };
    size_t at = (size_t)(unsigned char)c - ' ';
    return at < sizeof values ? values[at] : -1;
}

/* Three bytes of four characters; false: one of these is none of the alphabet's. */
static bool base64_decode_four(const char *text, uint8_t *out)
{
    int a = base64_value(text[0]), b = base64_value(text[1]), c = base64_value(text[2]),
        d = base64_value(text[3]);
    uint32_t bits = (uint32_t)a << 18 | (uint32_t)b << 12 | (uint32_t)c << 6 | (uint32_t)d;
    out[0] = (uint8_t)(bits >> 16);
    out[1] = (uint8_t)(bits >> 8);
    out[2] = (uint8_t)bits;
    return (a | b | c | d) >= 0;
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
    uint8_t *at = out->data + out->len;
    bool right = true;
    for (; right && len >= 4; len -= 4, text += 4, at += 3) {
        right = base64_decode_four(text, at);
    }
    if (right && len > 0) { /* two or three characters */
        int a = base64_value(text[0]), b = base64_value(text[1]),
            c = len == 3 ? base64_value(text[2]) : 0;
        right = (a | b | c) >= 0;
        *at++ = (uint8_t)((uint32_t)a << 2 | (uint32_t)b >> 4);
        if (len == 3) {
            *at++ = (uint8_t)((uint32_t)b << 4 | (uint32_t)c >> 2);
        }
    }
    if (right) {
        out->len = (size_t)(at - out->data);
    }
    out->data[out->len] = 0;
    return right ? EKM_OK : EKM_INVALID_ARGUMENT;
}

uint64_t fnv_add(uint64_t hash, const void *data, size_t len)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ bytes[i]) * 1099511628211u;
    }
    return hash;
}

enum ekm_rc url_escape(const char *text, size_t len, struct buf *out)
{
    for (size_t i = 0; i < len; i++) {
        char escape[4] = "%";
        bool plain = text_is_alnum(text[i]) || (text[i] != '\0' && strchr("-._~", text[i]) != NULL);
        if (!plain) {
            hex_encode((const uint8_t *)&text[i], 1, escape + 1);
        }
        enum ekm_rc rc = plain ? buf_append(out, &text[i], 1) : buf_append(out, escape, 3);
        if (rc != EKM_OK) {
            return rc;
        }
    }
    return EKM_OK;
}

void uuid_group(const char *hex, char out[37])
{
    for (size_t i = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20) {
            *out++ = '-';
        }
        *out++ = hex[i];
    }
    *out = '\0';
}

bool uuid_read(const char *text, size_t len, char out[37])
{
    char hex[33] = "";
    uint8_t bytes[16];
    size_t used = 0;
    if (len != 32 && len != 36) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        bool hyphen = len == 36 && (i == 8 || i == 13 || i == 18 || i == 23);
        if (hyphen && text[i] != '-') {
            return false;
        }
        if (!hyphen) {
            hex[used++] = text[i];
        }
    }
    hex[32] = '\0';
    if (!hex_decode(hex, sizeof bytes, bytes)) {
        return false;
    }
    text_lower(hex);
    uuid_group(hex, out);
    return true;
}

/* Ids only distinguish calls and are not secret, so the process draws random bytes once. */
static struct {
    struct plat_mutex mutex;
    bool is_drawn;
    uint64_t seed[2], count;
} ids = {.mutex = PLAT_MUTEX_INIT};

/* Takes the numbers for the next id, under the lock. */
static bool next_id(uint64_t *first, uint64_t *second)
{
    ids.count++;
    *first = ids.seed[0] + ids.count * 0x9E3779B97F4A7C15u;
    *second = ids.seed[1] + ids.count * 0xD1B54A32D192ED03u;
    return ids.is_drawn;
}

static bool draw_id(uint64_t *first, uint64_t *second)
{
    uint64_t seed[2];
    plat_mutex_lock(&ids.mutex);
    bool drawn = next_id(first, second);
    plat_mutex_unlock(&ids.mutex);
    if (drawn) {
        return true;
    }
    if (!plat_random(seed, sizeof seed)) {
        return false;
    }
    plat_mutex_lock(&ids.mutex);
    if (!ids.is_drawn) {
        memcpy(ids.seed, seed, sizeof seed);
        ids.is_drawn = true;
    }
    (void)next_id(first, second);
    plat_mutex_unlock(&ids.mutex);
    return true;
}

/* A bijection (the finaliser of SplitMix64), so different counts give different ids. */
static uint64_t codec_mix_bits(uint64_t value)
{
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9u;
    value = (value ^ value >> 27) * 0x94D049BB133111EBu;
    return value ^ value >> 31;
}

bool uuid_make(char out[37])
{
    static const char hex_digits[] = "0123456789abcdef";
    uint64_t words[2];
    uint8_t bytes[16];
    if (!draw_id(&words[0], &words[1])) {
        return false;
    }
    words[0] = codec_mix_bits(words[0]);
    words[1] = codec_mix_bits(words[1] ^ words[0]);
    memcpy(bytes, words, sizeof bytes);
    bytes[6] = (uint8_t)((bytes[6] & 0x0F) | 0x40);
    bytes[8] = (uint8_t)((bytes[8] & 0x3F) | 0x80);
    for (size_t i = 0; i < sizeof bytes; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *out++ = '-';
        }
        *out++ = hex_digits[bytes[i] >> 4];
        *out++ = hex_digits[bytes[i] & 15];
    }
    *out = '\0';
    return true;
}
