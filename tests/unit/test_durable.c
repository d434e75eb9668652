/* Durable replacement: its order, and a failure or a crash at each of its steps. */
// only: posix
// with: scratch.c
// wrap: write fsync rename
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/durable.h"
#include "scratch.h"

/* Every step that a replacement takes, in order, and what befalls one of them. */
enum fault { FAULT_NONE, FAULT_FAIL, FAULT_CRASH, FAULT_SHORT };
static struct {
    char steps[16];
    size_t count, at;
    enum fault fault;
    int error;
} script;

static bool step_fails(char step)
{
    bool hit = script.fault != FAULT_NONE && script.count == script.at;
    if (script.count + 1 < sizeof script.steps) {
        script.steps[script.count++] = step;
    }
    if (hit && script.fault == FAULT_CRASH) {
        _exit(7);
    }
    errno = script.error;
    return hit && script.fault == FAULT_FAIL;
}

ssize_t __real_write(int handle, const void *data, size_t len);
ssize_t __wrap_write(int handle, const void *data, size_t len);
ssize_t __wrap_write(int handle, const void *data, size_t len)
{
    if (step_fails('w')) {
        return -1;
    }
    return __real_write(handle, data, script.fault == FAULT_SHORT && len > 1 ? 1 : len);
}

int __real_fsync(int handle);
int __wrap_fsync(int handle);
int __wrap_fsync(int handle)
{
    struct stat st;
    bool is_folder = fstat(handle, &st) == 0 && S_ISDIR(st.st_mode);
    return step_fails(is_folder ? 'F' : 'f') ? -1 : __real_fsync(handle);
}

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to)
{
    return step_fails('r') ? -1 : __real_rename(from, to);
}

static void expect(enum fault fault, size_t at, int error)
{
    memset(&script, 0, sizeof script);
    script.fault = fault;
    script.at = at;
    script.error = error;
}

static void test_replace_makes_then_replaces(void **state)
{
    (void)state;
    struct plat_file_state first, second, now;
    mode_t former = umask(0);
    assert_int_equal(plat_file_replace(path, "one", 3, &first), PLAT_IO_OK);
    assert_content(path, "one");
    assert_int_equal(mode_of(path), 0600);
    assert_int_equal(plat_file_replace(path, "three", 5, &second), PLAT_IO_OK);
    (void)umask(former);
    assert_content(path, "three");
    assert_int_equal(mode_of(path), 0600);
    /* What replace reports is what a later look finds, and tells the two apart. */
    assert_int_equal(plat_file_state(path, &now), PLAT_IO_OK);
    assert_memory_equal(&now, &second, sizeof now);
    assert_memory_not_equal(&first, &second, sizeof first);
    assert_int_equal(access(aside, F_OK), -1);
    assert_int_equal(plat_file_replace(path, "", 0, &now), PLAT_IO_OK);
    assert_content(path, "");
}

static void test_replace_clears_away_what_a_crash_left(void **state)
{
    (void)state;
    struct plat_file_state now;
    char victim[160];
    put(path, "old", 0600);
    put(aside, "half writ", 0600);
    assert_int_equal(plat_file_replace(path, "new", 3, &now), PLAT_IO_OK);
    assert_content(path, "new");
    /* A symbolic link planted there is removed, never written through. */
    (void)snprintf(victim, sizeof victim, "%s/victim", folder);
    put(victim, "untouched", 0600);
    assert_int_equal(symlink(victim, aside), 0);
    assert_int_equal(plat_file_replace(path, "newer", 5, &now), PLAT_IO_OK);
    assert_content(path, "newer");
    assert_content(victim, "untouched");
}

static void test_replace_refuses_what_is_no_file(void **state)
{
    (void)state;
    struct plat_file_state now;
    char other[160];
    (void)snprintf(other, sizeof other, "%s/other", folder);
    put(other, "other", 0600);
    assert_int_equal(symlink(other, path), 0);
    assert_int_equal(plat_file_replace(path, "x", 1, &now), PLAT_IO_NOT_FILE);
    assert_int_equal(plat_file_state(path, &now), PLAT_IO_NOT_FILE);
    assert_content(other, "other");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(plat_file_replace(path, "x", 1, &now), PLAT_IO_NOT_FILE);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(plat_file_replace("/nowhere/at/all", "x", 1, &now), PLAT_IO_ABSENT);
}

static void test_replace_keeps_its_order(void **state)
{
    (void)state;
    struct plat_file_state now;
    expect(FAULT_NONE, 0, 0);
    assert_int_equal(plat_file_replace(path, "new", 3, &now), PLAT_IO_OK);
    assert_string_equal(script.steps, "wfrF");
    /* Short writes are gone on with. */
    expect(FAULT_SHORT, 99, 0);
    assert_int_equal(plat_file_replace(path, "abcd", 4, &now), PLAT_IO_OK);
    assert_string_equal(script.steps, "wwwwfrF");
    expect(FAULT_NONE, 0, 0);
    assert_content(path, "abcd");
}

static void test_a_failed_step_leaves_the_old_content(void **state)
{
    (void)state;
    static const struct {
        int error;
        enum plat_io io;
    } faults[] = {{ENOSPC, PLAT_IO_FULL},
                  {EDQUOT, PLAT_IO_FULL},
                  {EIO, PLAT_IO_FAILED},
                  {EROFS, PLAT_IO_DENIED}};
    struct plat_file_state now;
    put(path, "old", 0600);
    for (size_t at = 0; at < 3; at++) {
        for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
            expect(FAULT_FAIL, at, faults[i].error);
            assert_int_equal(plat_file_replace(path, "new", 3, &now), faults[i].io);
            expect(FAULT_NONE, 0, 0);
            assert_content(path, "old");
            assert_int_equal(access(aside, F_OK), -1);
        }
    }
    /* The folder's flush failed: not durable for sure, so not success. */
    expect(FAULT_FAIL, 3, EIO);
    assert_int_equal(plat_file_replace(path, "new", 3, &now), PLAT_IO_FAILED);
}

static void test_a_crash_leaves_the_old_or_the_new_file(void **state)
{
    (void)state;
    struct plat_file_state now;
    for (size_t at = 0; at < 4; at++) {
        int status = 0;
        put(path, "old", 0600);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            expect(FAULT_CRASH, at, 0);
            _exit(plat_file_replace(path, "new", 3, &now) == PLAT_IO_OK ? 0 : 1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
        assert_content(path, at < 3 ? "old" : "new");
        assert_int_equal(plat_file_replace(path, "next", 4, &now), PLAT_IO_OK);
        assert_content(path, "next");
    }
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_replace_makes_then_replaces),
        EACH(test_replace_clears_away_what_a_crash_left),
        EACH(test_replace_refuses_what_is_no_file),
        EACH(test_replace_keeps_its_order),
        EACH(test_a_failed_step_leaves_the_old_content),
        EACH(test_a_crash_leaves_the_old_or_the_new_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
