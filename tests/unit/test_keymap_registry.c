/* The registry's branch: what others may have written there, what is written, when it fails. */
// only: windows
// wrap: plat_registry_flush plat_registry_text
// with: temporary.h
#include <windows.h>

#include <aclapi.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "keymap/keymap.h"
#include "keymap/keymap_registry.h"
#include "keymap/keymap_store.h"
#include "keymap/tenants_store.h"
#include "platform/registry.h"

#define PROVIDERS L"SOFTWARE\\Microsoft\\SQL Server Cryptographic Provider"
#define MAP       "SOFTWARE\\Microsoft\\SQL Server Cryptographic Provider\\Azure Key Vault"
#define HOST      "contoso-vault.vault.azure.net"
#define OTHER     "other.vault.azure.net"
#define HEX       "EA4D88DB3ABB940193A920780D6689C517DCCD06"
#define HEX2      "EA4D88DB3ABB940193A920780D6689C517DCCD07"
#define URI       "https://" HOST "/keys/TdeKey0/v1"
#define URI2      "https://" HOST "/keys/TdeKey0/v2"

static struct config config;
static struct call call;
static unsigned tenants_seen;

static bool flush_fails;
static unsigned flushes;
enum plat_io __real_plat_registry_flush(const struct plat_registry_key *key);
enum plat_io __wrap_plat_registry_flush(const struct plat_registry_key *key);

enum plat_io __wrap_plat_registry_flush(const struct plat_registry_key *key)
{
    flushes++;
    return flush_fails ? PLAT_IO_FULL : __real_plat_registry_flush(key);
}

static bool reading_fails;
enum plat_io __real_plat_registry_text(const struct plat_registry_key *key, const char *path,
                                       const char *value, char *out, size_t cap);
enum plat_io __wrap_plat_registry_text(const struct plat_registry_key *key, const char *path,
                                       const char *value, char *out, size_t cap);

enum plat_io __wrap_plat_registry_text(const struct plat_registry_key *key, const char *path,
                                       const char *value, char *out, size_t cap)
{
    return reading_fails ? PLAT_IO_FAILED : __real_plat_registry_text(key, path, value, out, cap);
}

static int set_up(void **state)
{
    (void)state;
    struct plat_registry_key key = {NULL};
    (void)RegDeleteTreeW(HKEY_LOCAL_MACHINE, PROVIDERS);
    flush_fails = reading_fails = false;
    config_defaults(&config);
    call_begin(&call, "test", &config);
    keymap_store_start(&config);
    enum plat_io io =
        plat_registry_create(NULL, "SOFTWARE\\Microsoft\\SQL Server Cryptographic Provider", &key);
    plat_registry_close(&key);
    return io == PLAT_IO_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    (void)RegDeleteTreeW(HKEY_LOCAL_MACHINE, PROVIDERS);
    return 0;
}

static void keymap_registry_put(const char *branch, const char *leaf, const char *uri)
{
    char path[1024];
    struct plat_registry_key key = {NULL};
    snprintf(path, sizeof path, "%s\\%s\\%s", MAP, branch, leaf);
    assert_int_equal(plat_registry_create(NULL, path, &key), PLAT_IO_OK);
    if (uri != NULL) {
        assert_int_equal(plat_registry_set_text(&key, "KeyUri", uri), PLAT_IO_OK);
    }
    plat_registry_close(&key);
}

/* The value in the registry; "" if there is none. */
static const char *keymap_registry_get(const char *branch, const char *leaf)
{
    static char uri[1024];
    char path[1024];
    struct plat_registry_key key = {NULL};
    snprintf(path, sizeof path, "%s\\%s\\%s", MAP, branch, leaf);
    if (plat_registry_open(NULL, path, PLAT_REGISTRY_READ, &key) != PLAT_IO_OK ||
        plat_registry_text(&key, NULL, "KeyUri", uri, sizeof uri) != PLAT_IO_OK) {
        uri[0] = '\0';
    }
    plat_registry_close(&key);
    return uri;
}

