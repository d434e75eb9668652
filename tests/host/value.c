#include "value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>

#include "memory.h"

struct value value_null(void)
{
    return (struct value){0};
}

struct value value_number(long long number)
{
    return (struct value){.kind = VALUE_NUMBER, .number = number};
}

struct value value_text_n(const char *text, size_t len)
{
    struct value value = {.kind = VALUE_TEXT, .data = memory_take(len + 1), .len = len};
    memcpy(value.data, text, len);
    return value;
}

struct value value_text(const char *text)
{
    return value_text_n(text, strlen(text));
}

struct value value_binary(const void *bytes, size_t len)
{
    struct value value = {.kind = VALUE_BINARY, .data = memory_take(len + 1), .len = len};
    if (len)
        memcpy(value.data, bytes, len);
    return value;
}

struct value value_hex(const char *hex)
{
    size_t len = 0;
    uint8_t *bytes = *hex ? memory_unhex(hex, &len) : NULL;
    struct value value = bytes ? value_binary(bytes, len) : value_null();
    free(bytes);
    return value;
}

struct value value_copy(const struct value *value)
{
    struct value copy = *value;
    if (value->data) {
        copy.data = memory_take(value->len + 1);
        memcpy(copy.data, value->data, value->len);
    }
    return copy;
}

void value_free(struct value *value)
{
    if (value->data)
        OPENSSL_cleanse(value->data, value->len);
    free(value->data);
    memset(value, 0, sizeof *value);
}

char *value_display(const struct value *value)
{
    if (value->kind == VALUE_NULL)
        return memory_text("NULL");
    if (value->kind == VALUE_NUMBER)
        return memory_format("%lld", value->number);
    if (value->kind == VALUE_TEXT)
        return memory_text_n(value->data, value->len);
    char *hex = memory_hex((const uint8_t *)value->data, value->len);
    char *text = memory_format("0x%s", hex);
    free(hex);
    return text;
}

static bool as_number(const struct value *value, long long *number)
{
    if (value->kind == VALUE_NUMBER) {
        *number = value->number;
        return true;
    }
    if (value->kind == VALUE_BINARY) {
        *number = 0;
        for (size_t i = 0; i < value->len && i < 8; i++)
            *number = *number << 8 | (uint8_t)value->data[i];
        return true;
    }
    char *end = NULL;
    errno = 0;
    *number = strtoll(value->data, &end, 10);
    return errno == 0 && *end == 0 && end != value->data;
}

struct value value_as_binary(const struct value *value)
{
    if (value->kind == VALUE_TEXT && value->wide) {
        struct value binary = {.kind = VALUE_BINARY};
        binary.data = (char *)memory_to_utf16(value->data, value->len, &binary.len);
        return binary;
    }
    if (value->kind == VALUE_NUMBER) {
        uint8_t bytes[4];
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)(value->number >> (8 * (3 - i)));
        return value_binary(bytes, sizeof bytes);
    }
    struct value copy = value_copy(value);
    if (copy.kind == VALUE_TEXT)
        copy.kind = VALUE_BINARY;
    return copy;
}

int value_compare(const struct value *a, const struct value *b)
{
    if (a->kind == VALUE_NUMBER || b->kind == VALUE_NUMBER) {
        long long left = 0;
        long long right = 0;
        if (as_number(a, &left) && as_number(b, &right))
            return (left > right) - (left < right);
    }
    if (a->kind == VALUE_TEXT && b->kind == VALUE_TEXT)
        return strcasecmp(a->data, b->data);
    struct value left = value_as_binary(a);
    struct value right = value_as_binary(b);
    size_t common = left.len < right.len ? left.len : right.len;
    int order = common ? memcmp(left.data, right.data, common) : 0;
    if (order == 0)
        order = (left.len > right.len) - (left.len < right.len);
    value_free(&left);
    value_free(&right);
    return (order > 0) - (order < 0);
}

static void value_replace(struct value *value, struct value with)
{
    value_free(value);
    *value = with;
}

static bool convert_number(struct value *value, struct failure *failure)
{
    long long number = 0;
    if (!as_number(value, &number))
        return failure_set(failure, 245, 0, value->data);
    value_replace(value, value_number(number));
    return true;
}

static void convert_text(struct value *value, bool wide, long size, int style)
{
    if (value->kind == VALUE_NUMBER || (value->kind == VALUE_BINARY && style > 0)) {
        char *text = value_display(value);
        value_replace(value,
                      value_text(style == 2 && value->kind == VALUE_BINARY ? text + 2 : text));
        free(text);
    } else if (value->kind == VALUE_BINARY && wide) {
        struct value text = {.kind = VALUE_TEXT};
        text.data = memory_from_utf16((const uint8_t *)value->data, value->len, &text.len);
        value_replace(value, text);
    }
    value->kind = VALUE_TEXT;
    value->wide = wide;
    size_t cap = size > 0 ? (size_t)size : size < 0 ? value->len : 30;
    if (value->len > cap)
        value->data[value->len = cap] = 0;
}

static bool convert_binary(struct value *value, const struct value_type *type, int style,
                           struct failure *failure)
{
    if (value->kind == VALUE_TEXT && style > 0) {
        size_t len = 0;
        const char *hex = strncasecmp(value->data, "0x", 2) == 0 ? value->data + 2 : value->data;
        uint8_t *bytes = memory_unhex(hex, &len);
        if (!bytes)
            return failure_set(failure, 245, 0, value->data);
        value_replace(value, value_binary(bytes, len));
        free(bytes);
    } else {
        value_replace(value, value_as_binary(value));
    }
    size_t cap = type->size > 0 ? (size_t)type->size : type->size < 0 ? value->len : 30;
    if (value->len > cap)
        value->data[value->len = cap] = 0;
    return true;
}

bool value_convert(struct value *value, const struct value_type *type, int style,
                   struct failure *failure)
{
    static const char *const numbers[] = {"int", "bigint", "smallint", "tinyint", "bit"};
    static const char *const texts[] = {"varchar", "char", "nvarchar", "nchar", "sysname"};
    if (value->kind == VALUE_NULL)
        return true;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (strcmp(type->name, numbers[i]) == 0)
            return convert_number(value, failure);
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (strcmp(type->name, texts[i]) == 0) {
            convert_text(value, i >= 2, i == 4 ? 128 : type->size, style);
            return true;
        }
    }
    if (strcmp(type->name, "varbinary") == 0 || strcmp(type->name, "binary") == 0)
        return convert_binary(value, type, style, failure);
    return failure_set(failure, 243, 0, type->name);
}
