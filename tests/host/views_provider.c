/* The views about providers, and those that call the provider (ekm-abi.md section 5). */
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "memory.h"
#include "provider_calls.h"
#include "views.h"

static bool fill_providers(const struct view_request *request, struct rowset *rows,
                           struct failure *failure)
{
    (void)failure;
    const cJSON *entry = NULL;
    cJSON_ArrayForEach(entry, catalog_list(connection_catalog(request->connection), "providers"))
    {
        struct value *row = rowset_add_row(rows);
        row[0] = value_number(catalog_id(entry));
        row[1] = value_text(catalog_text(entry, "name"));
        row[2] = value_text(catalog_text(entry, "guid"));
        row[3] = value_text(catalog_text(entry, "version"));
        row[4] = value_text(catalog_text(entry, "path"));
        row[5] = value_number(cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(entry, "is_enabled")));
    }
    return true;
}

static struct value *put_support(struct value *cell, uint32_t flags)
{
    static const uint32_t bits[] = {SQLCP_KEY_FLAG_SUPPORTED, SQLCP_KEY_FLAG_EXPORTABLE,
                                    SQLCP_KEY_FLAG_IMPORTABLE};
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
        *cell++ = value_number((flags & bits[i]) != 0);
    bool persistent = (flags & SQLCP_KEY_FLAG_SUPPORTED) && !(flags & SQLCP_KEY_FLAG_VOLATILE);
    *cell++ = value_number(persistent);
    return cell;
}

/* A row for each provider that can be loaded. */
static bool fill_properties(const struct view_request *request, struct rowset *rows,
                            struct failure *failure)
{
    const cJSON *entry = NULL;
    cJSON_ArrayForEach(entry, catalog_list(connection_catalog(request->connection), "providers"))
    {
        struct provider_library *library = NULL;
        char version[24];
        if (!access_library(request->connection->instance, entry, &library, failure))
            return false;
        const struct provider_info *info = provider_library_info(library);
        struct value *row = rowset_add_row(rows);
        row[0] = value_number(catalog_id(entry));
        row[1] = value_text(info->guid);
        access_version_text(&info->version, version);
        row[2] = value_text(version);
        access_version_text(&info->api_version, version);
        row[3] = value_text(version);
        row[4] = value_text(info->name);
        row[5] = value_text(info->auth_type == SQLCP_AUTH_BASIC ? "BASIC" : "OTHER");
        put_support(put_support(row + 6, info->symmetric_support), info->asymmetric_support);
    }
    return true;
}

/* The provider of argument 0; an unknown number gives an empty view. */
static const cJSON *provider_argument(const struct view_request *request)
{
    int id = request->argument_count > 0 ? (int)request->arguments[0].number : 0;
    return catalog_find_number(connection_catalog(request->connection), "providers", "id", id);
}

static const char *key_type(SqlCpKeyType type)
{
    return type == SQLCP_KEY_ASYMMETRIC ? "ASYMMETRIC KEY" : "SYMMETRIC KEY";
}

static bool fill_algorithms(const struct view_request *request, struct rowset *rows,
                            struct failure *failure)
{
    const cJSON *provider = provider_argument(request);
    struct provider_library *library = NULL;
    if (!provider)
        return true;
    if (!access_library(request->connection->instance, provider, &library, failure))
        return false;
    const struct provider_info *info = provider_library_info(library);
    int code = provider_library_algorithms(library);
    if (code != SQLCP_SUCCESS)
        return failure_set_provider(failure, 33022, code);
    for (size_t i = 0; i < info->algorithm_count; i++) {
        const struct provider_algorithm *algorithm = &info->algorithms[i];
        struct value *row = rowset_add_row(rows);
        row[0] = value_number(algorithm->id);
        row[1] = value_text(algorithm->tag);
        row[2] = value_text(key_type(algorithm->type));
        row[3] = value_number(algorithm->bit_len);
    }
    return true;
}

