#include "vault/address.h"

#include <string.h>

#include "base/text.h"

#define VAULT_NAME_MIN 3
#define VAULT_NAME_MAX 24
#define LABEL_MAX      63

/* Source: key-vault-wire.md sections 9 and 5.5. The library always uses a cloud's first login host,
 * even if a vault names another one, so that one firewall rule is enough. */
static const struct cloud {
    const char *suffixes[2];
    const char *logins[4];
} clouds[] = {
    {{".vault.azure.net", ".managedhsm.azure.net"},
     {"login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"}},
    {{".vault.azure.cn", ".managedhsm.azure.cn"},
     {"login.partner.microsoftonline.cn", "login.chinacloudapi.cn"}},
    {{".vault.usgovcloudapi.net", ".managedhsm.usgovcloudapi.net"},
     {"login.microsoftonline.us", "login.usgovcloudapi.net"}},
    {{".vault.microsoftazure.de"}, {"login.microsoftonline.de"}},
    {{".vault.sovcloud-api.fr", ".managedhsm.sovcloud-api.fr"}, {"login.sovcloud-identity.fr"}},
    {{".vault.sovcloud-api.de", ".managedhsm.sovcloud-api.de"}, {"login.sovcloud-identity.de"}},
    /* Its suffixes are not published. */
    {{NULL}, {"login.sovcloud-identity.sg"}},
};
#define CLOUDS   (sizeof clouds / sizeof clouds[0])
#define SUFFIXES 2
#define LOGINS   4

/* A host has labels of 1 to 63 of the characters 0-9 A-Z a-z -, separated by single dots. */
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

static bool is_under(const char *host, const char *suffix)
{
    return strlen(host) > strlen(suffix) && text_ends_nocase(host, suffix);
}

/* The suffix of `host`, which has a name before it; NULL if the cloud is unknown. */
static const char *known_suffix(const struct config *config, const char *host)
{
    for (size_t i = 0; i < CLOUDS; i++) {
        for (size_t j = 0; j < SUFFIXES && clouds[i].suffixes[j] != NULL; j++) {
            if (is_under(host, clouds[i].suffixes[j])) {
                return clouds[i].suffixes[j];
            }
        }
    }
    for (size_t i = 0; i < config->vault_suffixes.count; i++) {
        if (is_under(host, config->vault_suffixes.items[i])) {
            return config->vault_suffixes.items[i];
        }
    }
    return NULL;
}

enum ekm_rc address_parse(const struct config *config, const char *identity,
                          struct vault_address *out)
{
    char host[TEXT_HOST_CAP];
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
        (void)text_copy(host + len, sizeof host - len, clouds[0].suffixes[0]);
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

/* The cloud of a vault; NULL for one of vault_suffixes. */
static const struct cloud *address_cloud(const struct vault_address *vault)
{
    for (size_t i = 0; i < CLOUDS; i++) {
        for (size_t j = 0; j < SUFFIXES && clouds[i].suffixes[j] != NULL; j++) {
            if (strcmp(vault->resource, clouds[i].suffixes[j] + 1) == 0) {
                return &clouds[i];
            }
        }
    }
    return NULL;
}

static bool cloud_has_login(const struct cloud *cloud, const char *host)
{
    for (size_t i = 0; i < LOGINS && cloud->logins[i] != NULL; i++) {
        if (text_equal_nocase(host, cloud->logins[i])) {
            return true;
        }
    }
    return false;
}

const char *address_login(const struct config *config, const struct vault_address *vault,
                          const char *host)
{
    const struct cloud *own = address_cloud(vault);
    for (size_t i = 0; i < config->authority_hosts.count; i++) {
        if (text_equal_nocase(host, config->authority_hosts.items[i])) {
            return config->authority_hosts.items[i];
        }
    }
    for (size_t i = 0; i < CLOUDS; i++) {
        if ((own == NULL || own == &clouds[i]) && cloud_has_login(&clouds[i], host)) {
            return clouds[i].logins[0];
        }
    }
    return NULL;
}

const char *address_authority(const struct vault_address *vault)
{
    const struct cloud *own = address_cloud(vault);
    return own != NULL ? own->logins[0] : NULL;
}
