#include "database.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "memory.h"
#include "statement.h"

struct open_database *database_register(struct connection *connection, const char *name,
                                        const char *base)
{
    struct catalog *catalog = connection_catalog(connection);
    cJSON *entry = catalog_add(catalog, "databases", name);
    catalog_set_text(catalog, entry, "base", base);
    return engine_add(connection->instance, entry);
}

void database_forget(struct connection *connection, cJSON *entry)
{
    static const char *const lists[] = {"asymmetric_keys", "symmetric_keys"};
    struct catalog *catalog = connection_catalog(connection);
    int id = catalog_id(entry);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        cJSON *key = NULL;
        while ((key = catalog_find_number(catalog, lists[i], "database_id", id)))
            catalog_remove(catalog, lists[i], key);
    }
    engine_remove(connection->instance, id);
    catalog_remove(catalog, "databases", entry);
}

char *database_base(const struct connection *connection, const char *name)
{
    char *base = memory_format("%s/%s", connection->instance->options.folder, name);
    for (char *at = base + strlen(base) - strlen(name); *at; at++) {
        if (!isalnum((unsigned char)*at) && !strchr("-_ ", *at))
            *at = '_';
    }
    return base;
}

bool database_make_many(struct connection *connection, int count, const char *key_name)
{
    int errors = connection->instance->errors;
    for (int i = 1; i <= count && connection->instance->errors == errors; i++) {
        char *batch = memory_format("CREATE DATABASE storm%d;", i);
        statement_run_batch(connection, batch);
        free(batch);
        batch = memory_format("USE storm%d; CREATE TABLE t (id int, name varchar(40)); "
                              "INSERT INTO t VALUES (%d, 'row of storm%d'); "
                              "CREATE DATABASE ENCRYPTION KEY WITH ALGORITHM = AES_256 "
                              "ENCRYPTION BY SERVER ASYMMETRIC KEY [%s]; "
                              "ALTER DATABASE storm%d SET ENCRYPTION ON; USE master;",
                              i, i, i, key_name, i);
        statement_run_batch(connection, batch);
        free(batch);
    }
    return connection->instance->errors == errors;
}
