#include "vault/key.h"

#include <string.h>

#include "base/text.h"

/* Copies up to the next '/' or the end, and advances past it. */
static bool take_segment(const char **at, char *out, size_t cap)
{
    size_t len = strcspn(*at, "/");
    bool right = text_copy_n(out, cap, *at, len) && text_is_name(out, "-", cap - 1);
    *at += len;
    *at += **at == '/';
    return right;
}

bool key_uri_split(const char *uri, char *host, size_t host_cap, struct key_id *out)
{
    memset(out, 0, sizeof *out);
    if (!text_equal_nocase_n(uri, "https://", 8)) {
        return false;
    }
    const char *at = uri + 8;
    size_t len = strcspn(at, ":/");
    if (len == 0 || !text_copy_n(host, host_cap, at, len)) {
        return false;
    }
    text_lower(host);
    at += len;
    if (*at == ':') {
        if (strncmp(at, ":443/", 5) != 0) {
            return false;
        }
        at += 4;
    }
    if (!text_equal_nocase_n(at, "/keys/", 6)) {
        return false;
    }
    at += 6;
    if (!take_segment(&at, out->name, sizeof out->name)) {
        return false;
    }
    if (at[-1] != '/') {
        return *at == '\0';
    }
    return take_segment(&at, out->version, sizeof out->version) && *at == '\0' && at[-1] != '/';
}

bool key_uri_parse(const char *uri, const char *host, struct key_id *out)
{
    char found[254];
    return key_uri_split(uri, found, sizeof found, out) && text_equal_nocase(found, host);
}

bool key_uri_format(char *out, size_t cap, const char *host, const struct key_id *key)
{
    return text_format(out, cap, "https://%s/keys/%s%s%s", host, key->name,
                       key->version[0] != '\0' ? "/" : "", key->version);
}

bool key_id_equal(const struct key_id *a, const struct key_id *b)
{
    return text_equal_nocase(a->name, b->name) && text_equal_nocase(a->version, b->version);
}
