#include "map_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIGITS 40

static const char host_set[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";
static const char name_set[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";

static bool map_reader_complain(const char *path, const char *what, const char *line)
{
    fprintf(stderr, "%s: %s: '%.300s'\n", path, what, line);
    return false;
}

static const char *thumbprint_of(const char *line)
{
    return strchr(line, '\t') + 1;
}

static bool is_line(const char *line)
{
    size_t host = strspn(line, host_set);
    if (host == 0 || line[host] != '\t') {
        return false;
    }
    const char *digits = line + host + 1, *uri = digits + DIGITS + 1;
    if (strspn(digits, "0123456789ABCDEF") != DIGITS || digits[DIGITS] != '\t' ||
        strncmp(uri, "https://", 8) != 0 || strncmp(uri + 8, line, host) != 0 ||
        strncmp(uri + 8 + host, "/keys/", 6) != 0) {
        return false;
    }
    const char *name = uri + 8 + host + 6;
    size_t name_len = strspn(name, name_set);
    const char *version = name + name_len + 1;
    return name_len > 0 && name[name_len] == '/' && version[0] != '\0' &&
           version[strspn(version, name_set)] == '\0';
}

static int map_reader_compare(const void *left, const void *right)
{
    const char *const *a = left, *const *b = right;
    return strncmp(thumbprint_of(*a), thumbprint_of(*b), DIGITS);
}

/* The whole file, terminated; an absent one is empty. */
static char *read_whole(const char *path, size_t *len)
{
    struct stat st = {.st_size = 0};
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if ((fd < 0 && errno != ENOENT) || (fd >= 0 && fstat(fd, &st) != 0)) {
        perror(path);
        return NULL;
    }
    char *text = calloc(1, (size_t)st.st_size + 1);
    ssize_t got = fd >= 0 && text != NULL ? read(fd, text, (size_t)st.st_size) : 0;
    if (fd >= 0) {
        close(fd);
    }
    *len = (size_t)st.st_size;
    if (text == NULL || got != st.st_size) {
        map_reader_complain(path, "not read to its end", "");
        free(text);
        return NULL;
    }
    return text;
}

static bool map_reader_cut(const char *path, size_t len, struct map_lines *map)
{
    map->lines = calloc(len / DIGITS + 1, sizeof *map->lines);
    if (map->lines == NULL) {
        return false;
    }
    for (char *line = map->text; line < map->text + len;) {
        char *end = memchr(line, '\n', (size_t)(map->text + len - line));
        if (end == NULL) {
            return map_reader_complain(path, "a line without its end", line);
        }
        *end = '\0';
        if (strlen(line) != (size_t)(end - line) || !is_line(line)) {
            return map_reader_complain(path, "not an entry", line);
        }
        map->lines[map->count++] = line;
        line = end + 1;
    }
    qsort(map->lines, map->count, sizeof *map->lines, map_reader_compare);
    for (size_t i = 1; i < map->count; i++) {
        if (map_reader_compare(&map->lines[i - 1], &map->lines[i]) == 0) {
            return map_reader_complain(path, "two lines for one thumbprint", map->lines[i]);
        }
    }
    return true;
}

bool map_lines_read(const char *path, struct map_lines *out)
{
    size_t len = 0;
    *out = (struct map_lines){NULL, NULL, 0};
    out->text = read_whole(path, &len);
    if (out->text != NULL && map_reader_cut(path, len, out)) {
        return true;
    }
    map_lines_free(out);
    return false;
}

static bool has_uri(const char *line, const char *uri)
{
    return strncmp(thumbprint_of(line) + DIGITS + 1, uri, strlen(uri)) == 0;
}

bool map_lines_hold(const struct map_lines *map, const char *thumbprint, const char *uri)
{
    size_t low = 0, high = map->count;
    for (size_t i = 0; thumbprint[0] == '\0' && i < map->count; i++) {
        if (has_uri(map->lines[i], uri)) {
            return true;
        }
    }
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strncmp(thumbprint_of(map->lines[middle]), thumbprint, DIGITS);
        if (order == 0) {
            return has_uri(map->lines[middle], uri);
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return false;
}

void map_lines_free(struct map_lines *map)
{
    free(map->lines);
    free(map->text);
    *map = (struct map_lines){NULL, NULL, 0};
}