static size_t count_below(const char *path)
{
    char name[PLAT_REGISTRY_NAME_CAP], full[1024];
    uint64_t written;
    uint32_t count = 0;
    struct plat_registry_key key = {NULL};
    snprintf(full, sizeof full, "%s%s", MAP, path);
    assert_int_equal(plat_registry_open(NULL, full, PLAT_REGISTRY_READ, &key), PLAT_IO_OK);
    while (plat_registry_next(&key, count, name, sizeof name, &written) == PLAT_IO_OK) {
        count++;
    }
    plat_registry_close(&key);
    return count;
}

static struct thumbprint thumbprint_of(uint8_t last)
{
    static const uint8_t bytes[20] = {0xEA, 0x4D, 0x88, 0xDB, 0x3A, 0xBB, 0x94, 0x01, 0x93, 0xA9,
                                      0x20, 0x78, 0x0D, 0x66, 0x89, 0xC5, 0x17, 0xDC, 0xCD};
    struct thumbprint thumbprint;
    assert_true(thumbprint_set(&thumbprint, bytes, sizeof bytes));
    thumbprint.bytes[19] = last;
    return thumbprint;
}

/* The current entry of this thumbprint, as a caller sees it; false: none that is usable. */
static bool mapped_now(const struct keymap_entry *wanted, struct key_id *out)
{
    struct keymap_table table = {0};
    bool found = false;
    assert_int_equal(keymap_store_load(NULL, &table), PLAT_IO_OK);
    for (size_t i = 0; i < table.count; i++) {
        found = found || (keymap_entry_order(table.entries[i], wanted) == 0 &&
                          key_uri_parse(table.entries[i]->uri, HOST, out));
    }
    keymap_table_free(&table);
    return found;
}

static enum plat_io test_keymap_registry_store(const char *uri, uint8_t last)
{
    struct keymap_table after = {0};
    struct keymap_entry entry = {HOST, uri, thumbprint_of(last)};
    struct key_id seen;
    bool stood = mapped_now(&entry, &seen);
    enum plat_io io =
        keymap_store_put(&call, call.deadline_ms, &entry, stood ? &seen : NULL, NULL, &after);
    if (io == PLAT_IO_OK) {
        assert_false(keymap_store_changed(&after.state));
    }
    keymap_table_free(&after);
    return io;
}

static void test_tolerant_reading(void **state)
{
    static const struct {
        const char *branch, *leaf, *uri;
        size_t entries, broken;
    } rows[] = {
        {"https://" HOST, HEX, URI, 1, 0},
        {"https://" HOST "/", HEX, URI, 1, 0},
        {HOST, HEX, URI, 1, 0},
        {"HTTPS://Contoso-Vault.VAULT.azure.net", HEX, URI, 1, 0},
        {HOST, "0xea4d88db3abb940193a920780d6689c517dccd06", URI, 1, 0},
        {HOST, "0X" HEX, URI, 1, 0},
        {HOST, HEX, "HTTPS://" HOST "/keys/TdeKey0/v1/", 1, 0},
        {HOST, HEX, " " HOST "/keys/TdeKey0/v1", 1, 0},
        {HOST, HEX, NULL, 0, 1},
        {HOST, "no hex", URI, 0, 1},
        {HOST, "0x", URI, 0, 1},
        {"http://" HOST, HEX, URI, 0, 1},
        {"Log", HEX, URI, 0, 0},
    };
    struct thumbprint wanted = thumbprint_of(0x06);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct keymap_table table = {0};
        assert_int_equal(set_up(NULL), 0);
        keymap_registry_put(rows[i].branch, rows[i].leaf, rows[i].uri);
        assert_int_equal(keymap_store_load(NULL, &table), PLAT_IO_OK);
        assert_int_equal(table.count, rows[i].entries);
        assert_int_equal(table.broken, rows[i].broken);
        if (table.count == 1) {
            struct key_id key;
            assert_string_equal(table.entries[0]->host, HOST);
            assert_true(thumbprint_equal(&table.entries[0]->thumbprint, &wanted));
            assert_true(key_uri_parse(table.entries[0]->uri, HOST, &key));
            assert_string_equal(key.version, "v1");
        }
        keymap_table_free(&table);
    }
}

