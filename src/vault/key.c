#include "vault/key.h"

#include <string.h>

#include "base/text.h"

/* Copies the text before the next '/' or the end, and moves *at behind it. */
static bool take_segment(const char **at, char *out, size_t cap)
{
    size_t len = strcspn(*at, "/");
    bool right = text_copy_n(out, cap, *at, len) && text_is_name(out, "-", cap - 1);
    *at += len;
    *at += **at == '/';
    return right;
}

/* The host in a key's URI, of `len` characters; NULL: there is none. */
static const char *key_find_host(const char *uri, size_t *len)
{
    *len = text_equal_nocase_n(uri, "https://", 8) ? strcspn(uri + 8, "/") : 0;
    const char *port = *len > 0 ? memchr(uri + 8, ':', *len) : NULL;
    if (port != NULL) {
        *len = strncmp(port, ":443/", 5) == 0 ? (size_t)(port - uri) - 8 : 0;
    }
    return *len > 0 ? uri + 8 : NULL;
}

/* What is behind the host: /keys/NAME, and a version or none. */
static bool key_split_path(const char *at, struct key_id *out)
{
    at += strncmp(at, ":443/", 5) == 0 ? 4 : 0;
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

bool key_uri_split(const char *uri, char *host, size_t host_cap, struct key_id *out)
{
    size_t len = 0;
    const char *found = key_find_host(uri, &len);
    memset(out, 0, sizeof *out);
    if (found == NULL || !text_copy_n(host, host_cap, found, len)) {
        return false;
    }
    text_lower(host);
    return key_split_path(found + len, out);
}

bool key_uri_parse(const char *uri, const char *host, struct key_id *out)
{
    size_t len = 0;
    const char *found = key_find_host(uri, &len);
    memset(out, 0, sizeof *out);
    return found != NULL && len == strlen(host) && text_equal_nocase_n(found, host, len) &&
           key_split_path(found + len, out);
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
