#include "canary.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The characters that depend only on the secret, if `skipped` bytes are before it in its group of
 * three. */
static void canary_encode(const char *secret, size_t skipped, const char *last_two, char *out)
{
    static const char most[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    size_t first = (3 - skipped) % 3;
    for (size_t i = first; i + 2 < strlen(secret); i += 3) {
        uint32_t bits = (uint32_t)(uint8_t)secret[i] << 16 | (uint32_t)(uint8_t)secret[i + 1] << 8 |
                        (uint8_t)secret[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6) {
            uint32_t digit = bits >> shift & 63;
            *out++ = digit < 62 ? most[digit] : last_two[digit - 62];
        }
    }
    *out = '\0';
}

/* Each byte as two of `digits`, or as it is without them, between `before` and `after`. */
static void canary_spell(const char *secret, const char *before, const char *digits,
                         const char *after, char *out)
{
    for (; *secret != '\0'; secret++) {
        unsigned byte = (uint8_t)*secret;
        out += digits != NULL
                   ? sprintf(out, "%s%c%c%s", before, digits[byte >> 4], digits[byte & 15], after)
                   : sprintf(out, "%s%c%s", before, *secret, after);
    }
}

const char *canary_find(const char *text, const char *secret)
{
    static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
    static const struct {
        const char *what, *before, *digits, *after;
    } spelt[] = {{"hex", "", lower, ""},        {"HEX", "", upper, ""},
                 {"url", "%", lower, ""},       {"URL", "%", upper, ""},
                 {"escaped", "\\x", lower, ""}, {"ESCAPED", "\\x", upper, ""},
                 {"UTF-16", "", NULL, "\\x00"}};
    char form[1024];
    if (strstr(text, secret) != NULL) {
        return "as it is";
    }
    for (size_t i = 0; i < sizeof spelt / sizeof spelt[0]; i++) {
        canary_spell(secret, spelt[i].before, spelt[i].digits, spelt[i].after, form);
        if (strstr(text, form) != NULL) {
            return spelt[i].what;
        }
    }
    for (size_t skipped = 0; skipped < 3; skipped++) {
        canary_encode(secret, skipped, "+/", form);
        if (strstr(text, form) != NULL) {
            return "base64";
        }
        canary_encode(secret, skipped, "-_", form);
        if (strstr(text, form) != NULL) {
            return "base64url";
        }
    }
    return NULL;
}