static void test_other_types_are_no_entries(void **state)
{
    struct keymap_table table = {0};
    struct plat_registry_key key = {NULL};
    (void)state;
    keymap_registry_put("https://" HOST, HEX, NULL);
    assert_int_equal(
        plat_registry_open(NULL, MAP "\\https://" HOST "\\" HEX, PLAT_REGISTRY_WRITE, &key),
        PLAT_IO_OK);
    assert_int_equal(plat_registry_set_number(&key, "KeyUri", 7), PLAT_IO_OK);
    plat_registry_close(&key);
    keymap_registry_put("https://" OTHER, HEX, "https://" OTHER "/keys/K/1");
    assert_int_equal(keymap_store_load(NULL, &table), PLAT_IO_OK);
    assert_int_equal(table.count, 1);
    assert_int_equal(table.broken, 1);
    keymap_table_free(&table);
}

static const wchar_t *to_remove; /* below the map */
static bool put_again;           /* at each walk's begin */
static char met[256];

/* An administrator takes out what somebody who walks through the map has just met. */
static enum plat_io remove_it(void *context, const struct plat_registry_key *map,
                              const struct registry_place *place)
{
    (void)context;
    if (place == NULL) {
        met[0] = '\0';
        if (put_again) {
            keymap_registry_put("https://" HOST, HEX, URI);
        }
        return PLAT_IO_OK;
    }
    (void)strncat(met, place->branch, 128);
    (void)strncat(met, place->leaf + strlen(HEX) - 1, 1);
    (void)RegDeleteTreeW((HKEY)map->native, to_remove);
    return PLAT_IO_OK;
}

static void test_what_goes_hides_nothing_else(void **state)
{
    (void)state;
    put_again = false;
    keymap_registry_put("https://" HOST, HEX, URI);
    keymap_registry_put("https://" HOST, HEX2, URI2);
    keymap_registry_put("https://" OTHER, HEX, "https://" OTHER "/keys/K/1");
    to_remove = L"https://contoso-vault.vault.azure.net\\EA4D88DB3ABB940193A920780D6689C517DCCD06";
    assert_int_equal(registry_visit(remove_it, NULL), PLAT_IO_OK);
    assert_string_equal(met, "https://" HOST "7https://" OTHER "6");
    put_again = true;
    assert_int_equal(registry_visit(remove_it, NULL), PLAT_IO_CHANGED);
    put_again = false;
    to_remove = L"https://contoso-vault.vault.azure.net";
    assert_int_equal(registry_visit(remove_it, NULL), PLAT_IO_OK);
    assert_string_equal(met, "https://" OTHER "6");
}

static void test_writes_as_the_connector_does(void **state)
{
    (void)state;
    assert_int_equal(test_keymap_registry_store(URI, 0x06), PLAT_IO_OK);
    assert_string_equal(keymap_registry_get("https://" HOST, HEX), URI);
    assert_int_equal(test_keymap_registry_store(URI2, 0x06), PLAT_IO_OK);
    assert_string_equal(keymap_registry_get("https://" HOST, HEX), URI2);
    assert_int_equal(count_below(""), 1);
    assert_int_equal(count_below("\\https://" HOST), 1);
}

