#include "net/http_header.h"

#include <string.h>

#include "base/text.h"

/* Returns the trimmed value of the header `name`, which is in lower case, from a line of `len`
 * bytes. NULL: the line is another header. */
static const char *header_value(const char *line, size_t len, const char *name, size_t *value_len)
{
    size_t name_len = strlen(name);
    if (len <= name_len || line[name_len] != ':' || !text_equal_nocase_n(line, name, name_len)) {
        return NULL;
    }
    const char *value = line + name_len + 1;
    len -= name_len + 1;
    while (len > 0 && (*value == ' ' || *value == '\t')) {
        value++;
        len--;
    }
    while (len > 0 && strchr(" \t\r\n", value[len - 1]) != NULL) {
        len--;
    }
    *value_len = len;
    return value;
}

static void add_challenge(struct http_response *response, const char *value, size_t len)
{
    size_t used = strlen(response->authenticate), room = sizeof response->authenticate - used;
    if (len + 3 > room) {
        return;
    }
    (void)text_format(response->authenticate + used, room, "%s%.*s", used > 0 ? ", " : "", (int)len,
                      value);
}

bool http_header_read(const char *line, size_t len, struct http_response *response)
{
    size_t value_len = 0;
    const char *value = NULL;
    switch (len > 0 ? line[0] | 0x20 : 0) {
    case 'h':
        if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
            http_response_forget_header(response);
            return true;
        }
        break;
    case 'c':
        if ((value = header_value(line, len, "content-type", &value_len)) != NULL) {
            size_t most = sizeof response->content_type - 1;
            (void)text_copy_n(response->content_type, sizeof response->content_type, value,
                              value_len < most ? value_len : most);
        }
        break;
    case 'w':
        if ((value = header_value(line, len, "www-authenticate", &value_len)) != NULL) {
            add_challenge(response, value, value_len);
        }
        break;
    case 'r':
        if ((value = header_value(line, len, "retry-after", &value_len)) != NULL) {
            (void)text_copy_n(response->retry_after, sizeof response->retry_after, value,
                              value_len);
        }
        break;
    case 'x':
        if ((value = header_value(line, len, "x-ms-request-id", &value_len)) != NULL) {
            (void)text_copy_n(response->request_id, sizeof response->request_id, value, value_len);
        }
        break;
    default:
        break;
    }
    return false;
}
