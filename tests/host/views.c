#include "views.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine.h"
#include "memory.h"
#include "storage_log.h"

static struct value thumbprint_value(const uint8_t *bytes, size_t len)
{
    return len ? value_binary(bytes, len) : value_null();
}

/* At compatibility level 170 keys under an asymmetric key are padded by OAEP-256, and the column
 * says so. */
static bool new_names(const struct view_request *request)
{
    return request->connection->instance->options.engine >= 2025;
}

static bool fill_databases(const struct view_request *request, struct rowset *rows,
                           struct failure *failure)
{
    (void)failure;
    const cJSON *entry = NULL;
    cJSON_ArrayForEach(entry, catalog_list(connection_catalog(request->connection), "databases"))
    {
        const struct open_database *database =
            engine_database(request->connection->instance, catalog_id(entry));
        enum engine_state state = database ? database->state : ENGINE_ONLINE;
        struct value *row = rowset_add_row(rows);
        row[0] = value_text(catalog_text(entry, "name"));
        row[1] = value_number(catalog_id(entry));
        row[2] = value_text(engine_state_text(state));
        row[3] = value_text(database && database->single_user ? "SINGLE_USER" : "MULTI_USER");
        row[4] =
            value_number(database && database->storage && storage_encrypted(database->storage));
        row[5] = value_number(new_names(request) ? 170 : 160);
    }
    return true;
}

static bool fill_encryption_keys(const struct view_request *request, struct rowset *rows,
                                 struct failure *failure)
{
    (void)failure;
    const struct open_database *database = request->connection->instance->databases;
    for (; database; database = database->next) {
        if (database->state != ENGINE_ONLINE || !storage_algorithm(database->storage)[0])
            continue;
        const struct storage_wrapped *wrapped = storage_wrapped_key(database->storage);
        bool encrypted = storage_encrypted(database->storage);
        struct value *row = rowset_add_row(rows);
        row[0] = value_number(database->id);
        row[1] = value_number(encrypted ? 3 : 1);
        row[2] = value_text(encrypted ? "ENCRYPTED" : "UNENCRYPTED");
        row[3] = value_text("AES");
        row[4] = value_number(atoi(storage_algorithm(database->storage) + 4));
        row[5] = thumbprint_value(wrapped->thumbprint, wrapped->thumbprint_len);
        row[6] = value_text(new_names(request) ? "ASYMMETRIC KEY_OAEP_256" : "ASYMMETRIC KEY");
        row[7] = value_number(0);
    }
    return true;
}

/* The keys of the connection's database. */
static bool fill_asymmetric_keys(const struct view_request *request, struct rowset *rows,
                                 struct failure *failure)
{
    (void)failure;
    struct catalog *catalog = connection_catalog(request->connection);
    const cJSON *key = NULL;
    cJSON_ArrayForEach(key, catalog_list(catalog, "asymmetric_keys"))
    {
        if (catalog_number(key, "database_id") != request->connection->database_id)
            continue;
        const cJSON *provider =
            catalog_find_number(catalog, "providers", "id", catalog_number(key, "provider_id"));
        struct value *row = rowset_add_row(rows);
        row[0] = value_text(catalog_text(key, "name"));
        row[1] = value_number(catalog_id(key));
        row[2] = value_text("CRYPTOGRAPHIC PROVIDER KEY");
        row[3] = value_hex(catalog_text(key, "thumbprint"));
        row[4] = value_text(catalog_text(key, "algorithm"));
        row[5] = value_number(catalog_number(key, "key_length"));
        row[6] = value_text("CRYPTOGRAPHIC PROVIDER");
        row[7] = value_text(catalog_text(provider, "guid"));
        row[8] = value_hex(catalog_text(key, "public_key"));
    }
    return true;
}