static void test_writes_in_the_branchs_spelling(void **state)
{
    (void)state;
    keymap_registry_put("https://Contoso-Vault.vault.azure.net/",
                        "0xea4d88db3abb940193a920780d6689c517dccd06", URI);
    keymap_registry_put("https://" OTHER, "strange", "anything");
    assert_int_equal(test_keymap_registry_store(URI2, 0x07), PLAT_IO_OK);
    assert_int_equal(test_keymap_registry_store(URI2, 0x06), PLAT_IO_OK);
    assert_int_equal(count_below(""), 2);
    assert_int_equal(count_below("\\https://" HOST "/"), 2);
    assert_string_equal(
        keymap_registry_get("https://" HOST "/", "0xea4d88db3abb940193a920780d6689c517dccd07"),
        URI2);
    assert_string_equal(
        keymap_registry_get("https://" HOST "/", "0xea4d88db3abb940193a920780d6689c517dccd06"),
        URI2);
    assert_string_equal(keymap_registry_get("https://" OTHER, "strange"), "anything");
    /* Names compare without case: the exact spelling shows in the listing only. */
    char name[PLAT_REGISTRY_NAME_CAP];
    uint64_t written;
    struct plat_registry_key key = {NULL};
    assert_int_equal(plat_registry_open(NULL, MAP "\\https://" HOST "/", PLAT_REGISTRY_READ, &key),
                     PLAT_IO_OK);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(plat_registry_next(&key, i, name, sizeof name, &written), PLAT_IO_OK);
        assert_memory_equal(name, "0xea4d", 6);
    }
    plat_registry_close(&key);
}

static void test_an_empty_branch_keeps_its_name(void **state)
{
    struct plat_registry_key key = {NULL};
    (void)state;
    assert_int_equal(plat_registry_create(NULL, MAP "\\" HOST, &key), PLAT_IO_OK);
    plat_registry_close(&key);
    assert_int_equal(test_keymap_registry_store(URI, 0x06), PLAT_IO_OK);
    assert_int_equal(count_below(""), 1);
    assert_string_equal(keymap_registry_get(HOST, HEX), URI);
}

static void test_of_two_spellings_the_newer_counts(void **state)
{
    struct keymap_table table = {0};
    (void)state;
    keymap_registry_put("https://" HOST, HEX, URI);
    Sleep(50);
    keymap_registry_put(HOST, HEX, URI2);
    assert_int_equal(keymap_store_load(NULL, &table), PLAT_IO_OK);
    assert_int_equal(table.count, 2);
    assert_string_equal(table.entries[1]->uri, URI2);
    keymap_table_free(&table);
    Sleep(50);
    keymap_registry_put("https://" HOST, HEX, URI "3");
    assert_int_equal(keymap_store_load(NULL, &table), PLAT_IO_OK);
    assert_string_equal(table.entries[1]->uri, URI "3");
    keymap_table_free(&table);
}

static void test_changes_are_seen(void **state)
{
    struct keymap_table table = {0};
    (void)state;
    assert_int_equal(keymap_store_load(NULL, &table), PLAT_IO_OK);
    assert_int_equal(table.count, 0);
    assert_false(keymap_store_changed(&table.state));
    keymap_registry_put("https://" HOST, HEX, URI);
    assert_true(keymap_store_changed(&table.state));
    keymap_table_free(&table);
    assert_int_equal(keymap_store_load(NULL, &table), PLAT_IO_OK);
    assert_false(keymap_store_changed(&table.state));
    Sleep(50);
    keymap_registry_put("https://" HOST, HEX, URI2);
    assert_true(keymap_store_changed(&table.state));
    keymap_table_free(&table);
    assert_int_equal(keymap_store_load(NULL, &table), PLAT_IO_OK);
    (void)RegDeleteTreeW(HKEY_LOCAL_MACHINE, PROVIDERS);
    assert_true(keymap_store_changed(&table.state));
    keymap_table_free(&table);
}

/* Made a moment ago, the value still to come within the same tick of the clock. */
static void test_half_an_entry_is_read_again(void **state)
{
    struct keymap_table table = {0};
    (void)state;
    keymap_registry_put("https://" HOST, HEX, NULL);
    assert_int_equal(keymap_store_load(NULL, &table), PLAT_IO_OK);
    assert_int_equal(table.count, 0);
    assert_true(table.young);
    keymap_table_free(&table);
    assert_int_equal(test_keymap_registry_store(URI, 0x06), PLAT_IO_OK);
    assert_string_equal(keymap_registry_get("https://" HOST, HEX), URI);
}

