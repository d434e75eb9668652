/*
 * The map file as somebody reads it who knows nothing of the library: strictly, line by line.
 *
 * Owns the lines of one reading. Any process; failures are told on standard error.
 */
#ifndef AKVEKM_TORTURE_MAP_READER_H
#define AKVEKM_TORTURE_MAP_READER_H

#include <stdbool.h>
#include <stddef.h>

struct map_lines {
    char *text;
    char **lines; /* each "host<TAB>THUMBPRINT<TAB>KeyUri", in order of thumbprint */
    size_t count;
};

/* False, with a reason told: it cannot be read, a line is not what the format says, the last one
 * has no line break, or two speak for one thumbprint. An absent file has no lines. */
bool map_lines_read(const char *path, struct map_lines *out);
/* Whether there is a line of this thumbprint (40 upper-case digits, or "" for any) whose KeyUri
 * begins so. */
bool map_lines_hold(const struct map_lines *map, const char *thumbprint, const char *uri);
void map_lines_free(struct map_lines *map);

#endif
