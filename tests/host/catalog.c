#include "catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "memory.h"

/* The lists and their first numbers, roughly those of SQL Server. */
static const struct {
    const char *name;
    int first_id;
} lists[] = {{"providers", 65536}, {"credentials", 65536},   {"logins", 257},
             {"databases", 1},     {"asymmetric_keys", 256}, {"symmetric_keys", 256}};

static const char *const settings[] = {"show advanced options", "EKM provider enabled"};

static void add_system_entries(struct catalog *catalog)
{
    static const char *const databases[] = {"master", "tempdb", "model", "msdb"};
    for (size_t i = 0; i < sizeof databases / sizeof *databases; i++)
        catalog_set_text(catalog, catalog_add(catalog, "databases", databases[i]), "kind",
                         "system");
    catalog_add(catalog, "logins", "sa");
    catalog_add(catalog, "logins", "NT SERVICE\\MSSQLSERVER");
    catalog_add(catalog, "logins", "CONTOSO\\dba");
}

static void catalog_create(struct catalog *catalog)
{
    catalog->root = cJSON_CreateObject();
    cJSON_AddNumberToObject(catalog->root, "format", 1);
    cJSON *next = cJSON_AddObjectToObject(catalog->root, "next_id");
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        cJSON_AddNumberToObject(next, lists[i].name, lists[i].first_id);
        cJSON_AddArrayToObject(catalog->root, lists[i].name);
    }
    cJSON *configuration = cJSON_AddArrayToObject(catalog->root, "configuration");
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        cJSON *entry = cJSON_CreateObject();
        cJSON_AddStringToObject(entry, "name", settings[i]);
        cJSON_AddNumberToObject(entry, "value", 0);
        cJSON_AddNumberToObject(entry, "value_in_use", 0);
        cJSON_AddItemToArray(configuration, entry);
    }
    add_system_entries(catalog);
    catalog->changed = true;
}

static bool load_machine_key(struct catalog *catalog, const char *folder)
{
    char *path = memory_format("%s/machine.key", folder);
    size_t len = 0;
    char *key = memory_read_file(path, &len);
    bool good = key && len == sizeof catalog->machine_key;
    if (good) {
        memcpy(catalog->machine_key, key, len);
    } else if (!key) {
        good = RAND_bytes(catalog->machine_key, sizeof catalog->machine_key) == 1 &&
               memory_write_file(path, catalog->machine_key, sizeof catalog->machine_key);
    }
    if (key)
        OPENSSL_cleanse(key, len);
    free(key);
    free(path);
    return good;
}

bool catalog_open(struct catalog *catalog, const char *folder, char **why)
{
    memset(catalog, 0, sizeof *catalog);
    if (!load_machine_key(catalog, folder)) {
        *why = memory_format("%s/machine.key cannot be read or written", folder);
        return false;
    }
    catalog->path = memory_format("%s/catalog.json", folder);
    char *text = memory_read_file(catalog->path, NULL);
    if (text)
        catalog->root = cJSON_Parse(text);
    else
        catalog_create(catalog);
    free(text);
    bool good = catalog->root != NULL;
    for (size_t i = 0; good && i < sizeof lists / sizeof *lists; i++)
        good = cJSON_IsArray(catalog_list(catalog, lists[i].name));
    if (!good) {
        *why = memory_format("%s is not a catalog", catalog->path);
    } else if (!catalog_save(catalog)) {
        *why = memory_format("%s cannot be written", catalog->path);
        good = false;
    }
    return good;
}

bool catalog_save(struct catalog *catalog)
{
    if (!catalog->changed)
        return true;
    char *text = cJSON_Print(catalog->root);
    bool good = text && memory_write_file(catalog->path, text, strlen(text));
    free(text);
    catalog->changed = !good;
    return good;
}

void catalog_close(struct catalog *catalog)
{
    cJSON_Delete(catalog->root);
    free(catalog->path);
    OPENSSL_cleanse(catalog, sizeof *catalog);
}

cJSON *catalog_list(const struct catalog *catalog, const char *list)
{
    return cJSON_GetObjectItemCaseSensitive(catalog->root, list);
}

cJSON *catalog_find_text(const struct catalog *catalog, const char *list, const char *field,
                         const char *value)
{
    cJSON *entry = NULL;
    cJSON_ArrayForEach(entry, catalog_list(catalog, list))
    {
        if (strcasecmp(catalog_text(entry, field), value) == 0)
            return entry;
    }
    return NULL;
}

cJSON *catalog_find(const struct catalog *catalog, const char *list, const char *name)
{
    return catalog_find_text(catalog, list, "name", name);
}

