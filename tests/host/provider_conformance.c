#include "provider_conformance.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { PATTERN = 0xA5 };

static atomic_long breaches;

void provider_conformance_report(const char *function, const char *format, ...)
{
    char text[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    atomic_fetch_add(&breaches, 1);
    fprintf(stderr, "conformance: %s: %s\n", function, text);
}

long provider_conformance_count(void)
{
    return atomic_load(&breaches);
}

void provider_conformance_code(const char *function, int code)
{
    if (code < 0 || (code >= SQLCP_PROVIDER_ERROR && code <= 2048))
        provider_conformance_report(function, "returned %d, which is reserved", code);
}

void provider_conformance_fill(void *buffer, size_t len)
{
    memset(buffer, PATTERN, len);
}

void provider_conformance_tail(const char *function, const void *buffer, size_t used, size_t len)
{
    const uint8_t *bytes = buffer;
    for (size_t i = used; i < len; i++)
        if (bytes[i] != PATTERN) {
            provider_conformance_report(function, "wrote past a buffer of %zu bytes", used);
            return;
        }
}

void provider_conformance_query(const char *function, int code, const void *pointer, uint32_t cb,
                                uint32_t max)
{
    if (code != SQLCP_SUCCESS && code != SQLCP_INSUFFICIENT_BUFFER)
        return;
    if (pointer)
        provider_conformance_report(function, "put a pointer of its own in place of NULL");
    if (code == SQLCP_SUCCESS && cb > 0)
        provider_conformance_report(function, "succeeded without a buffer for %u bytes", cb);
    if (code == SQLCP_INSUFFICIENT_BUFFER && (cb == 0 || cb > max))
        provider_conformance_report(function, "asks for %u bytes, 1 to %u are allowed", cb, max);
}

void provider_conformance_fetch(const char *function, int code, const void *given, uint32_t room,
                                const void *pointer, uint32_t cb)
{
    if (code == SQLCP_INSUFFICIENT_BUFFER)
        provider_conformance_report(function, "has not room enough in the %u bytes it asked for",
                                    room);
    if (pointer != given)
        provider_conformance_report(function, "put a pointer of its own in place of the buffer");
    if (code == SQLCP_SUCCESS && cb > room)
        provider_conformance_report(function, "reports %u bytes in a buffer of %u", cb, room);
}

static bool is_zero(const void *bytes, size_t from, size_t to)
{
    const uint8_t *at = bytes;
    for (size_t i = from; i < to; i++)
        if (at[i])
            return false;
    return true;
}

void provider_conformance_info(int code, const SqlCpProviderInfo *info)
{
    static const char function[] = "SqlCryptGetProviderInfo";
    if (code == SQLCP_INSUFFICIENT_BUFFER &&
        !is_zero(info, offsetof(SqlCpProviderInfo, guid), sizeof *info))
        provider_conformance_report(function, "wrote more than the size with too small a buffer");
    if (code != SQLCP_SUCCESS)
        return;
    if (!is_zero(info, offsetof(SqlCpProviderInfo, fAcceptsKeyName) + 1, sizeof *info) ||
        !is_zero(info, 4, 8) || !is_zero(&info->version, 5, 6) || !is_zero(&info->scpVersion, 5, 6))
        provider_conformance_report(function, "left padding that is not zero");
    if (is_zero(&info->guid, 0, sizeof info->guid))
        provider_conformance_report(function, "has no guid");
    if (info->cbKeyThumbLen == 0 || info->cbKeyThumbLen > SQLCP_MAX_THUMBPRINT_BYTES)
        provider_conformance_report(function, "has thumbprints of %u bytes", info->cbKeyThumbLen);
    if (info->name.cb % 2)
        provider_conformance_report(function, "has a name of half a character");
}

void provider_conformance_key(const char *function, int code, const SqlCpKeyInfo *info,
                              uint32_t thumbprint_len)
{
    if (code == SQLCP_INSUFFICIENT_BUFFER && (info->algId || info->flags))
        provider_conformance_report(function, "wrote more than the sizes with too small a buffer");
    if (code != SQLCP_SUCCESS)
        return;
    if (!is_zero(info, 4, 8) || !is_zero(info, 20, 24))
        provider_conformance_report(function, "left padding that is not zero");
    if (info->algId == SQLCP_INVALID_ID)
        provider_conformance_report(function, "names no algorithm");
    if (info->thumb.cb > thumbprint_len)
        provider_conformance_report(function, "has a thumbprint of %u bytes, the provider says %u",
                                    info->thumb.cb, thumbprint_len);
    if (info->name.cb % 2)
        provider_conformance_report(function, "has a name of half a character");
}

void provider_conformance_algorithm(const struct provider_algorithm *algorithm)
{
    static const char function[] = "SqlCryptGetAlgorithmInfo";
    unsigned bits = 0;
    if (algorithm->id == SQLCP_INVALID_ID)
        provider_conformance_report(function, "has an algorithm with the invalid id");
    if (sscanf(algorithm->tag, "RSA_%u", &bits) == 1 &&
        (algorithm->type != SQLCP_KEY_ASYMMETRIC || algorithm->bit_len != bits ||
         algorithm->iv_len != 0))
        provider_conformance_report(function, "describes %s otherwise than its tag",
                                    algorithm->tag);
    if (sscanf(algorithm->tag, "AES_%u", &bits) == 1 &&
        (algorithm->type != SQLCP_KEY_SYMMETRIC || algorithm->bit_len != bits))
        provider_conformance_report(function, "describes %s otherwise than its tag",
                                    algorithm->tag);
}
