/* Database files: which parts are readable on disk, which key opens them, rotation, segments,
 * backups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "memory.h"
#include "platform.h"
#include "storage.h"
#include "storage_backup.h"
#include "storage_key.h"
#include "storage_log.h"

static const char content[] = "a row that nobody may read on disk";
static const uint8_t key_a[32] = "database encryption key A......";
static const uint8_t key_b[32] = "database encryption key B......";

struct place {
    char folder[300];
    char *base;
};

static int set_up(void **state)
{
    struct place *place = memory_take(sizeof *place);
    assert_true(platform_folder_make_temporary(place->folder, sizeof place->folder));
    place->base = memory_format("%s/db", place->folder);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    char **files = platform_folder_list(place->folder);
    for (char **file = files; file && *file; file++) {
        char *path = memory_format("%s/%s", place->folder, *file);
        platform_path_remove(path);
        free(path);
    }
    platform_folder_list_free(files);
    bool good = platform_folder_remove(place->folder);
    free(place->base);
    free(place);
    return good ? 0 : -1;
}

static struct storage_wrapped wrapped_by(uint8_t thumbprint)
{
    struct storage_wrapped wrapped = {.thumbprint_len = 20, .wrapped_len = 256};
    memset(wrapped.thumbprint, thumbprint, 20);
    memset(wrapped.wrapped, thumbprint + 1, 256);
    return wrapped;
}

static char *file_of(const struct place *place, const char *suffix, size_t *len)
{
    char *path = memory_format("%s.%s", place->base, suffix);
    char *bytes = memory_read_file(path, len);
    free(path);
    assert_non_null(bytes);
    return bytes;
}

static bool stands_in_file(const struct place *place, const char *suffix, const char *text)
{
    size_t len = 0;
    char *bytes = file_of(place, suffix, &len);
    bool found = false;
    for (size_t at = 0; !found && at + strlen(text) <= len; at++)
        found = memcmp(bytes + at, text, strlen(text)) == 0;
    free(bytes);
    return found;
}

/* A database with `content`, encrypted under key A by encryptor 1 if asked. */
static struct storage *storage_make(const struct place *place, bool encrypted)
{
    char why[256];
    struct storage *storage = storage_create(place->base, "Demo", why);
    assert_non_null(storage);
    assert_true(storage_write(storage, content, sizeof content, why));
    if (encrypted) {
        struct storage_wrapped wrapped = wrapped_by(1);
        assert_true(storage_set_key(storage, "AES_256", key_a, sizeof key_a, &wrapped, why));
        assert_true(storage_set_encryption(storage, true, why));
    }
    return storage;
}

static void assert_content(struct storage *storage)
{
    char why[256];
    uint8_t *data = NULL;
    size_t len = 0;
    assert_true(storage_read(storage, &data, &len, why));
    assert_int_equal(len, sizeof content);
    assert_memory_equal(data, content, len);
    free(data);
}

static void plain_content_survives_reopening(void **state)
{
    const struct place *place = *state;
    char why[256];
    storage_close(storage_make(place, false));
    struct storage *storage = storage_open(place->base, why);
    assert_non_null(storage);
    assert_string_equal(storage_name(storage), "Demo");
    assert_true(storage_unlocked(storage));
    assert_content(storage);
    storage_close(storage);
}

static void encryption_hides_rows_and_key(void **state)
{
    const struct place *place = *state;
    char why[256];
    struct storage *storage = storage_make(place, false);
    assert_true(stands_in_file(place, "mdf", content));
    storage_close(storage);
    assert_true(storage_remove(place->base));
    storage = storage_make(place, true);
    assert_true(storage_log(storage, content, sizeof content, why));
    assert_false(stands_in_file(place, "mdf", content));
    assert_false(stands_in_file(place, "mdf", (const char *)key_a));
    struct storage_segment segments[8];
    size_t count = storage_segments(storage, segments, 8);
    assert_true(count >= 1);
    for (size_t i = 0; i < count; i++) {
        char suffix[32];
        snprintf(suffix, sizeof suffix, "%d.ldf", segments[i].number);
        assert_false(stands_in_file(place, suffix, content));
    }
    assert_true(storage_set_encryption(storage, false, why));
    assert_true(stands_in_file(place, "mdf", content));
    storage_close(storage);
}