cJSON *catalog_find_number(const struct catalog *catalog, const char *list, const char *field,
                           int value)
{
    cJSON *entry = NULL;
    cJSON_ArrayForEach(entry, catalog_list(catalog, list))
    {
        if (catalog_number(entry, field) == value)
            return entry;
    }
    return NULL;
}

cJSON *catalog_find_key(const struct catalog *catalog, const char *list, int database_id,
                        const char *name)
{
    cJSON *entry = NULL;
    cJSON_ArrayForEach(entry, catalog_list(catalog, list))
    {
        if (catalog_number(entry, "database_id") == database_id &&
            strcasecmp(catalog_text(entry, "name"), name) == 0)
            return entry;
    }
    return NULL;
}

cJSON *catalog_add(struct catalog *catalog, const char *list, const char *name)
{
    cJSON *next = cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(catalog->root, "next_id"), list);
    cJSON *entry = cJSON_CreateObject();
    cJSON_AddNumberToObject(entry, "id", next->valueint);
    cJSON_AddStringToObject(entry, "name", name);
    cJSON_SetNumberValue(next, next->valueint + 1);
    cJSON_AddItemToArray(catalog_list(catalog, list), entry);
    catalog->changed = true;
    return entry;
}

void catalog_remove(struct catalog *catalog, const char *list, cJSON *entry)
{
    cJSON_Delete(cJSON_DetachItemViaPointer(catalog_list(catalog, list), entry));
    catalog->changed = true;
}

static void set_item(struct catalog *catalog, cJSON *entry, const char *field, cJSON *item)
{
    cJSON_DeleteItemFromObjectCaseSensitive(entry, field);
    cJSON_AddItemToObject(entry, field, item);
    catalog->changed = true;
}

void catalog_set_text(struct catalog *catalog, cJSON *entry, const char *field, const char *value)
{
    set_item(catalog, entry, field, cJSON_CreateString(value));
}

void catalog_set_number(struct catalog *catalog, cJSON *entry, const char *field, int value)
{
    set_item(catalog, entry, field, cJSON_CreateNumber(value));
}

const char *catalog_text(const cJSON *entry, const char *field)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, field));
    return text ? text : "";
}

int catalog_number(const cJSON *entry, const char *field)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(entry, field);
    return cJSON_IsNumber(item) ? item->valueint : 0;
}

int catalog_id(const cJSON *entry)
{
    return catalog_number(entry, "id");
}

bool catalog_setting(const struct catalog *catalog, const char *name)
{
    return catalog_number(catalog_find(catalog, "configuration", name), "value_in_use") != 0;
}

enum { NONCE_LEN = 12, TAG_LEN = 16 };

char *catalog_seal(const struct catalog *catalog, const char *secret)
{
    int len = (int)strlen(secret);
    uint8_t *sealed = memory_take(NONCE_LEN + (size_t)len + TAG_LEN);
    uint8_t *cipher = sealed + NONCE_LEN;
    int used = 0;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    char *hex = NULL;
    if (context && RAND_bytes(sealed, NONCE_LEN) == 1 &&
        EVP_EncryptInit_ex2(context, EVP_aes_256_gcm(), catalog->machine_key, sealed, NULL) == 1 &&
        EVP_EncryptUpdate(context, cipher, &used, (const uint8_t *)secret, len) == 1 &&
        EVP_EncryptFinal_ex(context, cipher + len, &used) == 1 &&
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG_LEN, cipher + len) == 1)
        hex = memory_hex(sealed, NONCE_LEN + (size_t)len + TAG_LEN);
    EVP_CIPHER_CTX_free(context);
    free(sealed);
    return hex;
}

char *catalog_unseal(const struct catalog *catalog, const char *hex)
{
    size_t len = 0;
    uint8_t *sealed = memory_unhex(hex, &len);
    char *secret = NULL;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (sealed && context && len >= NONCE_LEN + TAG_LEN) {
        int secret_len = (int)(len - NONCE_LEN - TAG_LEN);
        uint8_t *cipher = sealed + NONCE_LEN;
        int used = 0;
        secret = memory_take((size_t)secret_len + 1);
        if (EVP_DecryptInit_ex2(context, EVP_aes_256_gcm(), catalog->machine_key, sealed, NULL) !=
                1 ||
            EVP_DecryptUpdate(context, (uint8_t *)secret, &used, cipher, secret_len) != 1 ||
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, TAG_LEN, cipher + secret_len) != 1 ||
            EVP_DecryptFinal_ex(context, (uint8_t *)secret + secret_len, &used) != 1) {
            OPENSSL_cleanse(secret, (size_t)secret_len);
            free(secret);
            secret = NULL;
        }
    }
    EVP_CIPHER_CTX_free(context);
    free(sealed);
    return secret;
}
