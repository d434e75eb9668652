#include "engine.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "engine_key.h"
#include "memory.h"
#include "platform.h"
#include "report.h"
#include "storage_log.h"

enum { SEGMENT_BYTES = 64 * 1024, MAX_SEGMENTS = 256 };

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

/* behaviour of a running database: asks the provider again, and goes on with the key in memory if
 * it fails. */
bool engine_new_segment(struct instance *instance, struct open_database *database)
{
    char why[256];
    uint8_t plain[STORAGE_MAX_KEY];
    size_t len = 0;
    struct failure failure;
    const struct storage_wrapped *wrapped = storage_wrapped_key(database->storage);
    if (storage_encrypted(database->storage)) {
        if (!engine_unwrap(instance, wrapped, plain, &len, &failure)) {
            const char *name = storage_name(database->storage);
            instance_log_failure(instance, name, &failure);
            instance_log(instance, "Database '%s' goes on with the key in memory.", name);
            report_key_in_memory();
        }
        OPENSSL_cleanse(plain, sizeof plain);
    }
    return storage_new_segment(database->storage, why);
}

void engine_log_written(struct connection *connection, struct open_database *database)
{
    struct storage_segment *segments = memory_take(MAX_SEGMENTS * sizeof *segments);
    size_t count = storage_segments(database->storage, segments, MAX_SEGMENTS);
    if (count > 0 && segments[count - 1].bytes >= SEGMENT_BYTES)
        engine_new_segment(connection->instance, database);
    free(segments);
}
