#include "tables.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>

#include "engine_ask.h"
#include "memory.h"
#include "storage_log.h"

static bool tables_storage_failure(const struct open_database *database, const char *why,
                                   struct failure *failure)
{
    return failure_set(failure, 5120, 0, storage_base(database->storage), why);
}

/* The JSON document of the database of the connection, to be deleted. */
static cJSON *tables_load(struct connection *connection, struct open_database **database,
                          struct failure *failure)
{
    uint8_t *text = NULL;
    size_t len = 0;
    char why[256];
    *database = engine_current(connection, failure);
    if (!*database)
        return NULL;
    if (!storage_read((*database)->storage, &text, &len, why)) {
        tables_storage_failure(*database, why, failure);
        return NULL;
    }
    cJSON *document = len ? cJSON_Parse((const char *)text) : cJSON_CreateArray();
    OPENSSL_cleanse(text, len);
    free(text);
    if (!document)
        tables_storage_failure(*database, "its pages do not hold what was written", failure);
    return document;
}

static bool tables_save(struct connection *connection, struct open_database *database,
                        const cJSON *document, struct failure *failure)
{
    char why[256];
    if (database->snapshot)
        return failure_set(failure, 3906, 0, storage_name(database->storage));
    if (!engine_log_room(connection, database, failure))
        return false;
    char *text = cJSON_PrintUnformatted(document);
    size_t len = strlen(text);
    bool good = storage_write(database->storage, text, len, why) &&
                storage_log(database->storage, text, len, why);
    memory_wipe_text(text);
    return good || tables_storage_failure(database, why, failure);
}

static cJSON *tables_find(const cJSON *document, const char *name)
{
    cJSON *table = NULL;
    cJSON_ArrayForEach(table, document)
    {
        if (strcasecmp(catalog_text(table, "name"), name) == 0)
            return table;
    }
    return NULL;
}

static cJSON *cell_to_json(const struct value *value)
{
    if (value->kind == VALUE_NULL)
        return cJSON_CreateNull();
    if (value->kind == VALUE_NUMBER)
        return cJSON_CreateNumber((double)value->number);
    char *text = NULL;
    if (value->kind == VALUE_BINARY) {
        char *hex = memory_hex((const uint8_t *)value->data, value->len);
        text = memory_format("b%s", hex);
        free(hex);
    } else {
        text = memory_format("%c%s", value->wide ? 'n' : 't', value->data);
    }
    cJSON *json = cJSON_CreateString(text);
    free(text);
    return json;
}

static struct value cell_of_json(const cJSON *json)
{
    if (cJSON_IsNumber(json))
        return value_number((long long)json->valuedouble);
    const char *text = cJSON_GetStringValue(json);
    if (!text || !*text)
        return value_null();
    if (*text == 'b')
        return text[1] ? value_hex(text + 1) : value_binary("", 0);
    struct value value = value_text(text + 1);
    value.wide = *text == 'n';
    return value;
}

bool tables_read(struct connection *connection, const char *name, struct rowset *rows,
                 struct failure *failure)
{
    struct open_database *database = NULL;
    if (!engine_database(connection->instance, connection->database_id))
        return failure_set(failure, 208, 0, name);
    cJSON *document = tables_load(connection, &database, failure);
    const cJSON *table = document ? tables_find(document, name) : NULL;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(table, "columns"))
        rowset_add_column(rows, catalog_text(item, "name"));
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(table, "rows"))
    {
        struct value *cells = rowset_add_row(rows);
        const cJSON *cell = NULL;
        cJSON_ArrayForEach(cell, item) *cells++ = cell_of_json(cell);
    }
    bool good = document && (table || failure_set(failure, 208, 0, name));
    cJSON_Delete(document);
    return good;
}

bool tables_create(struct connection *connection, const char *name, const struct rowset *columns,
                   const struct value_type *types, struct failure *failure)
{
    struct open_database *database = NULL;
    cJSON *document = tables_load(connection, &database, failure);
    bool good = document && (!tables_find(document, name) || failure_set(failure, 2714, 0, name));
    if (good) {
        cJSON *table = cJSON_CreateObject();
        cJSON_AddStringToObject(table, "name", name);
        cJSON *list = cJSON_AddArrayToObject(table, "columns");
        for (size_t i = 0; i < columns->column_count; i++) {
            cJSON *column = cJSON_CreateObject();
            cJSON_AddStringToObject(column, "name", columns->columns[i]);
            cJSON_AddStringToObject(column, "type", types[i].name);
            cJSON_AddNumberToObject(column, "size", (double)types[i].size);
            cJSON_AddItemToArray(list, column);
        }
        cJSON_AddArrayToObject(table, "rows");
        cJSON_AddItemToArray(document, table);
        good = tables_save(connection, database, document, failure);
    }
    cJSON_Delete(document);
    return good;
}

bool tables_drop(struct connection *connection, const char *name, struct failure *failure)
{
    struct open_database *database = NULL;
    cJSON *document = tables_load(connection, &database, failure);
    cJSON *table = document ? tables_find(document, name) : NULL;
    bool good = document && (table || failure_set(failure, 3701, 0, "table", name));
    if (good) {
        cJSON_Delete(cJSON_DetachItemViaPointer(document, table));
        good = tables_save(connection, database, document, failure);
    }
    cJSON_Delete(document);
    return good;
}

/* One row as JSON, each cell in its column's type; NULL after the failure. */
static cJSON *convert_row(const cJSON *columns, const struct value *cells, struct failure *failure)
{
    cJSON *row = cJSON_CreateArray();
    const cJSON *column = NULL;
    cJSON_ArrayForEach(column, columns)
    {
        struct value_type type = {.size = catalog_number(column, "size")};
        strncpy(type.name, catalog_text(column, "type"), sizeof type.name - 1);
        struct value value = value_copy(cells++);
        bool good = value_convert(&value, &type, 0, failure);
        if (good)
            cJSON_AddItemToArray(row, cell_to_json(&value));
        value_free(&value);
        if (!good) {
            cJSON_Delete(row);
            return NULL;
        }
    }
    return row;
}

static bool add_rows(cJSON *table, const struct rowset *rows, struct failure *failure)
{
    const cJSON *columns = cJSON_GetObjectItemCaseSensitive(table, "columns");
    if ((size_t)cJSON_GetArraySize(columns) != rows->column_count)
        return failure_set(failure, 213, 0);
    for (size_t i = 0; i < rows->row_count; i++) {
        cJSON *row = convert_row(columns, rowset_row(rows, i), failure);
        if (!row)
            return false;
        cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(table, "rows"), row);
    }
    return true;
}

bool tables_insert(struct connection *connection, const char *name, const struct rowset *rows,
                   struct failure *failure)
{
    struct open_database *database = NULL;
    if (!engine_database(connection->instance, connection->database_id))
        return failure_set(failure, 208, 0, name);
    cJSON *document = tables_load(connection, &database, failure);
    cJSON *table = document ? tables_find(document, name) : NULL;
    bool good = document && (table || failure_set(failure, 208, 0, name));
    good = good && add_rows(table, rows, failure) &&
           tables_save(connection, database, document, failure);
    cJSON_Delete(document);
    return good;
}
