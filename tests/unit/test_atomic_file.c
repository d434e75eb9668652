/* Durable replacement: its order, and a failure or a crash at each of its steps. */
// only: posix
// with: scratch.c
// wrap: write fsync rename close
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

#include "platform/atomic_file.h"
#include "platform/system.h"
#include "scratch.h"

/* Every step that a replacement takes, in order, and what befalls one of them. */
enum fault { FAULT_NONE, FAULT_FAIL, FAULT_CRASH, FAULT_SHORT };
static struct {
    char steps[16];
    size_t count, at;
    enum fault fault;
    int error;
    void (*meanwhile)(void);     /* done once, while the new file is flushed */
    void (*closing)(int handle); /* done once, when the new file is closed */
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
    void (*meanwhile)(void) = script.meanwhile;
    script.meanwhile = NULL;
    if (meanwhile != NULL) {
        meanwhile();
    }
    return step_fails(is_folder ? 'F' : 'f') ? -1 : __real_fsync(handle);
}

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to)
{
    return step_fails('r') ? -1 : __real_rename(from, to);
}

int __real_close(int handle);
int __wrap_close(int handle);
int __wrap_close(int handle)
{
    void (*closing)(int) = script.closing;
    script.closing = NULL;
    if (closing != NULL) {
        closing(handle);
    }
    return __real_close(handle);
}

static void atomic_file_expect(enum fault fault, size_t at, int error)
{
    memset(&script, 0, sizeof script);
    script.fault = fault;
    script.at = at;
    script.error = error;
}

static enum plat_io atomic_file_replace(const char *name, const char *text,
                                        struct plat_file_state *now)
{
    struct plat_file_state former;
    (void)plat_file_state(name, &former);
    return plat_file_replace(name, &former, text, strlen(text), now);
}

static void test_replace_makes_then_replaces(void **state)
{
    (void)state;
    struct plat_file_state first, second, now;
    mode_t former = umask(0);
    assert_int_equal(atomic_file_replace(path, "one", &first), PLAT_IO_OK);
    assert_content(path, "one");
    assert_int_equal(mode_of(path), 0600);
    assert_int_equal(atomic_file_replace(path, "three", &second), PLAT_IO_OK);
    (void)umask(former);
    assert_content(path, "three");
    assert_int_equal(mode_of(path), 0600);
    /* The state that replace reports equals that of a later look, and differs between the files.
     */
    assert_int_equal(plat_file_state(path, &now), PLAT_IO_OK);
    assert_memory_equal(&now, &second, sizeof now);
    assert_memory_not_equal(&first, &second, sizeof first);
    assert_int_equal(access(aside, F_OK), -1);
    assert_int_equal(atomic_file_replace(path, "", &now), PLAT_IO_OK);
    assert_content(path, "");
}

static void test_replace_clears_away_what_a_crash_left(void **state)
{
    (void)state;
    struct plat_file_state now;
    char victim[160];
    put(path, "old", 0600);
    put(aside, "half writ", 0600);
    assert_int_equal(atomic_file_replace(path, "new", &now), PLAT_IO_OK);
    assert_content(path, "new");
    /* A symbolic link planted there is removed, never written through. */
    (void)snprintf(victim, sizeof victim, "%s/victim", folder);
    put(victim, "untouched", 0600);
    assert_int_equal(symlink(victim, aside), 0);
    assert_int_equal(atomic_file_replace(path, "newer", &now), PLAT_IO_OK);
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
    assert_int_equal(atomic_file_replace(path, "x", &now), PLAT_IO_NOT_FILE);
    assert_int_equal(plat_file_state(path, &now), PLAT_IO_NOT_FILE);
    assert_content(other, "other");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(atomic_file_replace(path, "x", &now), PLAT_IO_NOT_FILE);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(atomic_file_replace("/nowhere/at/all", "x", &now), PLAT_IO_ABSENT);
}

static void test_replace_keeps_its_order(void **state)
{
    (void)state;
    struct plat_file_state now;
    atomic_file_expect(FAULT_NONE, 0, 0);
    assert_int_equal(atomic_file_replace(path, "new", &now), PLAT_IO_OK);
    assert_string_equal(script.steps, "wfrF");
    /* Short writes are gone on with. */
    atomic_file_expect(FAULT_SHORT, 99, 0);
    assert_int_equal(atomic_file_replace(path, "abcd", &now), PLAT_IO_OK);
    assert_string_equal(script.steps, "wwwwfrF");
    atomic_file_expect(FAULT_NONE, 0, 0);
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
            atomic_file_expect(FAULT_FAIL, at, faults[i].error);
            assert_int_equal(atomic_file_replace(path, "new", &now), faults[i].io);
            atomic_file_expect(FAULT_NONE, 0, 0);
            assert_content(path, "old");
            assert_int_equal(access(aside, F_OK), -1);
        }
    }
    /* The folder's flush failed: not durable for sure, so not success. */
    atomic_file_expect(FAULT_FAIL, 3, EIO);
    assert_int_equal(atomic_file_replace(path, "new", &now), PLAT_IO_FAILED);
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
            atomic_file_expect(FAULT_CRASH, at, 0);
            _exit(atomic_file_replace(path, "new", &now) == PLAT_IO_OK ? 0 : 1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
        assert_content(path, at < 3 ? "old" : "new");
        assert_int_equal(atomic_file_replace(path, "next", &now), PLAT_IO_OK);
        assert_content(path, "next");
    }
}

static void atomic_file_edit(void)
{
    put(path, "an editor's", 0600);
}

static void remove_it(void)
{
    assert_int_equal(unlink(path), 0);
}

static void write_another_aside(void)
{
    assert_int_equal(unlink(aside), 0);
    put(aside, "half", 0600);
}