/* It is unknown which key it names, so it stays. */
static void test_an_entry_that_cannot_be_read_stays(void **state)
{
    struct keymap_entry entry = {HOST, URI, thumbprint_of(0x06)};
    struct keymap_table after = {0};
    (void)state;
    keymap_registry_put("https://" HOST, HEX, URI2);
    reading_fails = true;
    assert_int_equal(keymap_store_put(&call, call.deadline_ms, &entry, NULL, NULL, &after),
                     PLAT_IO_FAILED);
    reading_fails = false;
    assert_null(after.text);
    assert_string_equal(keymap_registry_get("https://" HOST, HEX), URI2);
}

/* Nothing counts before it is on the disk, whoever wrote it. */
static void test_failed_flush(void **state)
{
    struct key_id key = {"TdeKey0", "v1"}, found;
    struct thumbprint thumbprint = thumbprint_of(0x06), theirs = thumbprint_of(0x07);
    (void)state;
    keymap_start(&config);
    flush_fails = true;
    for (int i = 0; i < 2; i++) { /* the second time it is in the registry */
        assert_int_equal(keymap_put(&call, call.deadline_ms, HOST, &thumbprint, &key, NULL),
                         EKM_MAP_FAILED);
        assert_int_equal(ekm_code(call.error.rc), 2058);
        assert_non_null(strstr(call.error.note, "no space"));
        assert_int_equal(keymap_find(&call, HOST, &thumbprint, &found), EKM_OK);
    }
    assert_int_equal(keymap_probe(&call, call.deadline_ms, HOST), EKM_MAP_FAILED);
    flush_fails = false;
    assert_int_equal(keymap_put(&call, call.deadline_ms, HOST, &thumbprint, &key, NULL), EKM_OK);
    flushes = 0;
    assert_int_equal(keymap_put(&call, call.deadline_ms, HOST, &thumbprint, &key, NULL), EKM_OK);
    assert_int_equal(flushes, 0);
    keymap_registry_put("https://" HOST, HEX2, URI2); /* another process, which was killed then */
    (void)strcpy(key.version, "v2");
    flush_fails = true;
    assert_int_equal(keymap_put(&call, call.deadline_ms, HOST, &theirs, &key, NULL),
                     EKM_MAP_FAILED);
    flush_fails = false;
    assert_int_equal(keymap_put(&call, call.deadline_ms, HOST, &theirs, &key, NULL), EKM_OK);
    assert_true(flushes > 1);
    keymap_stop();
}

#define WRITERS     6
#define EACH        20
#define SHARED_LAST 200

/* Writes entries of its own, and each time the one that all write. */
static DWORD WINAPI write_many(LPVOID number)
{
    char uri[sizeof URI + 16];
    const unsigned writer = (unsigned)(uintptr_t)number;
    for (unsigned i = 0; i < EACH; i++) {
        const unsigned last = writer * EACH + i;
        struct keymap_table after = {0};
        (void)snprintf(uri, sizeof uri, "%s%u", URI, last);
        struct keymap_entry own = {HOST, uri, thumbprint_of((uint8_t)last)};
        struct keymap_entry shared = {HOST, uri, thumbprint_of(SHARED_LAST)};
        if (keymap_store_put(&call, call.deadline_ms, &own, NULL, NULL, &after) != PLAT_IO_OK) {
            return 1;
        }
        keymap_table_free(&after);
        if (keymap_store_put(&call, call.deadline_ms, &shared, NULL, NULL, &after) != PLAT_IO_OK) {
            return 1;
        }
        keymap_table_free(&after);
    }
    return 0;
}