static bool add_key(struct provider_session *session, SqlCpKeyId id, struct rowset *rows,
                    struct failure *failure)
{
    struct provider_key_info info = {.name = ""};
    struct provider_algorithm algorithm = {.id = 0};
    int code = provider_key_by_id(session, id, &info);
    if (code != SQLCP_SUCCESS)
        return failure_set_provider(failure, 33022, code);
    code = provider_session_algorithm(session, info.algorithm_id, &algorithm);
    if (code != SQLCP_SUCCESS)
        return failure_set_provider(failure, 33051, code, (int)info.algorithm_id);
    struct value *row = rowset_add_row(rows);
    row[0] = value_number(id);
    row[1] = value_text(info.name);
    row[2] = value_binary(info.thumbprint, info.thumbprint_len);
    row[3] = value_number(info.algorithm_id);
    row[4] = value_text(algorithm.tag);
    row[5] = value_text(key_type(algorithm.type));
    row[6] = value_number(algorithm.bit_len);
    return true;
}

/* The keys that the connection's credential may see. */
static bool fill_keys(const struct view_request *request, struct rowset *rows,
                      struct failure *failure)
{
    const cJSON *provider = provider_argument(request);
    struct provider_session *session = NULL;
    if (!provider)
        return true;
    if (!access_user(request->connection, provider, &session, failure))
        return false;
    SqlCpKeyId id = SQLCP_INVALID_ID;
    for (;;) {
        int code = provider_key_next_id(session, &id);
        if (code == SQLCP_NOT_FOUND)
            return true;
        if (code != SQLCP_SUCCESS)
            return failure_set_provider(failure, 33022, code);
        if (!add_key(session, id, rows, failure))
            return false;
    }
}

struct session_rows {
    struct rowset *rows;
    int provider_id;
    int only_spid; /* 0: all */
};

static void add_session(void *context, const struct provider_session_entry *entry)
{
    const struct session_rows *into = context;
    if (into->only_spid && entry->spid != into->only_spid)
        return;
    uint8_t handle[8];
    for (size_t i = 0; i < sizeof handle; i++)
        handle[i] = (uint8_t)(entry->handle >> (8 * (7 - i)));
    struct value *row = rowset_add_row(into->rows);
    row[0] = value_number(into->provider_id);
    row[1] = value_binary(handle, sizeof handle);
    row[2] = value_text(entry->identity);
    row[3] = value_number(entry->spid);
}

/* 0: the sessions of this connection, 1: all sessions, as in SQL Server. */
static bool fill_sessions(const struct view_request *request, struct rowset *rows,
                          struct failure *failure)
{
    bool all = request->argument_count > 0 && request->arguments[0].number != 0;
    const cJSON *entry = NULL;
    (void)failure;
    cJSON_ArrayForEach(entry, catalog_list(connection_catalog(request->connection), "providers"))
    {
        struct session_rows into = {rows, catalog_id(entry), all ? 0 : request->connection->spid};
        struct provider_library *library =
            access_loaded(request->connection->instance, catalog_id(entry));
        if (library)
            provider_library_sessions(library, add_session, &into);
    }
    return true;
}

const struct view views_provider[] = {
    {"cryptographic_providers", "provider_id name guid version dll_path is_enabled",
     fill_providers},
    {"dm_cryptographic_provider_properties",
     "provider_id guid provider_version sqlcrypt_version friendly_name authentication_type "
     "symmetric_key_support symmetric_key_export symmetric_key_import symmetric_key_persistance "
     "asymmetric_key_support asymmetric_key_export asymmetric_key_import "
     "asymmetric_key_persistance",
     fill_properties},
    {"dm_cryptographic_provider_algorithms", "algorithm_id algorithm_tag key_type key_length",
     fill_algorithms},
    {"dm_cryptographic_provider_keys",
     "key_id key_name key_thumbprint algorithm_id algorithm_tag key_type key_length", fill_keys},
    {"dm_cryptographic_provider_sessions", "provider_id session_handle identity spid",
     fill_sessions},
    {NULL, NULL, NULL}};