static bool fill_symmetric_keys(const struct view_request *request, struct rowset *rows,
                                struct failure *failure)
{
    (void)failure;
    const cJSON *key = NULL;
    cJSON_ArrayForEach(key, catalog_list(connection_catalog(request->connection), "symmetric_keys"))
    {
        if (catalog_number(key, "database_id") != request->connection->database_id)
            continue;
        struct value *row = rowset_add_row(rows);
        row[0] = value_text(catalog_text(key, "name"));
        row[1] = value_number(catalog_id(key));
        row[2] = value_number(256);
        row[3] = value_text(catalog_text(key, "algorithm"));
        row[4] = value_text(catalog_text(key, "guid"));
    }
    return true;
}

/* The encryptors of the symmetric keys of the database of the connection. */
static bool fill_key_encryptions(const struct view_request *request, struct rowset *rows,
                                 struct failure *failure)
{
    (void)failure;
    struct catalog *catalog = connection_catalog(request->connection);
    const cJSON *key = NULL;
    cJSON_ArrayForEach(key, catalog_list(catalog, "symmetric_keys"))
    {
        if (catalog_number(key, "database_id") != request->connection->database_id)
            continue;
        const cJSON *protector = catalog_find_number(catalog, "asymmetric_keys", "id",
                                                     catalog_number(key, "asymmetric_key_id"));
        struct value *row = rowset_add_row(rows);
        row[0] = value_number(catalog_id(key));
        row[1] = value_hex(catalog_text(protector, "thumbprint"));
        row[2] = value_text(new_names(request) ? "ENCRYPTION BY ASYMMETRIC KEY_OAEP_256"
                                               : "ENCRYPTION BY ASYMMETRIC KEY");
    }
    return true;
}

static bool fill_credentials(const struct view_request *request, struct rowset *rows,
                             struct failure *failure)
{
    (void)failure;
    const cJSON *entry = NULL;
    cJSON_ArrayForEach(entry, catalog_list(connection_catalog(request->connection), "credentials"))
    {
        int provider_id = catalog_number(entry, "provider_id");
        struct value *row = rowset_add_row(rows);
        row[0] = value_number(catalog_id(entry));
        row[1] = value_text(catalog_text(entry, "name"));
        row[2] = value_text(catalog_text(entry, "identity"));
        row[3] = provider_id ? value_text("CRYPTOGRAPHIC PROVIDER") : value_null();
        row[4] = provider_id ? value_number(provider_id) : value_null();
    }
    return true;
}

static bool fill_principals(const struct view_request *request, struct rowset *rows,
                            struct failure *failure)
{
    (void)failure;
    const cJSON *entry = NULL;
    cJSON_ArrayForEach(entry, catalog_list(connection_catalog(request->connection), "logins"))
    {
        const char *name = catalog_text(entry, "name");
        bool of_key = catalog_number(entry, "asymmetric_key_id") != 0;
        bool windows = strchr(name, '\\') != NULL;
        struct value *row = rowset_add_row(rows);
        row[0] = value_text(name);
        row[1] = value_number(catalog_id(entry));
        row[2] = value_text(of_key ? "K" : windows ? "U" : "S");
        row[3] = value_text(of_key    ? "ASYMMETRIC_KEY_MAPPED_LOGIN"
                            : windows ? "WINDOWS_LOGIN"
                                      : "SQL_LOGIN");
    }
    return true;
}

static bool fill_mappings(const struct view_request *request, struct rowset *rows,
                          struct failure *failure)
{
    (void)failure;
    const cJSON *entry = NULL;
    cJSON_ArrayForEach(entry, catalog_list(connection_catalog(request->connection), "logins"))
    {
        const cJSON *id = NULL;
        cJSON_ArrayForEach(id, cJSON_GetObjectItemCaseSensitive(entry, "credentials"))
        {
            struct value *row = rowset_add_row(rows);
            row[0] = value_number(catalog_id(entry));
            row[1] = value_number(id->valueint);
        }
    }
    return true;
}

