/* CREATE, ALTER and DROP DATABASE, attach and detach. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "database.h"
#include "engine_ask.h"
#include "memory.h"
#include "platform.h"
#include "statement.h"
#include "storage_backup.h"
#include "storage_key.h"

static bool free_name(struct connection *connection, const char *name)
{
    return !catalog_find(connection_catalog(connection), "databases", name) ||
           connection_raise(connection, 1801, 0, name);
}

static bool statements_database_run_create(struct connection *connection,
                                           const struct pattern_match *match)
{
    const char *name = pattern_text(match, "database");
    char why[256];
    if (!free_name(connection, name))
        return false;
    char *base = database_base(connection, name);
    struct storage *storage = storage_create(base, name, why);
    if (storage)
        database_register(connection, name, base)->storage = storage;
    else
        connection_raise(connection, 5123, 0, base, why);
    free(base);
    return storage != NULL;
}

/* Copies the files of the database and opens the copy with the key that the database has in memory.
 */
static struct storage *copy_files(struct open_database *source, const char *name, const char *base,
                                  char why[256])
{
    char *aside = memory_format("%s.copy", base);
    size_t key_len = 0;
    const uint8_t *key = storage_key(source->storage, &key_len);
    struct storage *copy = NULL;
    if (storage_backup(source->storage, aside, NULL, why) &&
        storage_restore(aside, base, name, NULL, 0, why))
        copy = storage_open(base, why);
    platform_path_remove(aside);
    free(aside);
    if (copy && key_len > 0)
        storage_unlock(copy, 0, key, key_len);
    return copy;
}

/* AS SNAPSHOT OF: asks the provider for the key of the database. The copy is read-only. */
static bool run_snapshot(struct connection *connection, const struct pattern_match *match)
{
    const char *name = pattern_text(match, "database");
    const cJSON *entry =
        catalog_find(connection_catalog(connection), "databases", pattern_text(match, "source"));
    struct failure failure;
    char why[256];
    if (!free_name(connection, name))
        return false;
    if (!entry)
        return connection_raise(connection, 911, 0, pattern_text(match, "source"));
    struct open_database *source = engine_database(connection->instance, catalog_id(entry));
    if (!source || source->snapshot)
        return connection_raise(connection, 5058, 0, "SNAPSHOT", catalog_text(entry, "name"));
    if (!engine_usable(connection, entry, &failure) ||
        !engine_ask(connection->instance, source, &failure))
        return connection_fail(connection, &failure);
    char *base = database_base(connection, name);
    struct storage *copy = copy_files(source, name, base, why);
    if (copy) {
        struct open_database *database = database_register(connection, name, base);
        database->storage = copy;
        database->snapshot = true;
        catalog_set_text(connection_catalog(connection),
                         catalog_find(connection_catalog(connection), "databases", name),
                         "snapshot", "yes");
    } else {
        connection_raise(connection, 5123, 0, base, why);
    }
    free(base);
    return copy != NULL;
}

static char *base_of_file(const char *file)
{
    size_t len = strlen(file);
    bool suffix = len > 4 && strcasecmp(file + len - 4, ".mdf") == 0;
    return memory_text_n(file, suffix ? len - 4 : len);
}

/* The files stay in their place. Without the key nothing is attached (33111 and the like). */
static bool run_attach(struct connection *connection, const struct pattern_match *match)
{
    const char *name = pattern_text(match, "database");
    if (!free_name(connection, name))
        return false;
    char *base = base_of_file(pattern_text(match, "file"));
    struct open_database *database = database_register(connection, name, base);
    bool good = engine_recover(connection->instance, database);
    free(base);
    if (good)
        return true;
    struct failure failure = database->failure;
    database_forget(connection, catalog_find(connection_catalog(connection), "databases", name));
    return connection_fail(connection, &failure);
}

/* Finds a user database by name, or raises the message. */
static cJSON *statements_database_find(struct connection *connection, const char *name,
                                       const char *verb)
{
    cJSON *entry = strcasecmp(name, "CURRENT") == 0
                       ? connection_database(connection)
                       : catalog_find(connection_catalog(connection), "databases", name);
    if (!entry) {
        if (strcmp(verb, "drop") == 0)
            connection_raise(connection, 3701, 0, "database", name);
        else
            connection_raise(connection, 5011, 0, name);
    } else if (strcmp(catalog_text(entry, "kind"), "system") == 0) {
        connection_raise(connection, strcmp(verb, "drop") == 0 ? 3708 : 5011, 0, name);
        entry = NULL;
    }
    return entry;
}

static bool statements_database_run_drop(struct connection *connection,
                                         const struct pattern_match *match)
{
    const char *name = pattern_text(match, "database");
    cJSON *entry = statements_database_find(connection, name, "drop");
    if (!entry)
        return false;
    if (catalog_id(entry) == connection->database_id)
        return connection_raise(connection, 3702, 0, name);
    char *base = memory_text(catalog_text(entry, "base"));
    bool remove = engine_database(connection->instance, catalog_id(entry))->state != ENGINE_OFFLINE;
    database_forget(connection, entry);
    if (remove)
        storage_remove(base);
    free(base);
    return true;
}

