/* BACKUP and RESTORE, plain or under a server asymmetric key. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "database.h"
#include "engine_ask.h"
#include "engine_key.h"
#include "memory.h"
#include "statement.h"
#include "storage_backup.h"

enum { BACKUP_KEY_LEN = 32 };

/* ENCRYPTION (ALGORITHM = AES_256, SERVER ASYMMETRIC KEY = k): a random key under k, one Encrypt.
 */
static bool make_backup_key(struct connection *connection, const struct pattern_match *match,
                            struct storage_backup_key *outer, struct failure *failure)
{
    static const char pattern[] = "( ALGORITHM = {algorithm:w} , SERVER ASYMMETRIC KEY = {key:n} )";
    struct token *tokens = NULL;
    struct pattern_match inner = {.furthest = 0};
    size_t count = pattern_count(match, "ENCRYPTION");
    tokens = memory_take((count + 1) * sizeof *tokens);
    memcpy(tokens, pattern_token(match, "ENCRYPTION"), count * sizeof *tokens);
    tokens[count] = (struct token){.kind = TOKEN_END, .text = tokens[0].text};
    bool good = pattern_try(pattern, tokens, 0, &inner) ||
                failure_set(failure, 102, 0, tokens[inner.furthest].text);
    const cJSON *key = NULL;
    if (good) {
        key = catalog_find_key(connection_catalog(connection), "asymmetric_keys", ENGINE_MASTER_ID,
                               pattern_text(&inner, "key"));
        good = key || failure_set(failure, 15151, 0, "find", "asymmetric key",
                                  pattern_text(&inner, "key"));
    }
    outer->key_len = BACKUP_KEY_LEN;
    good = good && RAND_bytes(outer->key, BACKUP_KEY_LEN) == 1 &&
           engine_wrap(connection->instance, key, outer->key, outer->key_len, &outer->wrapped,
                       failure);
    free(tokens);
    return good;
}

static bool statements_backup_write(struct connection *connection,
                                    const struct pattern_match *match, bool log_only,
                                    struct failure *failure)
{
    const char *name = pattern_text(match, "database");
    const char *path = pattern_text(match, "path");
    const cJSON *entry = catalog_find(connection_catalog(connection), "databases", name);
    struct storage_backup_key outer = {.key_len = 0};
    char why[256];
    if (!entry)
        return failure_set(failure, 911, 0, name);
    struct open_database *database = engine_database(connection->instance, catalog_id(entry));
    if (!database || database->snapshot)
        return failure_set(failure, 5058, 0, "BACKUP", name);
    if (!engine_usable(connection, entry, failure) ||
        !engine_ask(connection->instance, database, failure))
        return false;
    bool encrypted = pattern_text(match, "ENCRYPTION") != NULL;
    if (encrypted && !make_backup_key(connection, match, &outer, failure))
        return false;
    bool good = log_only
                    ? storage_backup_log(database->storage, path, encrypted ? &outer : NULL, why)
                    : storage_backup(database->storage, path, encrypted ? &outer : NULL, why);
    OPENSSL_cleanse(&outer, sizeof outer);
    return good || failure_set(failure, 3201, 0, path, why);
}

static bool run_backup(struct connection *connection, const struct pattern_match *match)
{
    bool log_only = pattern_text(match, "log") != NULL;
    const char *what = log_only ? "BACKUP LOG" : "BACKUP DATABASE";
    struct failure failure;
    if (statements_backup_write(connection, match, log_only, &failure))
        return connection_notice(connection, 3014, what, 1);
    failure.ends_batch = false;
    connection_fail(connection, &failure);
    return connection_raise(connection, 3013, 0, what);
}

/* Whether a database of this name may be overwritten; true if there is none. */
static bool may_replace(struct connection *connection, const char *name, bool replace,
                        const char *backed_up, struct failure *failure)
{
    const cJSON *entry = catalog_find(connection_catalog(connection), "databases", name);
    if (!entry)
        return true;
    const struct open_database *database = engine_database(connection->instance, catalog_id(entry));
    if (!database)
        return failure_set(failure, 5058, 0, "RESTORE", name);
    if (connection->database_id == catalog_id(entry))
        return failure_set(failure, 3101, 0, name);
    if (!replace && strcasecmp(name, backed_up) != 0)
        return failure_set(failure, 3154, 0, name);
    return replace || database->state != ENGINE_ONLINE || failure_set(failure, 3159, 0, name);
}

