/* Files: reads, locks, trust, logs, handles that a host does not trip over. */
// only: posix
// with: scratch.c
#include <fcntl.h>
#include <pthread.h>
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

static void test_read_is_bounded(void **state)
{
    (void)state;
    char text[8];
    int handle = -1;
    size_t len = 0;
    struct plat_file_state now;
    put(path, "12345", 0600);
    assert_int_equal(plat_file_open(path, PLAT_TRUST_ANY, &handle, &now), PLAT_IO_OK);
    assert_int_equal(now.size, 5);
    assert_true(handle > 2);
    assert_int_equal(fcntl(handle, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(plat_file_read(handle, text, 4, &len), PLAT_IO_TOO_BIG);
    assert_int_equal(lseek(handle, 0, SEEK_SET), 0);
    assert_int_equal(plat_file_read(handle, text, 5, &len), PLAT_IO_OK);
    assert_int_equal(len, 5);
    plat_file_close(&handle);
    plat_file_close(&handle);
    assert_int_equal(get("/nowhere/at/all", PLAT_TRUST_ANY, text, sizeof text), PLAT_IO_ABSENT);
    assert_int_equal(get(folder, PLAT_TRUST_ANY, text, sizeof text), PLAT_IO_NOT_FILE);
    assert_int_equal(get("/dev/null", PLAT_TRUST_ANY, text, sizeof text), PLAT_IO_NOT_FILE);
}

/* A pipe that nobody writes must not hang the host. */
static void test_a_pipe_is_refused_at_once(void **state)
{
    (void)state;
    char text[8];
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(get(path, PLAT_TRUST_ANY, text, sizeof text), PLAT_IO_NOT_FILE);
}

static void test_trust(void **state)
{
    (void)state;
    char text[32];
    static const struct {
        mode_t file, folder;
        enum plat_io io;
    } cases[] = {
        {0600, 0700, PLAT_IO_OK},     {0644, 0755, PLAT_IO_OK},     {0660, 0770, PLAT_IO_OK},
        {0602, 0700, PLAT_IO_UNSAFE}, {0666, 0755, PLAT_IO_UNSAFE}, {0600, 0777, PLAT_IO_UNSAFE},
        {0600, 0702, PLAT_IO_UNSAFE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put(path, "text", cases[i].file);
        assert_int_equal(chmod(folder, cases[i].folder), 0);
        assert_int_equal(get(path, PLAT_TRUST_REQUIRED, text, sizeof text), cases[i].io);
        assert_int_equal(get(path, PLAT_TRUST_ANY, text, sizeof text), PLAT_IO_OK);
    }
    assert_int_equal(chmod(folder, 0700), 0);
}

/* Needs root to give files away. */
static void test_trust_of_owner_and_group(void **state)
{
    (void)state;
    char text[32];
    if (geteuid() != 0) {
        skip();
    }
    put(path, "text", 0600);
    assert_int_equal(chown(path, 4242, (gid_t)-1), 0);
    assert_int_equal(get(path, PLAT_TRUST_REQUIRED, text, sizeof text), PLAT_IO_UNSAFE);
    assert_int_equal(chown(path, 0, 4242), 0);
    assert_int_equal(get(path, PLAT_TRUST_REQUIRED, text, sizeof text), PLAT_IO_OK);
    assert_int_equal(chmod(path, 0620), 0);
    assert_int_equal(get(path, PLAT_TRUST_REQUIRED, text, sizeof text), PLAT_IO_UNSAFE);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(chown(folder, 4242, (gid_t)-1), 0);
    assert_int_equal(get(path, PLAT_TRUST_REQUIRED, text, sizeof text), PLAT_IO_UNSAFE);
    assert_int_equal(chown(folder, 0, 0), 0);
}

/* To open a file by its name, nobody needs the right to list its folder. */
static void test_trust_of_a_folder_that_cannot_be_listed(void **state)
{
    (void)state;
    char text[32];
    const uid_t user = geteuid();
    put(path, "text", 0644);
    assert_int_equal(chmod(folder, 0311), 0);
    assert_int_equal(user == 0 ? seteuid(65534) : 0, 0); /* root may list everything */
    enum plat_io io = get(path, PLAT_TRUST_REQUIRED, text, sizeof text);
    assert_int_equal(seteuid(user), 0);
    assert_int_equal(chmod(folder, 0700), 0);
    assert_int_equal(io, PLAT_IO_OK);
}

static char volume[96], data[128], other[128], link_name[160];

/* A volume as Kubernetes mounts one: map -> ..data/map, ..data -> ..1, and the file in ..1. */
static void make_volume(mode_t mode)
{
    char file[160];
    (void)snprintf(volume, sizeof volume, "%s/volume", folder);
    (void)snprintf(data, sizeof data, "%s/..1", volume);
    (void)snprintf(file, sizeof file, "%s/map", data);
    assert_int_equal(mkdir(volume, 0700), 0);
    assert_int_equal(mkdir(data, 0755), 0);
    put(file, "text", 0644);
    (void)snprintf(other, sizeof other, "%s/..data", volume);
    assert_int_equal(symlink("..1", other), 0);
    (void)snprintf(link_name, sizeof link_name, "%s/map", volume);
    assert_int_equal(symlink("..data/../..data/./map", link_name), 0);
    assert_int_equal(chmod(volume, mode), 0);
}

static void remove_volume(void)
{
    char file[160];
    (void)snprintf(file, sizeof file, "%s/map", data);
    (void)unlink(file);
    (void)unlink(other);
    (void)unlink(link_name);
    (void)rmdir(data);
    (void)rmdir(volume);
}

static enum plat_io file_trusted(const char *name)
{
    char text[32];
    return get(name, PLAT_TRUST_REQUIRED, text, sizeof text);
}

static void test_trust_follows_links(void **state)
{
    (void)state;
    make_volume(0755);
    assert_int_equal(file_trusted(link_name), PLAT_IO_OK);
    /* By an absolute link as well, as /etc/ssl/certs has them. */
    put(path, "text", 0600);
    (void)unlink(link_name);
    assert_int_equal(symlink(path, link_name), 0);
    assert_int_equal(file_trusted(link_name), PLAT_IO_OK);
    assert_int_equal(get(link_name, PLAT_TRUST_ANY, (char[32]){""}, 32), PLAT_IO_NOT_FILE);
    assert_int_equal(file_trusted("relative"), PLAT_IO_ABSENT);
    remove_volume();
}

/* Each folder on the way counts, that of the name and that of the target. */
static void test_trust_of_each_folder_on_the_way(void **state)
{
    (void)state;
    char why[640];
    make_volume(0755);
    assert_int_equal(chmod(data, 0777), 0);
    assert_int_equal(file_trusted(link_name), PLAT_IO_UNSAFE);
    plat_file_explain(link_name, PLAT_IO_UNSAFE, why, sizeof why);
    assert_non_null(strstr(why, data));
    assert_non_null(strstr(why, "(mode 0777): chmod o-w"));
    assert_int_equal(chmod(data, 01777), 0); /* nobody may rename another's file there */
    assert_int_equal(file_trusted(link_name), PLAT_IO_OK);
    assert_int_equal(chmod(data, 0755), 0);
    assert_int_equal(chmod(volume, 0777), 0);
    assert_int_equal(file_trusted(link_name), PLAT_IO_UNSAFE);
    assert_int_equal(chmod(volume, 0755), 0);
    assert_int_equal(chmod(folder, 0707), 0); /* two folders above */
    assert_int_equal(file_trusted(link_name), PLAT_IO_UNSAFE);
    plat_file_explain(link_name, PLAT_IO_UNSAFE, why, sizeof why);
    assert_non_null(strstr(why, folder));
    assert_int_equal(chmod(folder, 0700), 0);
    if (geteuid() == 0) {
        assert_int_equal(lchown(other, 4242, 0), 0); /* who owns a link may put another there */
        assert_int_equal(file_trusted(link_name), PLAT_IO_UNSAFE);
        plat_file_explain(link_name, PLAT_IO_UNSAFE, why, sizeof why);
        assert_non_null(strstr(why, "belongs to user 4242"));
    }
    remove_volume();
}

static void test_links_that_lead_nowhere(void **state)
{
    (void)state;
    char why[640];
    (void)snprintf(link_name, sizeof link_name, "%s/link", folder);
    assert_int_equal(symlink(path, link_name), 0);
    assert_int_equal(file_trusted(link_name), PLAT_IO_NOT_FILE);
    plat_file_explain(link_name, PLAT_IO_NOT_FILE, why, sizeof why);
    assert_non_null(strstr(why, "a symbolic link leads to"));
    assert_int_equal(symlink(link_name, path), 0); /* in a ring */
    assert_int_equal(file_trusted(link_name), PLAT_IO_NOT_FILE);
    (void)unlink(path);
    assert_int_equal(symlink(folder, path), 0);
    assert_int_equal(file_trusted(path), PLAT_IO_NOT_FILE);
    assert_int_equal(file_trusted(folder), PLAT_IO_NOT_FILE);
    assert_int_equal(file_trusted("/"), PLAT_IO_NOT_FILE);
    assert_int_equal(file_trusted("/dev/null/x"), PLAT_IO_NOT_FILE);
}

static void test_handles_are_never_the_standard_ones(void **state)
{
    (void)state;
    put(path, "text", 0600);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int handle = -1, lock = -1, log = -1;
        struct plat_file_state now, next;
        (void)close(0);
        (void)close(1);
        (void)close(2);
        bool right = plat_file_open(path, PLAT_TRUST_ANY, &handle, &now) == PLAT_IO_OK &&
                     plat_lock_take(aside, 0, NULL, NULL, &lock) == PLAT_IO_OK &&
                     plat_log_open(path, &log, &now) == PLAT_IO_OK &&
                     plat_file_replace(path, &now, "x", 1, &next) == PLAT_IO_OK;
        right = right && handle > 2 && lock > 2 && log > 2 && fcntl(0, F_GETFD) < 0 &&
                fcntl(1, F_GETFD) < 0 && fcntl(2, F_GETFD) < 0;
        _exit(right ? 42 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 42);
}

static bool file_always(void *asked)
{
    (*(unsigned *)asked)++;
    return true;
}

static void test_lock_is_held_by_one(void **state)
{
    (void)state;
    int first = -1, second = -1;
    unsigned asked = 0;
    assert_int_equal(plat_lock_take(path, plat_now_ms(), NULL, NULL, &first), PLAT_IO_OK);
    assert_int_equal(mode_of(path), 0600);
    assert_int_equal(fcntl(first, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    uint64_t start_ms = plat_now_ms();
    assert_int_equal(plat_lock_take(path, start_ms + 40, NULL, NULL, &second), PLAT_IO_TIMED_OUT);
    assert_int_equal(second, -1);
    assert_true(plat_now_ms() >= start_ms + 40);
    assert_int_equal(plat_lock_take(path, start_ms + 600000, file_always, &asked, &second),
                     PLAT_IO_TIMED_OUT);
    assert_int_equal(asked, 1);
    plat_lock_release(&first);
    assert_int_equal(plat_lock_take(path, plat_now_ms(), NULL, NULL, &second), PLAT_IO_OK);
    plat_lock_release(&second);
    plat_lock_release(&second);
    assert_int_equal(access(path, F_OK), 0); /* never removed */
}

static void test_lock_target_must_be_a_file(void **state)
{
    (void)state;
    int handle = -1;
    assert_int_equal(symlink(aside, path), 0);
    assert_int_equal(plat_lock_take(path, 0, NULL, NULL, &handle), PLAT_IO_NOT_FILE);
    assert_int_equal(access(aside, F_OK), -1);
    assert_int_equal(plat_lock_take(folder, 0, NULL, NULL, &handle), PLAT_IO_NOT_FILE);
    assert_int_equal(plat_lock_take("/nowhere/at/all", 0, NULL, NULL, &handle), PLAT_IO_ABSENT);
    assert_int_equal(handle, -1);
}

#define WRITERS 4
#define ROUNDS  25

/* Each adds one to the number in the file: lost updates would show. */
static void *add_up(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        char text[32];
        int lock = -1;
        struct plat_file_state former, now;
        if (plat_lock_take(aside, plat_now_ms() + 60000, NULL, NULL, &lock) != PLAT_IO_OK) {
            return NULL;
        }
        (void)plat_file_state(path, &former);
        bool there = get(path, PLAT_TRUST_ANY, text, sizeof text) == PLAT_IO_OK;
        long sum = there ? strtol(text, NULL, 10) : 0;
        (void)snprintf(text, sizeof text, "%ld", sum + 1);
        (void)plat_file_replace(path, &former, text, strlen(text), &now);
        plat_lock_release(&lock);
    }
    return NULL;
}

static void test_nothing_is_lost_between_threads_and_processes(void **state)
{
    (void)state;
    char total[32];
    pthread_t threads[WRITERS];
    (void)snprintf(aside, sizeof aside, "%s.lock", path);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        add_up(NULL);
        _exit(0);
    }
    for (int i = 0; i < WRITERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, add_up, NULL), 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    (void)snprintf(total, sizeof total, "%d", (WRITERS + 1) * ROUNDS);
    assert_content(path, total);
}

static void test_log_is_appended(void **state)
{
    (void)state;
    int handle = -1;
    struct plat_file_state opened, now;
    mode_t former = umask(0);
    assert_int_equal(plat_log_open(path, &handle, &opened), PLAT_IO_OK);
    (void)umask(former);
    assert_int_equal(mode_of(path), 0640);
    assert_int_equal(plat_log_write(handle, "a\n", 2), PLAT_IO_OK);
    put(path, "b\n", 0640); /* truncated by somebody: no hole */
    assert_int_equal(plat_log_write(handle, "c\n", 2), PLAT_IO_OK);
    plat_file_close(&handle);
    assert_content(path, "b\nc\n");
    assert_int_equal(plat_file_state(path, &now), PLAT_IO_OK);
    assert_int_equal(now.inode, opened.inode);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink(aside, path), 0);
    assert_int_equal(plat_log_open(path, &handle, &opened), PLAT_IO_NOT_FILE);
    assert_int_equal(access(aside, F_OK), -1);
    assert_int_equal(plat_log_open(folder, &handle, &opened), PLAT_IO_NOT_FILE);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(plat_log_open(path, &handle, &opened), PLAT_IO_NOT_FILE);
    assert_int_equal(handle, -1);
}

/* The audit trail may not be one that others write. */
static void test_trust_of_a_log(void **state)
{
    (void)state;
    char why[640];
    int handle = -1;
    struct plat_file_state now;
    put(path, "", 0662);
    assert_int_equal(plat_log_open(path, &handle, &now), PLAT_IO_UNSAFE);
    assert_int_equal(handle, -1);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(chmod(folder, 0777), 0);
    assert_int_equal(plat_log_open(path, &handle, &now), PLAT_IO_UNSAFE);
    plat_log_explain(path, PLAT_IO_UNSAFE, why, sizeof why);
    assert_non_null(strstr(why, folder));
    assert_int_equal(chmod(folder, 01777), 0);
    assert_int_equal(plat_log_open(path, &handle, &now), PLAT_IO_OK);
    plat_file_close(&handle);
    assert_int_equal(chmod(folder, 0700), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(path, 4242, 0), 0);
        assert_int_equal(plat_log_open(path, &handle, &now), PLAT_IO_UNSAFE);
        plat_log_explain(path, PLAT_IO_UNSAFE, why, sizeof why);
        assert_non_null(strstr(why, "belongs to user 4242"));
    }
}

static void test_folder_for(void **state)
{
    (void)state;
    char deep[192], deeper[256];
    (void)snprintf(deep, sizeof deep, "%s/akv-ekm/keymap", folder);
    (void)snprintf(deeper, sizeof deeper, "%s/no/akv-ekm/keymap", folder);
    mode_t former = umask(0);
    assert_int_equal(plat_folder_for(deep), PLAT_IO_OK);
    (void)umask(former);
    *strrchr(deep, '/') = '\0';
    assert_true(plat_folder_exists(deep));
    assert_int_equal(mode_of(deep), 0700);
    assert_int_equal(chmod(deep, 0750), 0);
    (void)strcat(deep, "/keymap");
    assert_int_equal(plat_folder_for(deep), PLAT_IO_OK);
    *strrchr(deep, '/') = '\0';
    assert_int_equal(mode_of(deep), 0750); /* the administrator's choice stays */
    assert_int_equal(plat_folder_for(deeper), PLAT_IO_ABSENT);
    put(path, "file", 0600);
    (void)snprintf(deep, sizeof deep, "%s/keymap", path);
    assert_true(plat_folder_for(deep) != PLAT_IO_OK);
    assert_false(plat_folder_exists(path));
}

static void test_every_outcome_has_a_text(void **state)
{
    (void)state;
    for (int io = PLAT_IO_OK; io <= PLAT_IO_FAILED; io++) {
        assert_non_null(plat_io_text((enum plat_io)io));
        assert_true(strlen(plat_io_text((enum plat_io)io)) > 4);
    }
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_read_is_bounded),
        EACH(test_a_pipe_is_refused_at_once),
        EACH(test_trust),
        EACH(test_trust_of_owner_and_group),
        EACH(test_trust_of_a_folder_that_cannot_be_listed),
        EACH(test_trust_follows_links),
        EACH(test_trust_of_each_folder_on_the_way),
        EACH(test_links_that_lead_nowhere),
        EACH(test_trust_of_a_log),
        EACH(test_handles_are_never_the_standard_ones),
        EACH(test_lock_is_held_by_one),
        EACH(test_lock_target_must_be_a_file),
        EACH(test_nothing_is_lost_between_threads_and_processes),
        EACH(test_log_is_appended),
        EACH(test_folder_for),
        EACH(test_every_outcome_has_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
