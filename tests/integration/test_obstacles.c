/* Obstacles in the place of the map: 2058 or a clear line in the log, and nothing of them is
 * overwritten. */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define MAP_FAILED_CODE 2058
#define KEY             "obstacle"
#define NOBODY          65534

static struct sim sim;
static struct ekm ekm;
static char folder[96], map[128], beside[160];

/* Runs in a child that has the provider to itself and may change rights and limits. */
static SqlCpError find_in_child(void (*limit)(void))
{
    int ends[2], status = -1;
    SqlCpError code = -1;
    fflush(NULL);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        SqlCpSession session;
        uint8_t bytes[32];
        SqlCpData thumb = {0, bytes};
        if (limit != NULL) {
            limit();
        }
        code = ekm.InitializeProvider();
        if (code == SQLCP_SUCCESS) {
            code = ekm_open(&ekm, "contoso-vault", SIM_PASSWORD, &session);
        }
        if (code == SQLCP_SUCCESS) {
            code = ekm_find(&ekm, &session, KEY, &thumb);
        }
        bool told = write(ends[1], &code, sizeof code) == (ssize_t)sizeof code;
        _exit(told && ekm.FreeProvider() == SQLCP_SUCCESS ? 0 : 1);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &code, sizeof code), sizeof code);
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    return code;
}

static void write_file(const char *path, const char *text, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), (ssize_t)len);
    assert_int_equal(fchmod(fd, 0600), 0);
    close(fd);
}

static void expect_file(const char *path, const char *text, size_t len)
{
    char *there = malloc(len + 1);
    int fd = open(path, O_RDONLY);
    assert_non_null(there);
    assert_true(fd >= 0);
    assert_int_equal(read(fd, there, len + 1), (ssize_t)len);
    close(fd);
    assert_memory_equal(there, text, len);
    free(there);
}

static void expect_in_log(const char *text)
{
    char *log = sim_file(&sim, "akv-ekm.log");
    if (strstr(log, text) == NULL) {
        fail_msg("the log does not say '%s'", text);
    }
    free(log);
}

static const char former[] = "other-vault.vault.azure.net\t00112233445566778899AABBCCDDEEFF00112233"
                             "\thttps://other-vault.vault.azure.net/keys/Former/v1\n";

static void expect_refused(void (*limit)(void), const char *reason)
{
    char path[160];
    snprintf(path, sizeof path, "%s/akv-ekm.log", sim.folder);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(find_in_child(limit), MAP_FAILED_CODE);
    expect_in_log(reason);
    expect_in_log("code=\"2058\"");
}

static int set_up(void **state)
{
    char line[160];
    (void)state;
    snprintf(folder, sizeof folder, "%s/map", sim.folder);
    snprintf(map, sizeof map, "%s/keymap", folder);
    assert_int_equal(mkdir(folder, 0755), 0);
    snprintf(line, sizeof line, "keymap_file = %s", map);
    sim_configure(&sim, line);
    return 0;
}

static int tear_down(void **state)
{
    char command[160];
    (void)state;
    (void)umount(folder);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static void test_links_and_folders(void **state)
{
    static const char *const suffixes[] = {"", ".lock", ".tmp"};
    (void)state;
    write_file(map, former, sizeof former - 1);
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char target[128], inside[192];
        snprintf(target, sizeof target, "%s/target", folder);
        snprintf(beside, sizeof beside, "%s%s", map, suffixes[i]);
        (void)unlink(beside);
        write_file(target, former, sizeof former - 1);
        if (i < 2) { /* the file aside is ours to clear away */
            assert_int_equal(symlink(target, beside), 0);
            expect_refused(NULL, "not a regular file");
            expect_file(target, former, sizeof former - 1);
            assert_int_equal(unlink(beside), 0);
        }
        assert_int_equal(mkdir(beside, 0700), 0);
        snprintf(inside, sizeof inside, "%s/file", beside);
        write_file(inside, former, sizeof former - 1);
        expect_refused(NULL, "not a regular file");
        expect_file(inside, former, sizeof former - 1);
        assert_int_equal(unlink(inside), 0);
        assert_int_equal(rmdir(beside), 0);
        write_file(map, former, sizeof former - 1);
    }
    expect_file(map, former, sizeof former - 1);
    assert_int_equal(find_in_child(NULL), SQLCP_SUCCESS);
}

/* Whatever is in the file stays in it, byte for byte, and the new entry comes behind. */
static void expect_kept(const char *text, size_t len, const char *reason)
{
    write_file(map, text, len);
    assert_int_equal(find_in_child(NULL), SQLCP_SUCCESS);
    if (reason != NULL) {
        expect_in_log(reason);
    }
    int fd = open(map, O_RDONLY);
    struct stat st;
    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    char *after = calloc(1, (size_t)st.st_size + 1);
    assert_non_null(after);
    assert_int_equal(read(fd, after, (size_t)st.st_size), st.st_size);
    close(fd);
    assert_memory_equal(after, text, len);
    assert_non_null(strstr(after + len, "/keys/" KEY "/"));
    assert_int_equal(after[st.st_size - 1], '\n');
    free(after);
}

static void test_foreign_and_damaged_files(void **state)
{
    static char text[1 << 20];
    (void)state;
    expect_kept(former, sizeof former - 1, NULL);
    expect_kept(former, sizeof former - 20, NULL); /* cut short: an entry of a shorter version */
    expect_kept(former, 40, "kept as they are): 1, the first is line 1");
    expect_kept("vault\tthumb\r\n", 13, "kept as they are): 1");
    expect_kept("\n\n", 2, NULL);
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (char)(i * 2654435761u >> 13);
    }
    expect_kept(text, 70000, "the first is line 1");
    memset(text, 'x', sizeof text);
    expect_kept(text, sizeof text, "kept as they are): 1, the first is line 1");
    /* UTF-16, as another system's editor may have saved it. */
    for (size_t i = 0; i < sizeof former - 1; i++) {
        text[2 * i] = former[i];
        text[2 * i + 1] = '\0';
    }
    expect_kept(text, 2 * (sizeof former - 1), "the first is line 1");
}

