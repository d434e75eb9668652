#include <string.h>

#include "base/config_values.h"
#include "base/text.h"

static void config_text_append(char *out, size_t cap, const char *separator, const char *text)
{
    size_t len = strlen(out);
    (void)text_format(out + len, cap - len, "%s%s", len > 0 ? separator : "", text);
}

static void list_text(const struct text_list *list, char *out, size_t cap)
{
    for (size_t i = 0; i < list->count; i++) {
        config_text_append(out, cap, ", ", list->items[i]);
    }
}

static void unwrap_text(const struct config *config, char *out, size_t cap)
{
    for (size_t i = 0; i < config->unwrap_count; i++) {
        config_text_append(out, cap, ", ", rsa_algorithm_name(config->unwrap_algorithms[i]));
    }
}

static void guid_text(const SqlCpGuid *guid, char *out, size_t cap)
{
    const uint8_t *d = guid->Data4;
    (void)text_format(out, cap, "{%08X-%04X-%04X-%02X%02X-%02X%02X%02X%02X%02X%02X}",
                      (unsigned)guid->Data1, guid->Data2, guid->Data3, d[0], d[1], d[2], d[3], d[4],
                      d[5], d[6], d[7]);
}

static void forms_text(unsigned forms, char *out, size_t cap)
{
    for (int i = 0; i < SIGN_IN_FORM_COUNT; i++) {
        if ((forms & 1u << i) != 0) {
            config_text_append(out, cap, ", ", sign_in_form_name((enum sign_in_form)i));
        }
    }
}

/* Does not show a proxy's password. */
static void proxy_text(const char *value, char *out, size_t cap)
{
    const char *at = strrchr(value, '@'), *scheme = strstr(value, "://");
    if (at == NULL) {
        (void)text_copy(out, cap, value);
        return;
    }
    int scheme_len = scheme != NULL && scheme < at ? (int)(scheme - value) + 3 : 0;
    (void)text_format(out, cap, "%.*s***%s", scheme_len, value, at);
}

void config_value_text(const struct config_kind *kind, const void *field,
                       const struct config *config, char *out, size_t cap)
{
    static const char *const levels[] = {"none", "error", "info", "debug"};
    const SqlCpVersion *version = field;
    out[0] = '\0';
    switch (kind->type) {
    case KIND_BOOL:
        (void)text_copy(out, cap, *(const bool *)field ? "yes" : "no");
        break;
    case KIND_NUMBER:
        (void)text_format(out, cap, "%u", (unsigned)*(const uint32_t *)field);
        break;
    case KIND_TEXT:
    case KIND_NAME:
    case KIND_PATH:
    case KIND_API_VERSION:
    case KIND_CLIENT_ID:
    case KIND_TENANT:
        (void)text_copy(out, cap, field);
        break;
    case KIND_PROXY:
        proxy_text(field, out, cap);
        break;
    case KIND_LEVEL:
        (void)text_copy(out, cap, levels[*(const enum log_level *)field]);
        break;
    case KIND_WRAP:
        (void)text_copy(out, cap,
                        config->wrap_auto ? "auto" : rsa_algorithm_name(config->wrap_algorithm));
        break;
    case KIND_UNWRAP:
        unwrap_text(config, out, cap);
        break;
    case KIND_SUFFIXES:
    case KIND_HOSTS:
    case KIND_CONNECT_TO:
    case KIND_PAIRS:
    case KIND_DATES:
        list_text(field, out, cap);
        break;
    case KIND_FORMS:
        forms_text(*(const unsigned *)field, out, cap);
        break;
    case KIND_SOURCE:
        (void)text_copy(out, cap, identity_source_name(*(const enum identity_source *)field));
        break;
    case KIND_GUID:
        guid_text(field, out, cap);
        break;
    case KIND_VERSION:
        (void)text_format(out, cap, "%u.%u.%u.%u", version->major, version->minor, version->build,
                          version->revision);
        break;
    }
}
