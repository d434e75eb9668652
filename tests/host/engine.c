#include "engine.h"

#include <stdlib.h>
#include <string.h>

#include "engine_key.h"
#include "memory.h"
#include "platform.h"
#include "report.h"

struct open_database *engine_database(const struct instance *instance, int id)
{
    struct open_database *database = instance->databases;
    while (database && database->id != id)
        database = database->next;
    return database;
}

struct open_database *engine_add(struct instance *instance, const cJSON *entry)
{
    struct open_database *database = memory_take(sizeof *database);
    struct open_database **link = &instance->databases;
    while (*link)
        link = &(*link)->next;
    database->id = catalog_id(entry);
    database->snapshot = *catalog_text(entry, "snapshot") != 0;
    database->single_user = strcmp(catalog_text(entry, "user_access"), "SINGLE_USER") == 0;
    *link = database;
    return database;
}

void engine_remove(struct instance *instance, int id)
{
    struct open_database **link = &instance->databases;
    while (*link && (*link)->id != id)
        link = &(*link)->next;
    struct open_database *database = *link;
    if (!database)
        return;
    *link = database->next;
    storage_close(database->storage);
    free(database);
}

const char *engine_state_text(enum engine_state state)
{
    static const char *const texts[] = {"ONLINE", "RECOVERY_PENDING", "OFFLINE"};
    return texts[state];
}

void engine_stop(struct instance *instance)
{
    while (instance->databases)
        engine_remove(instance, instance->databases->id);
}

static const cJSON *database_entry(const struct instance *instance,
                                   const struct open_database *database)
{
    return catalog_find_number(&instance->catalog, "databases", "id", database->id);
}

bool engine_recover(struct instance *instance, struct open_database *database)
{
    const cJSON *entry = database_entry(instance, database);
    uint64_t start_ns = platform_clock_ns();
    storage_close(database->storage);
    database->storage = engine_open(instance, catalog_text(entry, "base"), &database->failure);
    database->state = database->storage ? ENGINE_ONLINE : ENGINE_RECOVERY_PENDING;
    report_recovery(start_ns, database->storage != NULL);
    if (!database->storage)
        instance_log_failure(instance, catalog_text(entry, "name"), &database->failure);
    return database->storage != NULL;
}

bool engine_usable(struct connection *connection, const cJSON *entry, struct failure *failure)
{
    static const int numbers[] = {0, 926, 942};
    const struct open_database *database = engine_database(connection->instance, catalog_id(entry));
    return !database || database->state == ENGINE_ONLINE ||
           failure_set(failure, numbers[database->state], 0, catalog_text(entry, "name"));
}

struct open_database *engine_current(struct connection *connection, struct failure *failure)
{
    const cJSON *entry = connection_database(connection);
    struct open_database *database = engine_database(connection->instance, connection->database_id);
    if (!database) {
        failure_set(failure, 33102, 0, catalog_text(entry, "name"));
        return NULL;
    }
    return engine_usable(connection, entry, failure) ? database : NULL;
}

static bool key_matches(const struct storage_wrapped *wrapped, const struct value *thumbprint)
{
    return wrapped->thumbprint_len == thumbprint->len &&
           memcmp(wrapped->thumbprint, thumbprint->data, thumbprint->len) == 0;
}

bool engine_uses_key(const struct instance *instance, const cJSON *key)
{
    bool used = false;
    if (catalog_number(key, "database_id") != ENGINE_MASTER_ID)
        return false;
    struct value thumbprint = value_hex(catalog_text(key, "thumbprint"));
    for (const struct open_database *at = instance->databases; at && !used; at = at->next)
        used = at->storage && key_matches(storage_wrapped_key(at->storage), &thumbprint);
    value_free(&thumbprint);
    return used;
}
