#include "provider_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "memory.h"

void provider_text_make(SqlCpStr *out, const char *utf8)
{
    size_t len = 0;
    uint8_t *bytes = memory_to_utf16(utf8, strlen(utf8), &len);
    out->ws = memory_take(len + 2);
    memcpy(out->ws, bytes, len);
    out->cb = (uint32_t)len;
    OPENSSL_cleanse(bytes, len);
    free(bytes);
}

void provider_text_wipe(SqlCpStr *text)
{
    if (text->ws)
        OPENSSL_cleanse(text->ws, text->cb);
    free(text->ws);
    *text = (SqlCpStr){0, NULL};
}

void provider_text_copy(const SqlCpStr *text, const uint16_t *units, char *out, size_t cap)
{
    char *utf8 = memory_from_utf16((const uint8_t *)units, units ? text->cb : 0, NULL);
    snprintf(out, cap, "%s", utf8);
    free(utf8);
}