/* Puts the restored files in the place of the database. */
static bool take_place(struct connection *connection, const char *name, struct storage *storage,
                       struct failure *failure)
{
    struct catalog *catalog = connection_catalog(connection);
    cJSON *entry = catalog_find(catalog, "databases", name);
    char *base = entry ? memory_text(catalog_text(entry, "base")) : database_base(connection, name);
    char why[256];
    struct open_database *database =
        entry ? engine_database(connection->instance, catalog_id(entry)) : NULL;
    if (database) {
        storage_close(database->storage);
        database->storage = NULL;
        storage_remove(base);
    }
    bool good = storage_move(storage, base, why) || failure_set(failure, 5120, 0, base, why);
    if (good) {
        if (!database)
            database = database_register(connection, name, base);
        database->storage = storage;
        database->state = ENGINE_ONLINE;
        catalog_set_text(catalog, catalog_find(catalog, "databases", name), "state", "ONLINE");
    }
    free(base);
    return good;
}

/* Unpacks the backup beside the database and opens it with the keys that it needs. Changes nothing
 * else. */
static struct storage *open_aside(struct connection *connection, const char *path, const char *name,
                                  const struct storage_wrapped *outer, struct failure *failure)
{
    char why[256];
    uint8_t key[STORAGE_MAX_KEY];
    size_t key_len = 0;
    bool encrypted = outer->thumbprint_len > 0;
    struct storage *storage = NULL;
    if (encrypted && !engine_unwrap(connection->instance, outer, key, &key_len, failure))
        return NULL;
    char *base = database_base(connection, name);
    char *aside = memory_format("%s.restore", base);
    if (!storage_restore(path, aside, name, encrypted ? key : NULL, key_len, why))
        failure_set(failure, 3201, 0, path, why);
    else
        storage = engine_open(connection->instance, aside, failure);
    if (!storage)
        storage_remove(aside);
    OPENSSL_cleanse(key, sizeof key);
    free(aside);
    free(base);
    return storage;
}

static bool statements_backup_restore(struct connection *connection,
                                      const struct pattern_match *match, struct failure *failure)
{
    const char *name = pattern_text(match, "database");
    const char *path = pattern_text(match, "path");
    struct storage_wrapped outer = {.thumbprint_len = 0};
    char backed_up[129];
    char why[256];
    if (!storage_backup_inspect(path, backed_up, &outer, why))
        return failure_set(failure, 3201, 0, path, why);
    if (!may_replace(connection, name, pattern_text(match, "REPLACE") != NULL, backed_up, failure))
        return false;
    struct storage *storage = open_aside(connection, path, name, &outer, failure);
    if (!storage)
        return false;
    if (take_place(connection, name, storage, failure))
        return true;
    storage_close(storage);
    return false;
}

static bool run_restore(struct connection *connection, const struct pattern_match *match)
{
    struct failure failure;
    if (statements_backup_restore(connection, match, &failure))
        return connection_notice(connection, 3014, "RESTORE DATABASE", 1);
    failure.ends_batch = false;
    connection_fail(connection, &failure);
    return connection_raise(connection, 3013, 0, "RESTORE DATABASE");
}

#define BACKUP_OPTIONS                                                                             \
    "[ WITH #(ENCRYPTION:p,INIT:f,NOINIT:f,FORMAT:f,NOFORMAT:f,COMPRESSION:f,CHECKSUM:f,"          \
    "COPY_ONLY:f,SKIP:f,NAME:s,STATS:i,MEDIANAME:s,DESCRIPTION:s) ]"

const struct statement_kind statements_backup[] = {
    {"BACKUP DATABASE {database:n} TO DISK = {path:s} " BACKUP_OPTIONS, run_backup},
    {"BACKUP {log:=LOG} {database:n} TO DISK = {path:s} " BACKUP_OPTIONS, run_backup},
    {"RESTORE DATABASE {database:n} FROM DISK = {path:s} "
     "[ WITH #(REPLACE:f,RECOVERY:f,STATS:i,MOVE:m,FILE:i) ]",
     run_restore},
    {NULL, NULL}};