static void only_the_right_key_opens(void **state)
{
    const struct place *place = *state;
    char why[256];
    uint8_t *data = NULL;
    size_t len = 0;
    storage_close(storage_make(place, true));
    struct storage *storage = storage_open(place->base, why);
    assert_non_null(storage);
    assert_false(storage_unlocked(storage));
    assert_false(storage_read(storage, &data, &len, why));
    assert_false(storage_unlock(storage, 0, key_b, sizeof key_b));
    assert_false(storage_unlock(storage, 0, key_a, 5));
    assert_false(storage_unlocked(storage));
    assert_true(storage_unlock(storage, 0, key_a, sizeof key_a));
    assert_content(storage);
    storage_close(storage);
}

static void rotation_leaves_pages_and_begins_a_segment(void **state)
{
    const struct place *place = *state;
    char why[256];
    struct storage *storage = storage_make(place, true);
    size_t before_len = 0, after_len = 0;
    char *before = file_of(place, "mdf", &before_len);
    struct storage_segment segments[8];
    size_t count = storage_segments(storage, segments, 8);
    struct storage_wrapped second = wrapped_by(2);
    assert_true(storage_rewrap(storage, &second, why));
    char *after = file_of(place, "mdf", &after_len);
    assert_int_equal(before_len, after_len);
    assert_memory_not_equal(before, after, 8192);
    assert_memory_equal(before + 8192, after + 8192, before_len - 8192);
    assert_int_equal(storage_segments(storage, segments, 8), count + 1);
    assert_int_equal(segments[count].key.thumbprint[0], 2);
    assert_true(segments[count].active);
    assert_int_equal(segments[count - 1].key.thumbprint[0], 1);
    assert_false(segments[count - 1].active);
    assert_true(storage_free_segments(storage, why));
    assert_int_equal(storage_segments(storage, segments, 8), 1);
    assert_int_equal(segments[0].key.thumbprint[0], 2);
    storage_close(storage);
    storage = storage_open(place->base, why);
    assert_int_equal(storage_segments(storage, segments, 8), 1);
    assert_true(storage_unlock(storage, 0, key_a, sizeof key_a));
    assert_true(storage_unlock(storage, segments[0].number, key_a, sizeof key_a));
    assert_false(storage_unlock(storage, segments[0].number, key_b, sizeof key_b));
    assert_content(storage);
    free(before);
    free(after);
    storage_close(storage);
}

static void a_new_key_encrypts_the_pages_anew(void **state)
{
    const struct place *place = *state;
    char why[256];
    struct storage *storage = storage_make(place, true);
    struct storage_wrapped second = wrapped_by(2);
    assert_true(storage_set_key(storage, "AES_128", key_b, 16, &second, why));
    assert_string_equal(storage_algorithm(storage), "AES_128");
    storage_close(storage);
    storage = storage_open(place->base, why);
    assert_false(storage_unlock(storage, 0, key_a, sizeof key_a));
    assert_true(storage_unlock(storage, 0, key_b, 16));
    assert_content(storage);
    storage_close(storage);
}

static void a_damaged_page_is_noticed(void **state)
{
    const struct place *place = *state;
    char why[256];
    uint8_t *data = NULL;
    size_t len = 0;
    storage_close(storage_make(place, true));
    char *path = memory_format("%s.mdf", place->base);
    FILE *file = platform_stream_open(path, "r+");
    assert_non_null(file);
    fseek(file, 8192 + 3, SEEK_SET);
    int byte = fgetc(file);
    fseek(file, 8192 + 3, SEEK_SET);
    fputc(byte ^ 1, file);
    fclose(file);
    free(path);
    struct storage *storage = storage_open(place->base, why);
    assert_true(storage_unlock(storage, 0, key_a, sizeof key_a));
    assert_false(storage_read(storage, &data, &len, why));
    assert_non_null(strstr(why, "damaged"));
    storage_close(storage);
}

