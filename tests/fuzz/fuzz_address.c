/* IDENTITY and KeyUris: no host is accepted that is not a vault of a known cloud, and what is
 * accepted reads back as the same. */
#include "fuzz.h"

// aims: src/vault/address.c src/vault/key.c

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "keymap/keymap_entry.h"
#include "vault/address.h"

static char suffix[] = ".vault.contoso.example", authority[] = "login.contoso.example";
static char *suffix_items[] = {suffix}, *authority_items[] = {authority};

static const char *const services[] = {
    "vault.azure.net",         "managedhsm.azure.net",
    "vault.azure.cn",          "managedhsm.azure.cn",
    "vault.usgovcloudapi.net", "managedhsm.usgovcloudapi.net",
    "vault.microsoftazure.de", "vault.contoso.example",
    "vault.sovcloud-api.fr",   "managedhsm.sovcloud-api.fr",
    "vault.sovcloud-api.de",   "managedhsm.sovcloud-api.de",
};

static bool is_service(const char *resource)
{
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
        if (strcmp(services[i], resource) == 0) {
            return true;
        }
    }
    return false;
}

static void check_lower(const char *text)
{
    for (; *text != '\0'; text++) {
        FUZZ_CHECK(*text < 'A' || *text > 'Z');
    }
}

static void check_identity(const struct config *config, const char *identity)
{
    struct vault_address address, again;
    char url[300];
    enum ekm_rc rc = address_parse(config, identity, &address);
    if (rc != EKM_OK) {
        FUZZ_CHECK(rc == EKM_VAULT_NOT_ALLOWED);
        return;
    }
    size_t len = strlen(address.host), resource_len = strlen(address.resource);
    FUZZ_CHECK(text_is_name(address.host, ".-", 253) && is_service(address.resource));
    FUZZ_CHECK(len > resource_len + 1 && address.host[len - resource_len - 1] == '.');
    FUZZ_CHECK(strcmp(address.host + len - resource_len, address.resource) == 0);
    check_lower(address.host);
    FUZZ_CHECK(address_login(config, &address, address.host) == NULL);
    FUZZ_CHECK(text_format(url, sizeof url, "HTTPS://%s/", address.host));
    FUZZ_CHECK(address_parse(config, url, &again) == EKM_OK);
    FUZZ_CHECK(strcmp(again.host, address.host) == 0 &&
               strcmp(again.resource, address.resource) == 0);
    char *in_map = strdup(url);
    FUZZ_CHECK(in_map != NULL);
    const char *host = keymap_read_host(in_map);
    FUZZ_CHECK(host != NULL && strcmp(host, address.host) == 0);
    free(in_map);
}

static void check_uri(const char *text)
{
    char host[254], uri[KEY_URI_MAX + 1], other[254];
    struct key_id key, again;
    FUZZ_CHECK(!key_uri_parse(text, "fabrikam", &key) || key.name[0] != '\0');
    if (!key_uri_split(text, host, sizeof host, &key)) {
        return;
    }
    check_lower(host);
    FUZZ_CHECK(host[0] != '\0' && strpbrk(host, "/:") == NULL);
    FUZZ_CHECK(text_is_name(key.name, "-", KEY_NAME_MAX));
    FUZZ_CHECK(key.version[0] == '\0' || text_is_name(key.version, "-", KEY_VERSION_MAX));
    FUZZ_CHECK(key_uri_format(uri, sizeof uri, host, &key));
    FUZZ_CHECK(key_uri_split(uri, other, sizeof other, &again) && strcmp(other, host) == 0);
    FUZZ_CHECK(memcmp(&again, &key, sizeof key) == 0 && key_id_equal(&again, &key));
    FUZZ_CHECK(key_uri_parse(text, host, &again) && !key_uri_parse(text, "", &again));
}

static void check_map_fields(char *text)
{
    struct thumbprint thumbprint, again;
    char hex[2 * THUMBPRINT_MAX_BYTES + 1];
    if (keymap_read_thumbprint(text, &thumbprint)) {
        thumbprint_text(&thumbprint, hex);
        FUZZ_CHECK(strlen(hex) == 2 * thumbprint.len && text_ends_nocase(text, hex));
        FUZZ_CHECK(keymap_read_thumbprint(hex, &again) && thumbprint_equal(&thumbprint, &again));
    }
    const char *host = keymap_read_host(text);
    if (host != NULL) {
        check_lower(host);
        FUZZ_CHECK(text_is_name(host, ".-", 253));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config config;
    struct fuzz_input input = {data, size};
    const struct vault_address any_cloud = {"", ""};
    config.vault_suffixes = (struct text_list){suffix_items, 1};
    config.authority_hosts = (struct text_list){authority_items, 1};
    char *text = fuzz_rest(&input);
    check_identity(&config, text);
    check_uri(text);
    FUZZ_CHECK(address_login(&config, &any_cloud, text) == NULL || text_is_name(text, ".-", 253));
    check_map_fields(text);
    free(text);
    return 0;
}
