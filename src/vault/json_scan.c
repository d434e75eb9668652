#include "vault/json_scan.h"

#include <stdint.h>
#include <string.h>

#include "base/text.h"

#define DEPTH_MAX  60 /* one bit each */
#define NUMBER_MAX 60 /* cJSON reads no more characters of a number */

struct scan {
    const char *at, *end;
    uint64_t objects; /* one bit for each level, the lowest for the innermost; 1: object */
    unsigned depth;
};

static bool json_scan_take(struct scan *scan, char c)
{
    bool is_there = scan->at < scan->end && *scan->at == c;
    scan->at += is_there;
    return is_there;
}

static void skip_blanks(struct scan *scan)
{
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\r' || *scan->at == '\n')) {
        scan->at++;
    }
}

static bool scan_word(struct scan *scan, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(scan->end - scan->at) < len || memcmp(scan->at, word, len) != 0) {
        return false;
    }
    scan->at += len;
    return true;
}

/* Reads the four digits after \u. */
static bool scan_unit(struct scan *scan, uint32_t *unit)
{
    *unit = 0;
    for (int i = 0; i < 4; i++, scan->at++) {
        char c = scan->at < scan->end ? (char)(*scan->at | 0x20) : '\0';
        bool is_letter = c >= 'a' && c <= 'f';
        if (!is_letter && (scan->at == scan->end || !text_is_digit(*scan->at))) {
            return false;
        }
        *unit = *unit << 4 | (uint32_t)(is_letter ? c - 'a' + 10 : *scan->at - '0');
    }
    return true;
}

/* Reads an escape after its backslash. The first half of a surrogate pair needs the other half. */
static bool scan_escape(struct scan *scan)
{
    uint32_t unit, low;
    if (scan->at == scan->end || *scan->at == '\0') {
        return false;
    }
    if (*scan->at != 'u') {
        return strchr("\"\\/bfnrt", *scan->at++) != NULL;
    }
    scan->at++;
    if (!scan_unit(scan, &unit) || unit == 0 || (unit >= 0xDC00 && unit < 0xE000)) {
        return false;
    }
    if (unit < 0xD800 || unit >= 0xE000) {
        return true;
    }
    return scan_word(scan, "\\u") && scan_unit(scan, &low) && low >= 0xDC00 && low < 0xE000;
}

static bool scan_string(struct scan *scan)
{
    if (!json_scan_take(scan, '"')) {
        return false;
    }
    while (scan->at < scan->end && *scan->at != '\0') {
        char c = *scan->at++;
        if (c == '"') {
            return true;
        }
        if (c == '\\' && !scan_escape(scan)) {
            return false;
        }
    }
    return false;
}

static bool scan_digits(struct scan *scan)
{
    const char *first = scan->at;
    while (scan->at < scan->end && text_is_digit(*scan->at)) {
        scan->at++;
    }
    return scan->at > first;
}

static bool scan_number(struct scan *scan)
{
    const char *first = scan->at;
    (void)json_scan_take(scan, '-');
    if (!json_scan_take(scan, '0') && !scan_digits(scan)) {
        return false;
    }
    if (json_scan_take(scan, '.') && !scan_digits(scan)) {
        return false;
    }
    if (json_scan_take(scan, 'e') || json_scan_take(scan, 'E')) {
        (void)(json_scan_take(scan, '+') || json_scan_take(scan, '-'));
        if (!scan_digits(scan)) {
            return false;
        }
    }
    return scan->at - first <= NUMBER_MAX;
}

static bool scan_plain(struct scan *scan)
{
    switch (*scan->at) {
    case '"':
        return scan_string(scan);
    case 't':
        return scan_word(scan, "true");
    case 'f':
        return scan_word(scan, "false");
    case 'n':
        return scan_word(scan, "null");
    default:
        return scan_number(scan);
    }
}

static bool scan_name(struct scan *scan)
{
    skip_blanks(scan);
    bool right = scan_string(scan);
    skip_blanks(scan);
    return right && json_scan_take(scan, ':');
}

static bool json_scan_enter(struct scan *scan, bool is_object)
{
    scan->depth++;
    scan->objects = scan->objects << 1 | (is_object ? 1 : 0);
    return scan->depth <= DEPTH_MAX;
}

/* Reads the closing brackets and the comma after a value. *more: another value follows. */
static bool json_scan_leave(struct scan *scan, bool *more)
{
    skip_blanks(scan);
    while (scan->depth > 0 && json_scan_take(scan, (scan->objects & 1) != 0 ? '}' : ']')) {
        scan->objects >>= 1;
        scan->depth--;
        skip_blanks(scan);
    }
    *more = scan->depth > 0;
    return !*more || (json_scan_take(scan, ',') && ((scan->objects & 1) == 0 || scan_name(scan)));
}

/* Reads a value. Of an object or array that is not empty, reads only the part before its first
 * value. */
static bool scan_value(struct scan *scan, bool *opened)
{
    *opened = false;
    skip_blanks(scan);
    bool is_object = json_scan_take(scan, '{');
    if (!is_object && !json_scan_take(scan, '[')) {
        return scan->at < scan->end && scan_plain(scan);
    }
    skip_blanks(scan);
    if (json_scan_take(scan, is_object ? '}' : ']')) {
        return true;
    }
    *opened = true;
    return json_scan_enter(scan, is_object) && (!is_object || scan_name(scan));
}

bool json_scan(const char *text, size_t len)
{
    struct scan scan = {.at = text, .end = text + len};
    skip_blanks(&scan);
    bool right = scan.at < scan.end && *scan.at == '{', more = true;
    while (right && more) {
        bool opened;
        right = scan_value(&scan, &opened) && (opened || json_scan_leave(&scan, &more));
    }
    return right && scan.at == scan.end;
}

static bool scan_span(struct scan *scan, struct json_span *out)
{
    if (!json_scan_take(scan, '"')) {
        return false;
    }
    const char *quote = memchr(scan->at, '"', (size_t)(scan->end - scan->at));
    if (quote == NULL) {
        return false;
    }
    *out = (struct json_span){scan->at, (size_t)(quote - scan->at)};
    scan->at = quote + 1;
    return memchr(out->at, '\\', out->len) == NULL && memchr(out->at, '\0', out->len) == NULL;
}

static bool scan_flat_member(struct scan *scan, struct json_span *name, struct json_span *value)
{
    skip_blanks(scan);
    bool right = scan_span(scan, name);
    skip_blanks(scan);
    right = right && json_scan_take(scan, ':');
    skip_blanks(scan);
    right = right && scan_span(scan, value);
    skip_blanks(scan);
    return right;
}

bool json_scan_flat(const char *text, size_t len, const char *const *names, size_t count,
                    struct json_span *out)
{
    struct scan scan = {.at = text, .end = text + len};
    memset(out, 0, count * sizeof *out);
    skip_blanks(&scan);
    bool right = json_scan_take(&scan, '{'), more = right;
    while (more) {
        struct json_span name = {NULL, 0}, value = {NULL, 0};
        right = scan_flat_member(&scan, &name, &value);
        for (size_t i = 0; right && i < count; i++) {
            if (out[i].at == NULL && strlen(names[i]) == name.len &&
                memcmp(names[i], name.at, name.len) == 0) {
                out[i] = value;
            }
        }
        more = right && json_scan_take(&scan, ',');
    }
    right = right && json_scan_take(&scan, '}');
    skip_blanks(&scan);
    return right && scan.at == scan.end;
}
