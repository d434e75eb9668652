/* BACKUP and RESTORE, plain or under a server asymmetric key. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "database.h"
#include "engine.h"
#include "memory.h"
#include "statement.h"

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

static bool backup(struct connection *connection, const struct pattern_match *match, bool log_only,
                   struct failure *failure)
{
    const char *name = pattern_text(match, "database");
    const char *path = pattern_text(match, "path");
    const cJSON *entry = catalog_find(connection_catalog(connection), "databases", name);
    struct storage_backup_key outer = {.key_len = 0};
    char why[256];
    if (!entry)
        return failure_set(failure, 911, 0, name);
    const struct open_database *database = engine_database(connection->instance, catalog_id(entry));
    if (!database)
        return failure_set(failure, 5058, 0, "BACKUP", name);
    if (!engine_usable(connection, entry, failure))
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
    if (backup(connection, match, log_only, &failure))
        return connection_notice(connection, 3014, what, 1);
    failure.ends_batch = false;
    connection_fail(connection, &failure);
    return connection_raise(connection, 3013, 0, what);
}

/* Whether the database may be overwritten, and its files are out of the way. */
static bool make_room(struct connection *connection, const char *name, bool replace,
                      const char *backed_up, struct failure *failure)
{
    cJSON *entry = catalog_find(connection_catalog(connection), "databases", name);
    if (!entry)
        return true;
    struct open_database *database = engine_database(connection->instance, catalog_id(entry));
    if (!database)
        return failure_set(failure, 5058, 0, "RESTORE", name);
    if (connection->database_id == catalog_id(entry))
        return failure_set(failure, 3101, 0, name);
    if (!replace && strcasecmp(name, backed_up) != 0)
        return failure_set(failure, 3154, 0, name);
    if (!replace && database->state == ENGINE_ONLINE)
        return failure_set(failure, 3159, 0, name);
    storage_close(database->storage);
    database->storage = NULL;
    storage_remove(catalog_text(entry, "base"));
    return true;
}

/* A restored database that cannot be opened does not stay (assumed). */
static bool open_restored(struct connection *connection, const char *name, const char *base,
                          struct failure *failure)
{
    cJSON *entry = catalog_find(connection_catalog(connection), "databases", name);
    struct open_database *database = entry
                                         ? engine_database(connection->instance, catalog_id(entry))
                                         : database_register(connection, name, base);
    if (engine_recover(connection->instance, database))
        return true;
    *failure = database->failure;
    database_forget(connection, catalog_find(connection_catalog(connection), "databases", name));
    storage_remove(base);
    return false;
}

/* What the backup says of the key of its pages is only known once the outer key is there. */
static bool restore(struct connection *connection, const struct pattern_match *match,
                    struct failure *failure)
{
    const char *name = pattern_text(match, "database");
    const char *path = pattern_text(match, "path");
    struct storage_wrapped outer = {.thumbprint_len = 0};
    char backed_up[129];
    char why[256];
    uint8_t key[STORAGE_MAX_KEY];
    size_t key_len = 0;
    if (!storage_backup_inspect(path, backed_up, &outer, why))
        return failure_set(failure, 3201, 0, path, why);
    bool encrypted = outer.thumbprint_len > 0;
    if (encrypted && !engine_unwrap(connection->instance, &outer, key, &key_len, failure))
        return false;
    bool good =
        make_room(connection, name, pattern_text(match, "REPLACE") != NULL, backed_up, failure);
    char *base = database_base(connection, name);
    if (good && !storage_restore(path, base, name, encrypted ? key : NULL, key_len, why))
        good = failure_set(failure, 3201, 0, path, why);
    OPENSSL_cleanse(key, sizeof key);
    good = good && open_restored(connection, name, base, failure);
    free(base);
    return good;
}

static bool run_restore(struct connection *connection, const struct pattern_match *match)
{
    struct failure failure;
    if (restore(connection, match, &failure))
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
