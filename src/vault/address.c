#include "vault/address.h"

#include <string.h>

#include "base/text.h"

#define VAULT_NAME_MIN 3
#define VAULT_NAME_MAX 24
#define LABEL_MAX      63

/* key-vault-wire.md sections 9 and 5.5 */
static const struct {
    const char *suffix, *authority;
} clouds[] = {
    {".vault.azure.net", "login.microsoftonline.com"},
    {".managedhsm.azure.net", "login.microsoftonline.com"},
    {".vault.azure.cn", "login.partner.microsoftonline.cn"},
    {".managedhsm.azure.cn", "login.partner.microsoftonline.cn"},
    {".vault.usgovcloudapi.net", "login.microsoftonline.us"},
    {".managedhsm.usgovcloudapi.net", "login.microsoftonline.us"},
    {".vault.microsoftazure.de", "login.microsoftonline.de"},
};
#define CLOUDS (sizeof clouds / sizeof clouds[0])

/* key-vault-wire.md section 5.5 */
static const char *const authorities[] = {
    "login.microsoftonline.com",
    "login.windows.net",
    "login.microsoft.com",
    "sts.windows.net",
    "login.partner.microsoftonline.cn",
    "login.chinacloudapi.cn",
    "login.microsoftonline.us",
    "login.usgovcloudapi.net",
    "login.microsoftonline.de",
    "login.sovcloud-identity.fr",
    "login.sovcloud-identity.de",
    "login.sovcloud-identity.sg",
};

/* Labels of 1..63 of 0-9 A-Z a-z -, separated by single dots. */
static bool address_is_host(const char *host)
{
    size_t label = 0;
    for (const char *at = host; *at != '\0'; at++) {
        if (*at == '.') {
            if (label == 0) {
                return false;
            }
            label = 0;
        } else if ((!text_is_alnum(*at) && *at != '-') || ++label > LABEL_MAX) {
            return false;
        }
    }
    return label > 0;
}

/* The suffix that `host` ends in, with something before it; NULL if it is of no known cloud. */
static const char *known_suffix(const struct config *config, const char *host)
{
    for (size_t i = 0; i < CLOUDS; i++) {
        const char *suffix = clouds[i].suffix;
        if (strlen(host) > strlen(suffix) && text_ends_nocase(host, suffix)) {
            return suffix;
        }
    }
    for (size_t i = 0; i < config->vault_suffixes.count; i++) {
        const char *suffix = config->vault_suffixes.items[i];
        if (strlen(host) > strlen(suffix) && text_ends_nocase(host, suffix)) {
            return suffix;
        }
    }
    return NULL;
}

enum ekm_rc address_parse(const struct config *config, const char *identity,
                          struct vault_address *out)
{
    char host[254];
    if (text_equal_nocase_n(identity, "https://", 8)) {
        identity += 8;
    }
    size_t len = strlen(identity);
    len -= len > 0 && identity[len - 1] == '/';
    if (!text_copy_n(host, sizeof host, identity, len) || !address_is_host(host)) {
        return EKM_VAULT_NOT_ALLOWED;
    }
    if (strchr(host, '.') == NULL) {
        if (len < VAULT_NAME_MIN || len > VAULT_NAME_MAX) {
            return EKM_VAULT_NOT_ALLOWED;
        }
        (void)text_copy(host + len, sizeof host - len, clouds[0].suffix);
    }
    const char *suffix = known_suffix(config, host);
    if (suffix == NULL) {
        return EKM_VAULT_NOT_ALLOWED;
    }
    text_lower(host);
    (void)text_copy(out->host, sizeof out->host, host);
    (void)text_copy(out->resource, sizeof out->resource, suffix + 1);
    text_lower(out->resource);
    return EKM_OK;
}

bool address_is_authority(const struct config *config, const char *host)
{
    for (size_t i = 0; i < sizeof authorities / sizeof authorities[0]; i++) {
        if (text_equal_nocase(host, authorities[i])) {
            return true;
        }
    }
    for (size_t i = 0; i < config->authority_hosts.count; i++) {
        if (text_equal_nocase(host, config->authority_hosts.items[i])) {
            return true;
        }
    }
    return false;
}

const char *address_authority(const struct vault_address *vault)
{
    for (size_t i = 0; i < CLOUDS; i++) {
        if (strcmp(vault->resource, clouds[i].suffix + 1) == 0) {
            return clouds[i].authority;
        }
    }
    return NULL;
}
