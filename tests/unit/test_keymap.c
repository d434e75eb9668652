/* The map as the provider sees it: lookups, what other processes write, what cannot be written. */
// only: posix
#include "base/log.h"
#include "keymap/keymap.h"
#include "platform/atomic_file.h"
#include "platform/system.h"

// wrap: fsync
// with: scratch.c

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define HOST  "contoso-vault.vault.azure.net"
#define OTHER "fabrikam-vault.vault.azure.net"
#define URI   "https://contoso-vault.vault.azure.net/keys/"

static struct config config;
static struct call call;
static char folder[64];
static atomic_bool folder_flush_fails;
static void (*meanwhile)(void); /* done once, while a new file is flushed */
static char *flushed;           /* unless NULL: 'f' a file, 'F' the map's folder, 'P' another one */

int __real_fsync(int handle);
int __wrap_fsync(int handle);
int __wrap_fsync(int handle)
{
    struct stat st, map_folder;
    char path[96];
    void (*now)(void) = meanwhile;
    snprintf(path, sizeof path, "%s/akv", folder);
    bool is_folder = fstat(handle, &st) == 0 && S_ISDIR(st.st_mode);
    bool is_own = stat(path, &map_folder) == 0 && st.st_ino == map_folder.st_ino;
    if (flushed != NULL) {
        *flushed++ = !is_folder ? 'f' : is_own ? 'F' : 'P';
    }
    if (now != NULL) {
        meanwhile = NULL;
        now();
    }
    if (atomic_load(&folder_flush_fails) && is_folder) {
        errno = EIO;
        return -1;
    }
    return __real_fsync(handle);
}

static struct thumbprint print_of(uint32_t number)
{
    struct thumbprint thumbprint = {.len = 20};
    thumbprint.bytes[0] = (uint8_t)(number >> 16);
    thumbprint.bytes[1] = (uint8_t)(number >> 8);
    thumbprint.bytes[2] = (uint8_t)number;
    return thumbprint;
}

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/akvekm-unit-XXXXXX");
    assert_non_null(mkdtemp(folder));
    config_defaults(&config);
    config.call_timeout_ms = 20000;
    snprintf(config.keymap_file, sizeof config.keymap_file, "%s/akv/keymap", folder);
    call_begin(&call, "test", &config);
    keymap_start(&config);
    return 0;
}

