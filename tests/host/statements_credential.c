/* CREATE, ALTER and DROP CREDENTIAL. */
#include <stdlib.h>

#include "memory.h"
#include "statement.h"

/* Identity and, if given, the sealed secret. */
static bool statements_credential_store(struct connection *connection, cJSON *credential,
                                        const struct pattern_match *match)
{
    struct catalog *catalog = connection_catalog(connection);
    const char *secret = pattern_text(match, "SECRET");
    char *sealed = catalog_seal(catalog, secret ? secret : "");
    if (!sealed)
        return connection_raise(connection, 33047, 0, catalog_text(credential, "name"));
    catalog_set_text(catalog, credential, "identity", pattern_text(match, "IDENTITY"));
    catalog_set_text(catalog, credential, "secret", sealed);
    free(sealed);
    return true;
}

static bool statements_credential_run_create(struct connection *connection,
                                             const struct pattern_match *match)
{
    struct catalog *catalog = connection_catalog(connection);
    const char *name = pattern_text(match, "credential");
    const char *provider_name = pattern_text(match, "provider");
    if (!pattern_text(match, "IDENTITY"))
        return connection_raise(connection, 102, 0, "SECRET");
    if (catalog_find(catalog, "credentials", name))
        return connection_raise(connection, 15530, 0, "credential", name);
    const cJSON *provider =
        provider_name ? catalog_find(catalog, "providers", provider_name) : NULL;
    if (provider_name && !provider)
        return connection_raise(connection, 15151, 0, "find", "cryptographic provider",
                                provider_name);
    cJSON *credential = catalog_add(catalog, "credentials", name);
    catalog_set_number(catalog, credential, "provider_id", catalog_id(provider));
    if (statements_credential_store(connection, credential, match))
        return true;
    catalog_remove(catalog, "credentials", credential);
    return false;
}

static bool statements_credential_run_alter(struct connection *connection,
                                            const struct pattern_match *match)
{
    const char *name = pattern_text(match, "credential");
    cJSON *credential = catalog_find(connection_catalog(connection), "credentials", name);
    if (!credential)
        return connection_raise(connection, 15151, 0, "alter", "credential", name);
    if (!pattern_text(match, "IDENTITY"))
        return connection_raise(connection, 102, 0, "SECRET");
    return statements_credential_store(connection, credential, match);
}

static bool statements_credential_run_drop(struct connection *connection,
                                           const struct pattern_match *match)
{
    struct catalog *catalog = connection_catalog(connection);
    const char *name = pattern_text(match, "credential");
    cJSON *credential = catalog_find(catalog, "credentials", name);
    if (!credential)
        return connection_raise(connection, 15151, 0, "drop", "credential", name);
    const cJSON *login = NULL;
    cJSON_ArrayForEach(login, catalog_list(catalog, "logins"))
    {
        const cJSON *mapped = NULL;
        cJSON_ArrayForEach(mapped, cJSON_GetObjectItemCaseSensitive(login, "credentials"))
        {
            if (mapped->valueint == catalog_id(credential))
                return connection_raise(connection, 15187, 0, "credential", "server principal");
        }
    }
    catalog_remove(catalog, "credentials", credential);
    return true;
}

const struct statement_kind statements_credential[] = {
    {"CREATE CREDENTIAL {credential:n} WITH #(IDENTITY:s,SECRET:s) "
     "[ FOR CRYPTOGRAPHIC PROVIDER {provider:n} ]",
     statements_credential_run_create},
    {"ALTER CREDENTIAL {credential:n} WITH #(IDENTITY:s,SECRET:s)",
     statements_credential_run_alter},
    {"DROP CREDENTIAL {credential:n}", statements_credential_run_drop},
    {NULL, NULL}};
