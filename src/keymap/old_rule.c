#include "keymap/old_rule.h"

#include "base/codec.h"
#include "base/text.h"

size_t old_rule_names(const struct thumbprint *thumbprint,
                      char names[OLD_RULE_NAMES_MAX][KEY_NAME_MAX + 1])
{
    struct buf text = BUF_EMPTY(64);
    size_t count = 0;
    if (thumbprint->len % 3 == 0 &&
        base64url_encode(thumbprint->bytes, thumbprint->len, &text) == EKM_OK) {
        /* Up to three of the last letters A may be padding. */
        size_t len = text.len;
        do {
            (void)text_copy_n(names[count++], KEY_NAME_MAX + 1, buf_text(&text), len);
            len--;
        } while (count < OLD_RULE_NAMES_MAX && len > 0 && buf_text(&text)[len] == 'A');
        if (!text_is_name(names[0], "-", KEY_NAME_MAX)) {
            count = 0;
        }
    }
    buf_free(&text);
    return count;
}

bool old_rule_length(const struct thumbprint *thumbprint)
{
    return thumbprint->len > 0 && thumbprint->len % 3 == 0;
}

bool old_rule_fits(const struct thumbprint *thumbprint, const char *name)
{
    char names[OLD_RULE_NAMES_MAX][KEY_NAME_MAX + 1];
    size_t count = old_rule_names(thumbprint, names);
    for (size_t i = 0; i < count; i++) {
        if (text_equal_nocase(names[i], name)) {
            return true;
        }
    }
    return false;
}