static bool fill_configurations(const struct view_request *request, struct rowset *rows,
                                struct failure *failure)
{
    (void)failure;
    const cJSON *entry = NULL;
    cJSON_ArrayForEach(entry,
                       catalog_list(connection_catalog(request->connection), "configuration"))
    {
        struct value *row = rowset_add_row(rows);
        row[0] = value_text(catalog_text(entry, "name"));
        row[1] = value_number(catalog_number(entry, "value"));
        row[2] = value_number(catalog_number(entry, "value_in_use"));
    }
    return true;
}

/* One row for each log segment of the database whose number is given (NULL: the present one). */
static bool fill_log_info(const struct view_request *request, struct rowset *rows,
                          struct failure *failure)
{
    (void)failure;
    struct storage_segment segments[64];
    int id = request->connection->database_id;
    if (request->argument_count > 0 && request->arguments[0].kind == VALUE_NUMBER)
        id = (int)request->arguments[0].number;
    const struct open_database *database = engine_database(request->connection->instance, id);
    size_t count =
        database && database->storage
            ? storage_segments(database->storage, segments, sizeof segments / sizeof *segments)
            : 0;
    for (size_t i = 0; i < count; i++) {
        const struct storage_wrapped *key = &segments[i].key;
        struct value *row = rowset_add_row(rows);
        row[0] = value_number(id);
        row[1] = value_number(segments[i].number);
        row[2] = value_number((long long)segments[i].bytes);
        row[3] = value_number(segments[i].active);
        row[4] = value_number(2);
        row[5] = thumbprint_value(key->thumbprint, key->thumbprint_len);
    }
    return true;
}

static bool fill_master_files(const struct view_request *request, struct rowset *rows,
                              struct failure *failure)
{
    (void)failure;
    const cJSON *entry = NULL;
    cJSON_ArrayForEach(entry, catalog_list(connection_catalog(request->connection), "databases"))
    {
        if (!*catalog_text(entry, "base"))
            continue;
        char *path = memory_format("%s.mdf", catalog_text(entry, "base"));
        struct value *row = rowset_add_row(rows);
        row[0] = value_number(catalog_id(entry));
        row[1] = value_text("ROWS");
        row[2] = value_text(path);
        free(path);
    }
    return true;
}

static const struct view views[] = {
    {"databases", "name database_id state_desc user_access_desc is_encrypted compatibility_level",
     fill_databases},
    {"dm_database_encryption_keys",
     "database_id encryption_state encryption_state_desc key_algorithm key_length "
     "encryptor_thumbprint encryptor_type percent_complete",
     fill_encryption_keys},
    {"asymmetric_keys",
     "name asymmetric_key_id pvt_key_encryption_type_desc thumbprint algorithm_desc key_length "
     "provider_type cryptographic_provider_guid public_key",
     fill_asymmetric_keys},
    {"symmetric_keys", "name symmetric_key_id key_length algorithm_desc key_guid",
     fill_symmetric_keys},
    {"key_encryptions", "key_id thumbprint crypt_type_desc", fill_key_encryptions},
    {"credentials", "credential_id name credential_identity target_type target_id",
     fill_credentials},
    {"server_principals", "name principal_id type type_desc", fill_principals},
    {"server_principal_credentials", "principal_id credential_id", fill_mappings},
    {"configurations", "name value value_in_use", fill_configurations},
    {"dm_db_log_info",
     "database_id vlf_sequence_number vlf_size_bytes vlf_active vlf_status "
     "vlf_encryptor_thumbprint",
     fill_log_info},
    {"master_files", "database_id type_desc physical_name", fill_master_files},
    {NULL, NULL, NULL}};

bool views_fill(const char *name, const struct view_request *request, struct rowset *rows,
                struct failure *failure)
{
    const struct view *const tables[] = {views, views_provider};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        for (const struct view *view = tables[i]; view->name; view++) {
            if (strcasecmp(view->name, name) != 0)
                continue;
            rowset_add_columns(rows, view->columns);
            return view->fill(request, rows, failure);
        }
    }
    return failure_set(failure, 208, 0, name);
}
