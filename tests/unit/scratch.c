#include "scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

char folder[64], path[128], aside[160];

int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/akvekm-file-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    (void)snprintf(path, sizeof path, "%s/map", folder);
    (void)snprintf(aside, sizeof aside, "%s.tmp", path);
    return 0;
}

int remove_folder(void **state)
{
    (void)state;
    char name[512];
    struct dirent *entry;
    DIR *dir = opendir(folder);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        (void)snprintf(name, sizeof name, "%s/%s", folder, entry->d_name);
        if (unlink(name) != 0) {
            (void)rmdir(name);
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    return rmdir(folder);
}

void put(const char *name, const char *text, mode_t mode)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    (void)close(fd);
}

enum plat_io get(const char *name, enum plat_file_trust trust, char *out, size_t cap)
{
    int handle = -1;
    size_t len = 0;
    struct plat_file_state state;
    enum plat_io io = plat_file_open(name, trust, &handle, &state);
    if (io == PLAT_IO_OK) {
        io = plat_file_read(handle, out, cap - 1, &len);
    }
    out[len] = '\0';
    plat_file_close(&handle);
    assert_int_equal(handle, -1);
    return io;
}

void assert_content(const char *name, const char *expected)
{
    char text[256];
    assert_int_equal(get(name, PLAT_TRUST_ANY, text, sizeof text), PLAT_IO_OK);
    assert_string_equal(text, expected);
}

unsigned mode_of(const char *name)
{
    struct stat st;
    assert_int_equal(stat(name, &st), 0);
    return st.st_mode & 07777;
}
