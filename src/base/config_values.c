#include "base/config_values.h"

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/date.h"
#include "base/text.h"
#include "platform/default_paths.h"

static enum ekm_rc config_check_value(bool right, const char *must, const char **why)
{
    *why = must;
    return right ? EKM_OK : EKM_CONFIGURATION;
}

static enum ekm_rc read_bool(const char *value, bool *field, const char **why)
{
    bool yes = strcmp(value, "yes") == 0;
    *field = yes;
    return config_check_value(yes || strcmp(value, "no") == 0, "must be yes or no", why);
}

static enum ekm_rc config_read_number(const struct config_kind *kind, const char *value,
                                      uint32_t *field, const char **why)
{
    uint64_t number = 0;
    bool right = text_to_u64(value, kind->high, &number) && number >= kind->low;
    *field = (uint32_t)number;
    return config_check_value(right, "must be a number in its range, see docs/configuration.md",
                              why);
}

static enum ekm_rc read_path(const struct config_kind *kind, const char *value, char *field,
                             const char **why)
{
    bool right = default_paths_is_absolute(value) || (value[0] == '\0' && kind->low == 0);
    return config_check_value(text_copy(field, kind->high, value) && right,
                              "must be an absolute path", why);
}

static const char *const level_names[] = {"none", "error", "info", "debug"};

static enum ekm_rc read_level(const char *value, enum log_level *field, const char **why)
{
    for (int i = 0; i < 4; i++) {
        if (strcmp(value, level_names[i]) == 0) {
            *field = (enum log_level)i;
            return EKM_OK;
        }
    }
    return config_check_value(false, "must be none, error, info or debug", why);
}

static bool find_algorithm(const char *name, size_t len, enum rsa_algorithm *out)
{
    for (int i = 0; i < RSA_ALGORITHM_COUNT; i++) {
        const char *known = rsa_algorithm_name((enum rsa_algorithm)i);
        if (strlen(known) == len && memcmp(known, name, len) == 0) {
            *out = (enum rsa_algorithm)i;
            return true;
        }
    }
    return false;
}

static enum ekm_rc read_wrap(const char *value, struct config *config, const char **why)
{
    config->wrap_auto = strcmp(value, "auto") == 0;
    bool right = config->wrap_auto || find_algorithm(value, strlen(value), &config->wrap_algorithm);
    return config_check_value(right, "must be auto, RSA-OAEP-256, RSA-OAEP or RSA1_5", why);
}

/* The next item of a comma-separated list, without blanks around it; false at the end. */
static bool next_item(const char **list, const char **item, size_t *len)
{
    const char *at = *list;
    if (at == NULL) {
        return false;
    }
    size_t span = strcspn(at, ",");
    *list = at[span] == ',' ? at + span + 1 : NULL;
    while (span > 0 && (*at == ' ' || *at == '\t')) {
        at++;
        span--;
    }
    while (span > 0 && (at[span - 1] == ' ' || at[span - 1] == '\t')) {
        span--;
    }
    *item = at;
    *len = span;
    return true;
}

static enum ekm_rc read_unwrap(const char *value, struct config *config, const char **why)
{
    const char *item;
    size_t len;
    bool right = true, seen[RSA_ALGORITHM_COUNT] = {false};
    config->unwrap_count = 0;
    while (right && next_item(&value, &item, &len)) {
        enum rsa_algorithm algorithm = RSA_OAEP_256;
        right = find_algorithm(item, len, &algorithm) && !seen[algorithm];
        seen[algorithm] = true;
        if (right) {
            config->unwrap_algorithms[config->unwrap_count++] = algorithm;
        }
    }
    return config_check_value(
        right, "must be a list of RSA-OAEP-256, RSA-OAEP, RSA1_5, each at most once", why);
}

static enum ekm_rc list_add(struct text_list *list, const char *prefix, const char *item,
                            size_t len)
{
    size_t prefix_len = strlen(prefix);
    char **grown = calloc(list->count + 1, sizeof *grown);
    char *copy = malloc(prefix_len + len + 1);
    if (grown == NULL || copy == NULL) {
        free(grown);
        free(copy);
        return EKM_OUT_OF_MEMORY;
    }
    memcpy(copy, prefix, prefix_len);
    memcpy(copy + prefix_len, item, len);
    copy[prefix_len + len] = '\0';
    if (list->count > 0) {
        memcpy(grown, list->items, list->count * sizeof *grown);
    }
    free(list->items);
    grown[list->count] = copy;
    list->items = grown;
    list->count++;
    return EKM_OK;
}

