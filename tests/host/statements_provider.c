/* CREATE, ALTER and DROP CRYPTOGRAPHIC PROVIDER. */
#include <string.h>
#include <strings.h>

#include "access.h"
#include "statement.h"

enum { MAX_PATH_BYTES = 512 }; /* of UTF-16 */

static size_t utf16_bytes(const char *utf8)
{
    size_t units = 0;
    for (; *utf8; utf8++) {
        uint8_t byte = (uint8_t)*utf8;
        units += (byte & 0xC0) != 0x80; /* one for each character */
        units += byte >= 0xF0;          /* and another above the basic plane */
    }
    return 2 * units;
}

/* Loads the file and reads its guid and version; false after the message. */
static bool statements_provider_examine(struct connection *connection, const char *path,
                                        struct provider_info *info)
{
    struct failure failure;
    if (!access_enabled(connection->instance, &failure))
        return connection_fail(connection, &failure);
    if (utf16_bytes(path) > MAX_PATH_BYTES)
        return connection_raise(connection, 33023, 0, "file path", MAX_PATH_BYTES);
    return access_try(connection->instance, path, info, &failure) ||
           connection_fail(connection, &failure);
}

static void statements_provider_record(struct catalog *catalog, cJSON *provider, const char *path,
                                       const struct provider_info *info)
{
    char version[24];
    access_version_text(&info->version, version);
    catalog_set_text(catalog, provider, "guid", info->guid);
    catalog_set_text(catalog, provider, "version", version);
    catalog_set_text(catalog, provider, "path", path);
}

static void set_enabled(struct catalog *catalog, cJSON *provider, bool enabled)
{
    cJSON_DeleteItemFromObjectCaseSensitive(provider, "is_enabled");
    cJSON_AddBoolToObject(provider, "is_enabled", enabled);
    catalog->changed = true;
}

static bool statements_provider_run_create(struct connection *connection,
                                           const struct pattern_match *match)
{
    struct catalog *catalog = connection_catalog(connection);
    const char *name = pattern_text(match, "provider");
    const char *path = pattern_text(match, "path");
    struct provider_info info;
    if (catalog_find(catalog, "providers", name))
        return connection_raise(connection, 15530, 0, "cryptographic provider", name);
    if (!statements_provider_examine(connection, path, &info))
        return false;
    if (catalog_find_text(catalog, "providers", "guid", info.guid))
        return connection_raise(connection, 33026, 0, info.guid);
    cJSON *provider = catalog_add(catalog, "providers", name);
    statements_provider_record(catalog, provider, path, &info);
    set_enabled(catalog, provider, true);
    return true;
}

static cJSON *statements_provider_find(struct connection *connection,
                                       const struct pattern_match *match, const char *verb)
{
    const char *name = pattern_text(match, "provider");
    cJSON *provider = catalog_find(connection_catalog(connection), "providers", name);
    if (!provider)
        connection_raise(connection, 15151, 0, verb, "cryptographic provider", name);
    return provider;
}

static bool run_enable(struct connection *connection, const struct pattern_match *match)
{
    cJSON *provider = statements_provider_find(connection, match, "alter");
    struct failure failure;
    if (!provider)
        return false;
    if (!access_enabled(connection->instance, &failure))
        return connection_fail(connection, &failure);
    bool enable = pattern_text(match, "enable") != NULL;
    set_enabled(connection_catalog(connection), provider, enable);
    return enable || connection_notice(connection, 33057, "");
}

/* FROM FILE: another file of the same provider, while it is disabled. */
static bool run_alter_file(struct connection *connection, const struct pattern_match *match)
{
    cJSON *provider = statements_provider_find(connection, match, "alter");
    const char *path = pattern_text(match, "path");
    struct provider_info info;
    if (!provider)
        return false;
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(provider, "is_enabled")))
        return connection_raise(connection, 33071, 0, "cryptographic provider");
    if (!statements_provider_examine(connection, path, &info))
        return false;
    if (strcasecmp(info.guid, catalog_text(provider, "guid")) != 0)
        return connection_raise(connection, 33024, 0, info.guid, catalog_id(provider));
    statements_provider_record(connection_catalog(connection), provider, path, &info);
    access_unload(connection->instance, catalog_id(provider));
    return true;
}

static bool statements_provider_run_drop(struct connection *connection,
                                         const struct pattern_match *match)
{
    struct catalog *catalog = connection_catalog(connection);
    cJSON *provider = statements_provider_find(connection, match, "drop");
    if (!provider)
        return false;
    static const char *const users[][2] = {{"credentials", "a credential"},
                                           {"asymmetric_keys", "an asymmetric key"}};
    for (size_t i = 0; i < sizeof users / sizeof *users; i++) {
        if (catalog_find_number(catalog, users[i][0], "provider_id", catalog_id(provider)))
            return connection_raise(connection, 33044, 0, "cryptographic provider", users[i][1]);
    }
    access_unload(connection->instance, catalog_id(provider));
    catalog_remove(catalog, "providers", provider);
    return connection->session_count == 0 || connection_notice(connection, 33058, "");
}

const struct statement_kind statements_provider[] = {
    {"CREATE CRYPTOGRAPHIC PROVIDER {provider:n} FROM FILE = {path:s}",
     statements_provider_run_create},
    {"ALTER CRYPTOGRAPHIC PROVIDER {provider:n} {enable:=ENABLE}", run_enable},
    {"ALTER CRYPTOGRAPHIC PROVIDER {provider:n} {disable:=DISABLE}", run_enable},
    {"ALTER CRYPTOGRAPHIC PROVIDER {provider:n} FROM FILE = {path:s}", run_alter_file},
    {"DROP CRYPTOGRAPHIC PROVIDER {provider:n}", statements_provider_run_drop},
    {NULL, NULL}};