static void test_a_file_beyond_all_measure(void **state)
{
    struct stat st;
    (void)state;
    write_file(map, former, sizeof former - 1);
    assert_int_equal(truncate(map, (off_t)65 << 20), 0);
    expect_refused(NULL, "too large");
    assert_int_equal(stat(map, &st), 0);
    assert_int_equal(st.st_size, (off_t)65 << 20);
}

static void limit_file_size(void)
{
    const struct rlimit limit = {150, 150};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) {
        _exit(9);
    }
}

/* With the signal's default, which ends the process: the library must not raise it. */
static void test_limit_of_file_sizes(void **state)
{
    (void)state;
    write_file(map, former, sizeof former - 1);
    assert_int_equal(find_in_child(limit_file_size), MAP_FAILED_CODE);
    expect_file(map, former, sizeof former - 1);
    assert_int_equal(find_in_child(NULL), SQLCP_SUCCESS);
}

static void test_full_and_read_only_file_systems(void **state)
{
    char filler[160], *big = calloc(1, 64 << 10);
    (void)state;
    assert_non_null(big);
    if (mount("tmpfs", folder, "tmpfs", 0, "size=64k") != 0) {
        print_message("no file system can be mounted here: %s\n", strerror(errno));
        free(big);
        skip();
    }
    write_file(map, former, sizeof former - 1);
    snprintf(filler, sizeof filler, "%s/filler", folder);
    int fd = open(filler, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    while (write(fd, big, 4096) > 0) {
    }
    close(fd);
    free(big);
    expect_refused(NULL, "no space left");
    expect_file(map, former, sizeof former - 1);
    assert_int_equal(unlink(filler), 0);
    assert_int_equal(mount("tmpfs", folder, "tmpfs", MS_REMOUNT | MS_RDONLY, "size=64k"), 0);
    expect_refused(NULL, "read-only");
    expect_file(map, former, sizeof former - 1);
    assert_int_equal(mount("tmpfs", folder, "tmpfs", MS_REMOUNT, "size=64k"), 0);
    assert_int_equal(find_in_child(NULL), SQLCP_SUCCESS);
}

static void become_nobody(void)
{
    if (setgid(NOBODY) != 0 || setuid(NOBODY) != 0) {
        _exit(9);
    }
}

static void give_nobody(const char *path, mode_t mode)
{
    assert_int_equal(chown(path, NOBODY, NOBODY), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void test_no_permission(void **state)
{
    char path[160];
    (void)state;
    if (geteuid() != 0) {
        print_message("rights can be given up by root alone\n");
        skip();
    }
    assert_int_equal(chmod(sim.folder, 0755), 0);
    for (size_t i = 0; i < 3; i++) {
        static const char *const names[] = {"akv-ekm.conf", "ca.pem", "akv-ekm.log"};
        snprintf(path, sizeof path, "%s/%s", sim.folder, names[i]);
        assert_int_equal(i == 2 ? chown(path, NOBODY, NOBODY) : chmod(path, 0644), 0);
    }
    write_file(map, former, sizeof former - 1);
    assert_int_equal(chmod(map, 0644), 0);
    expect_refused(become_nobody, "permission denied"); /* the folder is root's */
    give_nobody(folder, 0755);
    assert_int_equal(chmod(map, 0600), 0);
    expect_refused(become_nobody, "permission denied"); /* the file is */
    expect_file(map, former, sizeof former - 1);
    give_nobody(map, 0600);
    snprintf(beside, sizeof beside, "%s.lock", map);
    (void)unlink(beside);
    write_file(beside, "", 0);
    expect_refused(become_nobody, "permission denied"); /* the lock is */
    expect_file(map, former, sizeof former - 1);
    give_nobody(beside, 0600);
    assert_int_equal(find_in_child(become_nobody), SQLCP_SUCCESS);
    assert_int_equal(chmod(sim.folder, 0700), 0);
    assert_int_equal(chown(path, 0, 0), 0);
}

static void test_no_folder(void **state)
{
    (void)state;
    char line[256];
    snprintf(line, sizeof line, "keymap_file = %s/no/such/keymap", folder);
    sim_configure(&sim, line);
    expect_refused(NULL, "no such file or folder");
    write_file(map, former, sizeof former - 1);
    snprintf(line, sizeof line, "keymap_file = %s/keymap/keymap", folder);
    sim_configure(&sim, line);
    expect_refused(NULL, "cannot be written");
    expect_file(map, former, sizeof former - 1);
}

static int obstacles_start(void **state)
{
    *state = &sim;
    sim_start(&sim, NULL, NULL);
    sim_make_key(&sim, KEY);
    sim_configure(&sim, "call_timeout_ms = 20000");
    ekm_load(&ekm);
    (void)find_in_child(NULL); /* makes the log */
    return 0;
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_links_and_folders),
        EACH(test_foreign_and_damaged_files),
        EACH(test_a_file_beyond_all_measure),
        EACH(test_limit_of_file_sizes),
        EACH(test_full_and_read_only_file_systems),
        EACH(test_no_permission),
        EACH(test_no_folder),
    };
    return cmocka_run_group_tests(tests, obstacles_start, sim_tear_down);
}