static int tear_down(void **state)
{
    char command[96];
    (void)state;
    keymap_stop();
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static void write_map(const char *text)
{
    char path[96];
    snprintf(path, sizeof path, "%s/akv", folder);
    (void)mkdir(path, 0700);
    FILE *file = fopen(config.keymap_file, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static const char *read_map(void)
{
    static char text[1 << 16];
    FILE *file = fopen(config.keymap_file, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static void test_keymap_put(const char *host, uint32_t number, const char *name,
                            const char *version)
{
    struct key_id key = {"", ""};
    const struct thumbprint print = print_of(number);
    strcpy(key.name, name);
    strcpy(key.version, version);
    struct key_id seen;
    bool stood = keymap_find(&call, host, &print, &seen) == EKM_OK;
    assert_int_equal(keymap_put(&call, call.deadline_ms, host, &print, &key, stood ? &seen : NULL),
                     EKM_OK);
}

static void keymap_expect(const char *host, uint32_t number, const char *name, const char *version)
{
    struct key_id key;
    const struct thumbprint print = print_of(number);
    assert_int_equal(keymap_find(&call, host, &print, &key), EKM_OK);
    assert_string_equal(key.name, name);
    assert_string_equal(key.version, version);
}

static void expect_none(const char *host, uint32_t number)
{
    struct key_id key;
    const struct thumbprint print = print_of(number);
    assert_int_equal(keymap_find(&call, host, &print, &key), EKM_NOT_FOUND);
}

static void test_put_and_find(void **state)
{
    struct stat file;
    (void)state;
    expect_none(HOST, 1);
    test_keymap_put(HOST, 1, "TdeKey0", "v1");
    keymap_expect(HOST, 1, "TdeKey0", "v1");
    expect_none(OTHER, 1);
    expect_none(HOST, 2);
    assert_string_equal(read_map(),
                        HOST "\t0000010000000000000000000000000000000000\t" URI "TdeKey0/v1\n");
    assert_int_equal(stat(config.keymap_file, &file), 0);
    assert_int_equal(file.st_mode & 07777, 0600);
    char path[96];
    snprintf(path, sizeof path, "%s/akv", folder);
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_mode & 07777, 0700);
    keymap_stop();
    keymap_start(&config);
    keymap_expect(HOST, 1, "TdeKey0", "v1");
}

static void test_an_existing_entry_is_not_written_again(void **state)
{
    struct stat before, after;
    (void)state;
    test_keymap_put(HOST, 1, "TdeKey0", "v1");
    assert_int_equal(stat(config.keymap_file, &before), 0);
    test_keymap_put(HOST, 1, "TdeKey0", "v1");
    test_keymap_put(HOST, 1, "tdekey0", "v1");
    assert_int_equal(stat(config.keymap_file, &after), 0);
    assert_true(before.st_ino == after.st_ino);
    test_keymap_put(HOST, 1, "TdeKey0", "v2");
    keymap_expect(HOST, 1, "TdeKey0", "v2");
    assert_int_equal(keymap_count(), 1);
}

/* Replaced is only what the caller has seen: another process may have written since. */
static void test_third_key_stays(void **state)
{
    const struct key_id first = {"One", "v1"}, second = {"One", "v2"}, third = {"One", "v3"};
    const struct thumbprint print = print_of(1);
    (void)state;
    test_keymap_put(HOST, 1, "One", "v3");
    assert_int_equal(keymap_put(&call, call.deadline_ms, HOST, &print, &second, &first),
                     EKM_OTHER_KEY);
    assert_int_equal(keymap_put(&call, call.deadline_ms, HOST, &print, &second, NULL),
                     EKM_OTHER_KEY);
    keymap_expect(HOST, 1, "One", "v3");
    assert_non_null(strstr(read_map(), "One/v3\n"));
    assert_int_equal(keymap_put(&call, call.deadline_ms, HOST, &print, &second, &third), EKM_OK);
    keymap_expect(HOST, 1, "One", "v2");
    assert_null(strstr(read_map(), "One/v3\n"));
}

static void test_tolerant_reading(void **state)
{
    static const char hex[] = "00000%d0000000000000000000000000000000000";
    char text[2048], print[64];
    (void)state;
    snprintf(print, sizeof print, hex, 1);
    int len = snprintf(text, sizeof text,
                       "\xEF\xBB\xBF# "
                       "imported\r\n\nHTTPS://Contoso-Vault.vault.azure.net/\t0x%s\tHTTPS://"
                       "CONTOSO-VAULT.vault.azure.net:443/keys/One/v1\r\n",
                       print);
    snprintf(print, sizeof print, hex, 2);
    len +=
        snprintf(text + len, sizeof text - (size_t)len, "  " HOST "   %s   " URI "Two/v2", print);
    write_map(text);
    keymap_expect(HOST, 1, "One", "v1");
    keymap_expect(HOST, 2, "Two", "v2");
    test_keymap_put(HOST, 3, "Three", "v3");
    assert_memory_equal(read_map(), text, (size_t)len);
    assert_string_equal(read_map() + len,
                        "\n" HOST "\t0000030000000000000000000000000000000000\t" URI "Three/v3\n");
}

static void test_unusable_entries(void **state)
{
    (void)state;
    write_map(HOST
              "\t0000010000000000000000000000000000000000\thttp://contoso-vault.vault.azure.net/"
              "keys/One/v1\n" HOST "\t0000020000000000000000000000000000000000\t" URI "Two\n" HOST
              "\t0000030000000000000000000000000000000000\thttps://fabrikam-vault.vault.azure.net/"
              "keys/Three/v3\n" HOST "\t0000040000000000000000000000000000000000\thttps://"
              "contoso-vault.vault.azure.net/secrets/Four/v4\n");
    for (uint32_t i = 1; i <= 4; i++) {
        expect_none(HOST, i);
    }
    test_keymap_put(HOST, 2, "Two", "v2");
    keymap_expect(HOST, 2, "Two", "v2");
    assert_int_equal(keymap_count(), 4);
}

static void test_broken_lines_are_kept(void **state)
{
    static const char head[] = "what is this\n" HOST "\tnot-hex\t" URI "One/v1\n",
                      tail[] = HOST "\t00\n# end\nno line break at the end";
    char text[1024], expected[1024];
    (void)state;
    snprintf(text, sizeof text,
             "%s" HOST "\t0000010000000000000000000000000000000000\t" URI "One/v1\n%s", head, tail);
    write_map(text);
    keymap_expect(HOST, 1, "One", "v1");
    assert_int_equal(keymap_count(), 1);
    test_keymap_put(HOST, 1, "One", "v9");
    snprintf(expected, sizeof expected,
             "%s" HOST "\t0000010000000000000000000000000000000000\t" URI "One/v9\n%s", head, tail);
    assert_string_equal(read_map(), expected);
    test_keymap_put(OTHER, 2, "Two", "v2");
    assert_memory_equal(read_map(), expected, strlen(expected));
    keymap_expect(OTHER, 2, "Two", "v2");
}

static void test_last_of_two_lines_counts(void **state)
{
    (void)state;
    write_map(HOST "\t0000010000000000000000000000000000000000\t" URI "One/v1\n" HOST
                   "\t0000010000000000000000000000000000000000\t" URI "One/v2\n");
    keymap_expect(HOST, 1, "One", "v2");
    test_keymap_put(HOST, 1, "One", "v3");
    keymap_expect(HOST, 1, "One", "v3");
    assert_non_null(strstr(read_map(), "One/v1\n"));
    assert_null(strstr(read_map(), "One/v2\n"));
}

static void test_other_vaults_and_names(void **state)
{
    struct key_id key;
    struct thumbprint print = print_of(1), found;
    (void)state;
    test_keymap_put(OTHER, 1, "Lost", "v1");
    test_keymap_put("a.vault.azure.net", 1, "Lost", "v2");
    test_keymap_put(HOST, 2, "Kept", "v3");
    assert_int_equal(keymap_find_elsewhere(&call, HOST, &print, 0, &key), EKM_OK);
    assert_string_equal(key.version, "v2");
    assert_int_equal(keymap_find_elsewhere(&call, HOST, &print, 1, &key), EKM_OK);
    assert_string_equal(key.version, "v1");
    assert_int_equal(keymap_find_elsewhere(&call, HOST, &print, 2, &key), EKM_NOT_FOUND);
    assert_int_equal(keymap_find_elsewhere(&call, OTHER, &print, 1, &key), EKM_NOT_FOUND);
    const struct key_id kept = {"KEPT", "v3"}, unknown = {"Kept", "v4"};
    assert_int_equal(keymap_find_key(&call, HOST, &kept, &found), EKM_OK);
    print = print_of(2);
    assert_true(thumbprint_equal(&found, &print));
    assert_int_equal(keymap_find_key(&call, HOST, &unknown, &found), EKM_NOT_FOUND);
    assert_int_equal(keymap_find_other(&call, HOST, "Kept", &print), EKM_NOT_FOUND);
    test_keymap_put(HOST, 3, "Kept", "v4");
    assert_int_equal(keymap_find_other(&call, HOST, "Kept", &print), EKM_OK);
    /* Memory of a map that cannot be read now proves nothing. */
    assert_int_equal(unlink(config.keymap_file), 0);
    assert_int_equal(mkdir(config.keymap_file, 0700), 0);
    assert_int_equal(keymap_find_other(&call, HOST, "Kept", &print), EKM_MAP_FAILED);
}

static void test_old_thumbprints(void **state)
{
    struct key_id key;
    struct thumbprint print;
    (void)state;
    write_map(HOST "\t2C5677D76F76D77F80\t" URI "LFZ3129213-/v1\n");
    assert_true(thumbprint_set(&print, (const uint8_t *)"\x2C\x56\x77\xD7\x6F\x76\xD7\x7F\x80", 9));
    assert_int_equal(keymap_find(&call, HOST, &print, &key), EKM_OK);
    assert_string_equal(key.name, "LFZ3129213-");
}

static void expect_put_refused(uint32_t number, const char *name, const char *version)
{
    struct key_id key = {"", ""};
    const struct thumbprint print = print_of(number);
    strcpy(key.name, name);
    strcpy(key.version, version);
    assert_int_equal(keymap_put(&call, call.deadline_ms, HOST, &print, &key, NULL), EKM_MAP_FAILED);
}

static void expect_refused(void)
{
    const struct thumbprint print = print_of(9);
    struct key_id found;
    expect_put_refused(9, "New", "v1");
    assert_int_equal(keymap_find(&call, HOST, &print, &found), EKM_NOT_FOUND);
    assert_true(strstr(call.error.note, config.keymap_file) != NULL);
}

static void test_what_cannot_be_written(void **state)
{
    char elsewhere[96], aside[1200];
    (void)state;
    test_keymap_put(HOST, 1, "One", "v1");
    snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", folder);
    assert_int_equal(rename(config.keymap_file, elsewhere), 0);
    assert_int_equal(symlink(elsewhere, config.keymap_file), 0);
    expect_refused();
    /* The state before stays in memory: reading never fails a lookup, but is no success of a put.
     */
    keymap_expect(HOST, 1, "One", "v1");
    expect_put_refused(1, "One", "v1");
    assert_int_equal(unlink(config.keymap_file), 0);
    assert_int_equal(mkdir(config.keymap_file, 0700), 0);
    expect_refused();
    expect_put_refused(1, "One", "v1");
    assert_int_equal(rmdir(config.keymap_file), 0);
    assert_int_equal(rename(elsewhere, config.keymap_file), 0);
    /* A folder where the new file is written aside: as if there were no rights or no room. */
    snprintf(aside, sizeof aside, "%s.tmp/full", config.keymap_file);
    char *slash = strrchr(aside, '/');
    *slash = '\0';
    assert_int_equal(mkdir(aside, 0700), 0);
    *slash = '/';
    assert_int_equal(mkdir(aside, 0700), 0);
    expect_refused();
    keymap_expect(HOST, 1, "One", "v1");
}

/* The new file is in place, but a crash might still bring the old one back: no success until a
 * flush has succeeded. */
static void test_folder_flush_fails(void **state)
{
    (void)state;
    test_keymap_put(HOST, 1, "One", "v1");
    atomic_store(&folder_flush_fails, true);
    expect_put_refused(2, "Two", "v2");
    keymap_expect(HOST, 2, "Two", "v2");
    expect_put_refused(2, "Two", "v2");
    expect_put_refused(1, "One", "v1");
    atomic_store(&folder_flush_fails, false);
    test_keymap_put(HOST, 2, "Two", "v2");
    assert_int_equal(keymap_count(), 2);
    /* Now it is known to be durable: nothing is written, nothing flushed. */
    atomic_store(&folder_flush_fails, true);
    test_keymap_put(HOST, 2, "Two", "v2");
    test_keymap_put(HOST, 1, "One", "v1");
    atomic_store(&folder_flush_fails, false);
}

/* A process that was killed between rename and flush has left an entry that a power cut may undo:
 * it must not be reported as durable before it is. */
static void test_others_are_not_trusted_to_have_flushed(void **state)
{
    (void)state;
    test_keymap_put(HOST, 1, "One", "v1");
    test_keymap_put(HOST, 1, "One", "v1");
    char text[1024];
    int len = snprintf(text, sizeof text, "%s%s", read_map(),
                       HOST "\t0000020000000000000000000000000000000000\t" URI "Two/v2\n");
    assert_true(len > 0 && (size_t)len < sizeof text);
    write_map(text);
    atomic_store(&folder_flush_fails, true);
    expect_put_refused(2, "Two", "v2");
    atomic_store(&folder_flush_fails, false);
    write_map(text);
    char steps[16] = "";
    flushed = steps;
    test_keymap_put(HOST, 2, "Two", "v2");
    assert_string_equal(steps, "fF");
    test_keymap_put(HOST, 2, "Two", "v2");
    flushed = NULL;
    assert_string_equal(steps, "fF");
}

/* The folder that was made for the map is as durable as the map. */
static void test_new_folder_is_flushed(void **state)
{
    char steps[16] = "";
    (void)state;
    flushed = steps;
    test_keymap_put(HOST, 1, "One", "v1");
    assert_string_equal(steps, "PfF");
    test_keymap_put(HOST, 2, "Two", "v2");
    flushed = NULL;
    assert_string_equal(steps, "PfFfF");
}

/* A failure before the old file was replaced says nothing about its content. */
static void test_an_existing_entry_with_a_full_disk(void **state)
{
    char aside[1200];
    (void)state;
    test_keymap_put(HOST, 1, "One", "v1");
    snprintf(aside, sizeof aside, "%s.tmp", config.keymap_file);
    assert_int_equal(mkdir(aside, 0700), 0);
    expect_put_refused(2, "Two", "v2");
    test_keymap_put(HOST, 1, "One", "v1");
    assert_int_equal(rmdir(aside), 0);
    test_keymap_put(HOST, 2, "Two", "v2");
}

/* Same file, same size, same time: an editor that was quicker than the file system's clock. */
static void test_change_within_one_tick_is_seen(void **state)
{
    struct stat st;
    (void)state;
    test_keymap_put(HOST, 1, "One", "v1");
    keymap_expect(HOST, 1, "One", "v1");
    assert_int_equal(stat(config.keymap_file, &st), 0);
    write_map(HOST "\t0000010000000000000000000000000000000000\t" URI "One/v2\n");
    const struct timespec times[] = {st.st_atim, st.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, config.keymap_file, times, 0), 0);
    keymap_expect(HOST, 1, "One", "v2");
}

static void put_from_another_process(uint32_t number)
{
    const struct thumbprint print = print_of(number);
    const struct key_id key = {"Other", "v1"};
    int status = -1;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(keymap_put(&call, call.deadline_ms, HOST, &print, &key, NULL) == EKM_OK ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void delete_lock_and_write(void)
{
    char lock_path[1200];
    snprintf(lock_path, sizeof lock_path, "%s.lock", config.keymap_file);
    assert_int_equal(unlink(lock_path), 0);
    put_from_another_process(7);
}

static void edit_in_place(void)
{
    write_map(HOST "\t0000070000000000000000000000000000000000\t" URI "Other/v1\n" HOST
                   "\t0000010000000000000000000000000000000000\t" URI "One/v1\n");
}

static void edit_by_renaming(void)
{
    char edited[1200], map[1024];
    snprintf(map, sizeof map, "%s", config.keymap_file);
    snprintf(edited, sizeof edited, "%s~", map);
    strcat(config.keymap_file, "~");
    edit_in_place();
    assert_int_equal(rename(edited, map), 0);
    strcpy(config.keymap_file, map);
}

/* The lock keeps out only who asks for it. */
static void test_writers_without_the_lock_lose_nothing(void **state)
{
    static void (*const others[])(void) = {delete_lock_and_write, edit_in_place, edit_by_renaming};
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        test_keymap_put(HOST, 1, "One", "v1");
        meanwhile = others[i];
        test_keymap_put(HOST, 2, "Two", "v2");
        assert_null(meanwhile);
        keymap_expect(HOST, 1, "One", "v1");
        keymap_expect(HOST, 2, "Two", "v2");
        keymap_expect(HOST, 7, "Other", "v1");
        assert_int_equal(keymap_count(), 3);
        assert_int_equal(unlink(config.keymap_file), 0);
        assert_int_equal(keymap_count(), 0);
    }
}

static void begin_log(void)
{
    snprintf(config.log_file, sizeof config.log_file, "%s/log", folder);
    log_start(&config);
}

static bool end_log_with(const char *wanted)
{
    static char text[1 << 16];
    log_stop();
    FILE *log = fopen(config.log_file, "r");
    assert_non_null(log);
    text[fread(text, 1, sizeof text - 1, log)] = '\0';
    fclose(log);
    return strstr(text, wanted) != NULL;
}

static void test_lost_entries_are_reported(void **state)
{
    (void)state;
    begin_log();
    test_keymap_put(HOST, 1, "One", "v1");
    test_keymap_put(HOST, 2, "Two", "v2");
    write_map(HOST "\t0000010000000000000000000000000000000000\t" URI "One/v1\n" HOST "\t00");
    assert_int_equal(keymap_count(), 1);
    assert_true(end_log_with("has 1 entries; it had 2 before"));
    assert_true(end_log_with("the first is line 2"));
}

/* A map is used whole: what cannot be read in it is named by line, the rest counts. */
static void test_broken_lines_are_named(void **state)
{
    char text[2048] = "odd\n" HOST "\t0000010000000000000000000000000000000000\t" URI "One/v1\n";
    (void)state;
    begin_log();
    for (int i = 0; i < 9; i++) {
        strcat(text, i % 2 == 0 ? "odd\n" : HOST "\t00\n");
    }
    strcat(text, HOST "\t0000020000000000000000000000000000000000\t" URI "Two/v2");
    write_map(text);
    assert_int_equal(keymap_count(), 2);
    keymap_expect(HOST, 1, "One", "v1");
    keymap_expect(HOST, 2, "Two", "v2");
    assert_true(end_log_with("kept as they are): 10, the first is line 1, then 3, 4, 5, 6, 7, 8, 9 "
                             "and more"));
}

static void test_missing_parent(void **state)
{
    (void)state;
    keymap_stop();
    snprintf(config.keymap_file, sizeof config.keymap_file, "%s/no/such/keymap", folder);
    keymap_start(&config);
    expect_none(HOST, 1);
    expect_refused();
}

/* A lock that is held elsewhere is waited for, then 2058; an abort ends the wait. */
static void test_lock_is_waited_for(void **state)
{
    const struct key_id key = {"New", "v1"};
    const struct thumbprint print = print_of(9);
    atomic_bool aborted;
    char lock_path[1200];
    int handle = -1;
    (void)state;
    test_keymap_put(HOST, 1, "One", "v1");
    snprintf(lock_path, sizeof lock_path, "%s.lock", config.keymap_file);
    assert_int_equal(plat_lock_take(lock_path, UINT64_MAX, NULL, NULL, &handle), PLAT_IO_OK);
    config.call_timeout_ms = 300;
    call_begin(&call, "test", &config);
    assert_int_equal(keymap_put(&call, call.deadline_ms, HOST, &print, &key, NULL), EKM_MAP_FAILED);
    config.call_timeout_ms = 20000;
    call_begin(&call, "test", &config);
    atomic_init(&aborted, true);
    call.session_aborted = &aborted;
    assert_int_equal(keymap_put(&call, call.deadline_ms, HOST, &print, &key, NULL), EKM_CLOSING);
    plat_lock_release(&handle);
    call.session_aborted = NULL;
    test_keymap_put(HOST, 9, "New", "v1");
}

#define WRITERS 4
#define ENTRIES 25

static void write_some(uint32_t writer)
{
    struct call mine;
    call_begin(&mine, "test", &config);
    mine.deadline_ms += 100000;
    for (uint32_t i = 0; i < ENTRIES; i++) {
        struct key_id key = {"Key", ""};
        const struct thumbprint print = print_of(1000 * writer + i);
        snprintf(key.version, sizeof key.version, "w%ui%u", (unsigned)writer, (unsigned)i);
        if (keymap_put(&mine, mine.deadline_ms, HOST, &print, &key, NULL) != EKM_OK) {
            _exit(1);
        }
    }
}

static void *write_in_thread(void *argument)
{
    write_some(*(uint32_t *)argument);
    return NULL;
}

static void test_writers_at_once_lose_nothing(void **state)
{
    pid_t children[WRITERS];
    pthread_t threads[WRITERS];
    uint32_t numbers[WRITERS];
    (void)state;
    begin_log();
    for (uint32_t i = 0; i < WRITERS; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            write_some(i);
            _exit(0);
        }
    }
    for (uint32_t i = 0; i < WRITERS; i++) {
        numbers[i] = WRITERS + i;
        assert_int_equal(pthread_create(&threads[i], NULL, write_in_thread, &numbers[i]), 0);
    }
    for (uint32_t i = 0; i < WRITERS; i++) {
        int status = -1;
        pthread_join(threads[i], NULL);
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(keymap_count(), 2 * WRITERS * ENTRIES);
    /* A look that was overtaken by another is not taken for a loss. */
    assert_false(end_log_with("; it had "));
    for (uint32_t i = 0; i < 2 * WRITERS; i++) {
        char version[32];
        snprintf(version, sizeof version, "w%ui%d", (unsigned)i, ENTRIES - 1);
        keymap_expect(HOST, 1000 * i + ENTRIES - 1, "Key", version);
    }
}

static void test_large_map(void **state)
{
    (void)state;
    test_keymap_put(HOST, 1, "One", "v1");
    FILE *file = fopen(config.keymap_file, "w");
    assert_non_null(file);
    for (unsigned i = 0; i < 10000; i++) {
        fprintf(file, HOST "\t%06X0000000000000000000000000000000000\t" URI "Key%u/v%u\n",
                i * 7919 % 10007, i, i);
    }
    fclose(file);
    clock_t start = clock(); /* of this process alone, whatever else the machine does */
    assert_int_equal(keymap_count(), 10000);
    long took_ms = (long)(clock() - start) * 1000 / CLOCKS_PER_SEC;
    print_message("10,000 entries read in %ld ms\n", took_ms);
    assert_true(took_ms < 2000);
    keymap_expect(HOST, 9999 * 7919 % 10007, "Key9999", "v9999");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_put_and_find, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_existing_entry_is_not_written_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_third_key_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tolerant_reading, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unusable_entries, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_broken_lines_are_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_broken_lines_are_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_last_of_two_lines_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_vaults_and_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_old_thumbprints, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_folder_flush_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_others_are_not_trusted_to_have_flushed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_new_folder_is_flushed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_existing_entry_with_a_full_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_change_within_one_tick_is_seen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_writers_without_the_lock_lose_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_lost_entries_are_reported, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_missing_parent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lock_is_waited_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_writers_at_once_lose_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_large_map, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
