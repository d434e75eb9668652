/* CREATE, ALTER and DROP DATABASE ENCRYPTION KEY. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "engine.h"
#include "engine_key.h"
#include "statement.h"
#include "storage_key.h"

/* 0 for an algorithm that database encryption does not know. */
static size_t key_len_of(const char *algorithm)
{
    static const char *const names[] = {"AES_128", "AES_192", "AES_256"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcasecmp(algorithm, names[i]) == 0)
            return 16 + 8 * i;
    }
    return 0;
}

static const cJSON *server_key(const struct connection *connection, const char *name,
                               struct failure *failure)
{
    const cJSON *key =
        catalog_find_key(connection_catalog(connection), "asymmetric_keys", ENGINE_MASTER_ID, name);
    if (!key)
        failure_set(failure, 15151, 0, "find", "asymmetric key", name);
    return key;
}

static bool statements_encryption_storage_failure(const struct storage *storage, const char *why,
                                                  struct failure *failure)
{
    return failure_set(failure, 5120, 0, storage_base(storage), why);
}

/* A fresh random key under `key`: one Encrypt. */
static bool make_key(struct connection *connection, struct storage *storage, const cJSON *key,
                     const char *algorithm, struct failure *failure)
{
    uint8_t plain[STORAGE_MAX_KEY];
    char why[256];
    size_t len = key_len_of(algorithm);
    struct storage_wrapped wrapped = {.thumbprint_len = 0};
    if (len == 0)
        return failure_set(failure, 15314, 0, algorithm);
    bool good = RAND_bytes(plain, (int)len) == 1 || failure_set(failure, 33126, 0, "");
    good = good && engine_wrap(connection->instance, key, plain, len, &wrapped, failure);
    if (good && !storage_set_key(storage, algorithm, plain, len, &wrapped, why))
        good = statements_encryption_storage_failure(storage, why, failure);
    OPENSSL_cleanse(plain, sizeof plain);
    return good;
}

static bool statements_encryption_create(struct connection *connection,
                                         const struct pattern_match *match, struct failure *failure)
{
    struct open_database *database = engine_current(connection, failure);
    const cJSON *key = NULL;
    if (!database)
        return false;
    if (storage_wrapped_key(database->storage)->thumbprint_len)
        return failure_set(failure, 33103, 0, "");
    key = server_key(connection, pattern_text(match, "key"), failure);
    return key &&
           make_key(connection, database->storage, key, pattern_text(match, "algorithm"), failure);
}

static bool statements_encryption_run_create(struct connection *connection,
                                             const struct pattern_match *match)
{
    struct failure failure;
    return statements_encryption_create(connection, match, &failure) ||
           connection_fail(connection, &failure);
}

/* The same key under another encryptor: one Decrypt with the old, one Encrypt with the new. */
static bool move_key(struct connection *connection, struct storage *storage, const cJSON *key,
                     struct failure *failure)
{
    uint8_t plain[STORAGE_MAX_KEY];
    size_t len = 0;
    char why[256];
    struct storage_wrapped wrapped = {.thumbprint_len = 0};
    bool good =
        engine_unwrap(connection->instance, storage_wrapped_key(storage), plain, &len, failure);
    if (good && !storage_unlock(storage, 0, plain, len))
        good = failure_set(failure, 33126, 0, "");
    good = good && engine_wrap(connection->instance, key, plain, len, &wrapped, failure);
    if (good && !storage_rewrap(storage, &wrapped, why))
        good = statements_encryption_storage_failure(storage, why, failure);
    OPENSSL_cleanse(plain, sizeof plain);
    return good;
}

/* The asymmetric key of master that encrypts the current database encryption key. */
static const cJSON *present_key(const struct connection *connection, const struct storage *storage,
                                struct failure *failure)
{
    const struct storage_wrapped *wrapped = storage_wrapped_key(storage);
    struct value wanted = value_binary(wrapped->thumbprint, wrapped->thumbprint_len);
    char *text = value_display(&wanted);
    const cJSON *key = NULL;
    cJSON_ArrayForEach(key, catalog_list(connection_catalog(connection), "asymmetric_keys"))
    {
        if (catalog_number(key, "database_id") == ENGINE_MASTER_ID &&
            strcmp(catalog_text(key, "thumbprint"), text + 2) == 0)
            break;
    }
    if (!key)
        failure_set(failure, 33111, 0, text + 2);
    free(text);
    value_free(&wanted);
    return key;
}

static bool statements_encryption_alter(struct connection *connection,
                                        const struct pattern_match *match, struct failure *failure)
{
    struct open_database *database = engine_current(connection, failure);
    const char *name = pattern_text(match, "key");
    const char *algorithm = pattern_text(match, "algorithm");
    if (!database)
        return false;
    struct storage *storage = database->storage;
    if (storage_wrapped_key(storage)->thumbprint_len == 0)
        return failure_set(failure, 33104, 0, "");
    const cJSON *key =
        name ? server_key(connection, name, failure) : present_key(connection, storage, failure);
    if (!key)
        return false;
    return algorithm ? make_key(connection, storage, key, algorithm, failure)
                     : move_key(connection, storage, key, failure);
}

static bool statements_encryption_run_alter(struct connection *connection,
                                            const struct pattern_match *match)
{
    struct failure failure;
    return statements_encryption_alter(connection, match, &failure) ||
           connection_fail(connection, &failure);
}

static bool statements_encryption_drop(struct connection *connection, struct failure *failure)
{
    char why[256];
    struct open_database *database = engine_current(connection, failure);
    if (!database)
        return false;
    if (storage_wrapped_key(database->storage)->thumbprint_len == 0)
        return failure_set(failure, 33104, 0, "");
    if (storage_encrypted(database->storage))
        return failure_set(failure, 33105, 0, "");
    return storage_drop_key(database->storage, why) ||
           statements_encryption_storage_failure(database->storage, why, failure);
}

static bool statements_encryption_run_drop(struct connection *connection,
                                           const struct pattern_match *match)
{
    (void)match;
    struct failure failure;
    return statements_encryption_drop(connection, &failure) ||
           connection_fail(connection, &failure);
}

const struct statement_kind statements_encryption[] = {
    {"CREATE DATABASE ENCRYPTION KEY WITH ALGORITHM = {algorithm:w} "
     "ENCRYPTION BY SERVER ASYMMETRIC KEY {key:n}",
     statements_encryption_run_create},
    {"ALTER DATABASE ENCRYPTION KEY ENCRYPTION BY SERVER ASYMMETRIC KEY {key:n}",
     statements_encryption_run_alter},
    {"ALTER DATABASE ENCRYPTION KEY REGENERATE WITH ALGORITHM = {algorithm:w} "
     "[ ENCRYPTION BY SERVER ASYMMETRIC KEY {key:n} ]",
     statements_encryption_run_alter},
    {"DROP DATABASE ENCRYPTION KEY", statements_encryption_run_drop},
    {NULL, NULL}};
