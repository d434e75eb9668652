#include "base/unseen.h"

#include <stdint.h>
#include <string.h>

/* In the order of how often people paste them, not by number. */
static const struct {
    uint16_t first, last;
    const char *name;
} unseen[] = {
    {0x0020, 0x0020, "a blank"},
    {0x0009, 0x0009, "a tab (U+0009)"},
    {0x000A, 0x000A, "a line feed (U+000A)"},
    {0x000D, 0x000D, "a carriage return (U+000D)"},
    {0x00A0, 0x00A0, "a no-break space (U+00A0)"},
    {0x200B, 0x200B, "a zero-width space (U+200B)"},
    {0xFEFF, 0xFEFF, "a byte order mark (U+FEFF)"},
    {0x2028, 0x2029, "a line or paragraph separator (U+2028, U+2029)"},
    {0x0001, 0x001F, "a control character (U+0001 to U+001F)"},
    {0x007F, 0x009F, "a control character (U+007F to U+009F)"},
    {0x00AD, 0x00AD, "a soft hyphen (U+00AD)"},
    {0x034F, 0x034F, "a grapheme joiner (U+034F)"},
    {0x061C, 0x061C, "a direction mark (U+061C)"},
    {0x115F, 0x1160, "a filler (U+115F, U+1160)"},
    {0x1680, 0x1680, "a space (U+1680)"},
    {0x17B4, 0x17B5, "an invisible vowel (U+17B4, U+17B5)"},
    {0x180B, 0x180F, "an invisible mark (U+180B to U+180F)"},
    {0x2000, 0x200A, "a space (U+2000 to U+200A)"},
    {0x200C, 0x200F, "a joiner or direction mark (U+200C to U+200F)"},
    {0x202A, 0x202E, "a direction mark (U+202A to U+202E)"},
    {0x202F, 0x202F, "a narrow no-break space (U+202F)"},
    {0x205F, 0x206F, "an invisible mark (U+205F to U+206F)"},
    {0x3000, 0x3000, "an ideographic space (U+3000)"},
    {0x3164, 0x3164, "a filler (U+3164)"},
    {0xFE00, 0xFE0F, "a variation selector (U+FE00 to U+FE0F)"},
    {0xFFA0, 0xFFA0, "a filler (U+FFA0)"},
    {0xFFF9, 0xFFFB, "an annotation mark (U+FFF9 to U+FFFB)"},
};

static const char *unseen_name(uint32_t point)
{
    for (size_t i = 0; i < sizeof unseen / sizeof unseen[0]; i++) {
        if (point >= unseen[i].first && point <= unseen[i].last) {
            return unseen[i].name;
        }
    }
    return NULL;
}

const char *unseen_first(const char *text, size_t len, size_t *size)
{
    const unsigned char *at = (const unsigned char *)text;
    *size = 1;
    if (len >= 1 && at[0] < 0x80) {
        return unseen_name(at[0]);
    }
    if (len >= 2 && (at[0] & 0xE0) == 0xC0) {
        *size = 2;
        return unseen_name((uint32_t)(at[0] & 0x1F) << 6 | (at[1] & 0x3F));
    }
    if (len >= 3 && (at[0] & 0xF0) == 0xE0) {
        *size = 3;
        return unseen_name((uint32_t)(at[0] & 0x0F) << 12 | (uint32_t)(at[1] & 0x3F) << 6 |
                           (at[2] & 0x3F));
    }
    return NULL;
}

const char *unseen_last(const char *text, size_t len, size_t *size)
{
    size_t begin = len > 0 ? len - 1 : 0;
    while (begin > 0 && ((unsigned char)text[begin] & 0xC0) == 0x80) {
        begin--;
    }
    const char *name = len > 0 ? unseen_first(text + begin, len - begin, size) : NULL;
    return name != NULL && *size == len - begin ? name : NULL;
}

const char *unseen_trim(const char *text, size_t *len)
{
    size_t size = 0;
    while (*len > 0 && unseen_first(text, *len, &size) != NULL) {
        text += size;
        *len -= size;
    }
    while (*len > 0 && unseen_last(text, *len, &size) != NULL) {
        *len -= size;
    }
    return text;
}
