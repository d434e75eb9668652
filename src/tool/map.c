#include "tool/map.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "keymap/keymap.h"
#include "keymap/old_rule.h"
#include "platform/system.h"
#include "provider/key_lookup.h"
#include "tool/reg_file.h"
#include "tool/tool.h"

#define MAP_WAIT_MS 10000

enum plat_io map_load(struct keymap_table *table)
{
    memset(table, 0, sizeof *table);
    return keymap_store_load(NULL, table);
}

const char *map_judge_entry(const struct keymap_entry *entry, struct key_id *key)
{
    if (!key_uri_parse(entry->uri, entry->host, key)) {
        return "KeyUri is no key of that vault";
    }
    if (key->version[0] == '\0') {
        return "KeyUri names no version";
    }
    if (old_rule_length(&entry->thumbprint) && !old_rule_fits(&entry->thumbprint, key->name)) {
        return "a thumbprint of the old rule that does not fit the key's name";
    }
    return NULL;
}

bool map_ask_vault(const struct connection *connection, const struct keymap_entry *entry, char *why,
                   size_t cap, int64_t *ends_s)
{
    struct call call;
    struct key_id id;
    struct vault_key key;
    const char *wrong = map_judge_entry(entry, &id);
    *ends_s = 0;
    if (wrong != NULL) {
        (void)text_copy(why, cap, wrong);
        return false;
    }
    connection_begin_call(connection, &call, "GetKey");
    enum ekm_rc rc = vault_get_key(&call, &connection->vault, &id, &key);
    if (rc != EKM_OK) {
        connection_explain(&call, rc, why, cap);
        return false;
    }
    if (!key_lookup_thumbprint_fits(&call, &key, &entry->thumbprint)) {
        (void)text_copy(why, cap, "the vault's key has another thumbprint");
        return false;
    }
    *ends_s = key.expires_s;
    if (!key.enabled) {
        (void)text_copy(why, cap, "5004: the key is disabled");
    }
    return key.enabled;
}

static void map_print(const struct keymap_entry *entry, const char *after)
{
    char hex[2 * THUMBPRINT_MAX_BYTES + 1];
    thumbprint_text(&entry->thumbprint, hex);
    (void)printf("%s\t%s\t%s%s\n", entry->host, hex, entry->uri, after);
}

static int map_list(const struct keymap_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        map_print(table->entries[i], "");
    }
    return TOOL_OK;
}

/* In the form that regedit imports, for a Windows machine. */
static int map_export_registry(const struct keymap_table *table)
{
    (void)puts("Windows Registry Editor Version 5.00");
    for (size_t i = 0; i < table->count; i++) {
        char hex[2 * THUMBPRINT_MAX_BYTES + 1];
        const struct keymap_entry *entry = table->entries[i];
        thumbprint_text(&entry->thumbprint, hex);
        (void)printf("\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\SQL Server Cryptographic "
                     "Provider\\Azure Key Vault\\https://%s\\%s]\n\"KeyUri\"=\"%s\"\n",
                     entry->host, hex, entry->uri);
    }
    return TOOL_OK;
}

static int map_check(const struct connection *connection, const struct keymap_table *table)
{
    char why[700];
    size_t wrong = 0, asked = 0;
    for (size_t i = 0; i < table->count; i++) {
        struct key_id key;
        const struct keymap_entry *entry = table->entries[i];
        const char *judged = map_judge_entry(entry, &key);
        (void)text_copy(why, sizeof why, judged != NULL ? judged : "");
        if (judged == NULL && strcmp(entry->host, connection->vault.address.host) == 0) {
            asked++;
            int64_t ends_s = 0;
            judged = map_ask_vault(connection, entry, why, sizeof why, &ends_s) ? NULL : why;
        }
        if (judged != NULL) {
            (void)printf("WRONG\t%s\n", why);
            map_print(entry, "");
            wrong++;
        }
    }
    for (size_t i = 0; i < table->broken && i < 8; i++) {
        (void)printf("WRONG\tline %zu is no entry\n", table->broken_lines[i]);
    }
    wrong += table->broken;
    (void)printf("%s: %zu entries, %zu asked of the vault, %zu wrong\n", keymap_store_name(),
                 table->count, asked, wrong);
    return wrong == 0 ? TOOL_OK : TOOL_FAILED;
}

struct map_import {
    const struct connection *connection;
    bool dry_run;
    size_t added, known, refused;
};

static void map_import_entry(void *context, const struct reg_entry *entry)
{
    struct map_import *import = context;
    struct call call;
    struct key_id standing;
    if (entry->wrong != NULL) {
        (void)printf("line %zu: not imported: %s\n", entry->line, entry->wrong);
        import->refused++;
        return;
    }
    connection_begin_call(import->connection, &call, "ImportMap");
    bool known = keymap_find(&call, entry->host, &entry->thumbprint, &standing) == EKM_OK;
    enum ekm_rc rc = EKM_OK;
    if (known && !key_id_equal(&standing, &entry->key)) {
        rc = call_fail(&call, EKM_OTHER_KEY, "the map names %s/%s for it, which stays",
                       standing.name, standing.version);
    } else if (!import->dry_run) {
        rc = keymap_put(&call, plat_now_ms() + MAP_WAIT_MS, entry->host, &entry->thumbprint,
                        &entry->key, NULL);
    }
    if (rc != EKM_OK) {
        char why[700];
        connection_explain(&call, rc, why, sizeof why);
        (void)printf("line %zu: not imported: %s\n", entry->line, why);
        import->refused++;
    } else if (known) {
        import->known++;
    } else {
        import->added++;
    }
}

