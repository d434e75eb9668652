/* CREATE and DROP ASYMMETRIC KEY of a cryptographic provider. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "access.h"
#include "engine.h"
#include "memory.h"
#include "provider_calls.h"
#include "statement.h"

/* The facts about a key, gathered before it is recorded. */
struct found_key {
    struct provider_key_info info;
    struct provider_algorithm algorithm;
    char *thumbprint; /* hex */
    char *public_key; /* hex of the blob */
};

static bool is_engine_tag(const struct instance *instance, const char *tag)
{
    size_t len = strlen(tag);
    const char *list = instance->options.engine_tags;
    while (*list) {
        size_t item = strcspn(list, ", ");
        if (item == len && strncasecmp(list, tag, len) == 0)
            return true;
        list += item;
        list += strspn(list, ", ");
    }
    return false;
}

/* The provider's algorithm with this tag (RSA_2048), the word after ALGORITHM =. */
static bool algorithm_of_tag(struct instance *instance, const cJSON *provider, const char *tag,
                             SqlCpAlgId *id, struct failure *failure)
{
    struct provider_library *library = NULL;
    if (!is_engine_tag(instance, tag))
        return failure_set(failure, 33088, 0, tag);
    if (!access_library(instance, provider, &library, failure))
        return false;
    const struct provider_info *info = provider_library_info(library);
    int code = provider_library_algorithms(library);
    if (code != SQLCP_SUCCESS)
        return failure_set_provider(failure, 33039, code, tag);
    for (size_t i = 0; i < info->algorithm_count; i++) {
        if (strcasecmp(info->algorithms[i].tag, tag) == 0) {
            *id = info->algorithms[i].id;
            return true;
        }
    }
    return failure_set_provider(failure, 33039, SQLCP_NOT_FOUND, tag);
}

static bool create_in_provider(struct connection *connection, const cJSON *provider,
                               struct provider_session *session, const struct pattern_match *match,
                               struct failure *failure)
{
    const char *name = pattern_text(match, "PROVIDER_KEY_NAME");
    const char *tag = pattern_text(match, "ALGORITHM");
    struct provider_key_info created = {0};
    SqlCpAlgId id = 0;
    if (!tag)
        return failure_set(failure, 15314, 0, "");
    if (!algorithm_of_tag(connection->instance, provider, tag, &id, failure))
        return false;
    int code = provider_key_create(session, name, id, SQLCP_KEY_FLAG_SUPPORTED, &created);
    return code == SQLCP_SUCCESS || failure_set_provider(failure, 33035, code, name);
}

/* GetKeyInfoByName, GetAlgorithmInfo, ExportKey. */
static bool find_in_provider(struct connection *connection, const cJSON *provider,
                             struct provider_session *session, const char *name,
                             struct found_key *found, struct failure *failure)
{
    int code = provider_key_by_name(session, name, &found->info);
    if (code != SQLCP_SUCCESS)
        return failure_set_provider(failure, 33049, code, "name", name);
    size_t thumbprint_len = found->info.thumbprint_len;
    if (thumbprint_len == 0)
        return failure_set(failure, 33087, 0, "Thumbprint");
    code = provider_session_algorithm(session, found->info.algorithm_id, &found->algorithm);
    if (code != SQLCP_SUCCESS)
        return failure_set_provider(failure, 33089, code);
    if (!is_engine_tag(connection->instance, found->algorithm.tag))
        return failure_set(failure, 33088, 0, found->algorithm.tag);
    if (found->algorithm.type != SQLCP_KEY_ASYMMETRIC)
        return failure_set(failure, 33087, 0, "Type");
    uint8_t *blob = NULL;
    size_t blob_len = 0;
    code = provider_key_export(session, found->info.thumbprint, thumbprint_len, &blob, &blob_len);
    if (code != SQLCP_SUCCESS)
        return failure_set_provider(failure, 33037, code, "public key");
    found->public_key = memory_hex(blob, blob_len);
    free(blob);
    found->thumbprint = memory_hex(found->info.thumbprint, thumbprint_len);
    (void)provider;
    return true;
}

static bool already_known(const struct connection *connection, const char *thumbprint)
{
    const cJSON *key = NULL;
    cJSON_ArrayForEach(key, catalog_list(connection_catalog(connection), "asymmetric_keys"))
    {
        if (catalog_number(key, "database_id") == connection->database_id &&
            strcmp(catalog_text(key, "thumbprint"), thumbprint) == 0)
            return true;
    }
    return false;
}

static bool statements_asymmetric_record(struct connection *connection, const char *name,
                                         const cJSON *provider, const char *provider_key_name,
                                         const struct found_key *found)
{
    struct catalog *catalog = connection_catalog(connection);
    if (already_known(connection, found->thumbprint))
        return connection_raise(connection, 15396, 0, name);
    cJSON *key = catalog_add(catalog, "asymmetric_keys", name);
    catalog_set_number(catalog, key, "database_id", connection->database_id);
    catalog_set_number(catalog, key, "provider_id", catalog_id(provider));
    catalog_set_text(catalog, key, "provider_key_name", provider_key_name);
    catalog_set_text(catalog, key, "thumbprint", found->thumbprint);
    catalog_set_text(catalog, key, "algorithm", found->algorithm.tag);
    catalog_set_number(catalog, key, "key_length", (int)found->algorithm.bit_len);
    catalog_set_text(catalog, key, "public_key", found->public_key);
    return true;
}

