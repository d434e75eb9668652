#include "net/system_proxy.h"

#include <string.h>

#include "base/text.h"

#define SEPARATORS "; \t\r\n"

/* Copies the next word of a list, cut to cap. False: the list has ended. */
static bool next_word(const char **list, char *out, size_t cap)
{
    const char *at = *list + strspn(*list, SEPARATORS);
    size_t len = strcspn(at, SEPARATORS);
    *list = at + len;
    return len > 0 && (text_copy_n(out, cap, at, len) || true);
}

bool system_proxy_pick(const char *list, char *out, size_t cap)
{
    static const char https[] = "https=";
    char word[512], best[512] = "";
    while (next_word(&list, word, sizeof word)) {
        if (text_equal_nocase_n(word, https, sizeof https - 1)) {
            (void)text_copy(best, sizeof best, word + sizeof https - 1);
            break;
        }
        if (strchr(word, '=') == NULL && best[0] == '\0') {
            (void)text_copy(best, sizeof best, word);
        }
    }
    bool has_scheme = strstr(best, "://") != NULL;
    return text_format(out, cap, "%s%s", best[0] == '\0' || has_scheme ? "" : "http://", best) &&
           best[0] != '\0';
}

/* `*` matches any characters. Upper and lower case are equal. */
static bool proxy_pattern_matches(const char *pattern, const char *text)
{
    const char *star = NULL, *retry = NULL;
    while (*text != '\0') {
        if (*pattern == '*') {
            star = pattern++;
            retry = text;
        } else if (text_equal_nocase_n(pattern, text, 1)) {
            pattern++;
            text++;
        } else if (star != NULL) {
            pattern = star + 1;
            text = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return *pattern == '\0';
}

bool system_proxy_bypassed(const char *bypass, const char *host)
{
    char word[TEXT_HOST_CAP];
    while (next_word(&bypass, word, sizeof word)) {
        const char *scheme = strstr(word, "://"), *pattern = scheme != NULL ? scheme + 3 : word;
        bool local = text_equal_nocase(word, "<local>") && strchr(host, '.') == NULL;
        if (local || proxy_pattern_matches(pattern, host)) {
            return true;
        }
    }
    return false;
}
