#include "cloud.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "encode.h"
#include "oidc.h"

struct cloud {
    const char *vault, *hsm;            /* suffixes without the leading dot, or NULL */
    const char *entra[CLOUD_ENTRA_MAX]; /* the first one goes into challenges */
};

static const struct cloud clouds[] = {
    {"vault.azure.net",
     "managedhsm.azure.net",
     {"login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net",
      NULL}},
    {"vault.azure.cn",
     "managedhsm.azure.cn",
     {"login.partner.microsoftonline.cn", "login.chinacloudapi.cn", NULL}},
    {"vault.usgovcloudapi.net",
     "managedhsm.usgovcloudapi.net",
     {"login.microsoftonline.us", "login.usgovcloudapi.net", NULL}},
    {"vault.microsoftazure.de", NULL, {"login.microsoftonline.de", NULL}},
    {"vault.sovcloud-api.fr", "managedhsm.sovcloud-api.fr", {"login.sovcloud-identity.fr", NULL}},
    {"vault.sovcloud-api.de", "managedhsm.sovcloud-api.de", {"login.sovcloud-identity.de", NULL}},
    /* A sovereign cloud whose vault suffixes are not published: only its Entra host is known. */
    {NULL, NULL, {"login.sovcloud-identity.sg", NULL}},
};
#define CLOUD_COUNT (sizeof clouds / sizeof clouds[0])

static bool is_under(const char *host, const char *suffix)
{
    size_t host_len = strlen(host), len = suffix != NULL ? strlen(suffix) : host_len;
    return host_len > len + 1 && host[host_len - len - 1] == '.' &&
           strcasecmp(host + host_len - len, suffix) == 0;
}

static const struct cloud *cloud_find(const char *host, const char **suffix)
{
    for (size_t i = 0; i < CLOUD_COUNT; i++) {
        if (is_under(host, clouds[i].vault)) {
            *suffix = clouds[i].vault;
            return &clouds[i];
        }
        if (is_under(host, clouds[i].hsm)) {
            *suffix = clouds[i].hsm;
            return &clouds[i];
        }
    }
    const char *dot = strchr(host, '.');
    *suffix = dot != NULL ? dot + 1 : "";
    return NULL;
}

void cloud_resource_of(const char *host, char *resource, size_t cap)
{
    const char *suffix = NULL;
    cloud_find(host, &suffix);
    snprintf(resource, cap, "%s%s", suffix[0] != '\0' ? "https://" : "", suffix);
}

bool cloud_is_hsm(const char *host)
{
    const char *suffix = NULL;
    cloud_find(host, &suffix);
    return strncasecmp(suffix, "managedhsm.", 11) == 0;
}

const char *cloud_authority_of(const char *host)
{
    const char *suffix = NULL;
    const struct cloud *cloud = cloud_find(host, &suffix);
    return cloud != NULL ? cloud->entra[0] : clouds[0].entra[0];
}

static const struct cloud *entra_cloud(const char *host)
{
    for (size_t i = 0; i < CLOUD_COUNT; i++) {
        for (size_t j = 0; clouds[i].entra[j] != NULL; j++) {
            if (strcasecmp(host, clouds[i].entra[j]) == 0) {
                return &clouds[i];
            }
        }
    }
    return NULL;
}

bool cloud_is_entra(const char *host)
{
    return entra_cloud(host) != NULL;
}

size_t cloud_entra_hosts(size_t index, const char *names[CLOUD_ENTRA_MAX])
{
    size_t count = 0;
    while (index < CLOUD_COUNT && clouds[index].entra[count] != NULL) {
        names[count] = clouds[index].entra[count];
        count++;
    }
    return count;
}

size_t cloud_entra_aliases(const char *host, const char *names[CLOUD_ENTRA_MAX])
{
    const struct cloud *cloud = entra_cloud(host);
    return cloud != NULL ? cloud_entra_hosts((size_t)(cloud - clouds), names) : 0;
}

static bool is_at(const char *host, const char *suffix)
{
    return suffix != NULL && (strcasecmp(host, suffix) == 0 || is_under(host, suffix));
}

/* Entra accepts the vault's own URL and a final slash as a resource; the vault refuses the token.
 */
bool cloud_issues(const char *entra_host, const char *resource)
{
    static const char *const others[] = {"graph.microsoft.com", "management.azure.com"};
    const struct cloud *cloud = entra_cloud(entra_host);
    char host[256];
    if (cloud == NULL || strncasecmp(resource, "https://", 8) != 0) {
        return false;
    }
    snprintf(host, sizeof host, "%s", resource + 8);
    host[strcspn(host, "/")] = '\0';
    for (size_t i = 0; i < sizeof others / sizeof others[0] && cloud == &clouds[0]; i++) {
        if (strcasecmp(host, others[i]) == 0) {
            return true;
        }
    }
    return is_at(host, cloud->vault) || is_at(host, cloud->hsm);
}

char *cloud_certificate_name(size_t index)
{
    for (size_t i = 0; i < CLOUD_COUNT; i++) {
        if (clouds[i].vault != NULL && index-- == 0) {
            return format_text("*.%s", clouds[i].vault);
        }
        if (clouds[i].hsm != NULL && index-- == 0) {
            return format_text("*.%s", clouds[i].hsm);
        }
        for (size_t j = 0; clouds[i].entra[j] != NULL; j++) {
            if (index-- == 0) {
                return must(strdup(clouds[i].entra[j]));
            }
        }
    }
    static const char *const others[] = {"localhost", OIDC_HOST, REQUEST_TOKEN_PROXY_NAME};
    return index < sizeof others / sizeof others[0] ? must(strdup(others[index])) : NULL;
}

bool cloud_covers(const char *host)
{
    const char *suffix = NULL;
    size_t len = strlen(host);
    return cloud_find(host, &suffix) != NULL &&
           strchr(host, '.') == host + len - strlen(suffix) - 1;
}