/* A file that another program wrote without the lock, or after the lock file was deleted, is not
 * overwritten. */
static void test_what_others_wrote_stays(void **state)
{
    (void)state;
    struct plat_file_state former = {0, 0, 0, 0}, now;
    put(path, "old", 0600);
    assert_int_equal(plat_file_replace(path, &former, "new", 3, &now), PLAT_IO_CHANGED);
    assert_content(path, "old");
    static void (*const others[])(void) = {atomic_file_edit, remove_it, write_another_aside};
    static const char *const left[] = {"an editor's", NULL, "old"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        put(path, "old", 0600);
        atomic_file_expect(FAULT_NONE, 0, 0);
        script.meanwhile = others[i];
        assert_int_equal(atomic_file_replace(path, "new", &now), PLAT_IO_CHANGED);
        assert_null(strchr(script.steps, 'r'));
        if (left[i] != NULL) {
            assert_content(path, left[i]);
        } else {
            assert_int_equal(access(path, F_OK), -1);
        }
        if (others[i] == write_another_aside) {
            assert_content(aside, "half");
        } else {
            assert_int_equal(access(aside, F_OK), -1);
        }
    }
}

/* Replaces `old`; what is reported is what a later look finds. */
static struct plat_file_state replace_while_closing(void (*closing)(int handle))
{
    struct plat_file_state now, later;
    put(path, "old", 0600);
    atomic_file_expect(FAULT_NONE, 0, 0);
    script.closing = closing;
    assert_int_equal(atomic_file_replace(path, "new", &now), PLAT_IO_OK);
    assert_null(script.closing);
    assert_content(path, "new");
    assert_int_equal(plat_file_state(path, &later), PLAT_IO_OK);
    assert_memory_equal(&now, &later, sizeof now);
    return now;
}

/* As SMB and NFS do. */
static void change_the_time(int handle)
{
    static const struct timespec later[2] = {{1000000000, 7}, {1000000000, 7}};
    assert_int_equal(futimens(handle, later), 0);
}

/* A file that is closed may get another time: it is ours all the same. */
static void test_closing_may_change_the_time(void **state)
{
    (void)state;
    assert_int_equal(replace_while_closing(change_the_time).modified_ns % 1000, 7);
}

/* When it is closed, its number is free for another file, unless it has its own name by then. */
static void take_the_number(int handle)
{
    (void)__real_close(handle);
    (void)unlink(aside);
    put(aside, "half", 0600);
}

static void test_nobody_gets_the_number_of_the_new_file(void **state)
{
    (void)state;
    (void)replace_while_closing(take_the_number);
    assert_int_equal(unlink(aside), 0);
}

static void make_a_folder_aside(void)
{
    assert_int_equal(unlink(aside), 0);
    assert_int_equal(mkdir(aside, 0700), 0);
}

/* Not being able to look is no change by others. */
static void test_what_cannot_be_looked_at_is_an_error(void **state)
{
    (void)state;
    struct plat_file_state now;
    put(path, "old", 0600);
    atomic_file_expect(FAULT_NONE, 0, 0);
    script.meanwhile = make_a_folder_aside;
    assert_int_equal(atomic_file_replace(path, "new", &now), PLAT_IO_NOT_FILE);
    assert_null(strchr(script.steps, 'r'));
    assert_content(path, "old");
    assert_int_equal(rmdir(aside), 0);
}

static void test_flushes(void **state)
{
    (void)state;
    put(path, "text", 0600);
    atomic_file_expect(FAULT_NONE, 0, 0);
    assert_int_equal(plat_file_flush(path), PLAT_IO_OK);
    assert_int_equal(plat_folder_flush(path), PLAT_IO_OK);
    assert_string_equal(script.steps, "fFF");
    atomic_file_expect(FAULT_FAIL, 1, EIO);
    assert_int_equal(plat_file_flush(path), PLAT_IO_FAILED);
    atomic_file_expect(FAULT_FAIL, 0, EIO);
    assert_int_equal(plat_folder_flush(path), PLAT_IO_FAILED);
    /* A file system that cannot flush folders has nothing better. */
    atomic_file_expect(FAULT_FAIL, 1, EINVAL);
    assert_int_equal(plat_file_flush(path), PLAT_IO_OK);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(plat_file_flush(path), PLAT_IO_ABSENT);
}

/* A deleted lock file locks nobody out: the existing one counts. */
static void test_a_deleted_lock_file_is_not_a_lock(void **state)
{
    (void)state;
    int first = -1, second = -1, third = -1, status = -1;
    assert_int_equal(plat_lock_take(path, 0, NULL, NULL, &first), PLAT_IO_OK);
    assert_int_equal(plat_lock_take(path, 0, NULL, NULL, &second), PLAT_IO_TIMED_OUT);
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        /* Waits for the first lock. When it is free, another lock file is in its place. */
        int mine = -1;
        plat_file_close(&first);
        bool told = write(ready[1], "", 1) == 1;
        enum plat_io io = plat_lock_take(path, plat_now_ms() + 500, NULL, NULL, &mine);
        _exit(told && io == PLAT_IO_TIMED_OUT ? 0 : 1);
    }
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    usleep(100000);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(plat_lock_take(path, 0, NULL, NULL, &third), PLAT_IO_OK);
    plat_lock_release(&first);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    plat_lock_release(&third);
    assert_int_equal(plat_lock_take(path, 0, NULL, NULL, &second), PLAT_IO_OK);
    plat_lock_release(&second);
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
        EACH(test_what_others_wrote_stays),
        EACH(test_closing_may_change_the_time),
        EACH(test_nobody_gets_the_number_of_the_new_file),
        EACH(test_what_cannot_be_looked_at_is_an_error),
        EACH(test_flushes),
        EACH(test_a_deleted_lock_file_is_not_a_lock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