static bool config_is_host(const char *item, size_t len)
{
    char text[TEXT_HOST_CAP];
    return len > 0 && text_copy_n(text, sizeof text, item, len) &&
           text_is_name(text, ".-", sizeof text - 1) && text[0] != '.' && text[len - 1] != '.' &&
           strstr(text, "..") == NULL;
}

/* HOST:PORT:CONNECT-HOST:CONNECT-PORT. The first two may be empty; an IPv6 host is in brackets. */
static bool is_connect_to(const char *item, size_t len)
{
    char text[512];
    int colons = 0;
    bool in_brackets = false;
    if (!text_copy_n(text, sizeof text, item, len) || len == 0 || text[len - 1] == ':') {
        return false;
    }
    for (const char *at = text; *at != '\0'; at++) {
        in_brackets = (in_brackets || *at == '[') && *at != ']';
        colons += *at == ':' && !in_brackets;
    }
    return colons == 3;
}

static bool config_is_pair(const char *item, size_t len)
{
    const char *colon = memchr(item, ':', len);
    return colon != NULL && colon > item && (size_t)(colon - item) + 1 < len;
}

/* YYYY-MM-DD, or with a client ID before it. */
static bool config_is_date(const char *item, size_t len)
{
    char id[37];
    int64_t unix_s = 0;
    const char *colon = memchr(item, ':', len);
    size_t id_len = colon != NULL ? (size_t)(colon - item) : 0;
    size_t date = colon != NULL ? id_len + 1 : 0;
    while (id_len > 0 && (item[id_len - 1] == ' ' || item[id_len - 1] == '\t')) {
        id_len--;
    }
    while (date < len && (item[date] == ' ' || item[date] == '\t')) {
        date++;
    }
    return (colon == NULL || uuid_read(item, id_len, id)) &&
           date_read(item + date, len - date, &unix_s);
}

static bool config_is_item(enum config_type type, const char *item, size_t len)
{
    switch (type) {
    case KIND_CONNECT_TO:
        return is_connect_to(item, len);
    case KIND_PAIRS:
        return config_is_pair(item, len);
    case KIND_DATES:
        return config_is_date(item, len);
    default:
        return config_is_host(item, len);
    }
}

static enum ekm_rc config_read_list(enum config_type type, const char *value,
                                    struct text_list *list, const char **why)
{
    const char *item,
        *must = type == KIND_CONNECT_TO ? "must be a list of HOST:PORT:CONNECT-HOST:CONNECT-PORT"
                : type == KIND_PAIRS ? "must be a list of VAULT: SECOND VAULT separated by commas"
                : type == KIND_DATES ? "must be a list of YYYY-MM-DD or CLIENT ID: YYYY-MM-DD"
                                     : "must be a list of host names separated by commas";
    size_t len;
    if (value[0] == '\0') {
        return EKM_OK; /* an empty list */
    }
    while (next_item(&value, &item, &len)) {
        bool dotted = type == KIND_SUFFIXES && len > 0 && item[0] == '.';
        enum ekm_rc rc =
            config_check_value(config_is_item(type, item + dotted, len - dotted), must, why);
        if (rc != EKM_OK) {
            return rc;
        }
        rc = list_add(list, type == KIND_SUFFIXES && !dotted ? "." : "", item, len);
        if (rc != EKM_OK) {
            return rc;
        }
    }
    return EKM_OK;
}

static enum ekm_rc config_read_forms(const char *value, unsigned *field, const char **why)
{
    const char *item;
    size_t len;
    bool right = true;
    *field = 0;
    while (right && next_item(&value, &item, &len)) {
        enum sign_in_form form = SIGN_IN_SECRET;
        right = sign_in_form_find(item, len, &form) && (*field & 1u << form) == 0;
        *field |= 1u << form;
    }
    return config_check_value(
        right,
        "must be a list of secret, certificate, managed-identity, workload-identity, "
        "federated-identity, each at most once",
        why);
}

static enum ekm_rc config_read_tenant(const struct config_kind *kind, const char *value,
                                      char *field, const char **why)
{
    bool right = value[0] == '\0' || (text_is_name(value, ".-", kind->high - 1) &&
                                      text_is_alnum(value[0]) && strstr(value, "..") == NULL);
    return config_check_value(text_copy(field, kind->high, value) && right,
                              "must be a tenant's ID or domain: at most 64 of 0-9 A-Z a-z . -",
                              why);
}

