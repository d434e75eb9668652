/* Logins: from Windows, by password or FROM ASYMMETRIC KEY, and the credentials mapped to them. */
#include <strings.h>

#include "engine.h"
#include "statement.h"

static bool statements_login_run_create(struct connection *connection,
                                        const struct pattern_match *match)
{
    struct catalog *catalog = connection_catalog(connection);
    const char *name = pattern_text(match, "login");
    const char *key_name = pattern_text(match, "key");
    const cJSON *key = NULL;
    if (catalog_find(catalog, "logins", name))
        return connection_raise(connection, 15025, 0, name);
    if (key_name) {
        key = catalog_find_key(catalog, "asymmetric_keys", ENGINE_MASTER_ID, key_name);
        if (!key)
            return connection_raise(connection, 15151, 0, "find", "asymmetric key", key_name);
        if (catalog_find_number(catalog, "logins", "asymmetric_key_id", catalog_id(key)))
            return connection_raise(connection, 33140, 0, name, key_name);
    }
    cJSON *login = catalog_add(catalog, "logins", name);
    if (key)
        catalog_set_number(catalog, login, "asymmetric_key_id", catalog_id(key));
    return true;
}

static bool statements_login_run_drop(struct connection *connection,
                                      const struct pattern_match *match)
{
    struct catalog *catalog = connection_catalog(connection);
    const char *name = pattern_text(match, "login");
    cJSON *login = catalog_find(catalog, "logins", name);
    if (!login)
        return connection_raise(connection, 15151, 0, "drop", "login", name);
    if (strcasecmp(name, connection->login) == 0)
        return connection_raise(connection, 15434, 0, name);
    catalog_remove(catalog, "logins", login); /* its mappings are deleted with it */
    return true;
}

/* Finds login and credential of ALTER LOGIN ... CREDENTIAL, or raises the message. */
static bool find_pair(struct connection *connection, const struct pattern_match *match,
                      cJSON **login, cJSON **credential)
{
    struct catalog *catalog = connection_catalog(connection);
    *login = catalog_find(catalog, "logins", pattern_text(match, "login"));
    if (!*login)
        return connection_raise(connection, 15151, 0, "alter", "login",
                                pattern_text(match, "login"));
    *credential = catalog_find(catalog, "credentials", pattern_text(match, "credential"));
    return *credential || connection_raise(connection, 15151, 0, "find", "credential",
                                           pattern_text(match, "credential"));
}

/* A credential of a provider serves one login. */
static bool is_mapped(const struct catalog *catalog, const cJSON *credential)
{
    const cJSON *login = NULL;
    const cJSON *id = NULL;
    cJSON_ArrayForEach(login, catalog_list(catalog, "logins"))
    {
        cJSON_ArrayForEach(id, cJSON_GetObjectItemCaseSensitive(login, "credentials"))
        {
            if (id->valueint == catalog_id(credential))
                return true;
        }
    }
    return false;
}

static bool run_add_credential(struct connection *connection, const struct pattern_match *match)
{
    struct catalog *catalog = connection_catalog(connection);
    cJSON *login = NULL;
    cJSON *credential = NULL;
    if (!find_pair(connection, match, &login, &credential))
        return false;
    int provider_id = catalog_number(credential, "provider_id");
    cJSON *mapped = cJSON_GetObjectItemCaseSensitive(login, "credentials");
    const cJSON *id = NULL;
    if (provider_id && is_mapped(catalog, credential))
        return connection_raise(connection, 33042, 0, "");
    cJSON_ArrayForEach(id, mapped)
    {
        const cJSON *other = catalog_find_number(catalog, "credentials", "id", id->valueint);
        const cJSON *provider = catalog_find_number(catalog, "providers", "id", provider_id);
        if (catalog_number(other, "provider_id") == provider_id)
            return connection_raise(connection, 33043, 0, catalog_text(credential, "name"),
                                    catalog_text(provider, "name"));
    }
    if (!mapped)
        mapped = cJSON_AddArrayToObject(login, "credentials");
    cJSON_AddItemToArray(mapped, cJSON_CreateNumber(catalog_id(credential)));
    catalog->changed = true;
    return true;
}

static bool run_drop_credential(struct connection *connection, const struct pattern_match *match)
{
    cJSON *login = NULL;
    cJSON *credential = NULL;
    if (!find_pair(connection, match, &login, &credential))
        return false;
    cJSON *mapped = cJSON_GetObjectItemCaseSensitive(login, "credentials");
    cJSON *id = NULL;
    cJSON_ArrayForEach(id, mapped)
    {
        if (id->valueint == catalog_id(credential)) {
            cJSON_Delete(cJSON_DetachItemViaPointer(mapped, id));
            connection_catalog(connection)->changed = true;
            return true;
        }
    }
    return connection_raise(connection, 33045, 0, catalog_text(credential, "name"));
}

const struct statement_kind statements_login[] = {
    {"CREATE LOGIN {login:n} FROM ASYMMETRIC KEY {key:n}", statements_login_run_create},
    {"CREATE LOGIN {login:n} FROM WINDOWS", statements_login_run_create},
    {"CREATE LOGIN {login:n} WITH PASSWORD = {password:s}", statements_login_run_create},
    {"DROP LOGIN {login:n}", statements_login_run_drop},
    {"ALTER LOGIN {login:n} ADD CREDENTIAL {credential:n}", run_add_credential},
    {"ALTER LOGIN {login:n} DROP CREDENTIAL {credential:n}", run_drop_credential},
    {NULL, NULL}};