static void test_writers_cost_each_other_nothing(void **state)
{
    HANDLE threads[WRITERS];
    struct keymap_table table = {0};
    struct key_id key;
    char version[16];
    (void)state;
    for (uintptr_t i = 0; i < WRITERS; i++) {
        threads[i] = CreateThread(NULL, 0, write_many, (LPVOID)i, 0, NULL);
        assert_non_null(threads[i]);
    }
    for (int i = 0; i < WRITERS; i++) {
        DWORD status = 1;
        assert_int_equal(WaitForSingleObject(threads[i], 100000), WAIT_OBJECT_0);
        assert_true(GetExitCodeThread(threads[i], &status));
        assert_int_equal(status, 0);
        (void)CloseHandle(threads[i]);
    }
    assert_int_equal(count_below(""), 1);
    assert_int_equal(keymap_store_load(NULL, &table), PLAT_IO_OK);
    assert_int_equal(table.count, WRITERS * EACH + 1);
    assert_int_equal(table.broken, 0);
    for (size_t i = 0; i < table.count; i++) {
        const unsigned last = table.entries[i]->thumbprint.bytes[19];
        assert_true(key_uri_parse(table.entries[i]->uri, HOST, &key));
        (void)snprintf(version, sizeof version, "v1%u", last);
        if (last != SHARED_LAST) {
            assert_string_equal(key.version, version);
        }
    }
    keymap_table_free(&table);
}

static void test_missing_key_of_the_administrator(void **state)
{
    struct key_id key = {"TdeKey0", "v1"};
    struct thumbprint thumbprint = thumbprint_of(0x06);
    HKEY made = NULL;
    (void)state;
    (void)RegDeleteTreeW(HKEY_LOCAL_MACHINE, PROVIDERS);
    assert_int_equal(test_keymap_registry_store(URI, 0x06), PLAT_IO_ABSENT);
    keymap_start(&config);
    assert_int_equal(keymap_count(), 0);
    assert_int_equal(keymap_put(&call, call.deadline_ms, HOST, &thumbprint, &key, NULL),
                     EKM_MAP_FAILED);
    assert_int_equal(ekm_code(call.error.rc), 2058);
    assert_int_equal(RegOpenKeyExW(HKEY_LOCAL_MACHINE, PROVIDERS, 0, KEY_READ, &made),
                     ERROR_FILE_NOT_FOUND);
    /* The administrator makes it: no restart is needed. */
    assert_int_equal(set_up(NULL), 0);
    assert_int_equal(keymap_put(&call, call.deadline_ms, HOST, &thumbprint, &key, NULL), EKM_OK);
    assert_int_equal(keymap_count(), 1);
    keymap_stop();
}

static void keymap_registry_protect(const wchar_t *name, DWORD mask)
{
    ACL *list = NULL;
    EXPLICIT_ACCESSW entry;
    wchar_t me[] = L"CURRENT_USER", object[256];
    memset(&entry, 0, sizeof entry);
    entry.grfAccessMode = SET_ACCESS;
    entry.grfAccessPermissions = mask;
    entry.Trustee.TrusteeForm = TRUSTEE_IS_NAME;
    entry.Trustee.ptstrName = me;
    swprintf(object, 256, L"MACHINE\\%ls", name);
    assert_int_equal(SetEntriesInAclW(1, &entry, NULL, &list), ERROR_SUCCESS);
    assert_int_equal(
        SetNamedSecurityInfoW(object, SE_REGISTRY_KEY,
                              DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION, NULL,
                              NULL, list, NULL),
        ERROR_SUCCESS);
    (void)LocalFree(list);
}

