#include "functions.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/rand.h>

#include "connection.h"
#include "functions_key.h"
#include "memory.h"

static bool call_db_id(const struct function_call *call)
{
    const cJSON *entry = call->count == 0 ? connection_database(call->connection)
                                          : catalog_find(connection_catalog(call->connection),
                                                         "databases", function_text(call, 0));
    if (entry)
        *call->out = value_number(catalog_id(entry));
    return true;
}

static bool call_db_name(const struct function_call *call)
{
    const cJSON *entry =
        call->count == 0 ? connection_database(call->connection)
                         : catalog_find_number(connection_catalog(call->connection), "databases",
                                               "id", (int)call->arguments[0].number);
    if (entry)
        *call->out = value_text(catalog_text(entry, "name"));
    return true;
}

static bool call_login(const struct function_call *call)
{
    *call->out = value_text(call->connection->login);
    return true;
}

static bool call_version(const struct function_call *call)
{
    *call->out = value_text("ekmhost " EKMHOST_VERSION
                            ": a stand-in for SQL Server's side of extensible key management");
    return true;
}

static bool call_spid(const struct function_call *call)
{
    *call->out = value_number(call->connection->spid);
    return true;
}

static bool call_datalength(const struct function_call *call)
{
    if (call->arguments[0].kind == VALUE_NULL)
        return true;
    struct value bytes = value_as_binary(&call->arguments[0]);
    *call->out = value_number((long long)bytes.len);
    value_free(&bytes);
    return true;
}

static bool call_len(const struct function_call *call)
{
    if (call->arguments[0].kind != VALUE_NULL)
        *call->out = value_number((long long)call->arguments[0].len);
    return true;
}

static bool call_replicate(const struct function_call *call)
{
    const struct value *text = &call->arguments[0];
    long long times = call->arguments[1].number;
    if (text->kind == VALUE_NULL || times < 0 || times > 1000000)
        return true;
    size_t len = text->len * (size_t)times;
    char *all = memory_take(len + 1);
    for (size_t at = 0; at < len; at += text->len)
        memcpy(all + at, text->data, text->len);
    *call->out = value_text_n(all, len);
    call->out->wide = text->wide;
    free(all);
    return true;
}

static bool call_random(const struct function_call *call)
{
    uint8_t bytes[8000];
    long long len = call->arguments[0].number;
    if (len < 1 || len > (long long)sizeof bytes || RAND_bytes(bytes, (int)len) != 1)
        return true;
    *call->out = value_binary(bytes, (size_t)len);
    return true;
}

static const struct {
    const char *name;
    size_t least, most; /* arguments */
    bool (*call)(const struct function_call *call);
} functions[] = {{"DB_ID", 0, 1, call_db_id},
                 {"DB_NAME", 0, 1, call_db_name},
                 {"SUSER_SNAME", 0, 0, call_login},
                 {"SUSER_NAME", 0, 0, call_login},
                 {"@@VERSION", 0, 0, call_version},
                 {"@@SPID", 0, 0, call_spid},
                 {"DATALENGTH", 1, 1, call_datalength},
                 {"LEN", 1, 1, call_len},
                 {"REPLICATE", 2, 2, call_replicate},
                 {"CRYPT_GEN_RANDOM", 1, 1, call_random},
                 {"ASYMKEY_ID", 1, 1, function_asymkey_id},
                 {"KEY_ID", 1, 1, function_key_id},
                 {"KEY_GUID", 1, 1, function_key_guid},
                 {"ENCRYPTBYASYMKEY", 2, 2, function_encrypt_by_asymkey},
                 {"DECRYPTBYASYMKEY", 2, 3, function_decrypt_by_asymkey},
                 {"ENCRYPTBYKEY", 2, 4, function_encrypt_by_key},
                 {"DECRYPTBYKEY", 1, 3, function_decrypt_by_key}};

const char *function_text(const struct function_call *call, size_t argument)
{
    const struct value *value = &call->arguments[argument];
    return value->kind == VALUE_TEXT ? value->data : "";
}

bool function_call(struct connection *connection, const char *name, const struct value *arguments,
                   size_t count, struct value *out, struct failure *failure)
{
    struct function_call call = {connection, arguments, count, out, failure};
    *out = value_null();
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (strcasecmp(functions[i].name, name) == 0 && count >= functions[i].least &&
            count <= functions[i].most)
            return functions[i].call(&call);
    }
    return failure_set(failure, 195, 0, name);
}