static void files_are_for_their_owner_alone(void **state)
{
    const struct place *place = *state;
    static const char *const suffixes[] = {"mdf", "1.ldf"};
    storage_close(storage_make(place, false));
    for (size_t i = 0; i < 2; i++) {
        char *path = memory_format("%s.%s", place->base, suffixes[i]);
        assert_true(platform_path_is_private(path));
        free(path);
    }
}

static void a_name_can_be_used_again(void **state)
{
    const struct place *place = *state;
    char why[256];
    struct storage_segment segments[4];
    struct storage *storage = storage_make(place, true);
    for (int i = 0; i < 3; i++)
        assert_true(storage_new_segment(storage, why));
    assert_true(storage_free_segments(storage, why));
    storage_close(storage);
    assert_true(storage_remove(place->base));
    storage_close(storage_make(place, false));
    storage = storage_open(place->base, why);
    assert_non_null(storage);
    assert_int_equal(storage_segments(storage, segments, 4), 1);
    assert_int_equal(segments[0].number, 1);
    storage_close(storage);
}

static void backup_and_restore(const struct place *place, const struct storage_backup_key *outer,
                               const uint8_t *restore_key)
{
    char why[256];
    char name[129];
    struct storage_wrapped seen;
    char *path = memory_format("%s/backup", place->folder);
    struct storage *storage = storage_make(place, true);
    assert_true(storage_backup(storage, path, outer, why));
    storage_close(storage);
    assert_true(storage_remove(place->base));
    assert_true(storage_backup_inspect(path, name, &seen, why));
    assert_string_equal(name, "Demo");
    assert_int_equal(seen.thumbprint_len, outer ? 20 : 0);
    bool good =
        storage_restore(path, place->base, "Copy", restore_key, outer ? outer->key_len : 0, why);
    free(path);
    storage = storage_open(place->base, why);
    if (outer && memcmp(restore_key, outer->key, outer->key_len) != 0) {
        assert_false(good);
        assert_null(storage);
        return;
    }
    assert_true(good);
    assert_non_null(storage);
    assert_string_equal(storage_name(storage), "Copy");
    assert_int_equal(storage_wrapped_key(storage)->thumbprint[0], 1);
    assert_true(storage_unlock(storage, 0, key_a, sizeof key_a));
    assert_content(storage);
    storage_close(storage);
}

static void a_backup_keeps_the_pages_encrypted(void **state)
{
    backup_and_restore(*state, NULL, NULL);
}

static void an_encrypted_backup_needs_its_key(void **state)
{
    struct storage_backup_key outer = {.key_len = 32, .wrapped = wrapped_by(7)};
    memcpy(outer.key, key_b, sizeof outer.key);
    backup_and_restore(*state, &outer, key_b);
}

static void a_wrong_backup_key_writes_nothing(void **state)
{
    struct storage_backup_key outer = {.key_len = 32, .wrapped = wrapped_by(7)};
    memcpy(outer.key, key_b, sizeof outer.key);
    backup_and_restore(*state, &outer, key_a);
}

#define WITH_PLACE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PLACE(plain_content_survives_reopening),
        WITH_PLACE(encryption_hides_rows_and_key),
        WITH_PLACE(only_the_right_key_opens),
        WITH_PLACE(rotation_leaves_pages_and_begins_a_segment),
        WITH_PLACE(a_new_key_encrypts_the_pages_anew),
        WITH_PLACE(a_damaged_page_is_noticed),
        WITH_PLACE(files_are_for_their_owner_alone),
        WITH_PLACE(a_name_can_be_used_again),
        WITH_PLACE(a_backup_keeps_the_pages_encrypted),
        WITH_PLACE(an_encrypted_backup_needs_its_key),
        WITH_PLACE(a_wrong_backup_key_writes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