static void test_no_rights(void **state)
{
    static const wchar_t map[] = PROVIDERS L"\\Azure Key Vault";
    struct key_id key = {"TdeKey0", "v1"}, found;
    struct thumbprint known = thumbprint_of(0x06), fresh = thumbprint_of(0x07);
    (void)state;
    keymap_registry_put("https://" HOST, HEX, URI);
    keymap_registry_protect(map, KEY_READ | WRITE_DAC);
    keymap_registry_protect(PROVIDERS L"\\Azure Key Vault\\https://"
                                      L"contoso-vault.vault.azure.net",
                            KEY_READ | WRITE_DAC);
    keymap_start(&config);
    assert_int_equal(keymap_find(&call, HOST, &known, &found), EKM_OK);
    assert_string_equal(found.version, "v1");
    assert_int_equal(keymap_put(&call, call.deadline_ms, HOST, &known, &key, NULL),
                     EKM_OK); /* it exists already */
    assert_int_equal(keymap_put(&call, call.deadline_ms, HOST, &fresh, &key, NULL), EKM_MAP_FAILED);
    assert_non_null(strstr(call.error.note, "denied"));
    assert_int_equal(keymap_probe(&call, call.deadline_ms, OTHER), EKM_MAP_FAILED);
    assert_string_equal(keymap_registry_get("https://" HOST, HEX2), "");
    keymap_stop();
    keymap_registry_protect(PROVIDERS L"\\Azure Key Vault\\https://"
                                      L"contoso-vault.vault.azure.net",
                            KEY_ALL_ACCESS);
    keymap_registry_protect(map, KEY_ALL_ACCESS);
}

/* Rights may differ from vault to vault: what cannot be recorded must not be made. */
static void test_probe_asks_the_vaults_own_branch(void **state)
{
    static const wchar_t branch[] = PROVIDERS L"\\Azure Key Vault\\https://"
                                              L"contoso-vault.vault.azure.net";
    (void)state;
    keymap_start(&config);
    assert_int_equal(keymap_probe(&call, call.deadline_ms, HOST), EKM_OK);
    assert_int_equal(count_below(""), 0);
    keymap_registry_put("https://" HOST, HEX, URI);
    assert_int_equal(keymap_probe(&call, call.deadline_ms, HOST), EKM_OK);
    keymap_registry_protect(branch, KEY_READ | WRITE_DAC);
    assert_int_equal(keymap_probe(&call, call.deadline_ms, HOST), EKM_MAP_FAILED);
    assert_int_equal(ekm_code(call.error.rc), 2058);
    assert_int_equal(keymap_probe(&call, call.deadline_ms, OTHER), EKM_OK);
    keymap_registry_protect(branch, KEY_ALL_ACCESS);
    keymap_stop();
}

static void see_tenant(const char *vault_host, const char *tenant)
{
    assert_string_equal(vault_host, HOST);
    assert_string_equal(tenant, "tenant-1");
    tenants_seen++;
}

/* Beside the map, which may be another connector's; below the administrator's key alone. */
static void keymap_registry_tenants(void **state)
{
    (void)state;
    tenants_seen = 0;
    assert_int_equal(tenants_store_put(HOST, "tenant-0"), PLAT_IO_OK);
    assert_int_equal(tenants_store_put(HOST, "tenant-1"), PLAT_IO_OK);
    tenants_store_visit(see_tenant);
    assert_int_equal(tenants_seen, 1);
    keymap_registry_put("https://" HOST, HEX, URI);
    keymap_start(&config);
    assert_int_equal(keymap_count(), 1);
    keymap_stop();
    assert_int_equal(count_below(""), 1);
    (void)RegDeleteTreeW(HKEY_LOCAL_MACHINE, PROVIDERS);
    assert_int_equal(tenants_store_put(HOST, "tenant-1"), PLAT_IO_ABSENT);
    tenants_store_visit(see_tenant);
    assert_int_equal(tenants_seen, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_tolerant_reading, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_types_are_no_entries, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_goes_hides_nothing_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_writes_as_the_connector_does, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_writes_in_the_branchs_spelling, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_empty_branch_keeps_its_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_of_two_spellings_the_newer_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_changes_are_seen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_half_an_entry_is_read_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_entry_that_cannot_be_read_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failed_flush, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_writers_cost_each_other_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_probe_asks_the_vaults_own_branch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_missing_key_of_the_administrator, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_rights, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keymap_registry_tenants, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