static enum ekm_rc read_guid(const char *value, SqlCpGuid *field, const char **why)
{
    static const size_t hyphens[] = {8, 13, 18, 23};
    char hex[33];
    uint8_t b[16];
    size_t len = strlen(value), used = 0;
    bool right = true;
    if (len == 38 && value[0] == '{' && value[37] == '}') {
        value++;
        len = 36;
    }
    for (size_t i = 0, h = 0; right && i < len && len == 36; i++) {
        if (h < 4 && i == hyphens[h]) {
            right = value[i] == '-';
            h++;
        } else {
            hex[used++] = value[i];
        }
    }
    right = right && used == 32 && hex_decode(hex, 16, b);
    if (right) {
        field->Data1 = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
        field->Data2 = (uint16_t)(b[4] << 8 | b[5]);
        field->Data3 = (uint16_t)(b[6] << 8 | b[7]);
        memcpy(field->Data4, b + 8, 8);
    }
    return config_check_value(right, "must be a GUID", why);
}

/* major.minor.build.revision, as sys.cryptographic_providers shows it; leading zeros are
 * allowed. */
static enum ekm_rc read_version(const char *value, SqlCpVersion *field, const char **why)
{
    static const uint64_t most[] = {UINT8_MAX, UINT8_MAX, UINT16_MAX, UINT8_MAX};
    uint64_t parts[4] = {0, 0, 0, 0};
    char part[8];
    bool right = true;
    for (int i = 0; i < 4 && right; i++) {
        size_t len = strcspn(value, ".");
        right = (i < 3) == (value[len] == '.') && text_copy_n(part, sizeof part, value, len) &&
                text_to_u64(part, most[i], &parts[i]);
        value += len + (value[len] == '.');
    }
    *field =
        (SqlCpVersion){(uint8_t)parts[0], (uint8_t)parts[1], (uint16_t)parts[2], (uint8_t)parts[3]};
    return config_check_value(right, "must be a version a.b.c.d", why);
}

static bool skip_digits(const char **at, size_t least, size_t most)
{
    size_t count = 0;
    while (count < most && text_is_digit(**at)) {
        (*at)++;
        count++;
    }
    return count >= least;
}

/* key-vault-wire.md section 1: 7.N or a date, with an optional -preview[.N]. */
static bool is_api_version(const char *value)
{
    const char *at = value;
    bool right = at[0] == '7' && at[1] == '.';
    if (right) {
        at += 2;
        right = skip_digits(&at, 1, 3);
    } else {
        right = skip_digits(&at, 4, 4) && *at++ == '-' && skip_digits(&at, 2, 2) && *at++ == '-' &&
                skip_digits(&at, 2, 2);
    }
    if (right && strncmp(at, "-preview", 8) == 0) {
        at += 8;
        if (*at == '.') {
            at++;
            right = skip_digits(&at, 1, 3);
        }
    }
    return right && *at == '\0';
}

enum ekm_rc config_value_read(const struct config_kind *kind, const char *value, void *field,
                              struct config *config, const char **why)
{
    switch (kind->type) {
    case KIND_BOOL:
        return read_bool(value, field, why);
    case KIND_NUMBER:
        return config_read_number(kind, value, field, why);
    case KIND_TEXT:
        return config_check_value(value[0] != '\0' && text_copy(field, kind->high, value),
                                  "must not be empty or too long", why);
    case KIND_NAME:
        return config_check_value(
            text_copy(field, kind->high, value) &&
                (value[0] == '\0' || text_is_name(value, "._-", kind->high - 1)),
            "must be at most 24 of 0-9 A-Z a-z . _ -", why);
    case KIND_PATH:
        return read_path(kind, value, field, why);
    case KIND_PROXY:
        return config_check_value(text_copy(field, kind->high, value), "the value is too long",
                                  why);
    case KIND_LEVEL:
        return read_level(value, field, why);
    case KIND_WRAP:
        return read_wrap(value, config, why);
    case KIND_UNWRAP:
        return read_unwrap(value, config, why);
    case KIND_SUFFIXES:
    case KIND_HOSTS:
    case KIND_CONNECT_TO:
    case KIND_PAIRS:
    case KIND_DATES:
        return config_read_list(kind->type, value, field, why);
    case KIND_GUID:
        return read_guid(value, field, why);
    case KIND_VERSION:
        return read_version(value, field, why);
    case KIND_API_VERSION:
        return config_check_value(is_api_version(value) && text_copy(field, kind->high, value),
                                  "must be an api-version such as 7.4 or 2025-07-01", why);
    case KIND_FORMS:
        return config_read_forms(value, field, why);
    case KIND_SOURCE:
        return config_check_value(identity_source_find(value, field),
                                  "must be auto, imds, arc or app-service", why);
    case KIND_CLIENT_ID:
        *(char *)field = '\0';
        return config_check_value(value[0] == '\0' || uuid_read(value, strlen(value), field),
                                  "must be a client ID", why);
    case KIND_TENANT:
        return config_read_tenant(kind, value, field, why);
    }
    return EKM_INTERNAL;
}