static bool run_detach(struct connection *connection, const struct pattern_match *match)
{
    const char *name = pattern_text(match, "database");
    cJSON *entry = statements_database_find(connection, name, "detach");
    if (!entry)
        return false;
    if (catalog_id(entry) == connection->database_id)
        return connection_raise(connection, 3702, 0, name);
    database_forget(connection, entry);
    return true;
}

static bool run_access(struct connection *connection, const struct pattern_match *match)
{
    cJSON *entry = statements_database_find(connection, pattern_text(match, "database"), "alter");
    if (!entry)
        return connection_raise(connection, 5069, 0, "");
    bool single = pattern_text(match, "single") != NULL;
    catalog_set_text(connection_catalog(connection), entry, "user_access",
                     single ? "SINGLE_USER" : "MULTI_USER");
    engine_database(connection->instance, catalog_id(entry))->single_user = single;
    return true;
}

static bool run_offline(struct connection *connection, const struct pattern_match *match)
{
    cJSON *entry = statements_database_find(connection, pattern_text(match, "database"), "alter");
    if (!entry)
        return connection_raise(connection, 5069, 0, "");
    struct open_database *database = engine_database(connection->instance, catalog_id(entry));
    storage_close(database->storage);
    database->storage = NULL;
    database->state = ENGINE_OFFLINE;
    catalog_set_text(connection_catalog(connection), entry, "state", "OFFLINE");
    if (connection->database_id == catalog_id(entry))
        connection->database_id = ENGINE_MASTER_ID;
    return true;
}

/* SET ONLINE also recovers a database that is RECOVERY PENDING: it asks the provider again. */
static bool run_online(struct connection *connection, const struct pattern_match *match)
{
    cJSON *entry = statements_database_find(connection, pattern_text(match, "database"), "alter");
    if (!entry)
        return connection_raise(connection, 5069, 0, "");
    struct open_database *database = engine_database(connection->instance, catalog_id(entry));
    catalog_set_text(connection_catalog(connection), entry, "state", "ONLINE");
    if (database->state == ENGINE_ONLINE || engine_recover(connection->instance, database))
        return true;
    connection_fail(connection, &database->failure);
    connection_raise(connection, 5181, 0, catalog_text(entry, "name"));
    return connection_raise(connection, 5069, 0, "");
}

static bool switch_encryption(struct open_database *database, bool on, struct failure *failure)
{
    char why[256];
    struct storage *storage = database->storage;
    if (storage_wrapped_key(storage)->thumbprint_len == 0)
        return failure_set(failure, 33106, 0, "");
    if (storage_encrypted(storage) == on)
        return failure_set(failure, on ? 33107 : 33108, 0, "");
    return storage_set_encryption(storage, on, why) ||
           failure_set(failure, 5120, 0, storage_base(storage), why);
}

static bool run_encryption(struct connection *connection, const struct pattern_match *match)
{
    cJSON *entry = statements_database_find(connection, pattern_text(match, "database"), "alter");
    struct failure failure;
    if (!entry)
        return connection_raise(connection, 5069, 0, "");
    struct open_database *database = engine_database(connection->instance, catalog_id(entry));
    bool good = database->state == ENGINE_ONLINE ||
                failure_set(&failure, 33118, 0, catalog_text(entry, "name"));
    if (good && switch_encryption(database, pattern_text(match, "on") != NULL, &failure))
        return true;
    connection_fail(connection, &failure);
    return connection_raise(connection, 5069, 0, "");
}

static bool run_ignored_option(struct connection *connection, const struct pattern_match *match)
{
    return statements_database_find(connection, pattern_text(match, "database"), "alter") ||
           connection_raise(connection, 5069, 0, "");
}

const struct statement_kind statements_database[] = {
    {"CREATE DATABASE {database:n} ON ( FILENAME = {file:s} ) FOR ATTACH", run_attach},
    {"CREATE DATABASE {database:n} ON ( NAME = {logical:n} , FILENAME = {file:s} ) "
     "AS SNAPSHOT OF {source:n}",
     run_snapshot},
    {"CREATE DATABASE {database:n}", statements_database_run_create},
    {"DROP DATABASE {database:n}", statements_database_run_drop},
    {"EXEC sp_detach_db {database:v}", run_detach},
    {"ALTER DATABASE {database:n} SET {single:=SINGLE_USER} [ WITH ROLLBACK IMMEDIATE ]",
     run_access},
    {"ALTER DATABASE {database:n} SET MULTI_USER [ WITH ROLLBACK IMMEDIATE ]", run_access},
    {"ALTER DATABASE {database:n} SET OFFLINE [ WITH ROLLBACK IMMEDIATE ]", run_offline},
    {"ALTER DATABASE {database:n} SET ONLINE", run_online},
    {"ALTER DATABASE {database:n} SET ENCRYPTION {on:=ON}", run_encryption},
    {"ALTER DATABASE {database:n} SET ENCRYPTION OFF", run_encryption},
    {"ALTER DATABASE {database:n} SET RECOVERY {model:w}", run_ignored_option},
    {NULL, NULL}};