static int map_import_file(const struct connection *connection, struct buf *text, bool dry_run)
{
    struct map_import import = {connection, dry_run, 0, 0, 0};
    if (text->len > 0) {
        reg_file_visit((char *)text->data, map_import_entry, &import);
    }
    (void)printf("%s: %zu %s, %zu were there, %zu not imported\n", keymap_store_name(),
                 import.added, dry_run ? "would be added" : "added", import.known, import.refused);
    bool some = import.added + import.known > 0;
    return some && import.refused == 0 ? TOOL_OK : TOOL_FAILED;
}

/* Asks the vault for the key, and adds the version that it names. */
static enum ekm_rc map_add_key(const struct connection *connection, struct call *call,
                               const char *name, bool dry_run, struct vault_key *key,
                               struct thumbprint *thumbprint)
{
    struct key_id id;
    enum ekm_rc rc = key_lookup_parse_name(call, name, &id);
    if (rc != EKM_OK) {
        return rc;
    }
    rc = vault_get_key(call, &connection->vault, &id, key);
    if (rc != EKM_OK) {
        return rc;
    }
    rc = key_lookup_check(call, key);
    if (rc != EKM_OK) {
        return rc;
    }
    rc = rsa_public_thumbprint(&key->public, thumbprint);
    if (rc != EKM_OK || dry_run) {
        return rc;
    }
    return keymap_put(call, plat_now_ms() + MAP_WAIT_MS, call->vault, thumbprint, &key->id, NULL);
}

static int map_add(const struct connection *connection, const char *name, bool dry_run)
{
    struct call call;
    struct vault_key key;
    struct thumbprint thumbprint;
    char why[700];
    connection_begin_call(connection, &call, "AddToMap");
    enum ekm_rc rc = map_add_key(connection, &call, name, dry_run, &key, &thumbprint);
    if (rc != EKM_OK) {
        connection_explain(&call, rc, why, sizeof why);
        (void)fprintf(stderr, "akv-ekm: %s\n", why);
        return TOOL_FAILED;
    }
    char uri[KEY_URI_MAX + 1];
    (void)key_uri_format(uri, sizeof uri, call.vault, &key.id);
    const struct keymap_entry entry = {call.vault, uri, thumbprint};
    map_print(&entry, "");
    return TOOL_OK;
}

static int map_show(const struct connection *connection, const struct tool_options *options)
{
    struct keymap_table table;
    const char *verb = options->words[0];
    int status = TOOL_FAILED;
    enum plat_io io = map_load(&table);
    if (io != PLAT_IO_OK) {
        (void)fprintf(stderr, "akv-ekm: %s cannot be read: %s\n", keymap_store_name(),
                      plat_io_text(io));
    } else if (strcmp(verb, "check") == 0) {
        status = map_check(connection, &table);
    } else if (options->word_count == 2) {
        status = map_export_registry(&table);
    } else {
        status = map_list(&table);
    }
    keymap_table_free(&table);
    return status;
}

/* Whether the subcommand exists and takes this number of arguments. */
static bool map_is_right(const struct tool_options *options)
{
    const char *verb = options->word_count > 0 ? options->words[0] : "";
    size_t more = options->word_count > 0 ? options->word_count - 1 : 0;
    if (strcmp(verb, "list") == 0 || strcmp(verb, "check") == 0) {
        return more == 0;
    }
    if (strcmp(verb, "export") == 0) {
        return more == 0 || (more == 1 && strcmp(options->words[1], "reg") == 0);
    }
    return (strcmp(verb, "import") == 0 && more == 1) || (strcmp(verb, "add") == 0 && more == 2);
}

int tool_map(const struct tool_options *options)
{
    struct connection connection;
    struct buf text = BUF_EMPTY(3 * REG_FILE_MAX);
    int status = TOOL_FAILED;
    if (!map_is_right(options)) {
        return tool_misuse("map takes list, check, import FILE, export [reg], or add VAULT NAME",
                           "");
    }
    bool import = strcmp(options->words[0], "import") == 0;
    bool add = strcmp(options->words[0], "add") == 0;
    bool sign_in = add || strcmp(options->words[0], "check") == 0;
    /* Before connection_open changes the account: that of the service may not read the file. */
    if (import && reg_file_read(options->words[1], &text) != EKM_OK) {
        buf_free(&text);
        (void)fprintf(stderr, "akv-ekm: %s cannot be read, or is not UTF-8 or UTF-16 text\n",
                      options->words[1]);
        return TOOL_FAILED;
    }
    const char *identity = add ? options->words[1] : options->identity;
    if (connection_open(&connection, options->user, sign_in ? identity : NULL)) {
        status = import ? map_import_file(&connection, &text, options->dry_run)
                 : add  ? map_add(&connection, options->words[2], options->dry_run)
                        : map_show(&connection, options);
    }
    connection_close(&connection);
    buf_free(&text);
    return status;
}