static bool statements_asymmetric_run_create(struct connection *connection,
                                             const struct pattern_match *match)
{
    struct catalog *catalog = connection_catalog(connection);
    const char *name = pattern_text(match, "key");
    const char *key_name = pattern_text(match, "PROVIDER_KEY_NAME");
    const char *disposition = pattern_text(match, "CREATION_DISPOSITION");
    bool creating = !disposition || strcasecmp(disposition, "CREATE_NEW") == 0;
    const cJSON *provider = catalog_find(catalog, "providers", pattern_text(match, "provider"));
    struct provider_session *session = NULL;
    struct failure failure;
    if (!creating && strcasecmp(disposition, "OPEN_EXISTING") != 0)
        return connection_raise(connection, 102, 0, disposition);
    if (!access_enabled(connection->instance, &failure))
        return connection_fail(connection, &failure);
    if (!provider)
        return connection_raise(connection, 15151, 0, "find", "cryptographic provider",
                                pattern_text(match, "provider"));
    if (!creating && pattern_text(match, "ALGORITHM"))
        return connection_raise(connection, 33034, 0, "");
    if (catalog_find_key(catalog, "asymmetric_keys", connection->database_id, name))
        return connection_raise(connection, 15396, 0, name);
    if (!key_name)
        return connection_raise(connection, 102, 0, "WITH");
    struct found_key found = {0};
    bool good = access_user(connection, provider, &session, &failure) &&
                (!creating || create_in_provider(connection, provider, session, match, &failure)) &&
                find_in_provider(connection, provider, session, key_name, &found, &failure);
    good = good ? statements_asymmetric_record(connection, name, provider, key_name, &found)
                : connection_fail(connection, &failure);
    free(found.thumbprint);
    free(found.public_key);
    return good;
}

static bool run_create_under_password(struct connection *connection,
                                      const struct pattern_match *match)
{
    (void)match;
    return connection_raise(connection, 33040, 0, "");
}

/* REMOVE PROVIDER KEY: the only DROP that calls the provider. Its failure is a notice (33036). */
static void drop_in_provider(struct connection *connection, const cJSON *key)
{
    const cJSON *provider = catalog_find_number(connection_catalog(connection), "providers", "id",
                                                catalog_number(key, "provider_id"));
    struct provider_session *session = NULL;
    struct failure failure;
    if (!access_user(connection, provider, &session, &failure)) {
        connection_fail(connection, &failure);
        return;
    }
    struct value thumbprint = value_hex(catalog_text(key, "thumbprint"));
    int code = provider_key_drop(session, (const uint8_t *)thumbprint.data, thumbprint.len);
    value_free(&thumbprint);
    if (code == SQLCP_SUCCESS)
        return;
    failure_set_provider(&failure, 33036, code, catalog_text(key, "thumbprint"));
    connection_fail(connection, &failure);
}

static bool statements_asymmetric_run_drop(struct connection *connection,
                                           const struct pattern_match *match)
{
    struct catalog *catalog = connection_catalog(connection);
    const char *name = pattern_text(match, "key");
    cJSON *key = catalog_find_key(catalog, "asymmetric_keys", connection->database_id, name);
    if (!key)
        return connection_raise(connection, 15151, 0, "drop", "asymmetric key", name);
    if (catalog_find_number(catalog, "logins", "asymmetric_key_id", catalog_id(key)))
        return connection_raise(connection, 15187, 0, "asymmetric key", "login");
    if (catalog_find_number(catalog, "symmetric_keys", "asymmetric_key_id", catalog_id(key)))
        return connection_raise(connection, 15352, 0, "asymmetric key");
    if (engine_uses_key(connection->instance, key))
        return connection_raise(connection, 33127, 0, "asymmetric key");
    if (pattern_text(match, "remove"))
        drop_in_provider(connection, key);
    catalog_remove(catalog, "asymmetric_keys", key);
    return true;
}

const struct statement_kind statements_asymmetric[] = {
    {"CREATE ASYMMETRIC KEY {key:n} FROM PROVIDER {provider:n} "
     "[ WITH #(ALGORITHM:w,PROVIDER_KEY_NAME:s,CREATION_DISPOSITION:w) ]",
     statements_asymmetric_run_create},
    {"CREATE ASYMMETRIC KEY {key:n} FROM PROVIDER {provider:n} "
     "WITH #(ALGORITHM:w,PROVIDER_KEY_NAME:s,CREATION_DISPOSITION:w) "
     "ENCRYPTION BY PASSWORD = {password:s}",
     run_create_under_password},
    {"DROP ASYMMETRIC KEY {key:n} [ {remove:=REMOVE} PROVIDER KEY ]",
     statements_asymmetric_run_drop},
    {NULL, NULL}};
