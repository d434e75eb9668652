/* Symmetric keys protected by an asymmetric key of the same database. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "access.h"
#include "connection_state.h"
#include "memory.h"
#include "provider_calls.h"
#include "statement.h"

enum { KEY_LEN = 32 };

/* The asymmetric key and the connection's session with its provider. */
static bool find_protector(struct connection *connection, const char *name, const cJSON **key,
                           struct provider_session **session, struct failure *failure)
{
    struct catalog *catalog = connection_catalog(connection);
    *key = catalog_find_key(catalog, "asymmetric_keys", connection->database_id, name);
    if (!*key)
        return failure_set(failure, 15151, 0, "find", "asymmetric key", name);
    const cJSON *provider =
        catalog_find_number(catalog, "providers", "id", catalog_number(*key, "provider_id"));
    return access_user(connection, provider, session, failure);
}

static char *new_guid(void)
{
    uint8_t bytes[16] = {0};
    RAND_bytes(bytes, sizeof bytes);
    char *hex = memory_hex(bytes, sizeof bytes);
    char *guid =
        memory_format("%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
    free(hex);
    return guid;
}

static void statements_symmetric_record(struct connection *connection,
                                        const struct pattern_match *match, const cJSON *protector,
                                        const uint8_t *wrapped, size_t len)
{
    struct catalog *catalog = connection_catalog(connection);
    cJSON *key = catalog_add(catalog, "symmetric_keys", pattern_text(match, "key"));
    char *hex = memory_hex(wrapped, len);
    char *guid = new_guid();
    catalog_set_number(catalog, key, "database_id", connection->database_id);
    catalog_set_number(catalog, key, "asymmetric_key_id", catalog_id(protector));
    catalog_set_text(catalog, key, "algorithm", pattern_text(match, "ALGORITHM"));
    catalog_set_text(catalog, key, "guid", guid);
    catalog_set_text(catalog, key, "wrapped_key", hex);
    free(guid);
    free(hex);
}

static bool statements_symmetric_run_create(struct connection *connection,
                                            const struct pattern_match *match)
{
    const char *name = pattern_text(match, "key");
    const char *algorithm = pattern_text(match, "ALGORITHM");
    const cJSON *protector = NULL;
    struct provider_session *session = NULL;
    struct failure failure;
    uint8_t plain[KEY_LEN];
    uint8_t *wrapped = NULL;
    size_t wrapped_len = 0;
    if (catalog_find_key(connection_catalog(connection), "symmetric_keys", connection->database_id,
                         name))
        return connection_raise(connection, 15282, 0, name);
    if (!algorithm || strcasecmp(algorithm, "AES_256") != 0)
        return connection_raise(connection, 15314, 0, algorithm ? algorithm : "");
    bool good = find_protector(connection, pattern_text(match, "protector"), &protector, &session,
                               &failure);
    if (good) {
        struct value thumbprint = value_hex(catalog_text(protector, "thumbprint"));
        int code = RAND_bytes(plain, sizeof plain) == 1
                       ? provider_encrypt(session, (const uint8_t *)thumbprint.data, thumbprint.len,
                                          plain, sizeof plain, &wrapped, &wrapped_len)
                       : SQLCP_FAILURE;
        good = code == SQLCP_SUCCESS || failure_set_provider(&failure, 15209, code);
        value_free(&thumbprint);
    }
    OPENSSL_cleanse(plain, sizeof plain);
    if (good)
        statements_symmetric_record(connection, match, protector, wrapped, wrapped_len);
    free(wrapped);
    return good || connection_fail(connection, &failure);
}

static cJSON *statements_symmetric_find(struct connection *connection,
                                        const struct pattern_match *match, const char *verb)
{
    const char *name = pattern_text(match, "key");
    cJSON *key = catalog_find_key(connection_catalog(connection), "symmetric_keys",
                                  connection->database_id, name);
    if (!key)
        connection_raise(connection, 15151, 0, verb, "symmetric key", name);
    return key;
}

/* FROM PROVIDER: ekmhost has only asymmetric keys of providers. */
static bool run_create_in_provider(struct connection *connection, const struct pattern_match *match)
{
    const char *name = pattern_text(match, "key");
    const char *provider_name = pattern_text(match, "provider");
    const cJSON *provider =
        catalog_find(connection_catalog(connection), "providers", provider_name);
    struct provider_library *library = NULL;
    struct failure failure;
    if (!access_enabled(connection->instance, &failure))
        return connection_fail(connection, &failure);
    if (*name == '#')
        return connection_raise(connection, 33052, 0, "");
    if (!provider)
        return connection_raise(connection, 15151, 0, "find", "cryptographic provider",
                                provider_name);
    if (!access_library(connection->instance, provider, &library, &failure))
        return connection_fail(connection, &failure);
    if (provider_library_info(library)->symmetric_support & SQLCP_KEY_FLAG_SUPPORTED)
        return connection_raise(connection, 50000, 0, "ekmhost plays no symmetric provider keys.");
    return connection_raise(connection, 33083, 0, "symmetric key", name, provider_name);
}

static bool statements_symmetric_unwrap(struct connection *connection, const cJSON *key,
                                        const cJSON *protector, struct provider_session *session,
                                        struct failure *failure)
{
    struct value thumbprint = value_hex(catalog_text(protector, "thumbprint"));
    struct value wrapped = value_hex(catalog_text(key, "wrapped_key"));
    uint8_t *plain = NULL;
    size_t len = 0;
    int code = provider_decrypt(session, (const uint8_t *)thumbprint.data, thumbprint.len,
                                (const uint8_t *)wrapped.data, wrapped.len, &plain, &len);
    bool good = code == SQLCP_SUCCESS || failure_set_provider(failure, 15466, code);
    if (good && len != KEY_LEN)
        good = failure_set(failure, 15313, 0, "");
    if (good && !connection_opened_key(connection, catalog_id(key)))
        connection_add_key(connection, catalog_id(key), plain, len);
    if (plain)
        OPENSSL_cleanse(plain, len);
    free(plain);
    value_free(&wrapped);
    value_free(&thumbprint);
    return good;
}

static bool run_open(struct connection *connection, const struct pattern_match *match)
{
    const cJSON *key = statements_symmetric_find(connection, match, "find");
    const cJSON *protector = NULL;
    struct provider_session *session = NULL;
    struct failure failure;
    if (!key)
        return false;
    bool good = find_protector(connection, pattern_text(match, "protector"), &protector, &session,
                               &failure);
    if (good && catalog_number(key, "asymmetric_key_id") != catalog_id(protector))
        good = failure_set(&failure, 15313, 0, "");
    return (good && statements_symmetric_unwrap(connection, key, protector, session, &failure)) ||
           connection_fail(connection, &failure);
}

static bool run_close(struct connection *connection, const struct pattern_match *match)
{
    const cJSON *key = statements_symmetric_find(connection, match, "find");
    if (!key)
        return false;
    struct opened_key *opened = connection_opened_key(connection, catalog_id(key));
    if (!opened)
        return connection_raise(connection, 15315, 0, catalog_text(key, "name"));
    connection_drop_key(connection, opened);
    return true;
}

static bool run_close_all(struct connection *connection, const struct pattern_match *match)
{
    (void)match;
    while (connection->key_count > 0)
        connection_drop_key(connection, &connection->keys[0]);
    return true;
}

static bool statements_symmetric_run_drop(struct connection *connection,
                                          const struct pattern_match *match)
{
    cJSON *key = statements_symmetric_find(connection, match, "drop");
    if (!key)
        return false;
    struct opened_key *opened = connection_opened_key(connection, catalog_id(key));
    if (opened)
        connection_drop_key(connection, opened);
    catalog_remove(connection_catalog(connection), "symmetric_keys", key);
    return true;
}

const struct statement_kind statements_symmetric[] = {
    {"CREATE SYMMETRIC KEY {key:n} WITH #(ALGORITHM:w,KEY_SOURCE:s,IDENTITY_VALUE:s) "
     "ENCRYPTION BY ASYMMETRIC KEY {protector:n}",
     statements_symmetric_run_create},
    {"CREATE SYMMETRIC KEY {key:n} FROM PROVIDER {provider:n} "
     "[ WITH #(ALGORITHM:w,PROVIDER_KEY_NAME:s,CREATION_DISPOSITION:w) ]",
     run_create_in_provider},
    {"OPEN SYMMETRIC KEY {key:n} DECRYPTION BY ASYMMETRIC KEY {protector:n}", run_open},
    {"CLOSE SYMMETRIC KEY {key:n}", run_close},
    {"CLOSE ALL SYMMETRIC KEYS", run_close_all},
    {"DROP SYMMETRIC KEY {key:n}", statements_symmetric_run_drop},
    {NULL, NULL}};
